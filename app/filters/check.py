"""Names against the allow-list and types against each other: CQL2 JSON into the checked tree.

Requirement numbers are those of OGC 21-065r2.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

import shapely

from app.crs import Crs
from app.filters import geometries
from app.filters.errors import FilterError
from app.filters.functions import FUNCTIONS, Argument
from app.filters.nodes import INSTANTS, SCALARS, Call, Interval, Literal, Node, Property, Type, Values

ARITHMETIC = ("+", "-", "*", "/", "%", "div", "^")
COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
SPATIAL = (
    "s_contains", "s_crosses", "s_disjoint", "s_equals", "s_intersects", "s_overlaps", "s_touches", "s_within",
)  # fmt: skip
#: Relations PostGIS answers for collections of mixed dimension too.
MIXED = ("s_intersects", "s_disjoint")
TEMPORAL = ("t_after", "t_before", "t_disjoint", "t_equals", "t_intersects")
TEMPORAL_INTERVALS = (
    "t_contains", "t_during", "t_finishedBy", "t_finishes", "t_meets", "t_metBy", "t_overlappedBy", "t_overlaps",
    "t_startedBy", "t_starts",
)  # fmt: skip
ARRAYS = ("a_containedBy", "a_contains", "a_equals", "a_overlaps")
FOLDING = ("casei", "accenti")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def check(tree: Any, properties: Mapping[str, Type], positions: Mapping[str, int], crs: Crs) -> Node:
    """The checked tree of a filter, which is boolean. ``crs`` is that of geometry literals. Raises ``FilterError``."""
    return _Checker(properties, positions, crs).of_type(tree, "boolean")


class _Checker:
    def __init__(self, properties: Mapping[str, Type], positions: Mapping[str, int], crs: Crs) -> None:
        self.properties = properties
        self.positions = positions
        self.crs = crs
        self.rules: dict[str, Callable[[str, list[Any]], Node]] = {
            "and": self.logic, "or": self.logic, "not": self.negation, "isNull": self.is_null, "like": self.like,
            "between": self.between, "in": self.is_in,
            **dict.fromkeys(COMPARISONS, self.comparison), **dict.fromkeys(ARITHMETIC, self.arithmetic),
            **dict.fromkeys(FOLDING, self.folding), **dict.fromkeys(SPATIAL, self.spatial),
            **dict.fromkeys(TEMPORAL + TEMPORAL_INTERVALS, self.temporal), **dict.fromkeys(ARRAYS, self.array),
        }  # fmt: skip

    def node(self, value: Any) -> Node:
        """Any expression, with its type."""
        if isinstance(value, bool):
            return Literal("boolean", value)
        if isinstance(value, (int, float)):
            return Literal("number", Decimal(repr(value)))
        if isinstance(value, str):
            return Literal("string", value)
        if isinstance(value, list):
            return self.values(value)
        if isinstance(value, dict):
            if "op" in value:
                return self.call(value)
            if "property" in value:
                return self.property(value["property"])
            if "type" in value:
                return Literal("geometry", geometries.literal(value, self.crs).wkb)
            if "bbox" in value:
                return Literal("geometry", geometries.box(value["bbox"], self.crs).wkb)
            if "date" in value:
                return _date(value["date"])
            if "timestamp" in value:
                return _timestamp(value["timestamp"])
            if "interval" in value:
                return self.interval(value["interval"])
        if value is None:
            raise FilterError("不能与 NULL 比较；请用 IS NULL。", "NULL cannot be compared: use IS NULL.")
        raise FilterError("不是 CQL2 表达式。", "Not an expression of CQL2.")

    def of_type(self, value: Any, *types: Type) -> Node:
        found = self.node(value)
        if found.type not in types:
            wanted = " | ".join(types)
            raise FilterError(
                f"此处须为 {wanted}，得到 {found.type}。",
                f"Expected {wanted}, found {found.type}.",
                **self.whose(found),
            )
        return found

    def whose(self, *nodes: Node) -> dict[str, Any]:
        """The property to blame, where one of the operands is a property."""
        for node in nodes:
            if isinstance(node, Property):
                return {"property": node.name, "position": self.positions.get(node.name)}
        return {}

    def property(self, name: Any) -> Property:
        if not isinstance(name, str) or name not in self.properties:
            shown = str(name)[:100]
            near = get_close_matches(shown, self.properties, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise FilterError(
                f"没有属性 {shown!r}。", f"No property {shown!r}.{hint}",
                property=shown, allowed=self.properties, position=self.positions.get(shown),
            )  # fmt: skip
        return Property(self.properties[name], name)

    def call(self, value: dict[str, Any]) -> Node:
        name, operands = value["op"], value.get("args", [])
        if not isinstance(operands, list):
            raise FilterError("args 须为列表。", "args must be a list.")
        if isinstance(name, str) and name in self.rules:
            return self.rules[name](name, operands)
        if isinstance(name, str) and name.lower() in FUNCTIONS:
            return self.function(name.lower(), operands)
        shown = str(name)[:100]
        raise FilterError(
            f"没有函数或运算符 {shown!r}。", f"No function or operator {shown!r}.",
            property=shown, allowed=(*FUNCTIONS, *self.rules), position=self.positions.get(shown),
        )  # fmt: skip

    def function(self, name: str, operands: list[Any]) -> Call:
        function = FUNCTIONS[name]
        needed = sum(argument.required for argument in function.arguments)
        if not needed <= len(operands) <= len(function.arguments):
            signature = ", ".join(argument.name for argument in function.arguments)
            raise FilterError(f"{name} 的参数个数不对。", f"Call it as {name}({signature}).", property=name)
        pairs = zip(function.arguments, operands, strict=False)
        return Call("boolean", name, tuple(self.argument(name, argument, value) for argument, value in pairs))

    def argument(self, name: str, argument: Argument, value: Any) -> Literal:
        found = self.node(value)
        called = f"{name}({argument.name})"
        if not isinstance(found, Literal) or found.type != argument.type:
            raise FilterError(
                f"{called} 须为 {argument.type} 字面值。", f"{called} must be a literal {argument.type}.", property=name
            )
        if argument.values and found.value not in argument.values:
            raise FilterError(
                f"{called} 没有这个取值。", f"{called} has no such value.", property=name, allowed=argument.values
            )
        if isinstance(found.value, Decimal) and not argument.least <= found.value <= argument.most:
            rule = f"{argument.least:.10g} … {argument.most:.10g}"
            raise FilterError(f"{called} 须在 {rule} 之间。", f"{called} must be within {rule}.", property=name)
        return found

    # ------------------------------------------------------------------------------------------- predicates

    def logic(self, op: str, operands: list[Any]) -> Call:
        if len(operands) < 2:
            raise FilterError(f"{op} 至少要两个操作数。", f"{op} takes at least two operands.", property=op)
        return Call("boolean", op, tuple(self.of_type(one, "boolean") for one in operands))

    def negation(self, op: str, operands: list[Any]) -> Call:
        (one,) = _count(op, operands, 1)
        return Call("boolean", op, (self.of_type(one, "boolean"),))

    def is_null(self, op: str, operands: list[Any]) -> Call:
        (one,) = _count(op, operands, 1)
        found = self.node(one)
        if isinstance(found, (Values, Interval)):
            raise FilterError("IS NULL 不用于列表与时段。", "IS NULL is not for lists and intervals.")
        return Call("boolean", op, (found,))

    def comparison(self, op: str, operands: list[Any]) -> Call:
        left, right = (self.of_type(one, *SCALARS) for one in _count(op, operands, 2))
        return Call("boolean", op, self.alike(op, left, right))

    def between(self, op: str, operands: list[Any]) -> Call:
        # the grammar has numbers alone
        return Call("boolean", op, tuple(self.of_type(one, "number") for one in _count(op, operands, 3)))

    def is_in(self, op: str, operands: list[Any]) -> Call:
        one, values = _count(op, operands, 2)
        if not isinstance(values, list) or not values:
            raise FilterError("IN 之后须为非空列表。", "IN takes a list that is not empty.", property=op)
        left = self.of_type(one, *SCALARS)
        members = [self.alike(op, left, self.of_type(value, *SCALARS))[1] for value in values]
        return Call("boolean", op, (left, *members))

    def like(self, op: str, operands: list[Any]) -> Call:
        text, pattern = (self.of_type(one, "string") for one in _count(op, operands, 2))
        inner = pattern
        while isinstance(inner, Call) and inner.op in FOLDING:
            inner = inner.operands[0]
        if not isinstance(inner, Literal) or not isinstance(inner.value, str):
            raise FilterError(
                "LIKE 的模式须为字符串。", "The pattern of LIKE must be a literal string.", **self.whose(inner)
            )
        if re.search(r"(?<!\\)(?:\\\\)*\\\Z", inner.value):
            raise FilterError("LIKE 的模式不得以 \\ 结尾。", "The pattern of LIKE must not end in an escape character.")
        return Call("boolean", op, (text, pattern))

    def spatial(self, op: str, operands: list[Any]) -> Call:
        left, right = (self.of_type(one, "geometry") for one in _count(op, operands, 2))
        if op not in MIXED:
            left, right = _single(op, left), _single(op, right)
        return Call("boolean", op, (left, right))

    def temporal(self, op: str, operands: list[Any]) -> Call:
        kinds = INSTANTS if op in TEMPORAL else ()
        found = [self.of_type(self.instant(one), "interval", *kinds) for one in _count(op, operands, 2)]
        grains = {one.grain if isinstance(one, Interval) else one.type for one in found} - {"any"}
        if len(grains) > 1:
            raise FilterError(
                f"{op} 两侧须同为日期或同为时刻。", f"{op} takes two dates or two timestamps.", **self.whose(*found)
            )
        return Call("boolean", op, tuple(found))

    def array(self, op: str, operands: list[Any]) -> Call:
        left, right = (_listed(self.node(one)) for one in _count(op, operands, 2))
        for one in (left, right):
            if not one.type.endswith("[]"):
                raise FilterError(f"{op} 用于列表。", f"{op} takes lists, found {one.type}.", **self.whose(one))
        if left.type != right.type and "[]" not in (left.type, right.type):
            raise self.differ(op, left, right)
        return Call("boolean", op, (left, right))

    # ------------------------------------------------------------------------------------------ other parts

    def arithmetic(self, op: str, operands: list[Any]) -> Call:
        return Call("number", op, tuple(self.of_type(one, "number") for one in _count(op, operands, 2)))

    def folding(self, op: str, operands: list[Any]) -> Call:
        (one,) = _count(op, operands, 1)
        return Call("string", op, (self.of_type(one, "string"),))

    def values(self, members: list[Any]) -> Values:
        found = tuple(self.of_type(one, *SCALARS) for one in members)
        types = {one.type for one in found}
        if len(types) > 1:
            raise FilterError(
                "列表各项类型须一致。", "The members of a list must be of one type.", **self.whose(*found)
            )
        return Values(f"{types.pop() if types else ''}[]", found)

    def interval(self, bounds: Any) -> Interval:
        if not isinstance(bounds, list) or len(bounds) != 2:
            raise FilterError("INTERVAL 有两端。", "INTERVAL takes two bounds.")
        start, end = (None if one == ".." else self.of_type(self.instant(one), *INSTANTS) for one in bounds)
        grains = {one.type for one in (start, end) if one}
        if len(grains) > 1:
            raise FilterError("INTERVAL 两端类型须一致。", "INTERVAL takes two dates or two timestamps.")
        return Interval(grains.pop() if grains else "any", start, end)

    def instant(self, value: Any) -> Any:
        """A string where a time is due is read as date or timestamp, as in ``INTERVAL('1969-07-16', '..')``."""
        if isinstance(value, str):
            return {"date" if DATE.fullmatch(value) else "timestamp": value}
        return value

    def alike(self, op: str, left: Node, right: Node) -> tuple[Node, Node]:
        """Two operands of one type; a string literal beside a time is read as one."""
        for one, other in ((left, right), (right, left)):
            if one.type in INSTANTS and isinstance(other, Literal) and other.type == "string":
                read = _date(other.value) if one.type == "date" else _timestamp(other.value)
                return (left, read) if other is right else (read, right)
        if left.type != right.type:
            raise self.differ(op, left, right)
        return left, right

    def differ(self, op: str, left: Node, right: Node) -> FilterError:
        return FilterError(
            f"{op} 两侧类型不同：{left.type}、{right.type}。", f"The sides of {op} differ: {left.type}, {right.type}.",
            **self.whose(left, right),
        )  # fmt: skip


def _listed(node: Node) -> Node:
    """The text ``(name)`` is a list of one, which the parser cannot tell from a name in brackets."""
    if isinstance(node, (Property, Call)) and node.type in SCALARS:
        return Values(f"{node.type}[]", (node,))
    return node


def _count(op: str, operands: list[Any], wanted: int) -> list[Any]:
    if len(operands) != wanted:
        raise FilterError(f"{op} 要 {wanted} 个操作数。", f"{op} takes {wanted} operands.", property=op)
    return operands


def _single(op: str, node: Node) -> Node:
    """A collection's parts merged to one kind of geometry, for relations that PostGIS refuses for collections."""
    if not isinstance(node, Literal) or not isinstance(node.value, bytes):
        return node
    shape = shapely.from_wkb(node.value)
    if shape.geom_type != "GeometryCollection":
        return node
    merged = shapely.unary_union(shape)
    if merged.geom_type == "GeometryCollection":
        raise FilterError(
            f"{op} 不用于点、线、面混合的 GEOMETRYCOLLECTION。",
            f"{op} is not for a GEOMETRYCOLLECTION of different dimensions.",
            property=op, allowed=MIXED,
        )  # fmt: skip
    return Literal("geometry", merged.wkb)


def _date(value: Any) -> Literal:
    if isinstance(value, str) and DATE.fullmatch(value):
        try:
            return Literal("date", date.fromisoformat(value))
        except ValueError:
            pass
    raise FilterError("日期须写作 YYYY-MM-DD。", "A date is written YYYY-MM-DD.")


def _timestamp(value: Any) -> Literal:
    if isinstance(value, str) and TIMESTAMP.fullmatch(value):
        try:
            return Literal("timestamp", datetime.fromisoformat(value.upper()).astimezone(UTC))
        except (ValueError, OverflowError):
            pass
    raise FilterError("时刻须写作 YYYY-MM-DDThh:mm:ssZ。", "A timestamp is written YYYY-MM-DDThh:mm:ssZ.")
