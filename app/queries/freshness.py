"""When the data changed."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t


async def changed_at(connection: AsyncConnection) -> datetime | None:
    """The moment of the last change of any layer, ``None`` before the first."""
    moment: datetime | None = await connection.scalar(sa.select(sa.func.max(t.layer_version.c.changed_at)))
    return moment
