"""Every region the plans speak of, with those that are no layer: zones, areas of a table, places outside the map."""

import sqlalchemy as sa

from app.catalog import Field
from app.db import tables as t
from app.db.columns import LEVELS, NAME_SOURCES
from app.registers.common import Register, texts

_r, _p = t.region.c, t.platform.c
_names_it = sa.or_(*(column == _r.id for column in (_p.county, _p.city, _p.town, _p.zone)))

REGIONS = Register(
    "/regions", "地区", "Regions",
    "规划所及的地区：省、市、县、镇，以及不成图层的功能区、统计地区和图外之地；附别名、文件称在此地的平台数、所属布局要素。",
    "Every region the plans speak of: province, cities, counties, towns, and those that are no layer – zones, areas of"
    " a table, places outside the map – with other names, how many platforms a document puts there, and layout"
    " elements it is in.",
    (
        Field("id", "代号", "Id", refers="region"),
        Field("name", "名称", "Name"),
        Field("name_en", "英文名", "English name"),
        Field("level", "级别", "Level", values=LEVELS),
        Field("aliases", "别名", "Other names", "array"),
        Field("parent", "上级", "Parent", refers="region"),
        Field("lies_in", "位于", "Lies in", refers="region"),
        Field("platforms", "文件称在此地的平台数", "Platforms that a document puts here", "integer"),
        Field("values", "指标值数", "Indicator values", "integer"),
        Field("layout_elements", "所属布局要素", "Layout elements it is a member of", "array", refers="layout_element"),
        Field("adcode", "行政区划代码", "Adcode (GB/T 2260)"),
        Field("name_en_source", "英文名来源", "Source of the English name", values=NAME_SOURCES),
        Field("position_source", "位置来源", "Source of the position"),
    ),
    sa.select(
        _r.id, _r.adcode, _r.level, _r.name, _r.name_en, _r.name_en_source,
        texts(t.alias.c.name, t.alias.c.region == _r.id).label("aliases"),
        _r.parent, _r.lies_in,
        sa.select(sa.func.count()).where(_names_it, ~_p.retired).scalar_subquery().label("platforms"),
        sa.select(sa.func.count()).where(t.indicator_value.c.region == _r.id).scalar_subquery().label("values"),
        texts(t.layout_member.c.element, t.layout_member.c.region == _r.id).label("layout_elements"),
        sa.func.coalesce(_r.position_source, _r.outline_source).label("position_source"),
    ).where(~_r.retired),
    ("level", "id"),
)  # fmt: skip
