"""Rows to filter, as a sub-select of values: no table is needed, and the Python evaluation reads the same rows."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from app.catalog import Field
from app.crs import CRS84, Crs
from app.filters import Expression, compile, from_tree, parse

FIELDS = (
    Field("name", "名称", "Name"),
    Field("kind", "类别", "Kind", values=("lake", "park")),
    Field("road:class", "等级", "Class"),
    Field("area", "面积", "Area", "number", "km²"),
    Field("depth", "深度", "Depth", "integer"),
    Field("open", "开放", "Open", "boolean"),
    Field("built", "建成", "Built"),
    Field("updated", "更新", "Updated"),
    Field("tags", "标签", "Tags", "array"),
    Field("other", "别名", "Other names", "array"),
    Field("secret", "不可查询", "Not queryable", queryable=False),
    Field("whole", "对象", "Object", "object"),
)
TYPES: dict[str, Any] = {
    "id": sa.Text(), "name": sa.Text(), "kind": sa.Text(), "road:class": sa.Text(), "area": sa.Float(),
    "depth": sa.Integer(), "open": sa.Boolean(), "built": sa.Date(), "updated": sa.DateTime(timezone=True),
    "tags": ARRAY(sa.Text), "other": ARRAY(sa.Text), "secret": sa.Text(), "whole": sa.Text(),
    "geometry": sa.Text(), "position": sa.Text(),
}  # fmt: skip
Row = Mapping[str, Any]

SAMPLE: tuple[Row, ...] = (
    {
        "id": "lake", "name": "祥符荡", "kind": "lake", "road:class": "Straße", "area": 2.5, "depth": 3, "open": True,
        "built": date(1969, 7, 16), "updated": datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC),
        "tags": ["水", "创新"], "other": ["创新", "水", "水"], "geometry": "POLYGON((0 0,4 0,4 4,0 4,0 0))",
        "position": "POINT(2 2)",
    },
    {
        "id": "park", "name": "100% pure_park", "kind": "park", "road:class": "STRASSE", "area": 0.0, "depth": -7,
        "open": False, "built": date(2020, 2, 29), "updated": datetime(2022, 4, 16, 10, 13, 19, tzinfo=UTC),
        "tags": [], "other": ["a"], "geometry": "LINESTRING(4 0,8 8)", "position": "POINT(4 0)",
    },
    {
        "id": "quote", "name": "Via dell'Avvento", "kind": "lake", "road:class": "Οδος", "area": -1.25, "depth": 0,
        "open": True, "tags": ["水"], "other": ["水"], "geometry": "POINT(6 6)", "position": "POINT(6 6)",
        "built": date(1969, 7, 24), "updated": datetime(2022, 4, 16, 10, 13, 20, tzinfo=UTC),
    },
    {"id": "back", "name": "a\\b", "kind": "park", "road:class": "débárquér", "area": 7.0, "tags": None},
    {"id": "none"},
)  # fmt: skip


class Relations:
    """Functions of place that show what they were called with, as columns of text."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def within(self, place: str, relation: str) -> sa.ColumnElement[bool]:
        self.calls.append(("within", place, relation))
        return sa.true()

    def near(self, longitude: float, latitude: float, metres: float) -> sa.ColumnElement[bool]:
        self.calls.append(("near", longitude, latitude, metres))
        return sa.true()

    def along(self, corridor: str, metres: float) -> sa.ColumnElement[bool]:
        self.calls.append(("along", corridor, metres))
        return sa.false()


def table(rows: Iterable[Row]) -> sa.Subquery:
    columns = [sa.column(name, kind) for name, kind in TYPES.items()]
    data = [tuple(row.get(name) for name in TYPES) for row in rows]
    values = sa.values(*columns, name="data").data(data)
    geometries = ("geometry", "position")
    plain = [values.c[name] for name in TYPES if name not in geometries]
    # an empty array or a NULL in the first row leaves VALUES without a type
    typed = [sa.cast(column, TYPES[column.name]).label(column.name) for column in plain]
    shapes = [sa.func.ST_GeomFromText(sa.cast(values.c[name], sa.Text), 4326).label(name) for name in geometries]
    return sa.select(*typed, *shapes).subquery("rows")


def expression(query: str | dict[str, Any] | bool) -> Expression:
    return parse(query, "cql2-text") if isinstance(query, str) else from_tree(query)


def condition(query: str | dict[str, Any], rows: sa.Subquery | None = None, crs: Crs = CRS84) -> Any:
    rows = table(SAMPLE) if rows is None else rows
    return compile(expression(query), FIELDS, rows.c, Relations(), crs)


def found(
    connection: sa.Connection, query: str | dict[str, Any], rows: Sequence[Row] = SAMPLE, crs: Crs = CRS84
) -> set[str]:
    """Ids of the rows for which a filter is true."""
    source = table(rows)
    statement = sa.select(source.c.id).where(condition(query, source, crs))
    return set(connection.execute(statement).scalars())
