"""The rows behind one feature's popup."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import COLLECTIONS, Collection
from app.db import tables as t
from app.queries.layouts import Row, all_rows, described_rows


@dataclass(frozen=True)
class PopupRows:
    """A feature with its shape as text; for a layout element also its member platforms, and kinds of platform by id."""

    row: Row
    members: Mapping[str, Row] = field(default_factory=dict)
    kinds: Mapping[str, Row] = field(default_factory=dict)


async def popup_rows(connection: AsyncConnection, collection: Collection, item: str) -> PopupRows | None:
    """One feature, or ``None`` where the collection has no such item."""
    found = await _some(connection, collection, [item])
    if not found:
        return None
    row = found[0]
    members: dict[str, Row] = {}
    if collection.field("members"):
        named = [one["platform"] for one in row["members"] or () if "platform" in one]
        members = {one["id"]: one for one in await _some(connection, COLLECTIONS["platforms"], named)}
    kinds: dict[str, Row] = {}
    if members or collection.field("kind"):
        known = await all_rows(connection, sa.select(t.kind.c.id, t.kind.c.name, t.kind.c.name_en, t.kind.c.collection))
        kinds = {one["id"]: one for one in known}
    return PopupRows(row, members, kinds)


async def _some(connection: AsyncConnection, collection: Collection, items: list[Any]) -> list[Row]:
    shapes = ("position",) if collection.has_position else ()
    rows, statement = described_rows(collection, *shapes)
    return await all_rows(connection, statement.where(rows.c.id == sa.func.any(items)))
