"""Reading the history of an item: what was changed, and how it was at a moment."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from app.db import tables as t
from app.edits.layer import Layer

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One change of one item; ``before`` and ``after`` are rows with geometry as GeoJSON."""

    id: int
    action: str
    before: Row | None
    after: Row | None
    who: str
    at: datetime
    why: str | None
    unconditional: bool
    undoes: int | None


_COLUMNS = [t.change.c[name] for name in Change.__dataclass_fields__]


def changes(
    connection: Connection, layer: Layer, item: str, limit: int, before: int | None = None
) -> tuple[Sequence[Change], int]:
    """Changes of an item, the latest first, those earlier than the change ``before``; and how many there are in all."""
    mine = _of(layer, item)
    found = sa.select(*_COLUMNS).where(*mine).order_by(t.change.c.id.desc()).limit(limit)
    if before is not None:
        found = found.where(t.change.c.id < before)
    number = connection.scalar(sa.select(sa.func.count()).select_from(t.change).where(*mine)) or 0
    return [Change(*row) for row in connection.execute(found)], number


def change(connection: Connection, layer: Layer, item: str, number: int) -> Change | None:
    """One change of an item."""
    row = connection.execute(sa.select(*_COLUMNS).where(*_of(layer, item), t.change.c.id == number)).one_or_none()
    return None if row is None else Change(*row)


def state(connection: Connection, layer: Layer, item: str, at: datetime) -> Row | None:
    """The row as it was at a moment, ``None`` where it was not there or hidden."""
    mine = sa.select(*_COLUMNS).where(*_of(layer, item))
    upto = connection.execute(mine.where(t.change.c.at <= at).order_by(t.change.c.id.desc()).limit(1)).one_or_none()
    if upto is not None:
        row = Change(*upto).after
    else:
        # the history may begin after the item did
        later = connection.execute(mine.order_by(t.change.c.id).limit(1)).one_or_none()
        row = current(connection, layer, item) if later is None else Change(*later).before
    return None if not row or row["retired"] else row


def current(connection: Connection, layer: Layer, item: str) -> dict[str, Any]:
    """The row of an item in the form of the history, empty where there is none."""
    table = layer.table
    shapes = [f for name in layer.shapes for f in (name, sa.cast(sa.func.ST_AsGeoJSON(table.c[name], 15, 0), sa.JSON))]
    statement = sa.select(sa.func.to_jsonb(table.table_valued()).op("||")(sa.func.jsonb_build_object(*shapes))).where(
        table.c.id == item
    )
    found = connection.scalar(statement)
    return json.loads(found) if isinstance(found, str) else dict(found or {})


def version(connection: Connection, layer: Layer, item: str) -> tuple[int, bool] | None:
    """The version of an item's row and whether it is hidden, ``None`` where there never was one."""
    row = connection.execute(
        sa.select(layer.table.c.version, layer.table.c.retired).where(layer.table.c.id == item)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _of(layer: Layer, item: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (t.change.c.layer == layer.collection.id, t.change.c.item == item)
