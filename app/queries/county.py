"""What the page of a county asks beside items, counts and values."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t

Point = tuple[float, float]


async def counties(connection: AsyncConnection) -> dict[str, tuple[str, str]]:
    """Both names of every county by adcode."""
    one = t.region.c
    statement = sa.select(one.id, one.name, one.name_en).where(one.level == "county", ~one.retired).order_by(one.id)
    rows = (await connection.execute(statement)).all()
    return {id: (name, name_en or name) for id, name, name_en in rows}


async def positions(connection: AsyncConnection, platforms: Sequence[str]) -> dict[str, Point]:
    """Longitude and latitude of the anchor point by platform; one without a position is left out."""
    one = t.platform.c
    statement = sa.select(one.id, sa.func.ST_X(one.position), sa.func.ST_Y(one.position))
    statement = statement.where(one.id.in_(platforms), one.position.is_not(None))
    return {row[0]: (row[1], row[2]) for row in (await connection.execute(statement)).all()}


async def towns(connection: AsyncConnection, county: str) -> list[tuple[str, str, Point]]:
    """Both names and the seat of every town of a county."""
    one = t.region.c
    statement = sa.select(one.name, one.name_en, sa.func.ST_X(one.seat), sa.func.ST_Y(one.seat))
    statement = statement.where(one.parent == county, one.level == "town", one.seat.is_not(None), ~one.retired)
    rows = (await connection.execute(statement.order_by(one.id))).all()
    return [(name, name_en or name, (x, y)) for name, name_en, x, y in rows]
