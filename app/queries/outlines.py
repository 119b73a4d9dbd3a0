"""Outlines of regions, whole: for work outside the database."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection


async def outlines(connection: AsyncConnection, regions: Collection) -> list[dict[str, Any]]:
    """Id, names, measured land (km², EPSG:4549) and outline (WKB, longitude first) of regions, by their ids."""
    rows = regions.relation.c
    statement = sa.select(
        rows.id, rows.name, rows.name_en, rows.land_area_km2, sa.func.ST_AsBinary(rows.geometry).label("outline")
    ).order_by(sa.collate(rows.id, "C"))
    return [dict(row) for row in (await connection.execute(statement)).mappings()]
