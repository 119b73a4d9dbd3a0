"""Vector tiles, built by PostGIS: one row of the answer is one tile."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection, Field
from app.db import tables as t
from app.db.columns import SRID
from app.encode.tilesets import BUFFER, EXTENT, Bounds, TileMatrixSet
from app.queries.selection import Selection, conditions

#: Most features in one tile; a tile that reaches it says so.
MAX_FEATURES = 10_000
#: Properties that drawing and pointing at a feature need; a collection's tiles carry those of them that it has.
#: Everything else is a request for the item away.
TILE_FIELDS = (
    "name", "name_en", "kind", "role", "level", "status", "layout", "county", "declared_county", "city", "parent",
    "area_km2", "geometry_method", "schematic", "position_accuracy_m",
    "indicator", "indicator_name", "indicator_name_en", "region", "year", "value", "unit",
)  # fmt: skip


@dataclass(frozen=True)
class Tile:
    """A tile as Mapbox Vector Tile 2.1, empty where nothing is; ``capped`` if features may have been left out."""

    content: bytes
    capped: bool


def tile_fields(collection: Collection) -> tuple[Field, ...]:
    """The properties in a collection's tiles, beside ``id``."""
    return tuple(one for one in collection.fields if one.name in TILE_FIELDS)


def _envelope(grid: TileMatrixSet, bounds: Bounds) -> sa.ColumnElement[Any]:
    return sa.func.ST_MakeEnvelope(*bounds, _srid(grid))


def _srid(grid: TileMatrixSet) -> int:
    """The system that a grid's tiles are computed in: degrees of EPSG:4490 are taken as those stored."""
    return SRID if grid.crs.unit == "degree" else grid.crs.srid


def _projected(grid: TileMatrixSet, geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return geometry if _srid(grid) == SRID else sa.func.ST_Transform(geometry, _srid(grid))


def _stored(grid: TileMatrixSet, geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return geometry if _srid(grid) == SRID else sa.func.ST_Transform(geometry, SRID)


def tile_statement(selection: Selection, grid: TileMatrixSet, level: int, row: int, col: int) -> sa.Select[bytes, int]:
    """The statement of one tile: its bytes and the number of features taken.

    The tile's box is carried over to the stored system, not the geometries to the box's, so that the index on the
    stored geometry chooses the rows; only those are projected.
    """
    collection = selection.collection
    rows = collection.relation
    wanted = _stored(grid, _envelope(grid, grid.bounds(level, row, col, BUFFER / EXTENT)))
    drawn = sa.func.ST_AsMVTGeom(
        _projected(grid, rows.c.geometry), _envelope(grid, grid.bounds(level, row, col)), EXTENT, BUFFER, True
    )
    features = (
        sa.select(drawn.label("geom"), rows.c.id, *(rows.c[one.name] for one in tile_fields(collection)))
        .where(rows.c.geometry.op("&&", is_comparison=True)(wanted), *conditions(selection, rows))
        .limit(MAX_FEATURES)
        .subquery("features")
    )
    encoded = sa.func.ST_AsMVT(features.table_valued(), collection.id, EXTENT, "geom", type_=sa.LargeBinary)
    return sa.select(encoded.filter(features.c.geom.is_not(None)), sa.func.count()).select_from(features)


async def tile(
    connection: AsyncConnection, selection: Selection, grid: TileMatrixSet, level: int, row: int, col: int
) -> Tile:
    """One tile of a selection; the grid must have it."""
    content, taken = (await connection.execute(tile_statement(selection, grid, level, row, col))).one()
    return Tile(bytes(content or b""), taken == MAX_FEATURES)


async def grid_extent(connection: AsyncConnection, collection: Collection, grid: TileMatrixSet) -> Bounds | None:
    """The box around a collection in units of a grid's reference system, ``None`` around nothing."""
    rows = collection.relation
    box = sa.func.ST_SetSRID(sa.cast(sa.func.ST_Extent(rows.c.geometry), t.platform.c.geom.type), SRID)
    whole = sa.select(_projected(grid, box).label("box")).subquery()
    corners = (sa.func.ST_XMin, sa.func.ST_YMin, sa.func.ST_XMax, sa.func.ST_YMax)
    found = (await connection.execute(sa.select(*(corner(whole.c.box) for corner in corners)))).one()
    return None if found[0] is None else tuple(found)
