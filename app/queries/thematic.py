"""What thematic maps and charts read: the regions compared, and what is printed of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import COLLECTIONS
from app.db import tables as t
from app.queries.aggregate import Statistic, aggregate
from app.queries.selection import Selection
from app.registers import REGISTERS

Row = dict[str, Any]
Over = Literal["counties", "haining-areas", "cities"]
Kind = Literal["actual", "target"]
OVERS: tuple[Over, ...] = get_args(Over)
KINDS: tuple[Kind, ...] = get_args(Kind)
#: Level of the regions compared, and the region they make up.
COMPARED: Mapping[Over, tuple[str, str]] = {
    "counties": ("county", "330400"),
    "haining-areas": ("area", "330481"),
    "cities": ("city", "330000"),
}
#: Stored kinds of value by what is asked for: a flash figure is an actual until the final one is printed.
STORED_KINDS: Mapping[Kind, tuple[str, ...]] = {"actual": ("actual", "flash"), "target": ("target",)}


@dataclass(frozen=True)
class Time:
    """A year, or the years a sum runs over, and whether it is told or aimed at."""

    year: int
    kind: Kind
    year_from: int | None = None

    @property
    def years(self) -> str:
        return str(self.year) if self.year_from is None else f"{self.year_from}-{self.year}"

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether a printed value is one of this time."""
        same = (row["year"], row["year_from"]) == (self.year, self.year_from)
        return same and row["kind"] in STORED_KINDS[self.kind]


@dataclass(frozen=True)
class Regions:
    """Regions compared and their common ``parent``; each has id, names, measured land and seat."""

    parent: Row
    rows: Sequence[Row]

    @property
    def outlined(self) -> bool:
        """Whether areas can be coloured, or only seats marked."""
        return all(row["outlined"] for row in self.rows)

    @property
    def land(self) -> bool:
        """Whether a density can be told: not over an outline that holds water too."""
        return all(row["land_area_km2"] is not None for row in self.rows)


@dataclass
class Choice:
    """An indicator that has values here; ``times`` count the regions with a number, and those with anything."""

    id: str
    name: str
    name_en: str
    unit: str
    theme: str
    times: dict[Time, tuple[int, int]] = field(default_factory=dict)


async def regions(connection: AsyncConnection, over: Over) -> Regions | None:
    """The regions of one comparison by id; ``None`` where they are not loaded."""
    level, parent = COMPARED[over]
    r = t.region.c
    about = sa.select(
        r.id, r.name, r.name_en, r.level, r.land_area_km2, r.geom.is_not(None).label("outlined"),
        sa.func.ST_X(r.seat).label("lon"), sa.func.ST_Y(r.seat).label("lat"),
    )  # fmt: skip
    belongs = sa.func.coalesce(r.lies_in, r.parent) == parent
    found = await connection.execute(about.where(r.level == level, belongs, ~r.retired).order_by(r.id))
    rows = [dict(row) for row in found.mappings()]
    whole = (await connection.execute(about.where(r.id == parent))).mappings().one_or_none()
    return Regions(dict(whole), rows) if whole and rows else None


async def choices(connection: AsyncConnection, compared: Regions) -> list[Choice]:
    """Every indicator of which something is printed for one of the regions, by theme."""
    v, i = t.indicator_value.c, t.indicator.c
    kind = sa.case((v.kind == "flash", "actual"), else_=v.kind).label("kind")
    numbers = sa.func.count(v.region.distinct()).filter(v.value.is_not(None)).label("numbers")
    about = (i.id, i.name, i.name_en, i.unit, i.theme)
    ids = [row["id"] for row in compared.rows]
    found = await connection.execute(
        sa.select(*about, v.year_from, v.year, kind, numbers, sa.func.count(v.region.distinct()).label("regions"))
        .join(t.indicator, i.id == v.indicator)
        .where(v.region.in_(ids))
        .group_by(*about, v.year_from, v.year, kind)
        .order_by(i.theme, i.id, v.year, kind, v.year_from.nulls_first())
    )
    gathered: dict[str, Choice] = {}
    for row in found:
        one = gathered.setdefault(row.id, Choice(row.id, row.name, row.name_en, row.unit, row.theme or ""))
        one.times[Time(row.year, row.kind, row.year_from)] = (row.numbers, row.regions)
    return list(gathered.values())


async def indicator(connection: AsyncConnection, name: str) -> Row | None:
    """One row of the register of indicators; those not comparable with it have their names too."""
    register = next(one for one in REGISTERS if one.path == "/indicators")
    found = (await connection.execute(register.rows.where(t.indicator.c.id == name))).mappings().first()
    if found is None:
        return None
    apart = [dict(one) for one in found["not_comparable"] or ()]
    i = t.indicator.c
    named = await connection.execute(
        sa.select(i.id, i.name, i.name_en).where(i.id.in_([one["indicator"] for one in apart]))
    )
    names = {row.id: {"name": row.name, "name_en": row.name_en} for row in named}
    return {**found, "not_comparable": [one | names[one["indicator"]] for one in apart]}


