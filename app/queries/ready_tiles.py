"""Tiles kept ready in the database: the thinned ones of whole imported layers, for a low level's tile reads every point
there is, and of those that are not thinned the most crowded, which take longest to write.

They are given under the mark they were made for alone (``queries.tiles``).
"""

from collections.abc import AsyncIterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.catalog import Collection
from app.db import tables as t
from app.encode.tilesets import CELLS, TILE_MATRIX_SETS, TileMatrixSet
from app.queries import thinned, tiles
from app.queries.imported import Imported
from app.queries.selection import Selection
from app.queries.tiles import WIDE_EDGES, across, encoded, inside, place
from app.queries.versions import state

#: One program at a time makes tiles ready; any number that is not another lock's.
TILES_LOCK = 7_304_025
#: Tiles of a layer and grid that are kept with their points as they are: those of most points. One of 10,000 features
#: takes about 0.8 MB.
PLAIN_TILES = 24


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
            for collection in filter(thinned.is_thinned, known.values()):
                await _bring_up(connection, collection)


async def _bring_up(connection: AsyncConnection, collection: Collection) -> None:
    made_for = thinned.mark(await state(connection, collection.layers), collection)
    mine = t.ready_tile.c.collection == collection.id
    if await connection.scalar(sa.select(sa.exists().where(mine, t.ready_tile.c.mark == made_for))):
        return
    await connection.execute(sa.delete(t.ready_tile).where(mine))
    some = sa.select(sa.literal(1)).select_from(collection.relation).limit(thinned.THINNED_FROM).subquery()
    if await connection.scalar(sa.select(sa.func.count()).select_from(some)) == thinned.THINNED_FROM:
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
    await _keep_plain(connection, collection, grid, made_for)
    for table in (PLACE, CELL):
        await connection.run_sync(table.drop)


async def _levels(connection: AsyncConnection, grid: TileMatrixSet) -> AsyncIterator[int]:
    """The levels that have a tile of many points; a tile of a level has no more than the one above it."""
    for level in grid.served:
        side = CELLS << (grid.deepest - level)
        places = (("tile_x", PLACE.c.x), ("tile_y", PLACE.c.y))
        tile = [sa.func.floor(place / side).label(name) for name, place in places]
        many = sa.select(*tile).group_by("tile_x", "tile_y").having(sa.func.count() >= thinned.THINNED_FROM)
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
    feature = thinned.standing(collection, rows, cells, 1 << (grid.deepest - level), cells.c.row, cells.c.col)
    features = sa.select(*feature).where(rows.c.id == cells.c.id).lateral("features")
    made = (
        sa.select(
            sa.literal(collection.id), sa.literal(grid.id), sa.literal(level), cells.c.row, cells.c.col,
            sa.true(), sa.literal(made_for), encoded(features, collection),
        )
        .select_from(cells.join(features, sa.true()))
        .where(cells.c.together >= thinned.THINNED_FROM)
        .group_by(cells.c.row, cells.c.col)
    )  # fmt: skip
    return _insert(made)


async def _keep_plain(connection: AsyncConnection, collection: Collection, grid: TileMatrixSet, made_for: str) -> None:
    """Make the most crowded of the tiles of a grid that are cut, their points as they are."""
    most = tiles.most_features()
    row, col, points = (CELL.c.y // CELLS).label("row"), (CELL.c.x // CELLS).label("col"), sa.func.sum(CELL.c.points)
    crowded = sa.select(CELL.c.level, row, col).group_by(CELL.c.level, "row", "col").having(points >= most)
    first = crowded.order_by(points.desc(), CELL.c.level, "row", "col").limit(PLAIN_TILES)
    for at in (await connection.execute(first)).all():
        content, taken = tiles.statement(Selection(collection), grid, at[0]).subquery("made").c
        whose = (collection.id, grid.id, *at, False, made_for)
        made = sa.select(*map(sa.literal, whose), content).where(taken == most, content.is_not(None))
        await connection.execute(_insert(made), {"most": most, **place(grid, *at)})


def _insert(made: sa.Select[Any]) -> sa.Insert:
    return sa.insert(t.ready_tile).from_select([one.name for one in t.ready_tile.c], made)
