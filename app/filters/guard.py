"""Limits that hold before a parser sees the filter, and the walk that holds the rest once it is a tree.

The CQL2 parser is native code that overflows its stack on deep nesting, so brackets and operators are counted first.
"""

import json
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from operator import attrgetter
from typing import Any, NoReturn

import numpy as np

from app.filters.errors import FilterError
from app.settings import QuestionLimits

#: The limits of the request that is being answered; the settings' defaults where there is none. Those on depth and on
#: operators, each of which can deepen the tree by one, cannot be set higher: they are what the parser bears.
LIMITS: ContextVar[QuestionLimits] = ContextVar("question_limits", default=QuestionLimits())  # noqa: B039
#: Those of them that a filter in an address is held to.
for_text = attrgetter(
    "filter_max_text", "filter_max_depth", "filter_max_operators", "filter_max_nodes", "filter_max_list",
    "filter_max_vertices", "json_max_depth", "max_body_bytes",
)  # fmt: skip
#: Numbers are at most this large; beyond it arithmetic is unknown.
MAX_NUMBER = 1e150

#: A position, the list it is in and its geometry: no more for each vertex, as with collections of a MultiPoint each.
LISTS_OF_A_VERTEX = 3

#: Stands for the empty list ``()`` of the standard's grammar, which the parser does not read; no filter holds a NUL.
EMPTY = "\x00"

_TOKENS = re.compile(
    r"""(?P<string>'(?:[^'\\]|''|\\.)*+(?P<shut>')?)
    |(?P<quoted>"(?:[^"]|"")*+(?P<end>")?)
    |(?P<name>(?:[^\W\d]|:)[\w.:]*)
    |(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<open>\()|(?P<close>\))|(?P<operator>[-+*/%^<>=]+)|(?P<comma>,)""",
    re.VERBOSE | re.DOTALL,
)
_WORDS = frozenset(("AND", "OR", "NOT", "IN", "LIKE", "BETWEEN", "IS", "DIV"))
_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
#: By how much a character of JSON deepens it, as signed bytes.
_STEPS = bytes({91: 1, 123: 1, 93: 255, 125: 255}.get(code, 0) for code in range(256))


@dataclass
class Scan:
    """A text that is fit to be parsed.

    ``text`` says the same as the original in the words the parser knows; ``names`` gives each identifier's first
    character in the original, from 1.
    """

    text: str
    names: dict[str, int] = field(default_factory=dict)
    _inserted: list[int] = field(default_factory=list)

    def original(self, position: int) -> int:
        """Position in the original of a position in ``text``."""
        return position - sum(1 for one in self._inserted if one < position)


def scan(text: str) -> Scan:
    """Count what a text holds, and write what the parser does not know in words it knows.

    The grammar's ``\\'`` becomes ``''``, ``.5`` becomes ``0.5``, a name that starts with ``_`` or ``:`` is quoted, and
    an empty list gets a member that stands for none. Raises ``FilterError``.
    """
    limits = LIMITS.get()
    _length(text, limits.filter_max_text)
    result = Scan("")
    parts: list[str] = []
    written = read = depth = operators = 0

    def put(piece: str, *, grown: int = 0) -> None:
        nonlocal written
        parts.append(piece)
        result._inserted.extend([written + 1] * grown)
        written += len(piece)

    before = ""
    for token in _TOKENS.finditer(text):
        kind, piece, start = str(token.lastgroup), token[0], token.start() + 1
        put(text[read : token.start()])
        read = token.end()
        if kind == "string":
            if token["shut"] is None:
                raise FilterError("字符串没有收尾的引号。", "A string has no closing quote.", position=start)
            put(re.sub(r"\\(.)", lambda pair: "''" if pair[1] == "'" else pair[0], piece, flags=re.DOTALL))
        elif kind == "quoted":
            if token["end"] is None:
                raise FilterError("名称没有收尾的双引号。", "A quoted name is not closed.", position=start)
            result.names.setdefault(piece[1:-1].replace('""', '"'), start)
            put(piece)
        elif kind == "name":
            result.names.setdefault(piece, start)
            operators += piece.upper() in _WORDS
            put(f'"{piece}"' if piece[0] in "_:" else piece, grown=2 * (piece[0] in "_:"))
        elif kind == "number" and piece.startswith("."):
            put("0" + piece, grown=1)
        else:
            if kind == "close" and before == "open list":
                put(f"'{EMPTY}'", grown=3)
            depth += (kind == "open") - (kind == "close")
            operators += len(piece) if kind == "operator" else 0
            put(piece)
        if depth > (most := limits.filter_max_depth):
            _refuse(f"括号嵌套超过 {most} 层。", f"Brackets are nested more than {most} deep.", start)
        if operators > (most := limits.filter_max_operators):
            _refuse(f"运算符多于 {most} 个。", f"There are more than {most} operators.", start)
        # an empty list stands where a value is due: after a comma or an opening bracket, not after a name
        before = "open list" if kind == "open" and before in ("comma", "open", "open list") else kind
    put(text[read:])
    result.text = "".join(parts)
    return result


