"""Names of what codes stand for, for pages that people read."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t


async def names(connection: AsyncConnection) -> dict[str, str]:
    """Name by id of every region, kind of platform and layout element; no id is used twice."""
    tables = (t.region, t.kind, t.layout_element)
    every = sa.union_all(*(sa.select(one.c.id, one.c.name) for one in tables))
    return {row.id: row.name for row in (await connection.execute(every)).all()}
