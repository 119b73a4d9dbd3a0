"""Printed values, and targets beside actuals."""

from typing import Any

import sqlalchemy as sa

from app.catalog import Field
from app.db import tables as t
from app.db.columns import BETTER, LEVELS, OPERATORS, VALUE_KINDS
from app.registers.common import CITATION, Register, cited

SUBJECT = (
    Field("indicator", "指标", "Indicator", refers="indicator"),
    Field("indicator_name", "指标名称", "Name of the indicator"),
    Field("theme", "主题", "Theme", refers="theme"),
    Field("region", "地区", "Region", refers="region"),
    Field("region_name", "地区名称", "Name of the region"),
    Field("region_level", "地区级别", "Level of the region", values=LEVELS),
    Field("region_parent", "所属县、市", "County or city it belongs to", refers="region"),
    Field("platform", "平台", "Platform", refers="platform"),
    Field("platform_name", "平台名称", "Name of the platform"),
)


def subject(value: Any) -> list[Any]:
    """Names of what a value measures, and of whom."""
    return [
        value.indicator,
        t.indicator.c.name.label("indicator_name"),
        t.indicator.c.theme,
        value.region,
        t.region.c.name.label("region_name"),
        t.region.c.level.label("region_level"),
        sa.func.coalesce(t.region.c.lies_in, t.region.c.parent).label("region_parent"),
        value.platform,
        t.platform.c.name.label("platform_name"),
    ]


def joined(value: Any) -> Any:
    return (
        value.join(t.indicator, t.indicator.c.id == value.c.indicator)
        .outerjoin(t.region, t.region.c.id == value.c.region)
        .outerjoin(t.platform, t.platform.c.id == value.c.platform)
    )


def _values() -> sa.Select[Any]:
    v, ranked = t.indicator_value.c, _ranked()
    own = sa.and_(
        v.value.is_not(None),
        v.year_from.is_not_distinct_from(ranked.c.year_from),
        *(v[name] == ranked.c[name] for name in ("indicator", "year", "kind", "document", "region")),
    )
    return sa.select(
        *subject(v), v.year_from, v.year, v.kind, v.operator, v.printed, v.number, v.unit_printed, v.unit_corrected,
        v.correction_reason, v.value, t.indicator.c.unit, ranked.c.rank, ranked.c.rank_of, v.departments, v.note,
        *cited(t.indicator_value), v.table_name, v.row_no,
    ).select_from(joined(t.indicator_value).outerjoin(ranked, own))  # fmt: skip


def _ranked() -> sa.Subquery:
    """Place of each region among its peers; it counts once, by its best value, however often it is printed."""
    v, better = t.indicator_value.c, t.indicator.c.better
    cell = (v.indicator, v.year_from, v.year, v.kind, v.document)
    peers = (t.region.c.level, sa.func.coalesce(t.region.c.lies_in, t.region.c.parent).label("land"))
    best = (
        sa.select(
            *cell, v.region, *peers, sa.func.max(sa.case((better == "lower", -v.value), else_=v.value)).label("best")
        )
        .select_from(joined(t.indicator_value))
        .where(v.value.is_not(None), v.region.is_not(None), better != "neither")
        .group_by(*cell, v.region, *peers)
        .subquery()
    )
    alike = [column for column in best.c if column.name not in ("region", "best")]
    ranked = sa.select(
        best,
        sa.func.rank().over(partition_by=alike, order_by=best.c.best.desc()).label("rank"),
        sa.func.count().over(partition_by=alike).label("rank_of"),
    ).subquery()
    # alone is no place
    return sa.select(ranked).where(ranked.c.rank_of > 1).subquery("ranked")


VALUES = Register(
    "/indicators/values", "指标值", "Indicator values",
    "每个印出的数值一条：原文、数值、单位、年份、性质、地区、文件与行号；rank 为同一文件中同级、同属一地的 rank_of 个"
    "地区里的名次。",
    "One row a printed value: text, number, unit, year, actual or target, region, document and line; rank is the place"
    " among the rank_of regions of one level in the same county or city that have the value in the same document.",
    (
        *SUBJECT,
        Field("year_from", "起始年", "First year", "integer"),
        Field("year", "年份", "Year", "integer"),
        Field("kind", "性质", "Kind", values=VALUE_KINDS),
        Field("operator", "比较", "Operator", values=OPERATORS),
        Field("printed", "原文", "As printed"),
        Field("number", "数", "Number", "number"),
        Field("unit_printed", "原文单位", "Unit as printed"),
        Field("unit_corrected", "更正单位", "Corrected unit"),
        Field("correction_reason", "更正理由", "Reason for the correction"),
        Field("value", "归一数值", "Normalised value", "number"),
        Field("unit", "归一单位", "Normalised unit"),
        Field("rank", "名次", "Rank", "integer"),
        Field("rank_of", "参比地区数", "Regions ranked", "integer"),
        Field("departments", "责任部门", "Departments", "array"),
        Field("note", "备注", "Note"),
        *CITATION,
        Field("table_name", "表", "Table"),
        Field("row_no", "行", "Row"),
    ),
    _values(),
    ("indicator", "region", "platform", "year", "year_from", "kind", "document", "line_start", "printed"),
)  # fmt: skip


