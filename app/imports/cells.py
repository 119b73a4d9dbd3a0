"""Values of a file as the fields of a layer have them."""

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from app.catalog.imported import FieldDefinition
from app.imports.limits import Limits
from app.imports.tables import Formula

TRUE, FALSE = ("true", "1", "是", "yes", "y"), ("false", "0", "否", "no", "n")
FORMULA = "是公式，不是值。 Is a formula, not a value"
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?|[+-]?\.[0-9]+")
#: A number whose thousands are told off; a comma anywhere else might be a decimal one.
THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
#: What Chinese keyboards write in numbers.
WIDE = str.maketrans("０１２３４５６７８９．，＋－−", "0123456789.,+--")
#: Degrees with minutes and seconds, or with the half of the world before or behind them.
DEGREES = re.compile(
    r"(?P<before>[EN]|东经|北纬)?\s*(?P<degrees>[0-9]{1,3}(?:\.[0-9]{1,15})?)\s*[°º度]?"
    r"(?:\s*(?P<minutes>[0-9]{1,2}(?:\.[0-9]{1,15})?)\s*['′’分]"
    r"(?:\s*(?P<seconds>[0-9]{1,2}(?:\.[0-9]{1,15})?)\s*(?:[\"″”秒]|''|′′))?)?\s*(?P<after>[EN])?",
    re.IGNORECASE,
)
HALVES = {"lon": ("E", "东经"), "lat": ("N", "北纬")}
#: A date as people and programs write it; a time of day behind it is left off.
DATE = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?|([0-9]{2})([0-9]{2}))(?:[T ].*)?")
#: What a list's members stand between.
SEPARATORS = re.compile(r"[；;、]")
#: More digits say nothing, and would fill a cell.
LONGEST_NUMBER = 50
LARGEST = 2**63 - 1


class Wrong(ValueError):
    """A value breaks a rule, which the message says."""


def text(value: Any, limits: Limits) -> str | None:
    """A cell as a text, ``None`` for an empty one."""
    if type(value) is str:
        # nearly every cell of a table: the others take their time
        made = value.strip()
        if len(made) <= limits.text and "\0" not in made:
            return made or None
    if value is None:
        return None
    if isinstance(value, Formula):
        raise Wrong(FORMULA)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, bytes):
        raise Wrong("是二进制。 Is binary")
    made = str(value).strip()
    if len(made) > limits.text:
        raise Wrong(f"超过 {limits.text} 个字符。 Longer than {limits.text} characters")
    if "\0" in made:
        raise Wrong("含空字符。 Holds a NUL character")
    return made or None


def number(value: Any, limits: Limits) -> Decimal | None:
    """A cell as a number, also in full-width digits; thousands may be told off by commas."""
    plain = text(value, limits)
    if plain is None:
        return None
    if not plain.isdigit() or not plain.isascii():
        plain = plain.translate(WIDE)
        if THOUSANDS.fullmatch(plain):
            plain = plain.replace(",", "")
        if not NUMBER.fullmatch(plain):
            raise Wrong("不是数。 Is not a number")
    if len(plain) > LONGEST_NUMBER:
        raise Wrong("不是数。 Is not a number")
    return Decimal(plain)


def degrees(value: Any, part: str, limits: Limits) -> Decimal | None:
    """A cell as a coordinate, ``lon`` or ``lat``: a number, or degrees as surveyors write them (120°45′30″E)."""
    try:
        return number(value, limits)
    except Wrong:
        match = DEGREES.fullmatch(str(value).strip().translate(WIDE))
        if match is None or isinstance(value, Formula):
            raise
    half = (match["before"] or match["after"] or "").upper()
    if half and half not in HALVES[part]:
        raise Wrong("经纬度写反？ Is the other coordinate: are the two swapped?")
    whole, minutes, seconds = (Decimal(match[name] or 0) for name in ("degrees", "minutes", "seconds"))
    if minutes >= 60 or seconds >= 60:
        raise Wrong("分、秒须小于 60。 Minutes and seconds are below 60")
    return whole + minutes / 60 + seconds / 3600


def integer(value: Any, limits: Limits) -> int | None:
    """A cell as a whole number."""
    made = number(value, limits)
    if made is None:
        return None
    if made != made.to_integral_value() or abs(made) > LARGEST:
        raise Wrong("不是整数。 Is not a whole number")
    return int(made)