async def printed(
    connection: AsyncConnection, name: str, subjects: Sequence[str] | None = None, platforms: Sequence[str] = ()
) -> list[Row]:
    """What is printed of an indicator, of some regions or platforms or of all there are.

    Within a region and time the row to show comes first: a number before words, a final figure before a flash one.
    """
    v = t.indicator_value.c
    of = sa.true() if subjects is None else sa.or_(v.region.in_(subjects), v.platform.in_(platforms))
    subject = sa.func.coalesce(v.region, v.platform)
    rank = sa.case((v.kind == "flash", 1), else_=0)
    found = await connection.execute(
        sa.select(
            subject.label("subject"), v.region, v.platform,
            sa.func.coalesce(t.region.c.name, t.platform.c.name).label("name"),
            sa.func.coalesce(t.region.c.name_en, t.platform.c.name_en).label("name_en"),
            v.year_from, v.year, v.kind, v.operator, v.printed, v.value, v.note, v.unit_corrected,
            v.correction_reason, v.document, t.document.c.title, t.document.c.title_en, v.section, v.line_start,
            v.line_end,
        )
        .select_from(
            t.indicator_value.join(t.document, t.document.c.id == v.document)
            .outerjoin(t.region, t.region.c.id == v.region)
            .outerjoin(t.platform, t.platform.c.id == v.platform)
        )
        .where(v.indicator == name, of)
        .order_by(subject, v.year, v.year_from.nulls_first(), v.value.is_(None), rank, v.document, v.line_start,
                  v.printed)
    )  # fmt: skip
    return [dict(row) for row in found.mappings()]


@dataclass(frozen=True)
class Counts:
    """Platforms by region: how many, and the sum of their published areas where any is published."""

    count: Mapping[str, int]
    area_km2: Mapping[str, Decimal | None]
    #: How many lie in no region compared.
    elsewhere: int


async def counts(connection: AsyncConnection, over: Over, compared: Regions, kind: str | None) -> Counts:
    """Platforms in each county or city, by position, all or of one kind."""
    platforms = COLLECTIONS["platforms"]
    level, _ = COMPARED[over]
    by = next(one for one in platforms.queryables if one.name == level)
    filters = {"kind": [kind]} if kind else {}
    found = await aggregate(connection, Selection(platforms, filters=filters), [by], [Statistic("sum", "area_km2")])
    ids = {row["id"] for row in compared.rows}
    groups = [one for one in found.groups if one.key in ids]
    areas = {one.key: one.stats["sum:area_km2"] for one in groups}
    return Counts(
        {one.key: one.count for one in groups},
        {key: None if area is None else Decimal(repr(area)) for key, area in areas.items()},
        found.total - sum(one.count for one in groups),
    )


async def matrix(connection: AsyncConnection, over: Over) -> dict[tuple[str | None, str], int]:
    """Platforms by the county or city of their position (``None`` where there is none) and by kind."""
    p = t.platform.c
    region = {"county": p.position_county, "city": p.position_city}[COMPARED[over][0]]
    found = await connection.execute(
        sa.select(region, p.kind, sa.func.count()).where(~p.retired).group_by(region, p.kind).order_by(region, p.kind)
    )
    return {(row[0], row[1]): row[2] for row in found}


async def kinds(connection: AsyncConnection) -> list[Row]:
    """Kinds of platform: id and names, in their order."""
    k = t.kind.c
    found = await connection.execute(sa.select(k.id, k.name, k.name_en).order_by(k.ord, k.id))
    return [dict(row) for row in found.mappings()]


async def told_and_aimed_at(connection: AsyncConnection) -> list[Row]:
    """Subjects and indicators with both a numeric actual and a numeric target, so that there is a way to draw."""
    v, i = t.indicator_value.c, t.indicator.c
    subject = sa.func.coalesce(v.region, v.platform)
    name, name_en = (sa.func.coalesce(t.region.c[one], t.platform.c[one]) for one in ("name", "name_en"))
    points = sa.func.count(sa.tuple_(v.year, v.kind).distinct())
    found = await connection.execute(
        sa.select(
            subject.label("subject"), v.region, v.platform, t.region.c.level, name.label("subject_name"),
            name_en.label("subject_name_en"), i.id, i.name, i.name_en, i.unit, i.theme, points.label("points"),
        )
        .select_from(
            t.indicator_value.join(t.indicator, i.id == v.indicator)
            .outerjoin(t.region, t.region.c.id == v.region)
            .outerjoin(t.platform, t.platform.c.id == v.platform)
        )
        .where(v.value.is_not(None))
        .group_by(subject, v.region, v.platform, t.region.c.level, name, name_en, i.id)
        .having(
            sa.func.bool_or(v.kind == "target"),
            sa.func.bool_or(v.kind != "target"),
        )
        .order_by(subject, i.theme, i.id)
    )  # fmt: skip
    return [dict(row) for row in found.mappings()]
