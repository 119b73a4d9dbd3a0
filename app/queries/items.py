"""Items of a collection as GeoJSON text, built by PostGIS.

A page is one statement, the hot path of the service. It gives, as one row, the state of the data that it saw, the
features put together as one text, how many they are, and where the next page begins; neither the server nor this
program spends time on each feature that is not its own. Features are taken ready where they are (``queries.ready``).
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection
from app.catalog.types import in_text
from app.crs import CRS84, Crs
from app.db import tables as t
from app.db.verbatim import ALONE, Written, ask, write
from app.filters.guard import LIMITS
from app.queries import counts
from app.queries.features import PLAIN, View, feature, ready
from app.queries.parts import CHUNK, parts
from app.queries.ready import Readiness, readiness
from app.queries.selection import Form, Selection, conditions, form
from app.queries.versions import State, confirm, stated

#: Where a page begins: the sort values and the id of the item before it.
Key = Sequence[Any]


@dataclass(frozen=True)
class Page:
    """Features as GeoJSON text (UTF-8) with commas between them; ``next`` is the key behind which more follow."""

    features: bytes
    returned: int
    matched: int
    next: Key | None


#: Ids by byte, which mean the same under every collation.
BY_ID = sa.literal_column('rows."id" COLLATE "C"', sa.Text)


#: A feature of ``ready_feature``, where that is all that is asked for.
READY = sa.literal_column("rows.feature", sa.Text).label("feature")


@lru_cache(100)
def _all_ready(collection: str) -> sa.TextClause:
    """The ready features of a collection in the place of its rows, whose ids and geometries they have."""
    kept = t.ready_feature.c
    place = sa.type_coerce(kept.geom, sa.types.NullType()).label("geometry")
    return in_text(sa.select(kept.id, kept.feature, place).where(kept.collection == collection).subquery("rows"))


def _beside_ready(collection: Collection) -> sa.Select[Any]:
    """The features of a whole layer, read along with those that are ready, both by id, instead of one after the other
    being looked up. What was written since is made now."""
    kept = t.ready_feature.c
    # a sub-select with an order of its own is left as it is, and its index gives that order
    along = sa.select(kept.id, kept.version, kept.feature).where(kept.collection == collection.kept_as)
    beside, rows = along.order_by(kept.id).subquery("kept"), collection.relation
    made = sa.case((beside.c.version == rows.c.version, beside.c.feature), else_=feature(collection))
    return sa.select(made.label("feature")).select_from(rows.outerjoin(beside, beside.c.id == rows.c.id))


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


def _select(selection: Selection, view: View, there: Readiness = "none") -> sa.Select[Any]:
    """The features of a selection. Those that are ready are taken as they are where a view changes nothing."""
    collection = selection.collection
    where = conditions(selection, collection.columns)
    if there == "all" and view == PLAIN and selection.by_shape and (collection.kept_by or not where):
        # what is ready tells by itself, and is all there is to read
        return sa.select(READY).select_from(_all_ready(collection.id)).where(*where)
    distance = selection.distance(collection.columns)
    plain = distance is None and view == View(order=view.order)
    made = ready(collection) if there != "none" and plain else feature(collection, view, distance)
    return sa.select(made.label("feature")).select_from(collection.source).where(*where)


def ordered(statement: sa.Select[Any], selection: Selection, view: View, limit: Any) -> sa.Select[Any]:
    """The statement in the order asked for, and cut."""
    # ascending, the server has NULL last by itself
    by = (column.desc().nulls_last() if down else column for column, down in _sorting(selection, view))
    return statement.order_by(*by).limit(limit)


@dataclass(frozen=True)
class How:
    """What a page's statement does beside choosing: with the state of some layers as a row before the features; from
    the features that are ready; all as they come, or cut where they would be more than so many bytes."""

    layers: tuple[str, ...] | None = None
    ready: Readiness = "none"
    most: int | None = None


def how(collection: Collection, limit: int, seen: State | None, share: int = 1) -> How:
    """How a page is read in a state of the data; it is at most one ``share``-th of ``max_page_mb``."""
    most = (LIMITS.get().max_page_mb << 20) // share
    if seen is None:
        return How(most=most)
    there = readiness(seen, collection)
    fits = there != "none" and limit * seen.largest[collection.kept_as] <= most
    return How(tuple(seen.versions), there, None if fits else most)


def page_statement(
    selection: Selection, rows: Any, after: Key | None = None, offset: Any = 0, view: View = PLAIN, how: How = How()
) -> sa.Select[Any] | sa.CompoundSelect[Any]:
    """The features of a page, and one more if others follow, ``rows`` in all: each as text, whether it still fits, and
    its key.

    One row a feature: to put hundreds of kilobytes together takes the server longer than to send them.
    """
    sorting = _sorting(selection, view)
    keys = [column.label(f"key_{n}") for n, (column, _) in enumerate(sorting)]
    statement = ordered(_select(selection, view, how.ready).add_columns(*keys), selection, view, rows)
    if after is not None:
        statement = statement.where(_behind(sorting, after))
    if not isinstance(offset, int) or offset:
        statement = statement.offset(offset)
    names = [one.name for one in keys]
    if how.most is None:
        page = _columns("feature", "true", *names).select_from(statement.subquery("found"))
    else:
        # what is beyond is not sent; windows keep the order in which rows come
        running = "row_number() OVER () AS number", "sum(octet_length(feature)) OVER (ROWS UNBOUNDED PRECEDING) AS size"
        sized = sa.select(statement.subquery("found"), *map(sa.literal_column, running)).subquery("sized")
        page = _columns("feature", f"size <= {how.most} OR number = 1", *names).select_from(sized)
        fits = f"number <= 2 OR size - octet_length(feature) <= {how.most}"
        page = page.where(sa.literal_column(fits, sa.Boolean))
    if how.layers is None:
        return page
    nothing: list[sa.ColumnElement[Any]] = [sa.literal_column("NULL")] * (len(names) + 1)
    return sa.union_all(sa.select(stated(how.layers), *nothing).where(ALONE), page)


def _columns(*texts: str) -> sa.Select[Any]:
    columns: list[sa.ColumnElement[Any]] = [sa.literal_column(one) for one in texts]
    return sa.select(*columns)


@lru_cache(1000)
def _written(form: Form, behind: tuple[bool, ...] | None, skips: bool, view: View, how: How) -> Written:
    """A page's statement, written once for all questions of a form: that takes longer than to answer one.

    ``behind`` tells which values of the key it begins behind are not NULL, ``skips`` that it begins at an offset.
    """
    rows, offset = (sa.bindparam(name, type_=sa.Integer) for name in ("rows", "offset"))
    after: Key | None = None
    if behind is not None:
        # a value of its column's type, so that it is compared as rows are sorted
        columns = [column.type for column, _ in _sorting(form.selection, view)]
        named = (sa.bindparam(f"after_{n}", type_=one) for n, one in enumerate(columns))
        after = [one if given else None for one, given in zip(named, behind, strict=True)]
    # a box may hold a few items, best found by their places, or nearly all, of which the first are
    return write(page_statement(form.selection, rows, after, offset if skips else 0, view, how), prepare=not form.box)


def _asked(
    selection: Selection, rows: int, after: Key | None, offset: int, view: View, how: How
) -> tuple[Written, Mapping[str, Any]]:
    """A page's statement and its values."""
    found = form(selection)
    if found is None:
        return write(page_statement(selection, rows, after, offset, view, how)), {}
    common, values = found
    behind = None if after is None else tuple(one is not None for one in after)
    keyed = {f"after_{n}": one for n, one in enumerate(after or ())}
    return _written(common, behind, offset > 0, view, how), {**values, **keyed, "rows": rows, "offset": offset}


