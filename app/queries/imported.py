"""The layers that stewards imported, as the database has them now."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection
from app.catalog.imported import Definition, collection
from app.db import tables as t


class Imported:
    """The imported collections that a process knows, read anew when the database has others."""

    def __init__(self) -> None:
        self.version: int | None = None
        self._collections: Mapping[str, Collection] = {}

    def known(self, version: int) -> Mapping[str, Collection] | None:
        """The collections of a version of the definitions, where they are known."""
        return self._collections if version == self.version else None

    async def current(self, connection: AsyncConnection) -> Mapping[str, Collection]:
        """The collections of the connection's database, by id."""
        layer = t.layer_version.c
        asked = sa.select(layer.version).where(layer.layer == t.layer_definition.name)
        version = await connection.scalar(asked) or 0
        if version != self.version:
            found = await connection.scalars(
                sa.select(t.layer_definition.c.definition).order_by(t.layer_definition.c.id)
            )
            made = [collection(Definition.model_validate(one)) for one in found]
            self.version, self._collections = version, {one.id: one for one in made}
        return self._collections
