"""Query parameters into a ``Selection``; whatever is wrong becomes a problem that names parameter and rule."""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from fastapi import Request

from app.api.html import wants_html
from app.api.language import LANGUAGES
from app.api.problems import Problem, closest
from app.catalog import COLLECTIONS, Collection, Field
from app.filters.guard import LIMITS, load_json
from app.settings import Settings

Choice = TypeVar("Choice", bound=str)

PAGING = ("limit", "cursor", "offset")
#: How exact numbers of the database become JSON numbers.
NUMBERS: dict[Any, Callable[[Any], Any]] = {Decimal: float}


@dataclass(frozen=True)
class Paging:
    limit: int
    after: list[Any] | None
    offset: int


def collection(name: str) -> Collection:
    """The collection of a path. Raises a 404 that lists those there are."""
    found = COLLECTIONS.get(name)
    if found is None:
        raise Problem(
            404, f"没有图层 {name!r}。 No collection {name!r}.{closest(name, COLLECTIONS)}",
            parameter="collectionId", allowed=COLLECTIONS,
        )  # fmt: skip
    return found


def only(request: Request, known: Sequence[str]) -> dict[str, str]:
    """The request's parameters, each given once and none unknown.

    A form sends the fields that were left empty too: where a page answers they ask for nothing. To a program an empty
    value is an error, lest a fault of its own pass for a question about everything.
    """
    given = once(request.query_params.multi_items(), known)
    return {name: value for name, value in given.items() if value.strip()} if wants_html(request, given) else given


def once(pairs: Iterable[tuple[str, str]], known: Sequence[str]) -> dict[str, str]:
    """Parameters by name, each given once and none unknown."""
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise Problem(
                400, f"没有参数 {name!r}。 No parameter {name!r}.{closest(name, known)}", parameter=name, allowed=known
            )
        if name in given:
            raise Problem(400, "参数重复；多个值用逗号分隔。 Given twice; separate values by commas.", parameter=name)
        if "\x00" in value:
            raise Problem(400, "不得含空字符。 Must not contain a NUL character.", parameter=name)
        given[name] = value
    return given


def formats(given: Mapping[str, str], *known: str) -> None:
    """Refuse a format (``f``) that this resource does not have, and a language (``lang``) that nothing has."""
    if given.get("f", known[0]) not in known:
        raise Problem(400, f"没有格式 {given['f']!r}。 No format {given['f']!r}.", parameter="f", allowed=known)
    choice(given, "lang", LANGUAGES)


def filters(queryables: Sequence[Field], given: Mapping[str, str]) -> dict[str, Sequence[Any]]:
    """Values asked for by property, in the property's type."""
    return {
        one.name: [_typed(one, part) for part in parts(one.name, given[one.name])]
        for one in queryables
        if one.name in given
    }


def paging(given: Mapping[str, str], settings: Settings) -> Paging:
    """Page size and start. A limit above the maximum gives the maximum, as OGC API – Features has it."""
    asked = given.get("limit", str(settings.default_limit))
    # however large, it is no error (/req/core/fc-limit-response-1)
    limit = settings.max_limit if re.fullmatch(r"0*[1-9][0-9]{9,}", asked) else whole("limit", asked, 1)
    if "cursor" in given and "offset" in given:
        raise Problem(400, "cursor 与 offset 只能用其一。 Use cursor or offset, not both.", parameter="offset")
    offset = whole("offset", given.get("offset", "0"), 0)
    if offset > (most := settings.max_offset):
        raise Problem(400, f"不得大于 {most}；请用 cursor 翻页。 At most {most}: page by cursor.", parameter="offset")
    after = _decode(given["cursor"]) if "cursor" in given else None
    return Paging(min(limit, settings.max_limit), after, offset)


def cursor(key: Sequence[Any]) -> str:
    """An opaque page token: the key behind which the next page begins."""
    text = json.dumps(list(key), ensure_ascii=False, default=float)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(token: str) -> list[Any]:
    try:
        key = load_json(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())
    except (binascii.Error, ValueError):
        key = None
    if not isinstance(key, list) or not key or not all(isinstance(one, str | int | float | None) for one in key):
        raise not_a_token()
    if any(isinstance(one, str) and "\x00" in one for one in key) or not isinstance(key[-1], str):
        raise not_a_token()
    return key


def not_a_token() -> Problem:
    return Problem(400, "不是本服务给出的翻页标记。 Not a page token of this service.", parameter="cursor")


def parts(name: str, text: str) -> list[str]:
    """Values between commas; a comma inside a value is written ``\\,``."""
    parts = [part.replace("\\,", ",").strip() for part in re.split(r"(?<!\\),", text)]
    if not all(parts):
        raise Problem(400, "值不能为空。 A value must not be empty.", parameter=name)
    if len(parts) > (most := LIMITS.get().max_values):
        raise Problem(400, f"至多 {most} 个值。 At most {most} values.", parameter=name)
    return parts


def choice(given: Mapping[str, str], name: str, allowed: tuple[Choice, ...]) -> Choice:
    """One of a few words; the first where none is given."""
    text = given.get(name, allowed[0])
    for one in allowed:
        if one == text:
            return one
    raise Problem(
        400, f"没有取值 {text!r}。 No value {text!r}.{closest(text, allowed)}", parameter=name, allowed=allowed
    )


def whole(name: str, text: str, least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < least:
        raise Problem(400, f"须为不小于 {least} 的整数。 Must be a whole number of {least} or more.", parameter=name)
    return int(text)


def number(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Problem(400, f"{text!r} 不是数。 {text!r} is not a number.", parameter=name)
    return value


def _typed(described: Field, text: str) -> Any:
    """A filter's value in the type of its property."""
    if described.type == "boolean":
        if text not in ("true", "false"):
            raise Problem(400, "须为 true 或 false。 Must be true or false.", parameter=described.name)
        return text == "true"
    if described.type in ("number", "integer"):
        return number(described.name, text)
    if described.values and text not in described.values:
        raise Problem(
            400, f"没有取值 {text!r}。 No value {text!r}.{closest(text, described.values)}",
            parameter=described.name, allowed=described.values,
        )  # fmt: skip
    return text
