"""The state of the data that an answer was read from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t


@dataclass(frozen=True)
class State:
    """``mark`` differs for every state of the layers asked about; ``changed_at`` is when one changed last.

    ``versions`` is the part of the mark that people may compare: each layer with its version.
    """

    mark: str
    versions: str
    changed_at: datetime | None


async def state(connection: AsyncConnection, layers: Sequence[str]) -> State:
    """The state of some layers, read in the connection's own snapshot.

    The epoch makes marks of a restored database differ from those given before.
    """
    layer = t.layer_version.c
    numbered = sa.func.string_agg(sa.func.concat(layer.layer, ":", layer.version), sa.text("' ' ORDER BY layer"))
    epoch = sa.select(t.installation.c.epoch).scalar_subquery()
    statement = sa.select(epoch, numbered, sa.func.max(layer.changed_at)).where(layer.layer.in_(layers))
    found = (await connection.execute(statement)).one()
    return State(f"{found[0]} {found[1]}", found[1] or "", found[2])
