"""Vector tiles, built by PostGIS: one row of the answer is one tile. Those of many points: ``queries.thinned``.

Some are kept ready (``queries.ready_tiles``). They are given under the mark they were made for alone; until they are
made anew, the same tile is computed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import pi
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection, Field
from app.db import tables as t
from app.db.columns import SRID
from app.db.verbatim import ALONE, Written, ask, write
from app.encode.tilesets import BUFFER, EXTENT, Bounds, TileMatrixSet
from app.filters.guard import LIMITS
from app.queries.selection import Form, Selection, conditions, form
from app.queries.versions import State, confirm, stated

#: Properties that drawing and pointing at a feature need; a collection's tiles carry those of them that it has.
#: Everything else is a request for the item away.
TILE_FIELDS = (
    "name", "name_en", "kind", "role", "level", "status", "layout", "county", "declared_county", "city", "parent",
    "area_km2", "geometry_method", "schematic", "position_accuracy_m",
    "indicator", "indicator_name", "indicator_name_en", "region", "year", "value", "unit",
)  # fmt: skip


def most_features() -> int:
    """Most features in one tile; a tile that reaches it says so."""
    return LIMITS.get().tile_max_features


@dataclass(frozen=True)
class Tile:
    """A tile as Mapbox Vector Tile 2.1, empty where nothing is.

    ``capped`` if features may have been left out, ``thinned`` if features stand for several points.
    """

    content: bytes
    capped: bool = False
    thinned: bool = False


def tile_fields(collection: Collection) -> tuple[Field, ...]:
    """The properties in a collection's tiles, beside ``id``."""
    return tuple(one for one in collection.fields if one.name in TILE_FIELDS)


#: Where a tile is, as its statement is given it: edges with and without the margin, and its place in the grid.
EDGES, WIDE_EDGES = (
    tuple(f"{name}_{edge}" for edge in ("west", "south", "east", "north")) for name in ("tile", "wide")
)
# in units of a tile those of the deepest levels are larger than an integer
ROW, COL = sa.bindparam("row", type_=sa.Double), sa.bindparam("col", type_=sa.Double)
#: How many features are taken at most.
MOST = sa.bindparam("most", type_=sa.Integer)


def place(grid: TileMatrixSet, level: int, row: int, col: int, margin: float = BUFFER) -> dict[str, float]:
    """The values of a tile's statement; ``margin`` in units of a tile."""
    edges, wide = grid.bounds(level, row, col), grid.bounds(level, row, col, margin / EXTENT)
    west, south, east, north = grid.whole
    # beyond the 180th meridian a box would come out on the other side of the Earth
    wide = (max(wide[0], west), max(wide[1], south), min(wide[2], east), min(wide[3], north))
    return {
        "row": float(row),
        "col": float(col),
        **dict(zip(EDGES, edges, strict=True)),
        **dict(zip(WIDE_EDGES, wide, strict=True)),
    }


def _envelope(grid: TileMatrixSet, names: Sequence[str]) -> sa.ColumnElement[Any]:
    return sa.func.ST_MakeEnvelope(*(sa.bindparam(one, type_=sa.Double) for one in names), _srid(grid))


def _srid(grid: TileMatrixSet) -> int:
    """The system that a grid's tiles are computed in: degrees of EPSG:4490 are taken as those stored."""
    return SRID if grid.crs.unit == "degree" else grid.crs.srid


