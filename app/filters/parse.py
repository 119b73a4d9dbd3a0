"""A filter as the tree of CQL2 JSON, whichever of the two encodings it came in.

Text is read by the package ``cql2`` (cql2-rs), for its syntax alone: its tree is checked here, and its SQL is not used.
It reads all of the declared classes; the other well-kept parser, pygeofilter 0.4, reads no ``''`` in a string, no name
outside ASCII, no array or temporal function and no function that is itself a condition.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import cql2

from app.filters import guard
from app.filters.errors import FilterError
from app.filters.functions import FUNCTIONS, Function
from app.filters.nodes import Node

Language = Literal["cql2-text", "cql2-json"]
#: Characters of the text shown where it could not be read.
EXCERPT = 30


@dataclass(frozen=True, eq=False)
class Expression:
    """A filter that is well formed and within limits; names and types are not checked yet.

    ``tree`` is CQL2 JSON; ``positions`` gives the first character of each name in a text. ``checked`` has what
    ``compile`` found it to mean, by the properties and the reference system that it was checked against.
    """

    tree: Any
    positions: dict[str, int] = field(default_factory=dict)
    checked: dict[Any, Node] = field(default_factory=dict)

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names of the properties it reads; functions of this service read the ``position``."""
        return frozenset(_reads(self.tree))

    @cached_property
    def places(self) -> frozenset[tuple[str, str]]:
        """The places that functions name, as (function, place); look them up before compiling."""
        return frozenset(_places(self.tree))


#: The pages and tiles of a map ask by the same filter: 32 of the longest take some 30 MB.
REMEMBERED = 32
_known: OrderedDict[tuple[str, Language, tuple[int, ...]], Expression] = OrderedDict()


def parse(text: str, language: Language) -> Expression:
    """Read a filter. Raises ``FilterError``, with the position where it is known."""
    found = remembered(text, language)
    if found is None:
        found = _known[text, language, guard.for_text(guard.LIMITS.get())] = _parse(text, language)
        if len(_known) > REMEMBERED:
            with suppress(KeyError):  # another thread was first
                _known.popitem(last=False)
    return found


def remembered(text: str, language: Language) -> Expression | None:
    """A filter that was read before; those looked for longest ago are forgotten."""
    key = text, language, guard.for_text(guard.LIMITS.get())
    with suppress(KeyError):
        _known.move_to_end(key)
        return _known[key]
    return None


def _parse(text: str, language: Language) -> Expression:
    if language == "cql2-json":
        return from_tree(guard.load_json(text))
    scanned = guard.scan(text)
    try:
        tree = cql2.parse_text(scanned.text).to_json()
    except cql2.ParseError as error:
        raise _unreadable(text, scanned, str(error)) from None
    except Exception as error:  # the package raises bare exceptions for some geometries
        raise FilterError("无法解析。", f"Cannot be read: {str(error)[:200]}.") from None
    _drop_stand_ins(tree)
    guard.walk(tree)
    return Expression(tree, scanned.names)


def from_tree(tree: Any) -> Expression:
    """A filter that arrived as part of a JSON document read with ``guard.load_json``. Raises ``FilterError``."""
    guard.walk(tree)
    return Expression(tree)


def _unreadable(text: str, scanned: guard.Scan, message: str) -> FilterError:
    """The parser names line and column of the text it was given; turn them back into a character of the filter."""
    found = re.search(r"--> (\d+):(\d+)", message)
    if found is None:
        return FilterError("无法解析。", f"Cannot be read: {message[:200]}.")
    lines = scanned.text.split("\n")[: int(found[1]) - 1]
    position = scanned.original(sum(len(line) + 1 for line in lines) + int(found[2]))
    rest = text[position - 1 :]
    shown = rest[:EXCERPT] + ("…" if len(rest) > EXCERPT else "")
    if not shown:
        return FilterError("过滤条件不完整。", "The filter ends too early.", position=position)
    return FilterError(f"此处无法解析：{shown!r}。", f"Cannot be read here: {shown!r}.", position=position)


def _drop_stand_ins(tree: Any) -> None:
    """Empty the lists that hold nothing but what stands for no member."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if value == [guard.EMPTY]:
            value.clear()
        elif isinstance(value, (dict, list)):
            waiting.extend(value.values() if isinstance(value, dict) else value)


def _reads(tree: Any) -> Iterator[str]:
    for value in _objects(tree):
        if isinstance(value.get("property"), str):
            yield value["property"]
        if _function(value):
            yield "position"


def _places(tree: Any) -> Iterator[tuple[str, str]]:
    for value in _objects(tree):
        function, arguments = _function(value), value.get("args")
        if function and function.place and isinstance(arguments, list):
            yield from ((function.name, place) for place in arguments[:1] if isinstance(place, str))


def _function(value: Mapping[str, Any]) -> Function | None:
    name = value.get("op")
    return FUNCTIONS.get(name.lower()) if isinstance(name, str) else None


def _objects(tree: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a tree, in no order."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            waiting.extend(value.values())
            yield value
