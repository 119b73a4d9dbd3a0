"""The plan documents, and where they disagree."""

from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.catalog import Field
from app.catalog.words import WORDS
from app.db import tables as t
from app.db.columns import NAME_SOURCES, VALUE_KINDS
from app.registers.common import Register
from app.registers.values import joined

DOCUMENTS = Register(
    "/documents", "规划文件", "Plan documents",
    "全部数据的出处；文本的 sha256 用于核对引文。",
    "Where all data comes from; the text's sha256 lets anyone check a quotation.",
    (
        Field("id", "代号", "Id"),
        Field("parent", "合辑", "Part of", refers="document"),
        Field("title", "名称", "Title"),
        Field("title_en", "英文名", "English title"),
        Field("title_en_source", "英文名来源", "Source of the English title", values=NAME_SOURCES),
        Field("issuer", "印发机关", "Issuer"),
        Field("issued", "印发日期", "Issued"),
        Field("period_start", "起始年", "First year", "integer"),
        Field("period_end", "目标年", "Last year", "integer"),
        Field("status", "状态", "Status", values=("final", "draft")),
        Field("file", "文本编号", "Text file"),
        Field("sha256", "文本 sha256", "SHA-256 of the text"),
        Field("line_start", "起始行", "First line", "integer"),
        Field("line_end", "末行", "Last line", "integer"),
        Field("mentions", "提及的平台数", "Platforms mentioned", "integer"),
        Field("values", "指标值数", "Indicator values", "integer"),
    ),
    sa.select(
        *(column for column in t.document.c),
        sa.select(sa.func.count(t.mention.c.platform.distinct())).where(t.mention.c.document == t.document.c.id)
        .scalar_subquery().label("mentions"),
        sa.select(sa.func.count()).where(t.indicator_value.c.document == t.document.c.id)
        .scalar_subquery().label("values"),
    ),
    ("file", "line_start", "id"),
)  # fmt: skip


#: Figures closer than this share may be one figure, rounded.
ROUNDING = Decimal("0.01")


def _disagreements() -> sa.Select[Any]:
    """What was found by reading, and every figure that is printed twice with different numbers."""
    side = t.disagreement_side
    read = sa.select(
        t.disagreement.c.id,
        sa.literal("text").label("kind"),
        t.disagreement.c.title,
        t.disagreement.c.title_en,
        t.disagreement.c.note,
        sa.select(sa.func.json_agg(aggregate_order_by(sa.func.json_build_object(
            "document", side.c.document, "line_start", side.c.line_start, "line_end", side.c.line_end,
            "says", side.c.says, "quote", side.c.quote,
        ), side.c.ord))).where(side.c.disagreement == t.disagreement.c.id).scalar_subquery().label("sides"),
    )  # fmt: skip
    v = t.indicator_value.c
    cell = (v.indicator, v.region, v.platform, v.year_from, v.year, v.kind)
    # equal numbers with another bound, and roundings, are no contradiction of substance: say so
    low, high = sa.func.min(v.value), sa.func.max(v.value)
    note = sa.case(
        (low == high, "数字相同，限定词不同（恰为、以上、左右等）。 The same number with another bound."),
        (high - low <= ROUNDING * sa.func.abs(high), "相差不到1%，或为取整。 Less than 1 % apart, perhaps rounded."),
    )
    subject = sa.func.coalesce(sa.func.min(t.region.c.name), sa.func.min(t.platform.c.name))
    subject_en = sa.func.coalesce(sa.func.min(t.region.c.name_en), sa.func.min(t.platform.c.name_en), subject)
    kind = [sa.case({one: WORDS[one][n] for one in VALUE_KINDS}, value=v.kind) for n in (0, 1)]
    figure = (
        sa.select(
            sa.func.concat_ws(".", v.indicator, v.region, v.platform, v.year_from, v.year, v.kind).label("id"),
            sa.literal("figure"),
            sa.func.concat(subject, " ", sa.func.min(t.indicator.c.name), " ", v.year, "年", kind[0]),
            sa.func.concat(subject_en, " ", sa.func.min(t.indicator.c.name_en), " ", v.year, " ", kind[1]),
            note,
            sa.func.json_agg(aggregate_order_by(sa.func.json_build_object(
                "document", v.document, "line_start", v.line_start, "line_end", v.line_end,
                "says", v.printed, "quote", v.printed,
            ), v.document, v.line_start, v.printed)),
        )
        .select_from(joined(t.indicator_value))
        .where(v.value.is_not(None), v.operator != "rank")
        .group_by(*cell)
        .having(sa.func.count(sa.func.concat(v.value, v.operator).distinct()) > 1)
    )  # fmt: skip
    both = sa.union_all(read, figure).subquery()
    return sa.select(both)


DISAGREEMENTS = Register(
    "/disagreements",
    "文件间的矛盾",
    "Where documents disagree",
    "通读发现的矛盾（kind=text），以及同一指标、地区、年份印出不同数值或限定词之处（kind=figure）；各说并列。",
    "Contradictions found by reading (kind=text), and figures printed twice with different numbers or bounds"
    " (kind=figure); each side is kept, none is judged.",
    (
        Field("title", "事项", "Matter"),
        Field("title_en", "事项（英文）", "Matter in English"),
        Field("kind", "性质", "Kind", values=("text", "figure")),
        Field("sides", "各说", "Sides", "array", queryable=False),
        Field("note", "说明", "Note"),
        Field("id", "代号", "Id"),
    ),
    _disagreements(),
    ("kind", "id"),
)
