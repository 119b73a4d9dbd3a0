"""Names of what codes stand for, for pages that people read."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t


async def names(connection: AsyncConnection, lang: str = "zh") -> dict[str, str]:
    """Name by id of every region, kind of platform and layout element; no id is used twice.

    In English (``en``) where there is an English name.
    """
    tables = (t.region, t.kind, t.layout_element)
    every = sa.union_all(*(sa.select(one.c.id, _name(one, lang).label("name")) for one in tables))
    return {row.id: row.name for row in (await connection.execute(every)).all()}


def _name(table: sa.Table, lang: str) -> sa.ColumnElement[str]:
    return sa.func.coalesce(table.c.name_en, table.c.name) if lang == "en" else table.c.name


async def indicator_names(connection: AsyncConnection, lang: str = "zh") -> dict[str, str]:
    """Name by id of every indicator."""
    return await _titled(connection, t.indicator.c.id, _name(t.indicator, lang))


async def document_titles(connection: AsyncConnection, lang: str = "zh") -> dict[str, str]:
    """Title by id of every document."""
    one = t.document.c
    return await _titled(connection, one.id, sa.func.coalesce(one.title_en, one.title) if lang == "en" else one.title)


async def _titled(
    connection: AsyncConnection, key: sa.ColumnElement[str], title: sa.ColumnElement[str]
) -> dict[str, str]:
    return {row[0]: row[1] for row in (await connection.execute(sa.select(key, title))).all()}


async def english_names(connection: AsyncConnection, items: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """English name by collection and id of what the search finds; what has none is left out."""
    tables = {"platforms": t.platform, "layout_elements": t.layout_element, "indicators": t.indicator}
    found: dict[tuple[str, str], str] = {}
    for collection in {one for one, _ in items}:
        table = tables.get(collection, t.region)
        ids = [id for one, id in items if one == collection]
        statement = sa.select(table.c.id, table.c.name_en).where(table.c.id.in_(ids), table.c.name_en.is_not(None))
        found |= {(collection, row.id): row.name_en for row in (await connection.execute(statement)).all()}
    return found


async def english(connection: AsyncConnection) -> dict[str, dict[str, str]]:
    """English names by what a register refers to and by id."""
    found = {}
    for name, table in {"indicator": t.indicator, "region": t.region, "platform": t.platform}.items():
        found[name] = await _titled(connection, table.c.id, _name(table, "en"))
    return found | {"document": await document_titles(connection, "en")}
