"""All that a map of a spatial layout needs, in a few statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import COLLECTIONS, Collection
from app.catalog.layouts import LAYOUT_LAYERS
from app.catalog.platforms import PLATFORM_LAYERS
from app.db import tables as t
from app.db.columns import SRID

Row = dict[str, Any]

#: Decimals of a degree in drawn shapes: 1 m, far finer than any of them is known.
DECIMALS = 5
#: Ranks of search entries that are names.
NAMES = 2
#: How far the ground around a layout's region is drawn, as a share of the region's extent.
MARGIN = 0.6


@dataclass(frozen=True)
class LayoutRows:
    """A layout with all that its map draws; geometries are GeoJSON text in WGS-84."""

    layout: Row
    #: Outlines: ``part`` is ``unit`` (land of the divisions shown), ``frame`` (the region's own, where known) or
    #: ``around`` (neighbours, cut to the view).
    ground: Sequence[Row]
    elements: Sequence[Row]
    #: Members of the layout and all else its document names.
    platforms: Sequence[Row]
    kinds: Sequence[Row]
    #: Pinyin and initials of the names of elements and platforms, by id.
    spoken: Mapping[str, str]
    changed: datetime


async def layouts(connection: AsyncConnection) -> list[Row]:
    """Id, names and plan years of every layout and its region, city first, then its counties, then the province."""
    one, region, plan = t.layout.c, t.region.c, t.document.c
    level = sa.case((region.level == "city", 0), (region.level == "county", 1), else_=2)
    names = (region.name.label("region_name"), region.name_en.label("region_name_en"))
    columns = (one.id, one.region, one.name, one.name_en, *names, plan.period_start, plan.period_end)
    statement = sa.select(*columns).join(t.region, region.id == one.region).join(t.document, plan.id == one.document)
    statement = statement.order_by(level, one.region, one.ord, one.id)
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


async def parts(connection: AsyncConnection, elements: Sequence[str]) -> list[str]:
    """The elements with all under them: a corridor with its groups and sections."""
    one = t.layout_element.c
    found = sa.select(one.id).where(one.id.in_(elements)).cte("found", recursive=True)
    found = found.union(sa.select(one.id).join(found, one.parent == found.c.id))
    return list((await connection.execute(sa.select(found.c.id).order_by(found.c.id))).scalars())


async def layout_rows(connection: AsyncConnection, layout: str) -> LayoutRows:
    """The rows behind the map of one layout. Raises ``NoResultFound`` for an id that is none."""
    head = dict((await connection.execute(_head().where(t.layout.c.id == layout))).mappings().one())
    changed = sa.select(sa.func.max(t.layer_version.c.changed_at)).where(
        t.layer_version.c.layer.in_({*LAYOUT_LAYERS, *PLATFORM_LAYERS})
    )
    kinds = sa.select(t.kind.c.id, t.kind.c.name, t.kind.c.name_en, t.kind.c.collection).order_by(t.kind.c.ord)
    elements = await all_rows(connection, _elements(layout))
    platforms = await all_rows(connection, _platforms(layout, head["document"]))
    return LayoutRows(
        layout=head,
        ground=await ground(connection, head["region"], head["region_level"]),
        elements=elements,
        platforms=platforms,
        kinds=await all_rows(connection, kinds),
        spoken=await _spoken(connection, [one["id"] for one in (*elements, *platforms)]),
        changed=(await connection.execute(changed)).scalar_one(),
    )


async def ground(connection: AsyncConnection, region: str, level: str) -> list[Row]:
    """The ground of a map of a region of ``level`` (see ``LayoutRows.ground``)."""
    return await all_rows(connection, _ground(region, level))


async def all_rows(connection: AsyncConnection, statement: sa.Executable) -> list[Row]:
    """The rows of a statement."""
    return [dict(row) for row in (await connection.execute(statement)).mappings()]


def _head() -> sa.Select[Any]:
    one, region, document = t.layout, t.region, t.document
    return (
        sa.select(
            one.c.id, one.c.name, one.c.name_en, one.c.definition, one.c.document, one.c.section, one.c.line_start,
            one.c.line_end, one.c.region, region.c.level.label("region_level"), region.c.name.label("region_name"),
            region.c.name_en.label("region_name_en"), document.c.title, document.c.title_en, document.c.period_start,
            document.c.period_end,
        )
        .join(region, region.c.id == one.c.region)
        .join(document, document.c.id == one.c.document)
    )  # fmt: skip


def _ground(region: str, level: str) -> sa.Select[Any]:
    """Land of the region's divisions (of itself, where none is known below it), its outline, and its neighbours."""
    r = t.region.c
    below = sa.select(r.id).where(r.parent == region, r.geom.is_not(None), ~r.retired)
    inside = sa.case((sa.exists(below), r.id.in_(below)), else_=r.id == region)
    land = sa.func.coalesce(r.land_geom, r.geom)
    box = sa.select(sa.func.ST_Extent(r.geom).label("box")).where(inside, ~r.retired).cte("box").c.box
    margin = MARGIN * (sa.func.ST_XMax(box) - sa.func.ST_XMin(box))
    view = sa.select(sa.func.ST_SetSRID(sa.func.ST_Expand(box, margin), SRID)).scalar_subquery()
    neighbours = ("city", "county") if level == "county" else ("city",)
    parent = sa.select(r.parent).where(r.id == region).scalar_subquery()
    named = (r.id, r.name, r.name_en)
    drawn = sa.union_all(
        sa.select(sa.literal("unit").label("part"), *named, land.label("geom")).where(inside, ~r.retired),
        sa.select(sa.literal("frame"), *named, r.geom).where(r.id == region, r.geom.is_not(None)),
        sa.select(
            sa.literal("around"), *named, sa.func.ST_CollectionExtract(sa.func.ST_Intersection(land, view), 3)
        ).where(
            r.level.in_(neighbours), r.id != region, r.id.is_distinct_from(parent), ~inside, ~r.retired,
            sa.func.ST_Intersects(land, view),
        ),
    ).subquery("drawn")  # fmt: skip
    columns = (drawn.c.part, drawn.c.id, drawn.c.name, drawn.c.name_en, _geojson(drawn.c.geom).label("geometry"))
    return sa.select(*columns).order_by(drawn.c.part, drawn.c.id)


