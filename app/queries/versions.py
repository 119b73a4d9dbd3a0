"""The state of the data that an answer was read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t


@dataclass(frozen=True)
class State:
<<<<<<< HEAD
    """``mark`` differs for every state of the layers asked about; ``changed_at`` is when one changed last.

    ``versions`` is the part of the mark that people may compare: each layer with its version.
    """

    mark: str
    versions: str
=======
    """Versions of layers in one database; ``changed_at`` is when one of them changed last.

    ``epoch`` makes a restored database differ from the one that was.
    """

    epoch: str
    versions: Mapping[str, int]
>>>>>>> 43918fe (Keep answers ready while their data stand)
    changed_at: datetime | None

    @property
    def mark(self) -> str:
        """Text that differs for every state."""
        return " ".join([self.epoch, *(f"{layer}:{version}" for layer, version in self.versions.items())])


<<<<<<< HEAD
    The epoch makes marks of a restored database differ from those given before.
    """
    layer = t.layer_version.c
    numbered = sa.func.string_agg(sa.func.concat(layer.layer, ":", layer.version), sa.text("' ' ORDER BY layer"))
    epoch = sa.select(t.installation.c.epoch).scalar_subquery()
    statement = sa.select(epoch, numbered, sa.func.max(layer.changed_at)).where(layer.layer.in_(layers))
    found = (await connection.execute(statement)).one()
    return State(f"{found[0]} {found[1]}", found[1] or "", found[2])
=======
async def state(connection: AsyncConnection, layers: Sequence[str] | None = None) -> State:
    """The state of some layers, or of all, read in the connection's own snapshot."""
    layer, epoch = t.layer_version.c, t.installation.c.epoch
    wanted = sa.true() if layers is None else layer.layer.in_(layers)
    statement = (
        sa.select(epoch, layer.layer, layer.version, layer.changed_at)
        .select_from(t.installation.outerjoin(t.layer_version, wanted))
        .order_by(layer.layer)
    )
    found = (await connection.execute(statement)).all()
    changed = [row.changed_at for row in found if row.changed_at is not None]
    known = {row.layer: row.version for row in found if row.layer is not None}
    # a layer that was never written has no row yet; it gets one with the first
    versions = known if layers is None else {layer: known.get(layer, 0) for layer in sorted(layers)}
    return State(str(found[0].epoch), versions, max(changed, default=None))
>>>>>>> 43918fe (Keep answers ready while their data stand)
