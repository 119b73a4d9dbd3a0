"""Indicator values as features, on the outline or seat of their region: a layer to draw choropleths from."""

from typing import Any

import sqlalchemy as sa

from app.catalog.common import SOURCES, own_source
from app.catalog.types import Field
from app.db import tables as t
from app.db.columns import LEVELS, OPERATORS, VALUE_KINDS

REGION_INDICATOR_FIELDS = (
    Field("indicator", "指标", "Indicator", refers="indicator"),
    Field("indicator_name", "指标名称", "Name of the indicator"),
    Field("indicator_name_en", "指标英文名", "English name of the indicator"),
    Field("theme", "主题", "Theme", refers="theme"),
    Field("region", "地区", "Region", refers="region"),
    Field("name", "地区名称", "Name of the region"),
    Field("region_level", "地区级别", "Level of the region", values=LEVELS),
    Field("region_parent", "所属县、市", "County or city it belongs to", refers="region"),
    Field("year_from", "起始年", "First year", "integer"),
    Field("year", "年份", "Year", "integer"),
    Field("kind", "性质", "Kind", values=VALUE_KINDS),
    Field("operator", "比较", "Operator", values=OPERATORS),
    Field("printed", "原文", "As printed"),
    Field("value", "数值", "Value", "number"),
    Field("unit", "单位", "Unit"),
    Field("geometry_method", "几何来历", "How the geometry is known", values=("administrative", "point", "none")),
    Field("schematic", "示意", "Schematic", "boolean"),
    Field("document", "文件", "Document", refers="document"),
    SOURCES,
)
REGION_INDICATOR_LAYERS = ("indicator_value", "indicator", "region", "document")


def region_indicator_rows() -> sa.Select[Any]:
    """One row a printed value of a region; the id names indicator, region, year, kind, document and line."""
    v, i, r = t.indicator_value.c, t.indicator.c, t.region.c
    parts = (v.indicator, v.region, v.year_from, v.year, v.kind, v.document, v.line_start)
    # two values may stand in one line: from the second on a number is added
    again = sa.func.row_number().over(partition_by=parts, order_by=v.printed)
    name = sa.func.concat_ws(".", *parts, sa.case((again > 1, again)))
    shape = sa.func.coalesce(r.geom, r.seat)
    return sa.select(
        name.label("id"),
        v.indicator,
        i.name.label("indicator_name"),
        i.name_en.label("indicator_name_en"),
        i.theme,
        v.region,
        r.name,
        r.level.label("region_level"),
        sa.func.coalesce(r.lies_in, r.parent).label("region_parent"),
        v.year_from,
        v.year,
        v.kind,
        v.operator,
        v.printed,
        v.value,
        i.unit,
        sa.case((r.geom.is_not(None), "administrative"), (r.seat.is_not(None), "point"), else_="none").label(
            "geometry_method"
        ),
        sa.false().label("schematic"),
        v.document,
        own_source(t.indicator_value).label("sources"),
        shape.label("geometry"),
    ).select_from(t.indicator_value.join(t.indicator, i.id == v.indicator).join(t.region, r.id == v.region))
