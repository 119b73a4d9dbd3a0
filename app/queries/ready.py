"""Features kept ready as GeoJSON text: of collections whose items are made of many tables, and of imported layers.

A ready feature is given only under the mark it was made for: the versions of all layers that the collection reads,
in the reader's own snapshot, and the statement that makes it. Of an imported layer the mark leaves the layer itself
out; there each feature has the version of the row it was made from, and lies where that row lies. What is not ready is
computed, so that an answer never depends on this; it only comes sooner.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.catalog import BUILT_IN, Collection
from app.db import tables as t
from app.queries.features import feature
from app.queries.imported import Imported
from app.queries.versions import State, state

#: One program at a time makes features ready; any number that is not another lock's.
READY_LOCK = 7_304_023
#: Rows of an imported layer beyond which none of its features are kept: a feature takes about 1 KB.
MOST_ROWS = 2_000_000


@lru_cache(500)
def _form(collection: Collection) -> str:
    """How the features of a collection are made."""
    return str(collection.relation) + "".join(str(one) for one in collection.fields)


def mark(found: State, collection: Collection) -> str:
    """Differs as soon as anything does that a collection's features are made of."""
    return _mark(collection, tuple(found.versions.get(layer, 0) for layer in _read(collection)))


@lru_cache(1000)
def _mark(collection: Collection, versions: tuple[int, ...]) -> str:
    told = " ".join(f"{layer}:{version}" for layer, version in zip(_read(collection), versions, strict=True))
    return hashlib.sha256(f"{told}\n{_form(collection)}".encode()).hexdigest()[:20]


@lru_cache(500)
def _read(collection: Collection) -> tuple[str, ...]:
    """The layers that features are made of, beside their own."""
    return tuple(sorted(one for one in collection.layers if not collection.kept_by or one not in _own(collection)))


def _own(collection: Collection) -> tuple[str, ...]:
    """Layers of an imported collection whose changes its rows' versions and its form tell of."""
    return collection.kept_by, t.layer_definition.name


#: Which features of a collection stand ready: none that may be given, some, each with the version of its row, or those
#: of all items and no others.
Readiness = Literal["none", "some", "all"]


def readiness(found: State, collection: Collection) -> Readiness:
    """Which features stand ready in a state of the data."""
    name, layer = collection.kept_as, collection.kept_by
    if name not in found.ready or found.ready[name] != mark(found, BUILT_IN.get(name, collection)):
        return "none"
    looked_at = not layer or found.brought[name] == found.versions.get(layer)
    return "all" if looked_at and name == collection.id else "some"


async def refresh(engine: AsyncEngine, imported: Imported) -> None:
    """Make ready what is not, unless another program is at it.

    Raises ``SQLAlchemyError`` where the database cannot be written.
    """
    repeatable = engine.execution_options(isolation_level="REPEATABLE READ")
    async with repeatable.begin() as connection:
        if await connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(READY_LOCK))):
            found = await state(connection)
            for collection in (*BUILT_IN.values(), *(await imported.current(connection)).values()):
                if collection.kept_as == collection.id:
                    await _bring_up(connection, collection, found)


async def _bring_up(connection: AsyncConnection, collection: Collection, found: State) -> None:
    there = readiness(found, collection)
    if there == "all":
        return
    if not collection.kept_by:
        await _make(connection, collection)
    elif not await _may_be_kept(connection, collection):
        return
    else:
        await _make_rows(connection, collection, anew=there == "none")
        if there == "none":
            await _index(connection, collection)
    layer, kept = t.ready_layer, t.ready_feature.c
    size = sa.select(sa.func.coalesce(sa.func.max(sa.func.octet_length(kept.feature)), 0))
    largest = await connection.scalar(size.where(kept.collection == collection.id))
    brought_to = found.versions.get(collection.kept_by)
    values = {"mark": mark(found, collection), "brought_to": brought_to, "largest": largest}
    known = insert(layer).values(collection=collection.id, **values)
    given = {name: known.excluded[name] for name in values}
    await connection.execute(known.on_conflict_do_update(index_elements=[layer.c.collection], set_=given))


async def _may_be_kept(connection: AsyncConnection, collection: Collection) -> bool:
    """Whether an imported layer is a table that only triggers write (no partitions), and not too large."""
    kind = sa.text("SELECT relkind = 'r' FROM pg_class WHERE oid = to_regclass(:name)")
    if not await connection.scalar(kind, {"name": collection.kept_by}):
        return False
    some = sa.select(sa.literal(1)).select_from(collection.relation).limit(MOST_ROWS + 1).subquery()
    return (await connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0) <= MOST_ROWS


async def _make(connection: AsyncConnection, collection: Collection) -> None:
    """Make every feature, and write those that differ."""
    kept = t.ready_feature
    await _forget_gone(connection, collection)
    made = _insert(collection, {})
    await connection.execute(
        made.on_conflict_do_update(
            index_elements=[kept.c.collection, kept.c.id],
            set_={"feature": made.excluded.feature},
            where=kept.c.feature != made.excluded.feature,
        )
    )


async def _forget_gone(connection: AsyncConnection, collection: Collection) -> None:
    rows, kept = collection.relation, t.ready_feature
    there = sa.select(rows.c.id).where(rows.c.id == kept.c.id)
    await connection.execute(sa.delete(kept).where(kept.c.collection == collection.id, ~there.exists()))


async def _make_rows(connection: AsyncConnection, collection: Collection, anew: bool) -> None:
    """Make the features of rows that have none of their version."""
    rows, kept = collection.relation.c, t.ready_feature
    if anew:
        await connection.execute(sa.delete(kept).where(kept.c.collection == collection.id))
    else:
        await _forget_gone(connection, collection)
    there = sa.exists().where(kept.c.collection == collection.id, kept.c.id == rows.id, kept.c.version == rows.version)
    made = _insert(collection, {"version": rows.version, "geom": rows.geometry}, ~there)
    await connection.execute(
        made.on_conflict_do_update(
            index_elements=[kept.c.collection, kept.c.id],
            set_={name: made.excluded[name] for name in ("version", "geom", "feature")},
        )
    )


def _insert(
    collection: Collection, beside: Mapping[str, sa.ColumnElement[Any]], *where: sa.ColumnElement[bool]
) -> Insert:
    values = {"collection": sa.literal(collection.id), "id": collection.relation.c.id, **beside}
    made = sa.select(*values.values(), feature(collection)).where(*where)
    return insert(t.ready_feature).from_select([*values, "feature"], made)


async def _index(connection: AsyncConnection, collection: Collection) -> None:
    """An index of the places of one layer's features, made after the first are there: many times as fast."""
    layer = collection.id
    await connection.execute(sa.text("SET LOCAL maintenance_work_mem = '256MB'"))
    await connection.execute(
        sa.text(
            f'CREATE INDEX IF NOT EXISTS "ix_ready_feature_{layer}" ON ready_feature USING gist (geom)'
            f" WHERE collection = '{layer}'"
        )
    )
    # a plan for so many that nobody has counted them yet
    await connection.execute(sa.text("ANALYZE ready_feature (collection, id, geom)"))
