"""The query parameters of the API definition: what the names of ``asking`` and ``params`` mean, and their types."""

from collections.abc import Iterable, Mapping
from typing import Any

from app.api import asking
from app.catalog import Field
from app.crs import CRS84, OFFERED
from app.queries.relations import RELATIONS

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
NUMBER: Schema = {"type": "number"}
METRES: Schema = {"type": "number", "minimum": 0, "maximum": asking.FARTHEST}
CRS: Schema = {"type": "string", "format": "uri", "enum": list(OFFERED), "default": CRS84.uri}


def query(name: str, description: str, schema: Schema | None = None) -> Schema:
    """A query parameter; a list is written with commas (/req/core/fc-bbox-definition)."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema or TEXT,
        "style": "form",
        "explode": False,
    }


def of_field(one: Field, codes: Mapping[str, Iterable[str]] = {}) -> Schema:
    """The parameter of a queryable property (/req/queryables-query-parameters/parameters); ``codes`` by their sort."""
    known = list(codes.get(one.refers, ()) if one.refers else one.values)
    value: Schema = {"type": "string" if one.type == "array" else one.type, **({"enum": known} if known else {})}
    schema: Schema = {"type": "array", "items": value} if one.type == "array" else value
    return query(one.name, f"{one.title} {one.title_en}", schema)


PARAMETERS: dict[str, Schema] = {
    one["name"]: one
    for one in (
        query(
            "limit", "每页条数；大于上限者按上限。 Items per page; more than the maximum gives the maximum.",
            {"type": "integer", "minimum": 1, "maximum": 10000, "default": 100},
        ),
        query("cursor", "翻页标记（见 next 链接）。 Page token of a next link."),
        query("offset", "跳过条数。 Items to skip.", {"type": "integer", "minimum": 0}),
        query(
            "bbox",
            "西,南,东,北，缺省为 CRS84 的度；有 bbox-crs 时按其轴序。"
            " West,south,east,north in degrees (CRS84), or in the axis order of bbox-crs.",
            {"type": "array", "items": NUMBER, "minItems": 4, "maxItems": 6},
        ),
        query("bbox-crs", "bbox 的坐标参考系。 Reference system of bbox.", CRS),
        query(
            "datetime", "RFC 3339 时刻或区间；本服务的数据没有时间属性，全部选中。"
            " An instant or interval of RFC 3339; no data here has a time, so that everything is selected.",
        ),
        query("filter", "CQL2 过滤条件。 A filter in CQL2."),
        query(
            "filter-lang", "过滤条件的写法。 The filter's encoding.",
            {"type": "string", "enum": list(asking.LANGUAGES), "default": asking.LANGUAGES[0]},
        ),
        query("filter-crs", "过滤条件中几何的坐标参考系。 Reference system of the filter's geometries.", CRS),
        query("crs", "答复坐标的参考系。 Reference system of the answer.", CRS),
        query("properties", "只要这些属性。 Only these properties.", TEXTS),
        query("sortby", "排序属性，前缀 - 为降序。 Properties to sort by, - before a descending one.", TEXTS),
        query(
            "within",
            "地点：counties/330481，或县、市的名称或代码（海宁市、海宁、haining、330481）。"
            " A place: collection/id, or the name or code of a county or city.", TEXTS,
        ),
        query(
            "relation",
            "何谓“在内”：定位点、图形相交、文件所称。"
            " What inside means: anchor point, overlapping areas, or the county a document names.",
            {"type": "string", "enum": list(RELATIONS), "default": RELATIONS[0]},
        ),
        query("near", "经度,纬度（与 distance 同用）。 Longitude,latitude; goes with distance.",
              {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}),
        query("distance", "距离（米，椭球面）。 Distance in metres, geodesic.", METRES),
        query("nearest", "经度,纬度：最近者在前。 Longitude,latitude: the nearest, nearest first.",
              {"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2}),
        query("k", "最近者的个数。 How many of the nearest.",
              {"type": "integer", "minimum": 1, "maximum": asking.MAX_NEAREST, "default": 1}),
        query("along", "廊道 corridors/…（与 distance 同用）。 A corridor; goes with distance."),
        query("uncertain", "只知所在县、市者。 Places known by county or city only.",
              {"type": "string", "enum": ["exclude", "include"], "default": "exclude"}),
        query("industry", "产业方向（原文用词）或产业代码。 An industry as printed, or its code.", TEXTS),
        query("industry_contains", "产业方向含此文字。 Part of an industry as printed.", TEXTS),
        query(
            "industry_under",
            "产业代码或名称，含下级；答案列出所用代码。"
            " Industries by code or name, with all below them; the answer lists those used.",
            TEXTS,
        ),
        query(
            "layout_element",
            "所属布局要素及其下级；答案列出所用要素。"
            " Layout elements it is a member of, with all under them; the answer lists those used.",
            TEXTS,
        ),
        query("group_by", "分组属性。 Properties to group by.", TEXTS) | {"required": True},
        query("stat", "统计量：count、sum:area_km2 等。 Statistics.", {**TEXTS, "default": ["count"]}),
        query("f", "格式。 Format.", {"type": "string", "enum": ["json", "html"]}),
        query("lang", "语言。 Language.", {"type": "string", "enum": ["zh", "en"]}),
    )
}  # fmt: skip
