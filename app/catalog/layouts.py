"""Elements of the spatial layouts, and the axes of their corridors."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.catalog.common import NAMES, PLACING, SOURCES, own_source, schematic
from app.catalog.types import Field
from app.db import tables as t
from app.db.columns import ROLES

ELEMENT_FIELDS = (
    Field("layout", "空间布局", "Layout", refers="layout"),
    Field("layout_name", "空间布局名称", "Name of the layout"),
    Field("role", "角色", "Role", values=ROLES),
    Field("ord", "次序", "Order", "integer"),
    *NAMES,
    Field("parent", "上级要素", "Parent element", refers="layout_element"),
    Field("definition", "规划原文", "Sentence of the plan"),
    Field("members", "成员", "Members", "array", queryable=False),
    Field("band_m", "廊带半宽（绘图参数）", "Half width of the band (drawing parameter)", "number", "m"),
    Field("buffer_m", "外扩距离（绘图参数）", "Buffer (drawing parameter)", "number", "m"),
    Field("drawing_note", "绘图说明", "What is drawn and not in the plan", queryable=False),
    *PLACING,
    SOURCES,
)
LAYOUT_LAYERS = ("layout", "layout_element", "layout_axis", "layout_member", "platform", "region", "document")


def element_rows(geometry: sa.ColumnElement[Any], *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
    e, m, p, r = t.layout_element, t.layout_member, t.platform, t.region
    member = sa.func.json_strip_nulls(
        sa.func.json_build_object(
            "platform", m.c.platform, "region", m.c.region, "name", sa.func.coalesce(p.c.name, r.c.name),
            "name_printed", m.c.name_printed, "document", m.c.document, "line", m.c.line_start,
        )
    )  # fmt: skip
    return sa.select(
        e.c.id,
        e.c.layout,
        sa.select(t.layout.c.name).where(t.layout.c.id == e.c.layout).scalar_subquery().label("layout_name"),
        e.c.role,
        e.c.ord,
        e.c.name,
        e.c.name_en,
        e.c.name_en_source,
        e.c.parent,
        e.c.definition,
        sa.select(sa.func.json_agg(aggregate_order_by(member, m.c.ord)))
        .select_from(m.outerjoin(p, p.c.id == m.c.platform).outerjoin(r, r.c.id == m.c.region))
        .where(m.c.element == e.c.id)
        .scalar_subquery()
        .label("members"),
        e.c.band_m,
        e.c.buffer_m,
        e.c.drawing_note,
        e.c.geometry_method,
        schematic(e.c.geometry_method).label("schematic"),
        e.c.position_accuracy_m,
        e.c.position_source,
        own_source(e).label("sources"),
        geometry.label("geometry"),
        e.c.axis,
    ).where(*where)
