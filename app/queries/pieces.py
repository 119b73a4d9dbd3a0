"""Pieces of a layer for a map on the screen: its features where they are few, else how many there are, cell by cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection
from app.db import tables as t
from app.db.columns import SRID
from app.queries.selection import Box, Selection, conditions

Row = dict[str, Any]
#: Most features of a piece whose features are given one by one, and those whose shapes reach in from elsewhere.
FEATURES, REACHING = 150, 450
#: What drawing a feature needs, of the fields that its collection has.
DRAWN = (
    "name", "name_en", "kind", "role", "geometry_method", "schematic", "indicator_name", "indicator_name_en", "year",
)  # fmt: skip
#: Decimals of a degree beyond those that a pixel needs.
FINER = 1


@dataclass(frozen=True)
class Cell:
    """How many features have their middle in a part of a piece: where that is on average, and the box around them."""

    count: int
    at: tuple[float, float]
    box: Box


@dataclass(frozen=True)
class Piece:
    """Either features or cells."""

    features: Sequence[Row]
    cells: Sequence[Cell]


async def piece(
    connection: AsyncConnection, selection: Selection, columns: Sequence[float], rows: Sequence[float], pixel: float
) -> Piece:
    """What lies between the first and the last of the edges, in degrees; ``pixel`` is a pixel's size there.

    ``columns`` are the cells' edges from west to east, ``rows`` from south to north.
    """
    found = [
        Cell(one[0], (one[1], one[2]), tuple(one[3:])) for one in await _counted(connection, selection, columns, rows)
    ]
    if sum(one.count for one in found) > FEATURES:
        return Piece([], found)
    box = (columns[0], rows[0], columns[-1], rows[-1])
    return Piece(await features(connection, selection, REACHING, pixel, box), [])


def _middle(rows: sa.FromClause, collection: Collection) -> sa.ColumnElement[Any]:
    """A feature's one place: its anchor point where it has one, else the middle of its shape."""
    if collection.has_position:
        return rows.c.position
    return rows.c.geometry if collection.geometry_type == "Point" else sa.func.ST_Centroid(rows.c.geometry)


async def _counted(
    connection: AsyncConnection, selection: Selection, columns: Sequence[float], rows: Sequence[float]
) -> Sequence[Any]:
    of = selection.collection.relation
    middle = _middle(of, selection.collection)
    box = (columns[0], rows[0], columns[-1], rows[-1])
    points = (
        sa.select(sa.func.ST_X(middle).label("x"), sa.func.ST_Y(middle).label("y"))
        .where(_touches(of.c.geometry, box), *conditions(selection, dict(of.c.items())))
        # a fence: without it both are computed again for every use of them
        .offset(0)
        .subquery("points")
    )
    x, y = points.c.x, points.c.y
    around = (sa.func.min(x), sa.func.min(y), sa.func.max(x), sa.func.max(y))
    statement = (
        sa.select(sa.func.count(), sa.func.avg(x), sa.func.avg(y), *around)
        # the edge at the west and south belongs to the piece, the other to its neighbour
        .where(x >= box[0], x < box[2], y >= box[1], y < box[3])
        # not ordered by these, which would sort a million rows
        .group_by(_cell(x, columns), _cell(y, rows))
    )
    return sorted((await connection.execute(statement)).all(), key=lambda one: one[1:3])


def _cell(value: sa.ColumnElement[float], edges: Sequence[float]) -> sa.ColumnElement[int]:
    """The number of inner edges at or before a value."""
    inner = [sa.cast(value >= edge, sa.Integer) for edge in edges[1:-1]]
    return sum(inner[1:], inner[0])


def _touches(geometry: sa.ColumnElement[Any], box: Box) -> sa.ColumnElement[bool]:
    return geometry.op("&&", is_comparison=True)(sa.func.ST_MakeEnvelope(*box, SRID))


async def features(
    connection: AsyncConnection, selection: Selection, limit: int, pixel: float, box: Box | None = None
) -> list[Row]:
    """Up to ``limit`` features that have a shape, its outline simplified to half a ``pixel`` (degrees)."""
    of = selection.collection.relation
    digits = max(0, min(7, FINER + sum(pixel < 10.0**-place for place in range(7))))
    simple = sa.func.ST_Simplify(of.c.geometry, pixel / 2, True)
    named = [of.c[name] for name in DRAWN if selection.collection.field(name)]
    statement = (
        sa.select(of.c.id, *named, sa.func.ST_AsGeoJSON(simple, digits).label("geometry"))
        .where(of.c.geometry.is_not(None), *conditions(selection, dict(of.c.items())))
        .limit(limit)
    )
    by_id = sa.collate(of.c.id, "C")
    statement = statement.where(_touches(of.c.geometry, box)) if box else statement.order_by(by_id)
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


@dataclass(frozen=True)
class Outline:
    """How many features of a selection have a shape, how many bytes their shapes take in the database, the box around
    them, and the values of the field drawn by."""

    count: int
    weight: int
    box: Box | None
    values: Sequence[str]


async def outline(connection: AsyncConnection, selection: Selection, field: str | None) -> Outline:
    """What a map of the selection begins with; ``field`` decides a feature's symbol."""
    of = selection.collection.relation
    where = (of.c.geometry.is_not(None), *conditions(selection, dict(of.c.items())))
    box = sa.cast(sa.func.ST_Extent(of.c.geometry), t.platform.c.geom.type)
    corners = (sa.func.ST_XMin, sa.func.ST_YMin, sa.func.ST_XMax, sa.func.ST_YMax)
    values = sa.func.array_agg(of.c[field].distinct()) if field else sa.null()
    weight = sa.func.coalesce(sa.func.sum(sa.func.pg_column_size(of.c.geometry)), 0)
    statement = sa.select(sa.func.count(), weight, values, *(corner(box) for corner in corners)).where(*where)
    count, weight, found, *around = (await connection.execute(statement)).one()
    return Outline(count, weight, None if around[0] is None else tuple(around), [one for one in found or () if one])
