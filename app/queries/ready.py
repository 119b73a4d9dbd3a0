"""Features kept ready as GeoJSON text, for collections whose items are made of many tables.

A ready feature is given only under the mark it was made for: the versions of all layers that the collection reads,
in the reader's own snapshot, and the statement that makes it. What is not ready is computed, so that an answer never
depends on this; it only comes sooner.
"""

import hashlib
from functools import cache

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.catalog import COLLECTIONS, Collection
from app.db import tables as t
from app.queries.items import feature
from app.queries.versions import State, state

#: One program at a time makes features ready; any number that is not another lock's.
READY_LOCK = 7_304_023


@cache
def _form(name: str) -> str:
    """How the features of a collection are made."""
    collection = COLLECTIONS[name]
    return str(collection.rows) + "".join(str(one) for one in collection.fields)


def mark(found: State, name: str) -> str:
    """Differs as soon as anything does that a collection's features are made of."""
    versions = " ".join(f"{layer}:{found.versions.get(layer, 0)}" for layer in sorted(COLLECTIONS[name].layers))
    return hashlib.sha256(f"{versions}\n{_form(name)}".encode()).hexdigest()[:20]


def is_ready(found: State, collection: Collection) -> bool:
    """Whether the features of a collection stand ready in a state of the data."""
    name = collection.kept_as
    return name != "" and found.ready.get(name) == mark(found, name)


async def refresh(engine: AsyncEngine) -> None:
    """Make ready what is not, unless another program is at it.

    Raises ``SQLAlchemyError`` where the database cannot be written.
    """
    repeatable = engine.execution_options(isolation_level="REPEATABLE READ")
    async with repeatable.begin() as connection:
        if await connection.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(READY_LOCK))):
            found = await state(connection)
            for collection in COLLECTIONS.values():
                if collection.kept_as == collection.id and not is_ready(found, collection):
                    await _make(connection, collection, mark(found, collection.id))


async def _make(connection: AsyncConnection, collection: Collection, made_for: str) -> None:
    layer, ready = t.ready_layer, t.ready_feature
    upsert = insert(layer).values(collection=collection.id, mark=made_for)
    await connection.execute(
        upsert.on_conflict_do_update(index_elements=[layer.c.collection], set_={"mark": upsert.excluded.mark})
    )
    rows = collection.relation
    gone = sa.select(rows.c.id).where(rows.c.id == ready.c.id)
    await connection.execute(sa.delete(ready).where(ready.c.collection == collection.id, ~gone.exists()))
    made = insert(ready).from_select(
        ["collection", "id", "feature"], sa.select(sa.literal(collection.id), rows.c.id, feature(collection))
    )
    await connection.execute(
        made.on_conflict_do_update(
            index_elements=[ready.c.collection, ready.c.id],
            set_={"feature": made.excluded.feature},
            where=ready.c.feature != made.excluded.feature,
        )
    )
