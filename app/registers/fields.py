"""Industries, the words that tie platforms to them, and tasks."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.catalog import Field
from app.db import tables as t
from app.db.columns import NAME_SOURCES
from app.registers.common import CITATION, Register, cited

_other = t.industry.alias("other")
_related = sa.union_all(
    sa.select(
        t.industry_relation.c.a.label("id"), t.industry_relation.c.relation, t.industry_relation.c.b.label("other"),
        t.industry_relation.c.reason,
    ),
    sa.select(
        t.industry_relation.c.b,
        sa.case((t.industry_relation.c.relation == "narrower", "broader"), else_=t.industry_relation.c.relation),
        t.industry_relation.c.a, t.industry_relation.c.reason,
    ),
).subquery()  # fmt: skip

INDUSTRIES = Register(
    "/industries", "产业领域", "Industries",
    "各规划的产业体系（3+N、3+3、142、135N、3+X 等）及其相互对应。",
    "The plans' industry schemes (3+N, 3+3, 142, 135N, 3+X …) and how their fields relate.",
    (
        Field("id", "代号", "Code"),
        Field("scheme", "体系", "Scheme", refers="scheme"),
        Field("parent", "上级", "Parent", refers="industry"),
        Field("ord", "次序", "Order", "integer"),
        Field("name", "名称", "Name"),
        Field("name_en", "英文名", "English name"),
        Field("name_en_source", "英文名来源", "Source of the English name", values=NAME_SOURCES),
        Field("text", "原文", "Text"),
        Field("platforms", "平台数", "Platforms", "integer"),
        Field("relations", "对应", "Relations", "array", queryable=False),
        *CITATION,
    ),
    sa.select(
        *(column for column in t.industry.c if column.name not in ("document", "section", "line_start", "line_end")),
        sa.select(sa.func.count(t.industry_link.c.platform.distinct()))
        .where(t.industry_link.c.industry == t.industry.c.id).scalar_subquery().label("platforms"),
        sa.select(sa.func.json_agg(aggregate_order_by(
            sa.func.json_build_object(
                "relation", _related.c.relation, "industry", _related.c.other, "name", _other.c.name,
                "scheme", _other.c.scheme, "reason", _related.c.reason,
            ), _related.c.other,
        ))).select_from(_related.join(_other, _other.c.id == _related.c.other))
        .where(_related.c.id == t.industry.c.id).scalar_subquery().label("relations"),
        *cited(t.industry),
    ),
    ("scheme", "parent", "ord", "id"),
)  # fmt: skip

LINKS = Register(
    "/industries/links",
    "平台的产业方向",
    "Industries of platforms",
    "平台所印的每个产业用词，及其对应的产业代码（不属任何体系的用词没有代码），附文件与行号。",
    "Each industry that a document prints of a platform, and the field it was taken for (none where no scheme has it),"
    " with document and line.",
    (
        Field("platform", "平台", "Platform", refers="platform"),
        Field("platform_name", "平台名称", "Name of the platform"),
        Field("words", "原文用词", "Words as printed"),
        Field("ord", "次序", "Order", "integer"),
        Field("industry", "产业代码", "Industry", refers="industry"),
        Field("industry_name", "产业名称", "Name of the industry"),
        Field("scheme", "体系", "Scheme", refers="scheme"),
        *CITATION,
    ),
    sa.select(
        t.industry_link.c.platform,
        t.platform.c.name.label("platform_name"),
        t.industry_link.c.words,
        t.industry_link.c.ord,
        t.industry_link.c.industry,
        t.industry.c.name.label("industry_name"),
        t.industry.c.scheme,
        *cited(t.industry_link),
    ).select_from(
        t.industry_link.join(t.platform, t.platform.c.id == t.industry_link.c.platform).outerjoin(
            t.industry, t.industry.c.id == t.industry_link.c.industry
        )
    ),
    ("platform", "document", "line_start", "ord", "words"),
)

TASKS = Register(
    "/tasks", "任务与改革", "Tasks and reforms",
    "各规划的任务、改革事项（list=reform）、园区目标与载体任务，附责任部门。",
    "Tasks, reforms (list=reform), targets of parks and tasks of carriers, with the responsible departments.",
    (
        Field("id", "代号", "Id"),
        Field("list", "清单", "List", refers="list"),
        Field("ord", "次序", "Order", "integer"),
        Field("platform", "平台", "Platform", refers="platform"),
        Field("platform_name", "平台名称", "Name of the platform"),
        Field("region", "地区", "Region", refers="region"),
        Field("region_name", "地区名称", "Name of the region"),
        Field("layout_element", "布局要素", "Layout element", refers="layout_element"),
        Field("title", "标题", "Title"),
        Field("text", "原文", "Text"),
        Field("departments", "责任部门", "Departments", "array"),
        *CITATION,
    ),
    sa.select(
        *(t.task.c[name] for name in ("id", "list", "ord", "platform")),
        t.platform.c.name.label("platform_name"),
        t.task.c.region,
        t.region.c.name.label("region_name"),
        *(t.task.c[name] for name in ("layout_element", "title", "text", "departments")),
        *cited(t.task),
    ).select_from(
        t.task.outerjoin(t.platform, t.platform.c.id == t.task.c.platform).outerjoin(
            t.region, t.region.c.id == t.task.c.region
        )
    ),
    ("document", "list", "ord", "id"),
)  # fmt: skip
