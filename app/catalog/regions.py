"""Counties, cities, town seats."""

from typing import Any

import sqlalchemy as sa

from app.catalog.common import NAMES, PLACING, name_of
from app.catalog.types import Field
from app.db import tables as t
from app.db.columns import LEVELS

REGION_FIELDS = (
    Field("adcode", "行政区划代码", "Adcode (GB/T 2260)"),
    *NAMES,
    Field("level", "级别", "Level", values=LEVELS),
    Field("parent", "上级", "Parent", refers="region"),
    Field("area_km2", "量算面积", "Measured area (EPSG:4549)", "number", "km²"),
    Field("land_area_km2", "量算陆域面积", "Measured land area (EPSG:4549)", "number", "km²"),
    *PLACING,
)
TOWN_FIELDS = (
    *NAMES,
    Field("county", "所属县（市、区）", "County", refers="county"),
    Field("county_name", "所属县（市、区）名称", "Name of the county"),
    *PLACING,
)
REGION_LAYERS = ("region",)


def region_rows(level: str, geometry: sa.ColumnElement[Any]) -> sa.Select[Any]:
    r = t.region
    return sa.select(
        r.c.id,
        r.c.adcode,
        r.c.name,
        r.c.name_en,
        r.c.name_en_source,
        r.c.level,
        r.c.parent,
        r.c.area_km2,
        r.c.land_area_km2,
        sa.literal("administrative").label("geometry_method"),
        sa.false().label("schematic"),
        sa.cast(None, sa.Float).label("position_accuracy_m"),
        r.c.outline_source.label("position_source"),
        geometry.label("geometry"),
    ).where(r.c.level == level, geometry.is_not(None), ~r.c.retired)


def town_rows() -> sa.Select[Any]:
    r = t.region
    return sa.select(
        r.c.id,
        r.c.name,
        r.c.name_en,
        r.c.name_en_source,
        r.c.parent.label("county"),
        name_of(t.region, r.c.parent).label("county_name"),
        sa.literal("point").label("geometry_method"),
        sa.false().label("schematic"),
        r.c.position_accuracy_m,
        r.c.position_source,
        r.c.seat.label("geometry"),
        r.c.seat.label("position"),
    ).where(r.c.level == "town", ~r.c.retired)
