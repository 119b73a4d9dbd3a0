"""What a filter means, evaluated in Python: three-valued logic over rows, from the standard's definitions alone."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any

import shapely

from tests.filters.rows import Row

#: Digits kept while a term is computed; far more than any exact result of the tests has.
DIGITS = 120
SPATIAL: dict[str, Callable[[Any, Any], bool]] = {
    "s_contains": shapely.contains, "s_crosses": shapely.crosses, "s_disjoint": shapely.disjoint,
    "s_equals": shapely.equals, "s_intersects": shapely.intersects, "s_overlaps": shapely.overlaps,
    "s_touches": shapely.touches, "s_within": shapely.within,
}  # fmt: skip
COMPARED: dict[str, Callable[[int], bool]] = {
    "=": lambda sign: sign == 0, "<>": lambda sign: sign != 0, "<": lambda sign: sign < 0,
    ">": lambda sign: sign > 0, "<=": lambda sign: sign <= 0, ">=": lambda sign: sign >= 0,
}  # fmt: skip
SETS: dict[str, Callable[[set[Any], set[Any]], bool]] = {
    "a_contains": lambda a, b: a >= b, "a_containedBy": lambda a, b: a <= b, "a_equals": lambda a, b: a == b,
    "a_overlaps": lambda a, b: bool(a & b),
}  # fmt: skip
TIMES: dict[str, Callable[[Any, Any], bool]] = {
    "t_after": lambda a, b: a[0] > b[1],
    "t_before": lambda a, b: a[1] < b[0],
    "t_equals": lambda a, b: a == b,
    "t_disjoint": lambda a, b: a[0] > b[1] or a[1] < b[0],
    "t_intersects": lambda a, b: not (a[0] > b[1] or a[1] < b[0]),
}


def evaluate(tree: Any, row: Row) -> bool | None:
    """True, False or unknown."""
    with localcontext() as context:
        context.prec = DIGITS
        return _value(tree, row)


def _value(tree: Any, row: Row) -> Any:
    if isinstance(tree, (bool, str)):
        return tree
    if isinstance(tree, (int, float)):
        return Decimal(repr(tree))
    if isinstance(tree, list):
        return {_value(one, row) for one in tree}
    if "property" in tree:
        return _property(tree["property"], row)
    if "type" in tree:
        return shapely.geometry.shape(tree)
    if "bbox" in tree:
        return shapely.box(*tree["bbox"])
    if "date" in tree:
        return date.fromisoformat(tree["date"])
    if "timestamp" in tree:
        return datetime.fromisoformat(tree["timestamp"])
    return _call(tree["op"], tree["args"], row)


def _property(name: str, row: Row) -> Any:
    value = row.get(name)
    if value is not None and name in ("geometry", "position"):
        return shapely.from_wkt(value)
    if isinstance(value, list):
        return set(value)
    return Decimal(repr(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _call(op: str, arguments: list[Any], row: Row) -> Any:
    if op in ("t_after", "t_before", "t_equals", "t_disjoint", "t_intersects"):
        spans = [_span(one, row) for one in arguments]
        return None if None in spans else TIMES[op](*spans)
    values = [_value(one, row) for one in arguments]
    if op in ("and", "or"):
        decisive = op == "or"
        return decisive if decisive in values else None if None in values else not decisive
    if op == "isNull":
        return values[0] is None
    if op == "in":
        return _in(values[0], [_value(one, row) for one in arguments[1]])
    if any(value is None for value in values):
        return None
    if op == "not":
        return not values[0]
    if op in COMPARED:
        return COMPARED[op]((values[0] > values[1]) - (values[0] < values[1]))
    if op == "between":
        return values[1] <= values[0] <= values[2]
    if op == "like":
        return re.fullmatch(_pattern(values[1]), values[0], re.DOTALL) is not None
    if op == "casei":
        return values[0].casefold()
    if op == "accenti":
        return unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", values[0])))
    if op in SPATIAL:
        return bool(SPATIAL[op](values[0], values[1]))
    if op in SETS:
        return SETS[op](values[0], values[1])
    return _arithmetic(op, values[0], values[1])


def _in(value: Any, members: list[Any]) -> bool | None:
    if value is None:
        return None
    return True if value in members else None if None in members else False


def _arithmetic(op: str, a: Decimal, b: Decimal) -> Decimal | None:
    if op in ("/", "div", "%") and b == 0:
        return None
    if op == "^":
        undefined = (a == 0 and b < 0) or (a < 0 and b != int(b))
        return None if undefined else Decimal(1) if b == 0 else a**b
    results: dict[str, Callable[[], Decimal]] = {
        "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b,
        "div": lambda: Decimal(int(a / b)), "%": lambda: a - b * int(a / b),
    }  # fmt: skip
    return results[op]()


def _pattern(like: str) -> str:
    """A pattern of LIKE as a regular expression."""
    parts = re.findall(r"\\.|.", like, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    return "".join(wild.get(part) or re.escape(part.removeprefix("\\") if len(part) > 1 else part) for part in parts)


def _span(tree: Any, row: Row) -> tuple[Any, Any] | None:
    bounds = tree.get("interval", [tree, tree])
    ends = []
    for bound, unbounded in zip(bounds, (date.min, date.max), strict=True):
        value = unbounded if bound == ".." else date.fromisoformat(bound) if isinstance(bound, str) else None
        ends.append(_value(bound, row) if value is None else value)
    return None if None in ends else (ends[0], ends[1])
