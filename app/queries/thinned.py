"""Tiles of many points, thinned: a tile is divided into cells, and of each cell's points the first by id stands for
all, in the middle of them (the mean of their places), with their number (``point_count``).

A point is in one cell of one tile and in no other, so that the numbers of a level add up to the number of points in the
layer; a thinned tile has no margin, therefore.

Those of whole imported layers are kept ready (``queries.ready_tiles``).
"""

import hashlib
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection, Field
from app.encode.tilesets import CELLS, EXTENT, WEB_MERCATOR_QUAD, TileMatrixSet
from app.queries import tiles
from app.queries.selection import Selection, conditions
from app.queries.tiles import COL, ROW, Tile, across, encoded, inside, tile_fields, told
from app.queries.versions import State

#: A tile of points that reaches so many, its margin included, is thinned.
THINNED_FROM = 5_000
#: How many points a feature stands for, in thinned tiles alone.
POINT_COUNT = Field("point_count", "所代表的点数", "Points that it stands for", "integer")


def is_thinned(collection: Collection) -> bool:
    """Whether tiles of a collection are thinned where they would hold many: of a layer of points."""
    return collection.geometry_type == "Point" and collection.has_position


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
    """One tile of a selection, thinned where it would hold many; the grid must have it.

    ``kept_as`` is the ``mark`` of a selection that is a whole collection, of which there may be tiles ready.
    Raises ``Moved`` where the data are in another state than ``seen``, that of the layers that the question reads.
    """
    at = (level, row, col)
    ready, content, taken = await tiles.ready_or_made(
        connection, selection, grid, at, THINNED_FROM, seen, kept_as, thinned=True
    )
    if ready is not None:
        return Tile(ready, thinned=True)
    if taken < THINNED_FROM:
        return Tile(content or b"")
    # a little more than the tile: the cells tell what is in it
    values = tiles.place(grid, level, row, col, margin=1)
    (made,) = await told(connection, thinned_statement, selection, grid, level, values, seen)
    return Tile(made or b"", thinned=True)


def thinned_statement(selection: Selection, grid: TileMatrixSet, level: int) -> sa.Select[bytes]:
    """Gives a thinned tile, whose ``tiles.place`` it must be told."""
    collection = selection.collection
    rows, first = collection.relation, collection.relation.alias("first")
    x, y = across(grid, level, rows.c.position, CELLS)
    cells = (
        sa.select(
            sa.func.min(rows.c.id).label("id"),
            sa.func.count().label("points"),
            sa.func.sum(x).label("sum_x"),
            sa.func.sum(y).label("sum_y"),
            sa.func.floor(x).label("cell_x"),
            sa.func.floor(y).label("cell_y"),
        )
        .where(inside(rows, grid), *conditions(selection, dict(rows.c.items())))
        .group_by("cell_x", "cell_y")
        .cte("cells")
        # else the server takes the cells' numbers for a narrow choice, and sorts all points
        .prefix_with("MATERIALIZED")
    )
    features = (
        sa.select(*standing(collection, first, cells, 1, ROW, COL))
        .where(
            first.c.id == cells.c.id,
            cells.c.cell_x.between(COL * CELLS, (COL + 1) * CELLS - 1),
            cells.c.cell_y.between(ROW * CELLS, (ROW + 1) * CELLS - 1),
        )
        .subquery("features")
    )
    return sa.select(encoded(features, collection)).select_from(features)


def standing(
    collection: Collection, rows: sa.FromClause, cells: sa.FromClause, wider: int, row: Any, col: Any
) -> list[sa.ColumnElement[Any]]:
    """The row that stands for the others of its cell, in the middle of them, and their number.

    The sums of places are in cells; a cell of this tile is ``wider`` of those.
    """
    unit = EXTENT / CELLS / wider
    drawn = sa.func.ST_MakePoint(
        sa.func.round(cells.c.sum_x / cells.c.points * unit - col * EXTENT),
        sa.func.round(cells.c.sum_y / cells.c.points * unit - row * EXTENT),
    )
    number = sa.cast(cells.c.points, sa.Integer).label(POINT_COUNT.name)
    return [drawn.label("geom"), rows.c.id, number, *(rows.c[one.name] for one in tile_fields(collection))]


def mark(found: State, collection: Collection) -> str:
    """Differs as soon as anything does that a collection's tiles are made of; of the state of its layers."""
    numbers = f"{CELLS} {THINNED_FROM} {tiles.most_features()}"
    return hashlib.sha256(f"{found.mark}\n{_form(collection)}\n{numbers}".encode()).hexdigest()[:20]


@lru_cache(500)
def _form(collection: Collection) -> str:
    """How the tiles of a collection are made, thinned and not."""
    made = (make(Selection(collection), WEB_MERCATOR_QUAD, 0) for make in (thinned_statement, tiles.statement))
    return "\n".join(map(str, made))
