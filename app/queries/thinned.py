"""Tiles of many points, thinned: a tile is divided into cells, and of each cell's points the first by id stands for
all, in the middle of them (the mean of their places), with their number (``point_count``).

A point is in one cell of one tile and in no other, so that the numbers of a level add up to the number of points in the
layer; a thinned tile has no margin, therefore.

Thinned tiles of whole imported layers are kept ready in the database, for a low level's tile reads every point there
is. They are given under the mark they were made for alone; until they are made anew, the same tile is computed.
"""

import hashlib
from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.catalog import Collection, Field
from app.db import tables as t
from app.encode.tilesets import CELLS, EXTENT, TILE_MATRIX_SETS, WEB_MERCATOR_QUAD, TileMatrixSet
from app.queries import tiles
from app.queries.imported import Imported
from app.queries.selection import Selection, conditions
from app.queries.tiles import COL, ROW, WIDE_EDGES, Tile, across, encoded, inside, tile_fields, told
from app.queries.versions import State, state

#: A tile of points that reaches so many, its margin included, is thinned.
THINNED_FROM = 5_000
#: How many points a feature stands for, in thinned tiles alone.
POINT_COUNT = Field("point_count", "所代表的点数", "Points that it stands for", "integer")
#: One program at a time makes tiles ready; any number that is not another lock's.
TILES_LOCK = 7_304_025


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
    whole: bool = False,
) -> Tile:
    """One tile of a selection, thinned where it would hold many; the grid must have it.

    ``whole`` says that the selection is the whole collection, of which there may be tiles ready for the state ``seen``.
    Raises ``Moved`` where the data are in another state than ``seen``, that of the layers that the question reads.
    """
    ready = None
    values: dict[str, Any] = {"most": THINNED_FROM, **tiles.place(grid, level, row, col)}
    if whole:
        values["mark"] = mark(seen, selection.collection)
        ready, content, taken = await told(connection, _ready_statement, selection, grid, level, values, seen)
    else:
        content, taken = await told(connection, tiles.statement, selection, grid, level, values, seen)
    if ready is not None:
        return Tile(ready, thinned=True)
    if taken < THINNED_FROM:
        return Tile(content or b"")
    # a little more than the tile: the cells tell what is in it
    values = tiles.place(grid, level, row, col, margin=1)
    (made,) = await told(connection, thinned_statement, selection, grid, level, values, seen)
    return Tile(made or b"", thinned=True)


def _ready_statement(selection: Selection, grid: TileMatrixSet, level: int) -> sa.Select[bytes | None, bytes, int]:
    """Gives a tile of a whole collection that is ready for a ``mark``, or else what ``tiles.statement`` gives."""
    kept = t.ready_tile.c
    ready = sa.select(kept.content).where(
        kept.collection == selection.collection.id, kept.grid == grid.id, kept.level == level,
        kept.row == sa.cast(ROW, sa.Integer), kept.col == sa.cast(COL, sa.Integer), kept.mark == sa.bindparam("mark"),
    )  # fmt: skip
    made = tiles.statement(selection, grid, level, ~ready.exists())
    return made.with_only_columns(ready.scalar_subquery(), *made.selected_columns)


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
        sa.select(*_feature(collection, first, cells, 1, ROW, COL))
        .where(
            first.c.id == cells.c.id,
            cells.c.cell_x.between(COL * CELLS, (COL + 1) * CELLS - 1),
            cells.c.cell_y.between(ROW * CELLS, (ROW + 1) * CELLS - 1),
        )
        .subquery("features")
    )
    return sa.select(encoded(features, collection)).select_from(features)


def _feature(
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


# ------------------------------------------------------------------------------------------------------- kept ready


@lru_cache(500)
def _form(collection: Collection) -> str:
    """How the thinned tiles of a collection are made."""
    return f"{thinned_statement(Selection(collection), WEB_MERCATOR_QUAD, 0)}\n{CELLS} {THINNED_FROM}"


def mark(found: State, collection: Collection) -> str:
    """Differs as soon as anything does that a collection's thinned tiles are made of; of the state of its layers."""
    return hashlib.sha256(f"{found.mark}\n{_form(collection)}".encode()).hexdigest()[:20]


async def refresh(engine: AsyncEngine) -> None:
    """Make ready what is not, unless another program is at it.

    Raises ``SQLAlchemyError`` where the database cannot be written.
    """
    repeatable = engine.execution_options(isolation_level="REPEATABLE READ")
    async with repeatable.begin() as connection:
        if await connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(TILES_LOCK))):
            known = await Imported().current(connection)
            gone = t.ready_tile.c.collection.not_in(list(known))
            await connection.execute(sa.delete(t.ready_tile).where(gone))
            for collection in filter(is_thinned, known.values()):
                await _bring_up(connection, collection)


async def _bring_up(connection: AsyncConnection, collection: Collection) -> None:
    made_for = mark(await state(connection, collection.layers), collection)
    mine = t.ready_tile.c.collection == collection.id
    if await connection.scalar(sa.select(sa.exists().where(mine, t.ready_tile.c.mark == made_for))):
        return
    await connection.execute(sa.delete(t.ready_tile).where(mine))
    some = sa.select(sa.literal(1)).select_from(collection.relation).limit(THINNED_FROM).subquery()
    if await connection.scalar(sa.select(sa.func.count()).select_from(some)) == THINNED_FROM:
        for grid in TILE_MATRIX_SETS.values():
            await _make(connection, collection, grid, made_for)


