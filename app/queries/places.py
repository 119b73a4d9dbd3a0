"""Find the place that a ``within=`` names: ``collection/id``, or the bare name or code of a county or city."""

import difflib
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import COLLECTIONS
from app.db import tables as t

#: Collections whose items have an inside. Towns are not among them: only their seats are known.
AREAS = ("counties", "counties_land", "cities", "layout_elements", "lake_districts", "platforms")
#: Collections whose items may have an axis.
AXES = ("corridors", "layout_elements")
LEVEL_OF = {"counties": "county", "cities": "city"}


@dataclass(frozen=True)
class Place:
    """An area or a corridor by its collection and id; ``outline`` and ``axis`` select its geometries."""

    collection: str
    id: str
    name: str
    level: str | None
    schematic: bool
    outline: sa.Select[Any]
    axis: sa.Select[Any] | None = None


class UnknownPlace(LookupError):
    """No such place; ``candidates`` are near misses."""

    def __init__(self, text: str, candidates: list[str]) -> None:
        super().__init__(text)
        self.candidates = candidates


class AmbiguousPlace(LookupError):
    """The name fits several places; ``candidates`` names each unmistakably."""

    def __init__(self, text: str, candidates: list[str]) -> None:
        super().__init__(text)
        self.candidates = candidates


class NotAnArea(LookupError):
    """The place is there, but has no inside; the message says why."""


async def find_corridor(connection: AsyncConnection, text: str) -> Place:
    """The corridor whose axis ``text`` names, as ``collection/id`` or by its name.

    Raises ``UnknownPlace``, ``AmbiguousPlace`` or ``NotAnArea`` (a place without an axis).
    """
    collection, slash, item = text.partition("/")
    if not slash:
        collection, item = "corridors", await _corridor_called(connection, text)
    if collection not in AXES:
        raise UnknownPlace(text, [f"{one}/…" for one in AXES])
    rows = COLLECTIONS[collection].relation.alias()
    found = (
        await connection.execute(
            sa.select(rows.c.name, rows.c.schematic, rows.c.axis.is_not(None)).where(rows.c.id == item)
        )
    ).first()
    if found is None:
        raise await _unknown(connection, collection, item)
    name, schematic, has_axis = found
    if not has_axis:
        raise NotAnArea(f"{name} 没有轴线。 {collection}/{item} has no axis.")
    outline = sa.select(rows.c.geometry).where(rows.c.id == item)
    return Place(collection, item, name, None, schematic, outline, sa.select(rows.c.axis).where(rows.c.id == item))


async def _corridor_called(connection: AsyncConnection, text: str) -> str:
    """The id of the only corridor of a name, Chinese or English, upper and lower case alike."""
    rows = COLLECTIONS["corridors"].relation.alias()
    corridors = (await connection.execute(sa.select(rows.c.id, rows.c.name, rows.c.name_en).order_by(rows.c.id))).all()
    wanted = text.strip().casefold()
    found = [one for one in corridors if wanted in (one.id, one.name.casefold(), (one.name_en or "").casefold())]
    if len(found) == 1:
        return str(found[0].id)
    candidates = [f"corridors/{one.id}（{one.name}）" for one in found or corridors]
    raise AmbiguousPlace(text, candidates) if found else UnknownPlace(text, candidates)


async def _unknown(connection: AsyncConnection, collection: str, item: str) -> UnknownPlace:
    """The error for an id that a collection lacks, with the nearest ids it has."""
    rows = COLLECTIONS[collection].relation.alias()
    ids = (await connection.execute(sa.select(rows.c.id).order_by(rows.c.id))).scalars().all()
    near = difflib.get_close_matches(item, ids, n=5, cutoff=0.4) or list(ids[:7])
    return UnknownPlace(f"{collection}/{item}", [f"{collection}/{one}" for one in near])


async def find_place(connection: AsyncConnection, text: str) -> Place:
    """The place that ``text`` names.

    Raises ``UnknownPlace``, ``AmbiguousPlace`` or ``NotAnArea``.
    """
    collection, slash, item = text.partition("/")
    if slash:
        return await _by_id(connection, collection, item)
    return await _by_name(connection, text)


async def _by_id(connection: AsyncConnection, collection: str, item: str) -> Place:
    if collection == "towns":
        raise NotAnArea(
            "镇（街道）只有驻地、没有边界；请用 town=。 Towns are known by their seats and have no outline: use town=."
        )
    if collection not in AREAS:
        if collection in COLLECTIONS:
            raise NotAnArea(
                f"{collection} 没有面状图形。 {collection} has no areas; those with areas: {', '.join(AREAS)}."
            )
        raise UnknownPlace(f"{collection}/{item}", [f"{area}/…" for area in AREAS])
    rows = COLLECTIONS[collection].relation.alias()
    outline = sa.select(rows.c.geometry).where(rows.c.id == item)
    found = (
        await connection.execute(
            sa.select(rows.c.name, rows.c.schematic, sa.func.ST_Dimension(rows.c.geometry)).where(rows.c.id == item)
        )
    ).first()
    if found is None:
        raise await _unknown(connection, collection, item)
    name, schematic, dimension = found
    if dimension != 2:
        raise NotAnArea(f"{name} 没有面状图形。 {collection}/{item} has no area, only a point or none.")
    return Place(collection, item, name, LEVEL_OF.get(collection), schematic, outline)


async def _by_name(connection: AsyncConnection, text: str) -> Place:
    """Counties first, then cities; codes, names, English names and aliases, upper and lower case alike."""
    region, alias = t.region, t.alias
    names = sa.union_all(
        sa.select(region.c.id, region.c.name.label("called")),
        sa.select(region.c.id, region.c.name_en),
        sa.select(region.c.id, region.c.id.label("code")),
        sa.select(alias.c.region, alias.c.name).where(alias.c.region.is_not(None)),
    ).subquery()
    known = (
        sa.select(region.c.id, region.c.name, region.c.level, names.c.called)
        .join(names, names.c.id == region.c.id)
        .where(region.c.level.in_(("county", "city")), ~region.c.retired)
        .order_by(region.c.level.desc(), region.c.id)
    )
    rows = (await connection.execute(known)).all()
    wanted = text.strip().casefold()
    for level, collection in (("county", "counties"), ("city", "cities")):
        found = {row.id: row.name for row in rows if row.level == level and row.called.casefold() == wanted}
        if len(found) > 1:
            raise AmbiguousPlace(text, [f"{collection}/{id}（{name}）" for id, name in found.items()])
        for id, name in found.items():
            outline = sa.select(region.c.geom).where(region.c.id == id)
            return Place(collection, id, name, level, False, outline)
    called = {row.called.casefold(): row.name for row in rows}
    near = difflib.get_close_matches(wanted, called, n=5, cutoff=0.3)
    raise UnknownPlace(
        text, list(dict.fromkeys(called[one] for one in near)) or list(dict.fromkeys(called.values()))[:7]
    )