def boolean(value: Any, limits: Limits) -> bool | None:
    """A cell as yes or no."""
    plain = text(value, limits)
    if plain is None:
        return None
    if plain.lower() in TRUE:
        return True
    if plain.lower() in FALSE:
        return False
    raise Wrong("须为 是/否。 Must be yes or no")


def day(value: Any, limits: Limits) -> str | None:
    """A cell as a date, ``YYYY-MM-DD``."""
    plain = text(value, limits)
    if plain is None:
        return None
    match = DATE.fullmatch(plain.translate(WIDE))
    try:
        return date(*map(int, filter(None, match.groups()))).isoformat() if match else _no_date()
    except ValueError:
        return _no_date()


def _no_date() -> str:
    raise Wrong("不是日期（年-月-日）。 Is not a date (YYYY-MM-DD)")


def listed(value: Any, limits: Limits) -> list[str]:
    """A cell as a list of texts, or a JSON list as GDAL gives it."""
    if isinstance(value, list | tuple):
        return [one for one in (text(part, limits) for part in value) if one]
    plain = text(value, limits)
    return [one.strip() for one in SEPARATORS.split(plain) if one.strip()] if plain else []


CONVERT: dict[str, Callable[[Any, Limits], Any]] = {
    "text": text, "date": day, "number": number, "integer": integer, "boolean": boolean, "list": listed,
}  # fmt: skip


def converter(described: FieldDefinition, limits: Limits) -> Callable[[Any], Any]:
    """A function from a cell to the value of a field. It raises ``Wrong``."""
    convert = CONVERT[described.type]
    allowed = frozenset(described.values)

    def converted(value: Any) -> Any:
        made = convert(value, limits)
        if made is None or made == []:
            if described.required:
                raise Wrong("不可为空。 Must not be empty")
            return made
        for one in _texts(made) if allowed else ():
            if one not in allowed:
                raise Wrong(f"须为 {'、'.join(described.values)[:200]} 之一。 Must be one of these")
        return made

    return converted


def column(described: FieldDefinition, limits: Limits) -> Callable[[Sequence[Any]], tuple[list[Any], dict[int, str]]]:
    """A function from many cells to the values of a field, and the rule that each wrong one breaks, by its place.

    Cells of which none is out of the ordinary are taken together, for a million of them take their time one by one.
    """
    convert = converter(described, limits)
    plain = PLAIN.get(described.type)

    def converted(cells: Sequence[Any]) -> tuple[list[Any], dict[int, str]]:
        together = None if plain is None or described.required or described.values else _plain(cells, limits)
        if together is not None and plain is not None:
            made = plain(together)
            if made is not None:
                return made, {}
        values, faults = [], {}
        for place, cell in enumerate(cells):
            try:
                values.append(convert(cell))
            except Wrong as error:
                values.append(None)
                faults[place] = str(error)
        return values, faults

    return converted


def _plain(cells: Sequence[Any], limits: Limits) -> list[str] | None:
    """Cells as texts without blanks around, where all are short texts."""
    if set(map(type, cells)) != {str}:
        return None
    texts = list(map(str.strip, cells))
    return None if max(map(len, texts)) > limits.text or "\0" in "".join(texts) else texts


def _numbers(texts: list[str]) -> list[Any] | None:
    if not all(map(PLAIN_NUMBER.fullmatch, texts)):
        return None
    return [Decimal(one) if one else None for one in texts]


def _integers(texts: list[str]) -> list[Any] | None:
    if not all(map(PLAIN_INTEGER.fullmatch, texts)):
        return None
    return [int(one) if one else None for one in texts]


def _days(texts: list[str]) -> list[Any] | None:
    if not all(map(PLAIN_DAY.fullmatch, texts)):
        return None
    try:
        return [date.fromisoformat(one).isoformat() if one else None for one in texts]
    except ValueError:
        return None


PLAIN_NUMBER = re.compile(r"(?:-?[0-9]{1,15}(?:\.[0-9]{1,15})?)?")
PLAIN_INTEGER = re.compile(r"(?:-?[0-9]{1,18})?")
PLAIN_DAY = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?")
#: By type of field, for cells that are all texts; ``None`` where one of them needs a closer look.
PLAIN: dict[str, Callable[[list[str]], list[Any] | None]] = {
    "text": lambda texts: [one or None for one in texts], "number": _numbers, "integer": _integers, "date": _days,
}  # fmt: skip


def _texts(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]
