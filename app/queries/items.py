"""Items of a collection as GeoJSON text, built by PostGIS.

A page is one statement, the hot path of the service. It gives, as one row, the state of the data that it saw, the
features put together as one text, how many they are, and where the next page begins; neither the server nor this
program spends time on each feature that is not its own. Features are taken ready where they are (``queries.ready``).
"""

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection
from app.catalog.types import in_text
from app.crs import CRS84, Crs
from app.db import tables as t
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


#: Rows are read by place; to find columns by those of the statement takes longer than to build it.
BY_PLACE = {"_result_disable_adapt_to_context": True}
#: A feature of ``ready_feature``, where that is all that is asked for.
READY = sa.literal_column("rows.feature", sa.Text).label("feature")


@lru_cache(100)
def _all_ready(collection: str) -> sa.Select[Any]:
    """The ready features of a whole collection, in the place of its rows."""
    kept = t.ready_feature.c
    rows = sa.select(kept.id, kept.feature).where(kept.collection == collection).subquery("rows")
    return sa.select(READY).select_from(in_text(rows))


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
    where = conditions(selection, collection.columns)
    made = ready(collection) if from_ready and plain else feature(collection, view, distance)
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
    seen: State | None = None,
) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """The features of a page, and one more if others follow: each as text, whether it still fits, and its key. Where
    ``seen`` is given, a row before them has the state of the data.

    One row a feature: to put hundreds of kilobytes together takes the server longer than to send them.
    """
    collection, sorting = selection.collection, _sorting(selection, view)
    keys = [column.label(f"key_{n}") for n, (column, _) in enumerate(sorting)]
    from_ready = seen is not None and is_ready(seen, collection)
    # of a whole collection what is ready is all there is to read
    whole = from_ready and collection.kept_whole and view == PLAIN and not conditions(selection, collection.columns)
    chosen = _all_ready(collection.id) if whole else _select(selection, view, from_ready)
    statement = ordered(chosen.add_columns(*keys), selection, view, limit + 1)
    if after is not None:
        statement = statement.where(_behind(sorting, after))
    if offset:
        statement = statement.offset(offset)
    names = [one.name for one in keys]
    most = LIMITS.get().max_page_mb << 20
    if from_ready and seen is not None and limit * seen.largest[collection.kept_as] <= most:
        page = _columns("feature", "true", *names).select_from(statement.subquery("found"))
    else:
        # what is beyond is not sent; windows keep the order in which rows come
        running = "row_number() OVER () AS number", "sum(octet_length(feature)) OVER (ROWS UNBOUNDED PRECEDING) AS size"
        sized = sa.select(statement.subquery("found"), *map(sa.literal_column, running)).subquery("sized")
        page = _columns("feature", f"size <= {most} OR number = 1", *names).select_from(sized)
        page = page.where(sa.literal_column(f"number <= 2 OR size - octet_length(feature) <= {most}", sa.Boolean))
    if seen is None:
        return page
    state = sa.cast(stated([*seen.versions]), sa.Text)
    return sa.union_all(sa.select(state, *(sa.literal_column("NULL") for _ in range(len(names) + 1))), page)


def _columns(*texts: str) -> sa.Select[Any]:
    columns: list[sa.ColumnElement[Any]] = [sa.literal_column(one) for one in texts]
    return sa.select(*columns)


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
    asked = page_statement(selection, limit, after, offset, view, seen)
    rows: Sequence[Any] = (await connection.execute(asked, execution_options=BY_PLACE)).all()
    if seen is not None:
        confirm(json.loads(rows[0][0]), seen)
        rows = rows[1:]
    shown = rows[:limit]
    if shown and not shown[-1][1]:
        shown = shown[:-1]
    more = len(rows) > len(shown)
    if not more and after is None and (rows or not offset):
        # the last page tells by itself where the items end
        matched = offset + len(rows)
    else:
        matched = await counts.count(connection, selection, seen)
    return Page(",\n".join(one[0] for one in shown), len(shown), matched, list(shown[-1][2:]) if more else None)


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
    asked = statement.add_columns(stated([*seen.versions]))
    found = (await connection.execute(asked, execution_options=BY_PLACE)).one_or_none()
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