#: Where each point is, in cells of a grid's deepest level.
PLACE = sa.Table(
    "ready_place",
    sa.MetaData(),
    sa.Column("id", sa.Text(collation="C")),
    sa.Column("x", sa.Double),
    sa.Column("y", sa.Double),
    prefixes=["TEMPORARY"],
)
#: The cells of each level that has tiles of many points; the sums of places are in cells of the deepest level.
CELL = sa.Table(
    "ready_cell",
    sa.MetaData(),
    sa.Column("level", sa.Integer),
    sa.Column("x", sa.Integer),
    sa.Column("y", sa.Integer),
    sa.Column("id", sa.Text(collation="C")),
    sa.Column("points", sa.BigInteger),
    sa.Column("sum_x", sa.Double),
    sa.Column("sum_y", sa.Double),
    prefixes=["TEMPORARY"],
)


async def _make(connection: AsyncConnection, collection: Collection, grid: TileMatrixSet, made_for: str) -> None:
    """Make the tiles of a grid: the cells of the deepest level from the points, those of each other from the next."""
    rows = collection.relation
    # sorting and hashing in memory: one program at a time does this
    await connection.execute(sa.text("SET LOCAL work_mem = '64MB'"))
    for table in (PLACE, CELL):
        await connection.run_sync(table.create)
    places = sa.select(rows.c.id, *across(grid, grid.deepest, rows.c.position, CELLS)).where(inside(rows, grid))
    whole = dict(zip(WIDE_EDGES, grid.whole, strict=True))
    await connection.execute(sa.insert(PLACE).from_select(["id", "x", "y"], places), whole)
    await connection.execute(sa.text("ANALYZE ready_place"))
    levels = [level async for level in _levels(connection, grid)]
    for level in reversed(levels):
        await connection.execute(_cells_of(level, grid.deepest, finest=level == levels[-1]))
    await connection.execute(sa.text("ANALYZE ready_cell"))
    for level in levels:
        await connection.execute(_tiles_of(collection, grid, level, made_for))
    for table in (PLACE, CELL):
        await connection.run_sync(table.drop)


async def _levels(connection: AsyncConnection, grid: TileMatrixSet) -> AsyncIterator[int]:
    """The levels that have a tile of many points; a tile of a level has no more than the one above it."""
    for level in grid.served:
        side = CELLS << (grid.deepest - level)
        places = (("tile_x", PLACE.c.x), ("tile_y", PLACE.c.y))
        tile = [sa.func.floor(place / side).label(name) for name, place in places]
        many = sa.select(*tile).group_by("tile_x", "tile_y").having(sa.func.count() >= THINNED_FROM)
        if not await connection.scalar(sa.select(many.exists())):
            return
        yield level


def _cells_of(level: int, deepest: int, finest: bool) -> sa.Insert:
    """Inserts the cells of a level, made of the points or of the cells of the next level."""
    finer: sa.Select[Any]
    x: sa.ColumnElement[Any]
    y: sa.ColumnElement[Any]
    if finest:
        # a floating point number by a power of two: to the last bit what it is at the level itself
        x, y = (sa.func.floor(one / (1 << (deepest - level))) for one in (PLACE.c.x, PLACE.c.y))
        found = (sa.func.min(PLACE.c.id), sa.func.count(), sa.func.sum(PLACE.c.x), sa.func.sum(PLACE.c.y))
        finer = sa.select(sa.literal(level), x.label("cell_x"), y.label("cell_y"), *found)
    else:
        x, y = CELL.c.x // 2, CELL.c.y // 2
        sums = (sa.func.sum(one) for one in (CELL.c.points, CELL.c.sum_x, CELL.c.sum_y))
        finer = sa.select(sa.literal(level), x.label("cell_x"), y.label("cell_y"), sa.func.min(CELL.c.id), *sums)
        finer = finer.where(CELL.c.level == level + 1)
    return sa.insert(CELL).from_select([one.name for one in CELL.c], finer.group_by("cell_x", "cell_y"))


def _tiles_of(collection: Collection, grid: TileMatrixSet, level: int, made_for: str) -> sa.Insert:
    """Inserts the tiles of a level that hold many points."""
    rows = collection.relation
    row, col = (CELL.c.y // CELLS).label("row"), (CELL.c.x // CELLS).label("col")
    together = sa.func.sum(CELL.c.points).over(partition_by=[row, col]).label("together")
    cells = sa.select(CELL, row, col, together).where(CELL.c.level == level).subquery("cells")
    feature = _feature(collection, rows, cells, 1 << (grid.deepest - level), cells.c.row, cells.c.col)
    features = sa.select(*feature).where(rows.c.id == cells.c.id).lateral("features")
    made = (
        sa.select(
            sa.literal(collection.id), sa.literal(grid.id), sa.literal(level), cells.c.row, cells.c.col,
            sa.literal(made_for), encoded(features, collection),
        )
        .select_from(cells.join(features, sa.true()))
        .where(cells.c.together >= THINNED_FROM)
        .group_by(cells.c.row, cells.c.col)
    )  # fmt: skip
    return sa.insert(t.ready_tile).from_select([one.name for one in t.ready_tile.c], made)