def _progress() -> sa.Select[Any]:
    """Each numeric target beside the newest actual up to its year and the plan's own starting point.

    A sum over several years compares only with sums from the same first year.
    """
    target = t.indicator_value.alias("target")
    one = t.indicator_value.alias("one")
    same = sa.and_(
        one.c.indicator == target.c.indicator,
        one.c.region.is_not_distinct_from(target.c.region),
        one.c.platform.is_not_distinct_from(target.c.platform),
        one.c.year_from.is_not_distinct_from(target.c.year_from),
        one.c.kind.in_(("actual", "flash")),
        one.c.value.is_not(None),
        one.c.year <= target.c.year,
    )
    # a final figure before a flash one; of several places that print it the first
    newest = (one.c.year.desc(), one.c.kind, one.c.document, one.c.line_start, one.c.printed)
    actual = sa.select(one).where(same).order_by(*newest).limit(1).lateral("actual")
    own = sa.and_(same, one.c.document == target.c.document, one.c.year < target.c.year)
    start = sa.select(one).where(own).order_by(*newest).limit(1).lateral("start")
    way = target.c.value - start.c.value
    progress = sa.case(
        (
            sa.and_(actual.c.year > start.c.year, way != 0),
            sa.func.round((actual.c.value - start.c.value) / sa.func.nullif(way, 0), 4),
        )
    )
    better = t.indicator.c.better
    met = sa.case(
        (target.c.operator == "gt", actual.c.value > target.c.value),
        (target.c.operator == "lt", actual.c.value < target.c.value),
        (better == "higher", actual.c.value >= target.c.value),
        (better == "lower", actual.c.value <= target.c.value),
    )
    beside = joined(target).outerjoin(actual, sa.true()).outerjoin(start, sa.true())
    return (
        sa.select(
            *subject(target.c),
            target.c.year_from.label("target_year_from"), target.c.year.label("target_year"),
            target.c.operator.label("target_operator"), target.c.printed.label("target_printed"),
            target.c.value.label("target_value"),
            target.c.document.label("target_document"), target.c.line_start.label("target_line"),
            actual.c.year.label("actual_year"), actual.c.kind.label("actual_kind"),
            actual.c.printed.label("actual_printed"), actual.c.value.label("actual_value"),
            actual.c.document.label("actual_document"), actual.c.line_start.label("actual_line"),
            start.c.year.label("start_year"), start.c.value.label("start_value"),
            start.c.document.label("start_document"), start.c.line_start.label("start_line"),
            target.c.note.label("target_note"), actual.c.note.label("actual_note"), start.c.note.label("start_note"),
            t.indicator.c.unit, better, progress.label("progress"), met.label("met"),
        )
        .select_from(beside)
        .where(target.c.kind == "target", target.c.value.is_not(None))
    )  # fmt: skip


PROGRESS = Register(
    "/indicators/progress", "目标与进展", "Targets and progress",
    "每个数值目标，配以目标年之前最新的实际值与该规划自己的起点；progress 为自起点走过的比例，无更新实际值则为空。",
    "Each numeric target beside the newest actual up to its year and the plan's own start; progress is the share of the"
    " way walked since, empty where no newer actual is printed; met compares the two numbers in the better direction.",
    (
        *SUBJECT,
        Field("target_year_from", "目标起始年", "First year of the target", "integer"),
        Field("target_year", "目标年", "Target year", "integer"),
        Field("target_operator", "目标比较", "Operator of the target", values=OPERATORS),
        Field("target_printed", "目标原文", "Target as printed"),
        Field("target_value", "目标值", "Target", "number"),
        Field("target_document", "目标文件", "Document of the target", refers="document"),
        Field("target_line", "目标行", "Line of the target", "integer"),
        Field("actual_year", "实际年", "Year of the actual", "integer"),
        Field("actual_kind", "实际性质", "Kind of the actual", values=VALUE_KINDS),
        Field("actual_printed", "实际原文", "Actual as printed"),
        Field("actual_value", "实际值", "Actual", "number"),
        Field("actual_document", "实际文件", "Document of the actual", refers="document"),
        Field("actual_line", "实际行", "Line of the actual", "integer"),
        Field("start_year", "起点年", "Year of the start", "integer"),
        Field("start_value", "起点值", "Start", "number"),
        Field("start_document", "起点文件", "Document of the start", refers="document"),
        Field("start_line", "起点行", "Line of the start", "integer"),
        Field("target_note", "目标备注", "Note on the target"),
        Field("actual_note", "实际备注", "Note on the actual"),
        Field("start_note", "起点备注", "Note on the start"),
        Field("unit", "单位", "Unit"),
        Field("better", "何者为优", "Which is better", values=BETTER),
        Field("progress", "进度", "Progress", "number"),
        Field("met", "已达到", "Met", "boolean"),
    ),
    _progress(),
    ("indicator", "region", "platform", "target_year", "target_year_from", "target_document", "target_line",
     "target_printed"),
)  # fmt: skip
