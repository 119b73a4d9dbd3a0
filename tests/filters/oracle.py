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
#: Allen's relations: how the ends of a compare with those of b (a's start with b's start, a's start with b's end, a's
#: end with b's start, a's end with b's end); None where it does not matter.
TIMES: dict[str, tuple[tuple[int | None, ...], ...]] = {
    "t_after": ((None, 1, None, None),),
    "t_before": ((None, None, -1, None),),
    "t_contains": ((-1, None, None, 1),),
    "t_disjoint": ((None, 1, None, None), (None, None, -1, None)),
    "t_during": ((1, None, None, -1),),
    "t_equals": ((0, None, None, 0),),
    "t_finishedBy": ((-1, None, None, 0),),
    "t_finishes": ((1, None, None, 0),),
    "t_intersects": tuple((None, start, end, None) for start in (-1, 0) for end in (0, 1)),
    "t_meets": ((None, None, 0, None),),
    "t_metBy": ((None, 0, None, None),),
    "t_overlappedBy": ((1, -1, None, 1),),
    "t_overlaps": ((-1, None, 1, -1),),
    "t_startedBy": ((0, None, None, 1),),
    "t_starts": ((0, None, None, -1),),
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
    if isinstance(value, str) and name in ("geometry", "position"):
        return shapely.from_wkt(value)
    if isinstance(value, list):
        return set(value)
    return Decimal(repr(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _call(op: str, arguments: list[Any], row: Row) -> Any:
    if op in TIMES:
        ends = [(start, end) for a in [_span(arguments[0], row)] for b in [_span(arguments[1], row)]
                for start, end in ((a[0], b[0]), (a[0], b[1]), (a[1], b[0]), (a[1], b[1]))]  # fmt: skip
        if any(None in pair for pair in ends):
            return None
        signs = [_sign(*pair) for pair in ends]
        return any(all(one in (None, sign) for one, sign in zip(rule, signs, strict=True)) for rule in TIMES[op])
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
        return COMPARED[op](_sign(values[0], values[1]))
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


def _sign(a: Any, b: Any) -> int:
    return int(a > b) - int(a < b)


def _span(tree: Any, row: Row) -> tuple[Any, Any]:
    """Start and end, each behind a number by which what is unbounded comes before or after all else."""
    bounds = tree["interval"] if isinstance(tree, dict) and "interval" in tree else [tree, tree]
    return _bound(bounds[0], -1, row), _bound(bounds[1], 1, row)


def _bound(tree: Any, unbounded: int, row: Row) -> tuple[int, Any] | None:
    if tree == "..":
        return unbounded, 0
    if isinstance(tree, str):
        return 0, date.fromisoformat(tree) if len(tree) == len("2020-02-29") else datetime.fromisoformat(tree)
    value = _value(tree, row)
    return None if value is None else (0, value)
