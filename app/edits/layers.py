"""The layers that can be written."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy import Connection

from app.catalog.imported import Definition
from app.db import tables as t
from app.edits.imported import ImportedLayer
from app.edits.layer import Layer
from app.edits.platforms import PLATFORMS


def editable(connection: Connection) -> Mapping[str, Layer]:
    """Layers that can be written, by the name of their collection: the platforms, and all that was imported."""
    found = connection.scalars(sa.select(t.layer_definition.c.definition).order_by(t.layer_definition.c.id))
    imported = [ImportedLayer(Definition.model_validate(one)) for one in found]
    return {one.collection.id: one for one in (PLATFORMS, *imported)}
