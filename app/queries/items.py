"""Items as GeoJSON text, built by PostGIS: one row of the answer is one Feature."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection, Field
from app.crs import CRS84, Crs
from app.db import tables as t
from app.queries.counts import count
from app.queries.relations import Columns
from app.queries.selection import Selection, conditions
from app.queries.versions import State

#: Decimals of a degree (0.1 m) and of a metre in GeoJSON: finer than any outline here is known.
DECIMALS = {"degree": 6, "metre": 2}
#: Rows fetched at a time when a whole layer streams out.
CHUNK = 500

#: What a question of nearness adds to the properties.
DISTANCE = Field("distance_m", "距离", "Distance", "number", "m")

#: Properties to sort by, each with whether descending.
Order = Sequence[tuple[str, bool]]
#: Where a page begins: the sort values and the id of the item before it.
Key = Sequence[Any]


@dataclass(frozen=True)
class View:
    """How items are shown: reference system, properties (all where ``None``), order.

    ``as_file`` puts east before north in every reference system, as programs expect of files.
    """

    crs: Crs = CRS84
    properties: Sequence[str] | None = None
    order: Order = ()
    as_file: bool = False


@dataclass(frozen=True)
class Page:
    """Features as GeoJSON text; ``next`` is the key behind which more follow."""

    features: Sequence[str]
    matched: int
    next: Key | None


def shown(geometry: sa.ColumnElement[Any], view: View) -> sa.ColumnElement[Any]:
    """A stored geometry in a reference system, axes in the order of its authority (of a file: east first)."""
    if view.crs.srid != CRS84.srid:
        geometry = sa.func.ST_Transform(geometry, view.crs.srid)
    return sa.func.ST_FlipCoordinates(geometry) if view.crs.flipped and not view.as_file else geometry


def _property(described: Field, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """A property's value. A whole value of a number keeps a decimal, for clients that guess types from a few items."""
    if described.type != "number":
        return column
    # by way of text: a cast alone leaves fifteen digits, which no filter would find again
    exact = sa.cast(sa.cast(column, sa.Text), sa.Numeric)
    return sa.case((sa.func.scale(exact) == 0, sa.func.round(exact, 1)), else_=exact).label(described.name)


def feature(
    collection: Collection, view: View = View(), distance: sa.ColumnElement[float] | None = None
) -> sa.ColumnElement[str]:
    """A row of ``collection.relation`` as a GeoJSON Feature; json, not jsonb, keeps the order of the properties.

    ``distance`` in metres becomes a property.
    """
    columns = collection.relation.c
    fields = [one for one in collection.fields if view.properties is None or one.name in view.properties]
    shown_columns = [_property(one, columns[one.name]) for one in fields]
    if distance is not None:
        shown_columns.append(sa.func.round(sa.cast(distance, sa.Numeric), 1).label(DISTANCE.name))
    described = sa.select(*shown_columns).correlate(collection.relation).subquery("properties")
    properties: sa.ColumnElement[Any] = sa.literal_column("'{}'::json")
    if shown_columns:
        properties = sa.select(sa.func.row_to_json(described.table_valued())).scalar_subquery()
    # the last argument: no crs member inside each geometry
    # RFC 7946, 3.1.6: outer rings anticlockwise
    wound = sa.func.ST_ForcePolygonCCW(columns["geometry"])
    geometry = sa.func.ST_AsGeoJSON(shown(wound, view), DECIMALS[view.crs.unit], 0)
    return sa.cast(
        sa.func.json_build_object(
            "type", "Feature", "id", columns["id"], "geometry", sa.cast(geometry, sa.JSON), "properties", properties
        ),
        sa.Text,
    )


def _sorting(selection: Selection, view: View, columns: Columns) -> list[tuple[sa.ColumnElement[Any], bool]]:
    """What to sort by: as asked or nearest first, then ids by byte, which mean the same under every collation."""
    asked: list[tuple[sa.ColumnElement[Any], bool]] = []
    distance = selection.distance(columns) if selection.nearest and not view.order else None
    if distance is not None:
        asked.append((sa.type_coerce(distance, sa.Float()), False))
    for name, down in view.order:
        column = columns[name]
        asked.append((sa.collate(column, "C") if isinstance(column.type, sa.Text) else column, down))
    return [*asked, (sa.collate(columns["id"], "C"), False)]