def _projected(grid: TileMatrixSet, geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return geometry if _srid(grid) == SRID else sa.func.ST_Transform(geometry, _srid(grid))


def _stored(grid: TileMatrixSet, geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return geometry if _srid(grid) == SRID else sa.func.ST_Transform(geometry, SRID)


def inside(rows: sa.Subquery, grid: TileMatrixSet) -> sa.ColumnElement[bool]:
    """Whether a geometry's box meets a tile or its margin.

    The tile's box is carried over to the stored system, not the geometries to the box's, so that the index on the
    stored geometry chooses the rows; only those are projected.
    """
    return _meets(rows, _stored(grid, _envelope(grid, WIDE_EDGES)))


def _first_inside(rows: sa.Subquery, grid: TileMatrixSet) -> sa.ColumnElement[bool]:
    """The same for a choice of the first: the box is a sub-select, whose value the planner does not look at, so that
    the index gives the rows, and in its order, where otherwise it reads the table until it has found enough."""
    return _meets(rows, sa.select(_stored(grid, _envelope(grid, WIDE_EDGES))).scalar_subquery())


def _meets(rows: sa.Subquery, box: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return rows.c.geometry.op("&&", is_comparison=True)(box)


def across(
    grid: TileMatrixSet, level: int, point: sa.ColumnElement[Any], by: int = 1
) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """Where a stored point is, in parts of a tile (``by`` along its side) east and south of a grid's corner.

    Plain arithmetic, which takes a tenth of the time that ``ST_Transform`` does. The parts of a level are halves of
    those of the level above to the last bit.
    """
    east, north = sa.func.ST_X(point), sa.func.ST_Y(point)
    parts = float(by << (level - grid.first))
    if _srid(grid) == SRID:
        return (east - grid.west) / grid.side * parts, (grid.north - north) / grid.side * parts
    down = 0.5 - sa.func.ln(sa.func.tan(north * (pi / 360) + pi / 4)) / (2 * pi)
    return (east + 180.0) / 360.0 * parts, down * parts


def placed(grid: TileMatrixSet, level: int, row: Any, col: Any, point: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A stored point in units of a tile, as ``ST_AsMVTGeom`` gives it."""
    x, y = across(grid, level, point, EXTENT)
    return sa.func.ST_MakePoint(sa.func.round(x - col * EXTENT), sa.func.round(y - row * EXTENT))


def encoded(features: Any, collection: Collection) -> sa.ColumnElement[bytes]:
    return sa.func.ST_AsMVT(features.table_valued(), collection.id, EXTENT, "geom", type_=sa.LargeBinary)


def statement(
    selection: Selection, grid: TileMatrixSet, level: int, *where: sa.ColumnElement[bool]
) -> sa.Select[bytes, int]:
    """Gives one tile, whose ``place`` and number of features it must be told: its bytes, and how many were taken."""
    collection = selection.collection
    rows = collection.relation
    geometry = rows.c.geometry
    drawn: sa.ColumnElement[Any] = sa.func.ST_AsMVTGeom(
        _projected(grid, geometry), _envelope(grid, EDGES), EXTENT, BUFFER, True
    )
    if collection.geometry_type == "Point":
        # nothing to cut, unless there are several in one
        single = ~sa.func.ST_IsCollection(geometry, type_=sa.Boolean)
        drawn = sa.case((single, placed(grid, level, ROW, COL, geometry)), else_=drawn)
    chosen = conditions(selection, dict(rows.c.items()))
    # another condition may choose better than the box
    there = inside(rows, grid) if chosen else _first_inside(rows, grid)
    features = (
        sa.select(drawn.label("geom"), rows.c.id, *(rows.c[one.name] for one in tile_fields(collection)))
        .where(there, *chosen, *where)
        .limit(MOST)
        .subquery("features")
    )
    drawn_only = encoded(features, collection).filter(features.c.geom.is_not(None))
    return sa.select(drawn_only, sa.func.count()).select_from(features).having(ALONE)


def tile_statement(selection: Selection, grid: TileMatrixSet, level: int, row: int, col: int) -> sa.Select[bytes, int]:
    """The statement of one tile with its values."""
    return statement(selection, grid, level).params(most=most_features(), **place(grid, level, row, col))


async def tile(
    connection: AsyncConnection,
    selection: Selection,
    grid: TileMatrixSet,
    level: int,
    row: int,
    col: int,
    seen: State,
    kept_as: str | None = None,
) -> Tile:
    """One tile of a selection, cut at ``most_features``; the grid must have it.

    ``kept_as`` is the mark (``thinned.mark``) of a selection that is a whole collection: there may be tiles ready.
    Raises ``Moved`` where the data are in another state than ``seen``, that of the layers that the question reads.
    """
    most = most_features()
    at = (level, row, col)
    ready, content, taken = await ready_or_made(connection, selection, grid, at, most, seen, kept_as)
    # tiles that are cut are kept alone
    return Tile(ready or content or b"", capped=ready is not None or taken == most)


#: What makes the statement of the tiles of a level.
Make = Callable[[Selection, TileMatrixSet, int], sa.Select[*tuple[Any, ...]]]


async def told(
    connection: AsyncConnection,
    make: Make,
    selection: Selection,
    grid: TileMatrixSet,
    level: int,
    values: Mapping[str, Any],
    seen: State,
) -> Sequence[Any]:
    """The one row of a statement. Raises ``Moved`` where it was read in another state than ``seen``."""
    layers, known = tuple(seen.versions), form(selection)
    row: Sequence[Any]
    if known is None:
        row = (await connection.execute(make(selection, grid, level).add_columns(stated(layers)), values)).one()
    else:
        written = _written(make, known[0], grid, level, layers)
        row = (await ask(connection, written, {**values, **known[1]}, binary=True)).row(0)
    *found, in_state = row
    confirm(in_state, seen)
    return found


@lru_cache(1000)
def _written(make: Make, of: Form, grid: TileMatrixSet, level: int, layers: tuple[str, ...]) -> Written:
    """A statement of a level's tiles and of the state of layers, written once: that takes longer than many a tile."""
    return write(make(of.selection, grid, level).add_columns(stated(layers)), prepare=True)


async def ready_or_made(
    connection: AsyncConnection,
    selection: Selection,
    grid: TileMatrixSet,
    at: tuple[int, int, int],
    most: int,
    seen: State,
    kept_as: str | None,
    *,
    thinned: bool = False,
) -> Sequence[Any]:
    """The tile that stands ready under a mark, ``None`` where none does; then what ``statement`` gives in its place.

    Raises ``Moved`` where it was read in another state than ``seen``.
    """
    values: dict[str, Any] = {"most": most, **place(grid, *at)}
    if kept_as is None:
        return [None, *await told(connection, statement, selection, grid, at[0], values, seen)]
    values |= {"mark": kept_as, "thinned": thinned}
    return await told(connection, _ready_statement, selection, grid, at[0], values, seen)


def _ready_statement(selection: Selection, grid: TileMatrixSet, level: int) -> sa.Select[bytes | None, bytes, int]:
    kept = t.ready_tile.c
    ready = sa.select(kept.content).where(
        kept.collection == selection.collection.id, kept.grid == grid.id, kept.level == level,
        kept.row == sa.cast(ROW, sa.Integer), kept.col == sa.cast(COL, sa.Integer),
        kept.thinned == sa.bindparam("thinned"), kept.mark == sa.bindparam("mark"),
    )  # fmt: skip
    made = statement(selection, grid, level, ~ready.exists())
    return made.with_only_columns(ready.scalar_subquery(), *made.selected_columns)


async def grid_extent(connection: AsyncConnection, collection: Collection, grid: TileMatrixSet) -> Bounds | None:
    """The box around a collection in units of a grid's reference system, ``None`` around nothing."""
    rows = collection.relation
    box = sa.func.ST_SetSRID(sa.cast(sa.func.ST_Extent(rows.c.geometry), t.platform.c.geom.type), SRID)
    whole = sa.select(_projected(grid, box).label("box")).subquery()
    corners = (sa.func.ST_XMin, sa.func.ST_YMin, sa.func.ST_XMax, sa.func.ST_YMax)
    found = (await connection.execute(sa.select(*(corner(whole.c.box) for corner in corners)))).one()
    return None if found[0] is None else tuple(found)
