"""How fresh the data are, for those who watch the service."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t


@dataclass(frozen=True)
class Imports:
    """Imports into one layer: how many, and when the last was."""

    layer: str
    number: int
    last: datetime


async def imports(connection: AsyncConnection) -> Sequence[Imports]:
    """The imports into each layer that had any."""
    run = t.import_run.c
    statement = sa.select(run.layer, sa.func.count(), sa.func.max(run.at)).group_by(run.layer).order_by(run.layer)
    return [Imports(*row) for row in await connection.execute(statement)]