def _geojson(geometry: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.ST_AsGeoJSON(geometry, DECIMALS)


def described_rows(collection: Collection, *more: str) -> tuple[sa.Subquery, sa.Select[Any]]:
    """A collection's rows with their shapes as text."""
    rows = collection.relation
    columns = (rows.c.id, *(rows.c[one.name] for one in collection.fields))
    return rows, sa.select(*columns, *(_geojson(rows.c[name]).label(name) for name in ("geometry", *more)))


def _elements(layout: str) -> sa.Select[Any]:
    rows, statement = described_rows(COLLECTIONS["layout_elements"], "axis")
    shape = sa.select(t.layout_element.c.shape).where(t.layout_element.c.id == rows.c.id).scalar_subquery()
    return statement.add_columns(shape.label("shape")).where(rows.c.layout == layout).order_by(rows.c.ord, rows.c.id)


def _platforms(layout: str, document: str) -> sa.Select[Any]:
    rows, statement = described_rows(COLLECTIONS["platforms"], "position")
    elements = sa.select(t.layout_element.c.id).where(t.layout_element.c.layout == layout)
    members = sa.select(t.layout_member.c.platform).where(
        t.layout_member.c.element.in_(elements), t.layout_member.c.platform.is_not(None)
    )
    named = sa.select(t.mention.c.platform).where(t.mention.c.document == document)
    return (
        statement.where(rows.c.id.in_(members.union(named)), rows.c.position.is_not(None))
        .order_by(sa.collate(rows.c.id, "C"))
    )  # fmt: skip


async def _spoken(connection: AsyncConnection, items: Sequence[str]) -> dict[str, str]:
    """How the names are typed without a Chinese keyboard."""
    entry = t.search_entry.c
    statement = (
        sa.select(entry.item, entry.initials, entry.pinyin).distinct()
        .where(
            entry.collection.in_(("platforms", "layout_elements")), entry.item == sa.func.any(items),
            entry.rank <= NAMES, entry.pinyin != "",
        )
        .order_by(entry.item, entry.pinyin)
    )  # fmt: skip
    found: dict[str, str] = {}
    for item, initials, pinyin in await connection.execute(statement):
        found[item] = f"{found.get(item, '')} {initials} {pinyin}".strip()
    return found


def member_order(elements: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Rank of each member platform: zones first, for their lists are the plan's tables, then by element."""
    ranked = sorted(elements, key=lambda row: (row["role"] != "zone", row["ord"], row["id"]))
    members = (one["platform"] for row in ranked for one in row["members"] or () if "platform" in one)
    return {platform: rank for rank, platform in enumerate(dict.fromkeys(members))}