def _brackets(text: str, deepest: int, lists: int) -> None:
    # by arrays, as long as the text: with nothing but brackets in it a loop takes a second, and so does the parser
    plain = _JSON_STRING.sub(lambda string: " " * len(string[0]), text).encode("ascii", "replace")
    steps = np.frombuffer(plain.translate(_STEPS), np.int8)
    beyond = np.flatnonzero(steps.cumsum(dtype=np.int32) > deepest)
    if beyond.size:
        _refuse(f"JSON 嵌套超过 {deepest} 层。", f"JSON is nested more than {deepest} deep.", int(beyond[0]) + 1)
    if np.count_nonzero(steps == 1) > lists:
        _refuse(f"列表与对象多于 {lists} 个。", f"There are more than {lists} lists and objects.")


def load_json(text: str, parse_float: Callable[[str], Any] = float) -> Any:
    """A JSON value from a text of bounded length and depth. Raises ``FilterError``."""
    limits = LIMITS.get()
    _length(text, limits.max_body_bytes)
    lists = limits.filter_max_nodes + LISTS_OF_A_VERTEX * limits.filter_max_vertices
    if text.count("[") + text.count("{") > min(limits.json_max_depth, lists):
        _brackets(text, limits.json_max_depth, lists)
    try:
        return json.loads(text, parse_constant=_constant, parse_float=parse_float)
    except FilterError:
        raise
    except json.JSONDecodeError as error:
        raise FilterError("不是 JSON。", f"Not JSON: {error.msg}.", position=error.pos + 1) from None
    except ValueError as error:  # a whole number too long to be read
        raise FilterError("数太长。", "A number is too long.") from error


def walk(tree: Any) -> None:
    """Hold a tree to the limits on nodes, lists, vertices, depth, numbers and text. Raises ``FilterError``."""
    limits = LIMITS.get()
    nodes = vertices = 0
    waiting: list[tuple[Any, int, bool]] = [(tree, 0, False)]
    while waiting:
        value, depth, geometry = waiting.pop()
        if depth > (most := limits.json_max_depth):
            _refuse(f"嵌套超过 {most} 层。", f"Nested more than {most} deep.")
        nodes += not geometry
        if isinstance(value, dict):
            for name, inner in value.items():
                _text(name)
                waiting.append((inner, depth + 1, geometry or name in ("coordinates", "geometries")))
        elif isinstance(value, list):
            vertices += geometry and bool(value) and not isinstance(value[0], (list, dict))
            if not geometry and len(value) > (most := limits.filter_max_list):
                _refuse(f"列表多于 {most} 项。", f"A list has more than {most} members.")
            waiting.extend((inner, depth + 1, geometry) for inner in value)
        elif isinstance(value, str):
            _text(value)
        elif isinstance(value, (int, float, Decimal)) and not _sized(value):
            _refuse(f"数的绝对值须不大于 {MAX_NUMBER:g}。", f"Numbers are at most {MAX_NUMBER:g} in size.")
        if nodes > (most := limits.filter_max_nodes):
            _refuse(f"多于 {most} 个节点。", f"There are more than {most} nodes.")
        if vertices > (most := limits.filter_max_vertices):
            _refuse(f"几何多于 {most} 个顶点。", f"Geometries have more than {most} vertices.")


def _sized(number: Any) -> bool:
    """Whether a number is neither too large nor none; a whole number may be too long for a float."""
    return bool(abs(number) <= MAX_NUMBER)


def _length(text: str, most: int) -> None:
    if len(text) > most:
        _refuse(f"过滤条件长于 {most} 个字符。", f"The filter is longer than {most} characters.")
    _text(text)


def _text(text: str) -> None:
    """Refuse what PostgreSQL has no text for."""
    if "\x00" in text:
        _refuse("不得含空字符。", "Must not contain a NUL character.")
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse("不是有效的 Unicode。", "Not valid Unicode.")


def _constant(name: str) -> NoReturn:
    raise FilterError(f"{name} 不是 JSON 的数。", f"{name} is not a number of JSON.")


def _refuse(zh: str, en: str, position: int | None = None) -> NoReturn:
    raise FilterError(zh, en, position=position)
