"""Random rows and filters that meet often: few values, whole coordinates, many NULLs; and trees as CQL2 text."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import shapely

Tree = Any
WORDS = ("湖", "水乡", "Straße", "STRASSE", "Élan", "elan", "a_b", "a%b", "it's", "back\\slash", "", "ΟΔΟΣ", "οδος")
PATTERNS = ("%", "_%", "%s%", "a\\_b", "a_b", "\\%", "%'%", "%\\\\%", "湖%", "_l_n", "ΟΔ%", "%SS%")
NUMBERS = (-7, -1.25, -1, 0, 0.5, 1, 2, 2.5, 3, 7)
DAYS = [date(2020, 2, 27) + timedelta(days=day) for day in range(5)]
INSTANTS = [datetime(2022, 4, 16, 10, 13, second, tzinfo=UTC) for second in range(3)]
GEOMETRIES = (
    "POINT(2 2)", "POINT(4 0)", "POINT(0 0)", "LINESTRING(0 0,4 4)", "LINESTRING(4 0,8 0)", "LINESTRING(0 4,4 0)",
    "POLYGON((0 0,4 0,4 4,0 4,0 0))", "POLYGON((2 2,6 2,6 6,2 6,2 2))", "POLYGON((4 0,8 0,8 4,4 4,4 0))",
    "POLYGON((1 1,2 1,2 2,1 2,1 1))", "MULTIPOINT((2 2),(9 9))", "MULTILINESTRING((0 0,1 0),(2 2,4 0))",
)  # fmt: skip
INSTANT_RELATIONS = ("after", "before", "disjoint", "equals", "intersects")
INTERVAL_RELATIONS = (
    "contains", "during", "equals", "finishedBy", "finishes", "intersects", "meets", "metBy", "overlappedBy",
    "overlaps", "startedBy", "starts",
)  # fmt: skip
RELATIONS = ("contains", "crosses", "disjoint", "equals", "intersects", "overlaps", "touches", "within")


def rows(chance: random.Random, count: int) -> list[dict[str, Any]]:
    pools: dict[str, Any] = {
        "name": WORDS, "kind": ("lake", "park"), "road:class": WORDS, "area": NUMBERS, "depth": (-7, 0, 1, 2, 3, 7),
        "open": (True, False), "built": DAYS, "updated": INSTANTS, "geometry": GEOMETRIES, "position": GEOMETRIES[:3],
    }  # fmt: skip
    made = []
    for number in range(count):
        row: dict[str, Any] = {"id": f"row-{number}"}
        row |= {name: chance.choice(pool) for name, pool in pools.items() if chance.random() < 0.8}
        for name in ("tags", "other"):
            if chance.random() < 0.8:
                row[name] = chance.choices(WORDS[:3], k=chance.randrange(4))
        made.append(row)
    return made


def condition(chance: random.Random, depth: int, leaf: Callable[[random.Random], Tree] | None = None) -> Tree:
    """A boolean expression of CQL2 JSON; ``leaf`` makes its smallest ones, by default those of ``rows``."""
    if depth and chance.random() < 0.6:
        op = chance.choice(("and", "or", "not"))
        count = 1 if op == "not" else chance.randint(2, 3)
        return {"op": op, "args": [condition(chance, depth - 1, leaf) for _ in range(count)]}
    if leaf is not None:
        return leaf(chance)
    return chance.choice((_compared, _compared, _text, _numbers, _spatial, _array, _times, _null, _open))(chance)


def _compared(chance: random.Random) -> Tree:
    made = chance.choice((_string, _number, _day, _instant))
    op = chance.choice(("=", "<>", "<", ">", "<=", ">="))
    return {"op": op, "args": [made(chance), made(chance)]}


def _open(chance: random.Random) -> Tree:
    return {"op": chance.choice(("=", "<>")), "args": [{"property": "open"}, chance.random() < 0.5]}


def _null(chance: random.Random) -> Tree:
    one = chance.choice(({"property": "geometry"}, {"property": "tags"}, _string(chance), _number(chance)))
    return {"op": "isNull", "args": [one]}


def _string(chance: random.Random) -> Tree:
    one: Tree = chance.choice(({"property": "name"}, {"property": "road:class"}, chance.choice(WORDS)))
    return _folded(chance, one)


def _folded(chance: random.Random, one: Tree) -> Tree:
    for op in ("casei", "accenti"):
        if chance.random() < 0.2:
            one = {"op": op, "args": [one]}
    return one


def _text(chance: random.Random) -> Tree:
    if chance.random() < 0.4:
        return {"op": "in", "args": [_string(chance), [_string(chance) for _ in range(chance.randint(1, 4))]]}
    named = {"property": chance.choice(("name", "road:class"))}
    if chance.random() < 0.3:
        sides = (named, chance.choice(PATTERNS))
        return {"op": "like", "args": [{"op": "casei", "args": [side]} for side in sides]}
    return {"op": "like", "args": [named, chance.choice(PATTERNS)]}


def _number(chance: random.Random, depth: int = 2) -> Tree:
    if not depth or chance.random() < 0.5:
        return chance.choice(({"property": "area"}, {"property": "depth"}, chance.choice(NUMBERS)))
    op = chance.choice(("+", "-", "*", "/", "%", "div", "^"))
    left = _number(chance, depth - 1)
    # divisors and exponents whose results have few digits, so that both sides are exact
    right = {"/": (0, 2, -4, 0.5, 8), "^": (0, 1, 2, -1)}.get(op)
    if op == "^":
        left = chance.choice((2, 0, -0.5, {"op": "*", "args": [{"property": "depth"}, 0]}))
    return {"op": op, "args": [left, chance.choice(right) if right else _number(chance, depth - 1)]}


def _numbers(chance: random.Random) -> Tree:
    if chance.random() < 0.5:
        return {"op": "between", "args": [_number(chance) for _ in range(3)]}
    return {"op": "in", "args": [_number(chance), [_number(chance) for _ in range(chance.randint(1, 4))]]}


def _day(chance: random.Random) -> Tree:
    return chance.choice(({"property": "built"}, {"date": chance.choice(DAYS).isoformat()}))


def _instant(chance: random.Random) -> Tree:
    stamp = chance.choice(INSTANTS).isoformat().replace("+00:00", "Z")
    return chance.choice(({"property": "updated"}, {"timestamp": stamp}))


def _times(chance: random.Random) -> Tree:
    moment, pool = chance.choice(((_day, DAYS), (_instant, INSTANTS)))
    relations = chance.choice((INSTANT_RELATIONS, INTERVAL_RELATIONS))
    sides = [_span(chance, moment, pool), _span(chance, moment, pool)]
    if relations is INSTANT_RELATIONS:
        sides = [chance.choice((side, moment(chance))) for side in sides]
    return {"op": f"t_{chance.choice(relations)}", "args": sides}


def _span(chance: random.Random, moment: Callable[[random.Random], Tree], pool: Sequence[date]) -> Tree:
    ends: list[Tree] = [one.isoformat().replace("+00:00", "Z") for one in sorted(chance.choices(pool, k=2))]
    property = next(one for one in iter(lambda: moment(chance), None) if "property" in one)
    which = chance.randrange(4)
    if which < 2 and chance.random() < 0.7:
        ends[which] = chance.choice(("..", property))
    return {"interval": ends}


def _spatial(chance: random.Random) -> Tree:
    relation = chance.choice(RELATIONS)
    literal = shapely.geometry.mapping(shapely.from_wkt(chance.choice(GEOMETRIES)))
    literal = json.loads(json.dumps(literal))
    first = {"property": chance.choice(("geometry", "position"))}
    second = chance.choice((literal, literal, {"property": "geometry"}, {"bbox": [1, 1, 5, 5]}))
    return {"op": f"s_{relation}", "args": chance.choice(([first, second], [second, first]))}


def _array(chance: random.Random) -> Tree:
    op = chance.choice(("a_contains", "a_containedBy", "a_equals", "a_overlaps"))
    values = chance.choices(WORDS[:4], k=chance.randrange(4))
    return {"op": op, "args": [{"property": "tags"}, chance.choice((values, {"property": "other"}))]}


def to_text(tree: Tree) -> str:
    """CQL2 text of a tree, every term in brackets, keywords in any case."""
    if isinstance(tree, bool):
        return "TRUE" if tree else "false"
    if isinstance(tree, (int, float)):
        return repr(tree)
    if isinstance(tree, str):
        return "'" + tree.replace("'", "''") + "'"
    if isinstance(tree, list):
        return "(" + ", ".join(map(to_text, tree)) + ")"
    if "property" in tree:
        return f'"{tree["property"]}"'
    if "bbox" in tree:
        return f"BBOX({', '.join(map(str, tree['bbox']))})"
    if "type" in tree:
        return _wkt(tree)
    for name in ("date", "timestamp", "interval"):
        if name in tree:
            parts = tree[name] if name == "interval" else [tree[name]]
            return f"{name.upper()}({', '.join(map(to_text, parts))})"
    op, parts = tree["op"], [to_text(one) for one in tree["args"]]
    if op == "not":
        return f"NOT ({parts[0]})"
    if op == "isNull":
        return f"{parts[0]} is NULL"
    if op == "between":
        return f"{parts[0]} Between {parts[1]} AND {parts[2]}"
    if op in ("like", "in"):
        return f"{parts[0]} {op} {parts[1]}"
    if op in ("casei", "accenti") or op[:2] in ("s_", "t_", "a_"):
        return f"{op.upper()}({', '.join(parts)})"
    return "(" + f" {op} ".join(parts) + ")"


def _wkt(tree: Tree) -> str:
    return str(shapely.geometry.shape(tree).wkt)
