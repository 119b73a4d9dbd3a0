"""The checked tree into one SQLAlchemy condition.

Every value is bound; every name comes from this file or from the catalog.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array

from app.catalog import Field
from app.crs import CRS84, WGS84, Crs
from app.filters import scalars, temporal
from app.filters.check import ARITHMETIC, check
from app.filters.nodes import Call, Interval, Literal, Node, Property, Type, Values
from app.filters.parse import Expression

Sql = sa.ColumnElement[Any]

GEOMETRIES = ("geometry", "position")
TYPES: dict[str, Type] = {
    "string": "string", "number": "number", "integer": "number", "boolean": "boolean", "array": "string[]",
}  # fmt: skip
SQL_TYPES: dict[Type, sa.types.TypeEngine[Any]] = {
    "string": sa.Text(), "number": sa.Numeric(), "boolean": sa.Boolean(), "date": sa.Date(),
    "timestamp": sa.DateTime(timezone=True), "": sa.Text(),
}  # fmt: skip
COMPARISONS: dict[str, Callable[[Any, Any], Sql]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge,
}  # fmt: skip
SPATIAL: dict[str, Callable[[Any, Any], Sql]] = {
    "s_contains": sa.func.ST_Contains, "s_crosses": sa.func.ST_Crosses, "s_equals": sa.func.ST_Equals,
    "s_intersects": sa.func.ST_Intersects, "s_overlaps": sa.func.ST_Overlaps, "s_touches": sa.func.ST_Touches,
    "s_within": sa.func.ST_Within,
    # as the standard defines it; ST_Disjoint refuses collections and uses no index
    "s_disjoint": lambda a, b: ~sa.func.ST_Intersects(a, b),
}  # fmt: skip
ARRAYS: dict[str, Callable[[Sql, Sql], Sql]] = {
    "a_contains": lambda a, b: a.op("@>", is_comparison=True)(b),
    "a_containedBy": lambda a, b: a.op("<@", is_comparison=True)(b),
    "a_overlaps": lambda a, b: a.op("&&", is_comparison=True)(b),
    # sets, without order or repetition
    "a_equals": lambda a, b: sa.and_(a.op("@>", is_comparison=True)(b), a.op("<@", is_comparison=True)(b)),
}


class Relations(Protocol):
    """What the functions of this service mean for a collection; the places named are looked up beforehand."""

    def within(self, place: str, relation: str) -> sa.ColumnElement[bool]: ...

    def near(self, longitude: float, latitude: float, metres: float) -> sa.ColumnElement[bool]: ...

    def along(self, corridor: str, metres: float) -> sa.ColumnElement[bool]: ...


def property_types(fields: Sequence[Field], columns: Mapping[str, Sql]) -> dict[str, Type]:
    """The names a filter may use, with their types: queryable fields, ``geometry`` and ``position``."""
    found: dict[str, Type] = {}
    for field in fields:
        if field.queryable and field.name in columns and field.type in TYPES:
            found[field.name] = _instant(columns[field.name].type) or TYPES[field.type]
    return found | {name: "geometry" for name in GEOMETRIES if name in columns}


def _instant(kind: sa.types.TypeEngine[Any]) -> Type | None:
    """JSON has no times, so that the column tells a time from other text."""
    if isinstance(kind, sa.DateTime):
        return "timestamp"
    return "date" if isinstance(kind, sa.Date) else None


def compile(
    expression: Expression,
    fields: Sequence[Field],
    columns: Mapping[str, Sql],
    relations: Relations,
    crs: Crs = CRS84,
) -> sa.ColumnElement[bool]:
    """The condition an expression is over the rows that ``columns`` are of. Raises ``FilterError``.

    ``crs`` is the ``filter-crs``: the system, in its authority's axis order, of every geometry literal.
    """
    properties = property_types(fields, columns)
    known = (crs, tuple(properties.items()))
    if known not in expression.checked:
        expression.checked[known] = check(expression.tree, properties, expression.positions, crs)
    return _Compiler(columns, relations).sql(expression.checked[known])


class _Compiler:
    def __init__(self, columns: Mapping[str, Sql], relations: Relations) -> None:
        self.columns = columns
        self.relations = relations

    def sql(self, node: Node) -> Sql:
        if isinstance(node, Property):
            column = self.columns[node.name]
            return sa.cast(column, ARRAY(sa.Text)) if node.type.endswith("[]") else column
        if isinstance(node, Literal):
            return _literal(node)
        if isinstance(node, Values):
            kind = SQL_TYPES[node.type.removesuffix("[]")]
            return sa.cast(array([self.sql(one) for one in node.members], type_=kind), ARRAY(kind))
        if isinstance(node, Interval):
            raise TypeError("an interval is no value of SQL")
        return self.call(node)

    def call(self, node: Call) -> Sql:
        op = node.op
        if op in temporal.RELATIONS:
            spans = self.spans(node.operands)
            return _strict([bound for span in spans for bound in span], temporal.RELATIONS[op](*spans))
        if hasattr(Relations, op):
            return self.relation(node)
        operands = [self.sql(one) for one in node.operands]
        if op in COMPARISONS:
            return _comparison(op, node.operands[0].type, *operands)
        if op in ARITHMETIC:
            return scalars.arithmetic(op, _exact(operands[0]), _exact(operands[1]))
        if op in SPATIAL:
            return SPATIAL[op](*operands)
        if op in ARRAYS:
            return ARRAYS[op](*operands)
        return OTHERS[op](*operands)

    def relation(self, node: Call) -> Sql:
        values = [one.value for one in node.operands if isinstance(one, Literal)]
        if node.op == "within":
            return self.relations.within(str(values[0]), str(values[1]) if len(values) > 1 else "position")
        if node.op == "along":
            return self.relations.along(str(values[0]), float(values[1]))  # type: ignore[arg-type]
        return self.relations.near(*(float(value) for value in values))  # type: ignore[arg-type]

    def spans(self, nodes: Sequence[Node]) -> list[temporal.Span]:
        """Start and end of each; an unbounded end is PostgreSQL's infinity."""
        grains = {node.grain if isinstance(node, Interval) else node.type for node in nodes} - {"any"}
        kind = SQL_TYPES[grains.pop() if grains else "timestamp"]

        def bound(node: Node | None, infinity: str) -> Sql:
            return sa.cast(sa.literal(infinity, sa.Text), kind) if node is None else self.sql(node)

        return [
            (bound(node.start, "-infinity"), bound(node.end, "infinity"))
            if isinstance(node, Interval)
            else (self.sql(node), self.sql(node))
            for node in nodes
        ]


