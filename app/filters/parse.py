"""A filter as the tree of CQL2 JSON, whichever of the two encodings it came in.

Text is read by the package ``cql2`` (cql2-rs), for its syntax alone: its tree is checked here, and its SQL is not used.
It reads all of the declared classes; the other well-kept parser, pygeofilter 0.4, reads no ``''`` in a string, no name
outside ASCII, no array or temporal function and no function that is itself a condition.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

import cql2

from app.filters import guard
from app.filters.errors import FilterError
from app.filters.functions import FUNCTIONS
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
    def places(self) -> frozenset[tuple[str, str]]:
        """The places that functions name, as (function, place); look them up before compiling."""
        return frozenset(_places(self.tree))


def parse(text: str, language: Language) -> Expression:
    """Read a filter. Raises ``FilterError``, with the position where it is known."""
    return _parse(text, language, guard.for_text(guard.LIMITS.get()))


# the pages and tiles of a map ask by the same filter: 32 of the longest take some 30 MB
@lru_cache(32)
def _parse(text: str, language: Language, _limits: tuple[int, ...]) -> Expression:
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


def _places(tree: Any) -> Iterator[tuple[str, str]]:
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            name, arguments = value.get("op"), value.get("args")
            waiting.extend(value.values())
            function = FUNCTIONS.get(name.lower()) if isinstance(name, str) else None
            if function and function.place and isinstance(arguments, list):
                yield from ((function.name, place) for place in arguments[:1] if isinstance(place, str))
