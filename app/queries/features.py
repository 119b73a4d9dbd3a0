"""A row of a collection as a GeoJSON Feature, built by PostGIS as text."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from app.catalog import Collection, Field
from app.catalog.types import written
from app.crs import CRS84, Crs
from app.db import tables as t

#: Decimals of a degree (0.1 m) and of a metre in GeoJSON: finer than any outline here is known.
DECIMALS = {"degree": 6, "metre": 2}
#: What a question of nearness adds to the properties.
DISTANCE = Field("distance_m", "距离", "Distance", "number", "m")

#: Properties to sort by, each with whether descending.
Order = Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class View:
    """How items are shown: reference system, properties (all where ``None``), order.

    ``as_file`` puts east before north in every reference system, as programs expect of files.
    """

    crs: Crs = CRS84
    properties: Sequence[str] | None = None
    order: Order = ()
    as_file: bool = False


#: As GeoJSON has it unless told otherwise.
PLAIN = View()


def shown(geometry: sa.ColumnElement[Any], view: View) -> sa.ColumnElement[Any]:
    """A stored geometry in a reference system, axes in the order of its authority (of a file: east first)."""
    if view.crs.srid != CRS84.srid:
        geometry = sa.func.ST_Transform(geometry, view.crs.srid)
    return sa.func.ST_FlipCoordinates(geometry) if view.crs.flipped and not view.as_file else geometry


def feature(
    collection: Collection, view: View = PLAIN, distance: sa.ColumnElement[float] | None = None
) -> sa.ColumnElement[str]:
    """A row of a collection as a Feature; ``distance`` in metres becomes a property."""
    if distance is not None:
        return _made(collection, view, distance)
    properties = None if view.properties is None else tuple(view.properties)
    return _written(collection, replace(view, properties=properties, order=()))


def ready(collection: Collection) -> sa.ColumnElement[str]:
    """The feature of a row that is kept ready (``queries.ready``)."""
    return _written(collection, None)


@lru_cache(500)
def _written(collection: Collection, view: View | None) -> sa.ColumnElement[str]:
    """The SQL of a feature as text: the same for every question, and longer to build than most take to answer."""
    made = _ready(collection) if view is None else _made(collection, view, None)
    return sa.literal_column(written(made), sa.Text)


def _ready(collection: Collection) -> sa.ColumnElement[str]:
    rows, kept = collection.columns, t.ready_feature.c
    found = sa.select(kept.feature).where(kept.collection == collection.kept_as, kept.id == rows["id"])
    if not collection.kept_by:
        return found.scalar_subquery()
    # a row that was written since is made now
    return sa.func.coalesce(found.where(kept.version == rows["version"]).scalar_subquery(), feature(collection))


def _made(collection: Collection, view: View, distance: sa.ColumnElement[float] | None) -> sa.ColumnElement[str]:
    columns = collection.columns
    fields = [one for one in collection.fields if view.properties is None or one.name in view.properties]
    chosen = [_property(one, columns[one.name]) for one in fields]
    if distance is not None:
        chosen.append(sa.func.round(sa.cast(distance, sa.Numeric), 1).label(DISTANCE.name))
    properties: sa.ColumnElement[Any] = sa.literal_column("'{}'")
    if chosen:
        described = sa.select(*chosen).subquery("properties")
        # json, not jsonb, keeps the order of the properties
        properties = sa.cast(sa.select(sa.func.row_to_json(described.table_valued())).scalar_subquery(), sa.Text)
    geometry = columns["geometry"]
    if collection.geometry_type != "Point":
        # RFC 7946, 3.1.6: outer rings anticlockwise
        geometry = sa.func.ST_ForcePolygonCCW(geometry)
    # the last argument: no crs member inside each geometry
    geometry = sa.func.ST_AsGeoJSON(shown(geometry, view), DECIMALS[view.crs.unit], 0)
    # put together as text: three times as fast as objects of JSON
    id = sa.cast(sa.func.to_json(columns["id"]), sa.Text)
    text: sa.ColumnElement[Any] = sa.literal('{"type": "Feature", "id": ', sa.Text)
    for part in (id, ', "geometry": ', sa.func.coalesce(geometry, "null"), ', "properties": ', properties, "}"):
        text = text.concat(part)
    return text


def _property(described: Field, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A property's value. A whole value of a number keeps a decimal, for clients that guess types from a few items."""
    if described.type != "number":
        return column.label(described.name)
    # by way of text: a cast alone leaves fifteen digits, which no filter would find again
    binary = isinstance(column.type, sa.Float)
    exact = sa.cast(sa.cast(column, sa.Text), sa.Numeric) if binary else sa.cast(column, sa.Numeric)
    return sa.case((sa.func.scale(exact) == 0, sa.func.round(exact, 1)), else_=exact).label(described.name)