def _literal(node: Literal) -> Sql:
    if node.type == "geometry":
        # a sub-select, so that a prepared statement reads the geometry once and not for every row
        wkb = sa.literal(node.value, sa.LargeBinary())
        return sa.select(sa.func.ST_GeomFromWKB(wkb, WGS84)).scalar_subquery()
    return sa.literal(node.value, SQL_TYPES[node.type])


def _exact(number: Sql) -> Sql:
    """A float to be read as a decimal by its text, which says all of it: the cast by itself keeps 15 digits."""
    return sa.cast(number, sa.Text) if isinstance(number.type, sa.Float) else number


def _comparison(op: str, kind: Type, left: Sql, right: Sql) -> Sql:
    if kind == "string" and op not in ("=", "<>"):
        # by code point, the same on every server
        left, right = sa.collate(left, "C"), sa.collate(right, "C")
    return COMPARISONS[op](left, right)


def _strict(operands: Sequence[Sql], answer: Sql) -> Sql:
    """The answer, but unknown where one of the operands is; a bound value never is."""
    unknown = [one.is_(None) for one in operands if not isinstance(one, sa.BindParameter)]
    return sa.case((sa.or_(*unknown), sa.null()), else_=answer) if unknown else answer


OTHERS: dict[str, Callable[..., Sql]] = {
    "and": sa.and_,
    "or": sa.or_,
    "not": lambda one: sa.not_(one),
    "isNull": lambda one: one.is_(None),
    "like": lambda text, pattern: text.like(pattern, escape="\\"),
    # unknown wherever an operand is; SQL alone would answer false for 0 BETWEEN 1 AND NULL
    "between": lambda one, least, most: _strict((least, most), one.between(least, most)),
    "in": lambda one, *values: one.in_(values),
    "casei": scalars.Casei,
    "accenti": scalars.Accenti,
}