async def page(
    connection: AsyncConnection,
    selection: Selection,
    limit: int,
    after: Key | None = None,
    offset: int = 0,
    view: View = PLAIN,
    seen: State | None = None,
    share: int = 1,
) -> Page:
    """Up to ``limit`` items behind the key ``after`` (or behind ``offset`` items); fewer where these would be more than
    ``max_page_mb``, or a ``share``-th of it, but one at least.

    ``seen`` is the state of the layers that the question reads, known or believed: by it features are taken ready, and
    the total is remembered. Raises ``Moved`` where the data turn out to be in another.
    """
    read = how(selection.collection, limit, seen, share)
    answer = await ask(connection, *_asked(selection, limit + 1, after, offset, view, read))
    first = 0
    if seen is not None:
        confirm(answer.text(0, 0), seen)
        first = 1
    found = len(answer) - first
    shown = min(found, limit)
    # where it all fits and is all there is, no row need be read
    told = read.most is not None or found > shown
    last = answer.row(first + shown - 1) if shown and told else ()
    if last and not last[1]:
        shown -= 1
        last = answer.row(first + shown - 1)
    if found == shown and after is None and (found or not offset):
        # the last page tells by itself where the items end
        matched = offset + found
    else:
        matched = await counts.count(connection, selection, seen)
    features = b",\n".join(answer.column(0, first, first + shown))
    return Page(features, shown, matched, list(last[2:]) if found > shown else None)


