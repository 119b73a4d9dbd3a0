"""The state of the data that an answer was read from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t


@dataclass(frozen=True)
class State:
    """Versions of layers in one database; ``changed_at`` is when one of them changed last.

    ``ready`` has the marks under which features of collections are kept ready (``queries.ready``).
    ``epoch`` makes a restored database differ from the one that was.
    """

    epoch: str
    versions: Mapping[str, int]
    changed_at: datetime | None
    ready: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """Text that differs for every state."""
        return f"{self.epoch} {self.numbered}"

    @property
    def numbered(self) -> str:
        """The part of the mark that people may compare: each layer with its version."""
        return " ".join(f"{layer}:{version}" for layer, version in self.versions.items())


async def state(connection: AsyncConnection, layers: Sequence[str] | None = None) -> State:
    """The state of some layers, or of all, read in the connection's own snapshot."""
    layer, epoch = t.layer_version.c, t.installation.c.epoch
    wanted = sa.true() if layers is None else layer.layer.in_(layers)
    marks = t.ready_layer.c
    ready = sa.select(sa.func.json_object_agg(marks.collection, marks.mark)).scalar_subquery().label("ready")
    statement = (
        sa.select(ready, epoch, layer.layer, layer.version, layer.changed_at)
        .select_from(t.installation.outerjoin(t.layer_version, wanted))
        .order_by(layer.layer)
    )
    found = (await connection.execute(statement)).all()
    changed = [row.changed_at for row in found if row.changed_at is not None]
    known = {row.layer: row.version for row in found if row.layer is not None}
    # a layer that was never written has no row yet; it gets one with the first
    versions = known if layers is None else {layer: known.get(layer, 0) for layer in sorted(layers)}
    return State(str(found[0].epoch), versions, max(changed, default=None), found[0].ready or {})
