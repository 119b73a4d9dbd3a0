"""What is measured."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.catalog import Field
from app.db import tables as t
from app.db.columns import BETTER, NAME_SOURCES
from app.registers.common import Register, texts

_comparison = sa.union_all(
    sa.select(t.not_comparable.c.a.label("id"), t.not_comparable.c.b.label("other"), t.not_comparable.c.reason),
    sa.select(t.not_comparable.c.b, t.not_comparable.c.a, t.not_comparable.c.reason),
).subquery()

INDICATORS = Register(
    "/indicators", "指标", "Indicators",
    "每个指标一条：单位、口径、各文件的叫法；“不可比”列出看似相同而口径不同的指标。",
    "One row an indicator: unit, definition, what each document calls it; those that look alike but are defined"
    " differently are listed as not comparable.",
    (
        Field("id", "代号", "Id"),
        Field("name", "名称", "Name"),
        Field("name_en", "英文名", "English name"),
        Field("name_en_source", "英文名来源", "Source of the English name", values=NAME_SOURCES),
        Field("unit", "单位", "Unit"),
        Field("better", "何者为优", "Which is better", values=BETTER),
        Field("theme", "主题", "Theme", refers="theme"),
        Field("definition", "口径", "Definition"),
        Field("labels", "文件中的名称", "Labels in the documents", "array"),
        Field("documents", "文件", "Documents", "array", refers="document"),
        Field("years", "年份", "Years", "array", queryable=False),
        Field("values", "指标值数", "Values", "integer"),
        Field("not_comparable", "不可比", "Not comparable with", "array", queryable=False),
    ),
    sa.select(
        *(column for column in t.indicator.c),
        texts(t.indicator_label.c.label, t.indicator_label.c.indicator == t.indicator.c.id).label("labels"),
        texts(t.indicator_value.c.document, t.indicator_value.c.indicator == t.indicator.c.id).label("documents"),
        texts(t.indicator_value.c.year, t.indicator_value.c.indicator == t.indicator.c.id).label("years"),
        sa.select(sa.func.count()).where(t.indicator_value.c.indicator == t.indicator.c.id)
        .scalar_subquery().label("values"),
        sa.select(sa.func.json_agg(aggregate_order_by(
            sa.func.json_build_object("indicator", _comparison.c.other, "reason", _comparison.c.reason),
            _comparison.c.other,
        ))).where(_comparison.c.id == t.indicator.c.id).scalar_subquery().label("not_comparable"),
    ),
    ("id",),
)  # fmt: skip