def _behind(sorting: Sequence[tuple[sa.ColumnElement[Any], bool]], key: Key) -> sa.ColumnElement[bool]:
    """Whether a row comes after a key: equal in the first columns and behind in the next, NULL behind everything."""
    choices = []
    for n, (column, down) in enumerate(sorting):
        if key[n] is None:
            continue
        # bound, not written out: a boolean constant has no order
        value = key[n] if isinstance(key[n], sa.BindParameter) else sa.literal(key[n], column.type)
        farther = column < value if down else column > value
        equal = [known.is_not_distinct_from(given) for (known, _), given in zip(sorting[:n], key, strict=False)]
        # an id is never NULL, and alone it is found by its index
        choices.append(sa.and_(*equal, farther if n == len(sorting) - 1 else sa.or_(farther, column.is_(None))))
    return sa.or_(*choices)


def single(collection: Collection, item: Any, view: View, there: Readiness = "none") -> sa.Select[Any]:
    """Selects one Feature, among the rows of its collection."""
    rows = _select(Selection(collection), view, "none" if there == "none" else "some")
    return rows.where(collection.columns["id"] == item)


@dataclass(frozen=True)
class Item:
    """One Feature, and the version of its row where that can be written."""

    feature: str
    version: int | None


async def one(
    connection: AsyncConnection, collection: Collection, item: str, crs: Crs = CRS84, seen: State | None = None
) -> Item | None:
    """One item, or ``None``; ``seen`` as for ``page``. Raises ``Moved``; of what is not there nobody can tell."""
    layers = None if seen is None else tuple(seen.versions)
    there = "none" if seen is None else readiness(seen, collection)
    written = _written_one(collection, View(crs), layers, there)
    found = await ask(connection, written, {"item": item})
    if not len(found):
        return None
    text, version, *state = found.row(0)
    if seen is not None:
        confirm(state[0], seen)
    return Item(text, version)


@lru_cache(500)
def _written_one(collection: Collection, view: View, layers: tuple[str, ...] | None, there: Readiness) -> Written:
    """The statement of one item: its Feature, the version of its row, and the state of some layers."""
    statement = single(collection, sa.bindparam("item", type_=sa.Text), view, there)
    statement = statement.add_columns(collection.columns.get("version", sa.null()))
    return write(statement if layers is None else statement.add_columns(stated(layers)), prepare=True)


async def stream(
    connection: AsyncConnection,
    selection: Selection,
    view: View = PLAIN,
    limit: int | None = None,
    there: Readiness = "none",
) -> AsyncGenerator[Sequence[str], None]:
    """The items of the selection (``limit`` of them at most), some at a time, through a server-side cursor."""
    collection = selection.collection
    whole = view == PLAIN and limit is None and not conditions(selection, collection.columns)
    if there == "some" and whole and collection.kept_by:
        chosen = _beside_ready(collection)
    else:
        chosen = _select(selection, view, there)
    statement = ordered(chosen, selection, view, limit)
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