def _select(selection: Selection, view: View, ready: bool = False) -> tuple[sa.Select[Any], Columns]:
    """The features of a selection. Those that are ``ready`` are taken as they are where a view changes nothing."""
    collection = selection.collection
    rows = collection.relation
    columns = dict(rows.c.items())
    distance = selection.distance(columns)
    where = conditions(selection, rows)
    if ready and distance is None and view == View(order=view.order):
        kept = t.ready_feature.c
        return sa.select(kept.feature).where(
            kept.collection == collection.kept_as, kept.id == rows.c.id, *where
        ), columns
    return sa.select(feature(collection, view, distance)).where(*where), columns


def ordered(
    statement: sa.Select[Any], selection: Selection, view: View, columns: Columns, limit: int | None
) -> sa.Select[Any]:
    """The statement in the order asked for, and cut."""
    for column, down in _sorting(selection, view, columns):
        statement = statement.order_by(column.desc().nulls_last() if down else column.asc().nulls_last())
    return statement.limit(limit)


async def page(
    connection: AsyncConnection,
    selection: Selection,
    limit: int,
    after: Key | None = None,
    offset: int = 0,
    view: View = View(),
    ready: bool = False,
    seen: State | None = None,
) -> Page:
    """Up to ``limit`` items behind the key ``after`` (or behind ``offset`` items).

    ``ready`` says that the collection's features are (``queries.ready``), ``seen`` is what ``count`` may remember by.
    """
    statement, columns = _select(selection, view, ready)
    sorting = _sorting(selection, view, columns)
    statement = statement.add_columns(*(sa.type_coerce(column, column.type) for column, _ in sorting))
    if after is not None:
        statement = statement.where(_behind(sorting, after))
    statement = ordered(statement, selection, view, columns, limit + 1).offset(offset)
    found = (await connection.execute(statement)).all()
    more = len(found) > limit
    found = found[:limit]
    following = list(found[-1][1:]) if more else None
    if not more and after is None and (found or not offset):
        # the last page tells by itself where the items end
        matched = offset + len(found)
    else:
        matched = await count(connection, selection, seen)
    return Page([row[0] for row in found], matched, following)


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
        choices.append(sa.and_(*equal, sa.or_(farther, column.is_(None))))
    return sa.or_(*choices)


def single(collection: Collection, item: str, view: View) -> sa.Select[Any]:
    """Selects one Feature."""
    statement, columns = _select(Selection(collection), view)
    return statement.where(columns["id"] == item)


async def one(
    connection: AsyncConnection, collection: Collection, item: str, crs: Crs = CRS84, ready: bool = False
) -> str | None:
    """One Feature, or ``None``."""
    statement, columns = _select(Selection(collection), View(crs), ready)
    found: str | None = (await connection.execute(statement.where(columns["id"] == item))).scalar_one_or_none()
    return found


async def version(connection: AsyncConnection, collection: Collection, item: str) -> int | None:
    """The version of an item's row, ``None`` where there is no item or its collection cannot be written."""
    rows = collection.relation.c
    if "version" not in rows:
        return None
    found: int | None = await connection.scalar(sa.select(rows.version).where(rows.id == item))
    return found


async def stream(
    connection: AsyncConnection, selection: Selection, view: View = View(), limit: int | None = None
) -> AsyncGenerator[Sequence[str], None]:
    """The items of the selection (``limit`` of them at most), some at a time, through a server-side cursor."""
    statement, columns = _select(selection, view)
    statement = ordered(statement, selection, view, columns, limit)
    result = await connection.stream(statement, execution_options={"yield_per": CHUNK})
    try:
        # by the hundred: one by one a feature takes longer to hand on than to make
        async for part in result.scalars().partitions(CHUNK):
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
