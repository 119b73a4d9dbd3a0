"""Items of a collection as GeoJSON text, built by PostGIS.

A page is one statement, the hot path of the service. It gives, as one row, the state of the data that it saw, the
features put together as one text, how many they are, and where the next page begins; neither the server nor this
program spends time on each feature that is not its own. Features are taken ready where they are (``queries.ready``).
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection
from app.crs import CRS84, Crs
from app.filters.guard import LIMITS
from app.queries import counts
from app.queries.features import PLAIN, View, feature, ready
from app.queries.parts import CHUNK, parts
from app.queries.ready import is_ready
from app.queries.selection import Selection, conditions
from app.queries.versions import State, confirm, stated

#: Where a page begins: the sort values and the id of the item before it.
Key = Sequence[Any]


@dataclass(frozen=True)
class Page:
    """Features as GeoJSON text with commas between them; ``next`` is the key behind which more follow."""

    features: str
    returned: int
    matched: int
    next: Key | None


#: Ids by byte, which mean the same under every collation.
BY_ID = sa.literal_column('rows."id" COLLATE "C"', sa.Text)


def _sorting(selection: Selection, view: View) -> list[tuple[sa.ColumnElement[Any], bool]]:
    """What to sort by: as asked or nearest first, then ids."""
    columns = selection.collection.columns
    asked: list[tuple[sa.ColumnElement[Any], bool]] = []
    distance = selection.distance(columns) if selection.nearest and not view.order else None
    if distance is not None:
        asked.append((sa.type_coerce(distance, sa.Float()), False))
    for name, down in view.order:
        column = columns[name]
        asked.append((sa.collate(column, "C") if isinstance(column.type, sa.Text) else column, down))
    return [*asked, (BY_ID, False)]


def _select(selection: Selection, view: View, from_ready: bool = False) -> sa.Select[Any]:
    """The features of a selection. Those that are ready are taken as they are where a view changes nothing."""
    collection = selection.collection
    distance = selection.distance(collection.columns)
    plain = distance is None and view == View(order=view.order)
    made = ready(collection) if from_ready and plain else feature(collection, view, distance)
    where = conditions(selection, collection.columns)
    return sa.select(made.label("feature")).select_from(collection.source).where(*where)


def ordered(statement: sa.Select[Any], selection: Selection, view: View, limit: int | None) -> sa.Select[Any]:
    """The statement in the order asked for, and cut."""
    # ascending, the server has NULL last by itself
    by = (column.desc().nulls_last() if down else column for column, down in _sorting(selection, view))
    return statement.order_by(*by).limit(limit)


def page_statement(
    selection: Selection,
    limit: int,
    after: Key | None = None,
    offset: int = 0,
    view: View = PLAIN,
    from_ready: bool = False,
    total: int | None = None,
) -> sa.Select[Any]:
    """A page as one row: its features as one text, how many items were found (more if others follow), how many of them
    are shown, the key of the last, and how many there are in all (``total`` where that is known)."""
    sorting = _sorting(selection, view)
    keys = [column.label(f"key_{n}") for n, (column, _) in enumerate(sorting)]
    statement = ordered(_select(selection, view, from_ready).add_columns(*keys), selection, view, limit + 1)
    if after is not None:
        statement = statement.where(_behind(sorting, after))
    if offset:
        statement = statement.offset(offset)
    if total is not None:
        all_of_them: sa.ColumnElement[Any] = sa.literal(total)
    else:
        all_of_them = counts.statement(selection).scalar_subquery()
        if after is None:
            # the last page tells by itself where the items end, and nothing is counted
            last = sa.literal_column(f"count(*) BETWEEN {0 if offset == 0 else 1} AND {limit}", sa.Boolean)
            all_of_them = sa.case((last, sa.literal_column("count(*)") + offset), else_=all_of_them)
    # what is beyond is neither put together by the server nor sent
    fits = f"WHERE size <= {LIMITS.get().max_page_mb << 20} OR number = 1"
    shown = f"least(count(*) FILTER ({fits}), {limit})::int"
    # aggregates and windows keep the order in which rows come
    made = (
        f"array_to_string((array_agg(feature) FILTER ({fits}))[1:{limit}], E',\\n')",
        "count(*)",
        shown,
        f"(array_agg(json_build_array({', '.join(one.name for one in keys)})))[{shown}]",
    )
    windows = ("row_number() OVER () AS number", "sum(octet_length(feature)) OVER (ROWS UNBOUNDED PRECEDING) AS size")
    sized = sa.select(statement.subquery("some"), *map(sa.literal_column, windows)).subquery("sized")
    columns: list[sa.ColumnElement[Any]] = [*map(sa.literal_column, made), all_of_them]
    return sa.select(*columns).select_from(sized)


async def page(
    connection: AsyncConnection,
    selection: Selection,
    limit: int,
    after: Key | None = None,
    offset: int = 0,
    view: View = PLAIN,
    seen: State | None = None,
) -> Page:
    """Up to ``limit`` items behind the key ``after`` (or behind ``offset`` items); fewer where these would be more than
    ``max_page_mb``, but one at least.

    ``seen`` is the state of the layers that the question reads, known or believed: by it features are taken ready, and
    the total is remembered. Raises ``Moved`` where the data turn out to be in another.
    """
    if seen is None:
        asked = page_statement(selection, limit, after, offset, view)
        return _page((await connection.execute(asked)).one())
    from_ready, total = is_ready(seen, selection.collection), counts.known(connection, selection, seen)
    asked = page_statement(selection, limit, after, offset, view, from_ready, total)
    *row, found = (await connection.execute(asked.add_columns(stated([*seen.versions])))).one()
    confirm(found, seen)
    made = _page(row)
    if total is None:
        counts.remember(connection, selection, seen, made.matched)
    return made


def _page(row: Sequence[Any]) -> Page:
    features, found, shown, last, matched = row
    return Page(features or "", shown, matched, last if found > shown else None)


def _behind(sorting: Sequence[tuple[sa.ColumnElement[Any], bool]], key: Key) -> sa.ColumnElement[bool]:
    """Whether a row comes after a key: equal in the first columns and behind in the next, NULL behind everything."""
    choices = []
    for n, (column, down) in enumerate(sorting):
        if key[n] is None:
            continue
        # bound, not written out: a boolean constant has no order
        value = sa.literal(key[n], column.type)
        farther = column < value if down else column > value
        equal = [known.is_not_distinct_from(given) for (known, _), given in zip(sorting[:n], key, strict=False)]
        # an id is never NULL, and alone it is found by its index
        choices.append(sa.and_(*equal, farther if n == len(sorting) - 1 else sa.or_(farther, column.is_(None))))
    return sa.or_(*choices)


def single(collection: Collection, item: str, view: View, from_ready: bool = False) -> sa.Select[Any]:
    """Selects one Feature."""
    return _select(Selection(collection), view, from_ready).where(collection.columns["id"] == item)


@dataclass(frozen=True)
class Item:
    """One Feature, and the version of its row where that can be written."""

    feature: str
    version: int | None


async def one(
    connection: AsyncConnection, collection: Collection, item: str, crs: Crs = CRS84, seen: State | None = None
) -> Item | None:
    """One item, or ``None``; ``seen`` as for ``page``. Raises ``Moved``; of what is not there nobody can tell."""
    statement = single(collection, item, View(crs), seen is not None and is_ready(seen, collection))
    statement = statement.add_columns(collection.columns.get("version", sa.null()))
    if seen is None:
        known = (await connection.execute(statement)).one_or_none()
        return None if known is None else Item(*known)
    found = (await connection.execute(statement.add_columns(stated([*seen.versions])))).one_or_none()
    if found is None:
        return None
    *row, state = found
    confirm(state, seen)
    return Item(*row)


async def stream(
    connection: AsyncConnection,
    selection: Selection,
    view: View = PLAIN,
    limit: int | None = None,
    from_ready: bool = False,
) -> AsyncGenerator[Sequence[str], None]:
    """The items of the selection (``limit`` of them at most), some at a time, through a server-side cursor."""
    statement = ordered(_select(selection, view, from_ready), selection, view, limit)
    result = await connection.stream(statement, execution_options={"yield_per": CHUNK})
    try:
        async for part in parts(result.scalars(), len):
            yield part
    finally:
        # whatever happens to the reader, who may leave in the middle; as a context it would stay open then
        await result.close()


async def extent(connection: AsyncConnection, collection: Collection) -> tuple[float, float, float, float] | None:
    """West, south, east, north of a collection in degrees."""
    rows = collection.relation
    box = sa.select(sa.func.ST_Extent(rows.c.geometry).label("box")).subquery()
    corners = (sa.func.ST_XMin, sa.func.ST_YMin, sa.func.ST_XMax, sa.func.ST_YMax)
    found = (await connection.execute(sa.select(*(corner(box.c.box) for corner in corners)))).one()
    return None if found[0] is None else tuple(found)
