"""Platforms: one row a place."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.catalog.common import GENERAL, GEONAMES, NAMES, OSM, PLACING, PLANS, SOURCES, mentions_of, name_of, schematic
from app.catalog.types import Field
from app.db import tables as t
from app.db.columns import PLATFORM_LEVELS, STATUSES

PLATFORM_FIELDS = (
    Field("kind", "类别", "Kind", refers="kind"),
    *NAMES,
    Field("aliases", "别名", "Other names", "array"),
    Field("level", "级别", "Level", values=PLATFORM_LEVELS),
    Field("status", "状态", "Status", values=STATUSES),
    Field("category", "建设类别", "Category as printed", refers="category"),
    Field("county", "所在县（市、区），按位置", "County, by position", refers="county"),
    Field("county_name", "所在县（市、区）名称", "Name of the county, by position"),
    Field("declared_county", "文件所称县（市、区）", "County that a document names", refers="county"),
    Field("declared_county_name", "文件所称县（市、区）名称", "Name of the county that a document names"),
    Field("city", "所在市，按位置", "City, by position", refers="city"),
    Field("declared_city", "文件所称市", "City that a document names", refers="city"),
    Field("town", "文件所称镇（街道）", "Town that a document names", refers="town"),
    Field("zone", "所属功能区", "Administrative zone it belongs to", refers="zone"),
    Field("zone_name", "所属功能区名称", "Name of the zone"),
    Field("zone_note", "功能区说明", "Note on the zone", queryable=False),
    Field("area_km2", "公布面积", "Published area", "number", "km²"),
    Field("positioning", "功能定位", "Positioning"),
    Field("concept", "协同创新理念", "Concept of joint innovation"),
    Field("industries", "产业方向", "Industries as printed", "array"),
    Field("layout_elements", "所属布局要素", "Layout elements it is a member of", "array", refers="layout_element"),
    Field("builder", "建设主体", "Builder"),
    Field("department", "责任部门", "Department"),
    Field("targets", "目标", "Targets", "array", queryable=False),
    Field("tasks", "重点任务", "Tasks", "array", queryable=False),
    Field("note", "备注", "Note", queryable=False),
    *PLACING,
    Field("documents", "文件", "Documents", "array", refers="document"),
    SOURCES,
    Field("edited", "编辑所改（附规划原值）", "What edits changed, with the plan's word", "array", queryable=False),
)


def platform_rows() -> sa.Select[Any]:
    p = t.platform
    value, link, task = t.indicator_value, t.industry_link, t.task
    zone_name = name_of(t.region, p.c.zone)
    county_name = name_of(t.region, p.c.position_county)
    # a document that names the town names its county
    town = t.region.alias("town")
    of_town = sa.select(town.c.parent).where(town.c.id == p.c.town).correlate(p).scalar_subquery()
    declared = sa.func.coalesce(p.c.county, of_town)
    industries = (
        sa.select(sa.func.min(link.c.ord).label("first"), link.c.document, link.c.words)
        .where(link.c.platform == p.c.id)
        .group_by(link.c.document, link.c.words)
        .correlate(p)
        .subquery()
    )
    target = sa.func.json_strip_nulls(
        sa.func.json_build_object(
            "indicator", value.c.indicator, "name", t.indicator.c.name, "year", value.c.year,
            "operator", value.c.operator, "printed", value.c.printed, "value", value.c.value,
            "unit", t.indicator.c.unit, "document", value.c.document, "line", value.c.line_start,
        )
    )  # fmt: skip
    return sa.select(
        p.c.id,
        p.c.kind,
        p.c.name,
        p.c.name_en,
        p.c.name_en_source,
        sa.func.array(
            sa.select(t.alias.c.name).where(t.alias.c.platform == p.c.id).distinct().order_by(t.alias.c.name)
            .scalar_subquery()
        ).label("aliases"),
        p.c.level,
        p.c.status,
        p.c.category,
        p.c.position_county.label("county"),
        county_name.label("county_name"),
        declared.label("declared_county"),
        name_of(t.region, declared).label("declared_county_name"),
        p.c.position_city.label("city"),
        p.c.city.label("declared_city"),
        p.c.town,
        p.c.zone,
        zone_name.label("zone_name"),
        sa.case(
            (
                p.c.zone.is_not(None),
                sa.func.concat("属", zone_name, "（功能区，非县级行政区）；按位置落在", county_name, "。 Belongs to a"
                               " zone that is no county; by position it lies in ", county_name, "."),
            )
        ).label("zone_note"),
        p.c.area_km2,
        p.c.positioning,
        p.c.concept,
        sa.func.array(
            sa.select(industries.c.words).group_by(industries.c.words)
            .order_by(sa.func.min(industries.c.document), sa.func.min(industries.c.first), industries.c.words)
            .scalar_subquery()
        ).label("industries"),
        sa.func.array(
            sa.select(t.layout_member.c.element).where(t.layout_member.c.platform == p.c.id)
            .distinct().order_by(t.layout_member.c.element).scalar_subquery()
        ).label("layout_elements"),
        p.c.builder,
        p.c.department,
        sa.select(sa.func.json_agg(aggregate_order_by(target, value.c.line_start, value.c.row_id)))
        .select_from(value.join(t.indicator, t.indicator.c.id == value.c.indicator))
        .where(value.c.platform == p.c.id)
        .scalar_subquery()
        .label("targets"),
        sa.func.array(
            sa.select(task.c.text).where(task.c.platform == p.c.id).order_by(task.c.document, task.c.ord)
            .scalar_subquery()
        ).label("tasks"),
        p.c.note,
        p.c.geometry_method,
        schematic(p.c.geometry_method).label("schematic"),
        p.c.position_accuracy_m,
        p.c.position_source,
        sa.func.array(
            sa.select(t.mention.c.document).where(t.mention.c.platform == p.c.id).distinct()
            .order_by(t.mention.c.document).scalar_subquery()
        ).label("documents"),
        mentions_of(
            t.mention, t.mention.c.platform == p.c.id, extra=("table_name", "row_no", "quote")
        ).label("sources"),
        p.c.edited,
        p.c.geom.label("geometry"),
        p.c.position,
        p.c.position_county,
        p.c.position_city,
        p.c.version,
    ).where(~p.c.retired)  # fmt: skip


#: What an edit may set; all else follows from other rows.
PLATFORM_WRITABLE = (
    "kind", "name", "name_en", "name_en_source", "level", "status", "category", "declared_county", "declared_city",
    "town", "zone", "area_km2", "positioning", "concept", "builder", "department", "note", "geometry_method",
    "position_accuracy_m", "position_source",
)  # fmt: skip
PLATFORM_REQUIRED = ("kind", "name", "name_en", "name_en_source", "geometry_method")
PLATFORM_LAYERS = (
    "platform", "region", "kind", "alias", "mention", "document", "industry_link", "indicator", "indicator_value",
    "task",
    "layout_member",
)  # fmt: skip
PLATFORM_CREDITS = (PLANS, OSM, GEONAMES, GENERAL)


def of_kinds(collection: str) -> sa.Select[Any]:
    kinds = sa.select(t.kind.c.id).where(t.kind.c.collection == collection)
    return platform_rows().where(t.platform.c.kind.in_(kinds))
