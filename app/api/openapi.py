"""The OpenAPI document, in version 3.0.3 as OGC API – Features asks (/req/oas30/oas-definition-2)."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.api import asking
from app.api.components import SCHEMAS, reference
from app.api.parameters import PARAMETERS, of_field, query
from app.api.params import PAGING
from app.catalog import COLLECTIONS, Collection, Field
from app.maps.classes import METHODS
from app.queries.exports import FORMATS, GEOMETRY
from app.queries.thematic import KINDS, OVERS
from app.registers import Register

OPENAPI_MEDIA_TYPE = "application/vnd.oai.openapi+json;version=3.0"
GEOJSON = "application/geo+json"

Schema = dict[str, Any]
Codes = Mapping[str, Sequence[str]]

#: What chooses items, for operations whose collection is only known when they are called.
SELECTING = [
    *(PARAMETERS[name] for name in asking.SELECTING),
    {
        "name": "queryables",
        "in": "query",
        "required": False,
        "description": "任一可查询属性等于其值；逗号为“或”。 Any queryable property equals a value; a comma means OR.",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        "style": "form",
        "explode": True,
    },
]
LIST: Schema = {"type": "object", "required": ["items"]}
HTML: Schema = {"text/html": {"schema": {"type": "string"}}}


def _answers(media_type: str, schema: Schema, html: bool = True, headers: Sequence[str] = ()) -> Schema:
    ok: Schema = {"description": "成功 OK", "content": {media_type: {"schema": schema}} | (HTML if html else {})}
    if headers:
        ok["headers"] = {name: {"schema": {"type": "string"}} for name in headers}
    return {"200": ok}


def _features(name: str, html: bool = True) -> Schema:
    return _answers(GEOJSON, reference(name), html, ("Content-Crs",))


def _files() -> Schema:
    """A download in each of its formats; those that are files can be had in parts."""
    binary: Schema = {"type": "string", "format": "binary"}
    content = {one.media_type: {"schema": binary} for one in FORMATS.values()}
    content |= {
        GEOJSON: {"schema": reference("featureCollectionGeoJSON")},
        "text/plain": {"schema": {"type": "string"}},
    }
    headers = {
        name: {"schema": {"type": "string"}} for name in ("Content-Disposition", "ETag", "Accept-Ranges", "Repr-Digest")
    }
    ok = {"description": "成功 OK", "content": content, "headers": headers}
    return {"200": ok, "206": {**ok, "description": "所要的部分 The part asked for"}}


def _json(name: str) -> Schema:
    return _answers("application/json", reference(name))


def _schema() -> Schema:
    return _answers("application/schema+json", reference("schema"))


POSTED: Schema = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "filter": {"type": "object", "description": "CQL2 JSON"},
                    "intersects": reference("geometryGeoJSON"),
                    "limit": {"type": "integer", "minimum": 1},
                    "cursor": {"type": "string"},
                },
            }
        }
    },
}
COMMON = ("f", "lang")
#: By operation: names of parameters (a collection's own are added per collection), and answers.
OPERATIONS: dict[str, tuple[tuple[str, ...], Schema]] = {
    "landing": (COMMON, _json("landingPage")),
    "conformance": (COMMON, _json("confClasses")),
    "functions": (COMMON, _json("functions")),
    "collections": (COMMON, _json("collections")),
    "collection": (COMMON, _json("collection")),
    "schema": (COMMON, _schema()),
    "items": ((*asking.VIEWING, *PAGING, *COMMON), _features("featureCollectionGeoJSON")),
    "item": (("crs", *COMMON), _features("featureGeoJSON")),
    "search_items": ((), _features("featureCollectionGeoJSON", html=False)),
    "aggregate": (("group_by", "stat", *COMMON), _json("groups")),
    "export": (("crs", "properties", "sortby"), _files()),
    "county": (
        ("industry", "industry_contains", "industry_under", "relation", "sortby", "limit", "offset", *COMMON),
        _answers("application/json", {"type": "object"}),
    ),
    "compare": (COMMON, _answers("application/json", {"type": "object"})),
    "search": (("limit", "offset", *COMMON), _answers("application/json", LIST)),
    "charts": (COMMON, _answers("application/json", LIST)),
    "progress_chart": (COMMON, _answers("application/json", LIST)),
    "platform_chart": (COMMON, _answers("application/json", LIST)),
    "thematic": (COMMON, _answers("application/json", LIST)),
    "index": (COMMON, _answers("application/json", LIST)),
}
#: Parameters that one operation alone has.
OWN: dict[str, list[Schema]] = {
    "compare": [
        query("a", "县（市、区），代码或名称。 A county by adcode or name.") | {"required": True},
        query("b", "另一县（市、区）。 The other county.") | {"required": True},
        query("year", "只看这一年的指标。 Indicators of this year only.", {"type": "integer"}),
    ],
    "export": [
        *SELECTING,
        query("limit", "至多条数；缺省为全部。 Items at most; all, unless given.", {"type": "integer", "minimum": 1}),
        query(
            "geometry", "表格（csv、xlsx）中以何表示图形。 What stands for the geometry in a table (csv, xlsx).",
            {"type": "string", "enum": list(GEOMETRY), "default": GEOMETRY[0]},
        ),
    ],
    "county": [of_field(one) for one in COLLECTIONS["platforms"].queryables if one.name in ("kind", "level", "status")],
    "search": [
        query(
            "q",
            "名称、别名、产业或说明的任一部分，或拼音（首字母）。"
            " Any part of a name, an industry or a text; pinyin or its initials.",
            {"type": "string", "minLength": 1, "maxLength": 200},
        )
        | {"required": True},
        query("collections", "限于这些图层。 Only these collections, separated by commas."),
    ],
    "index": [
        query("over", "比较的地区。 What is compared.", {"type": "string", "enum": ["haining-areas", "counties"]}),
        query("year", "年份。 Year.", {"type": "integer"}),
        query("kind", "实际或目标。 Actual or target.", {"type": "string", "enum": ["actual", "target"]}),
        query("indicators", "指标，逗号分隔。 Indicators, separated by commas."),
        query("weights", "权重，与指标一一对应。 Weights, one for each indicator."),
        query("normalise", "归一方法。 Normalisation.", {"type": "string", "enum": ["minmax", "zscore", "rank"]}),
        query(
            "missing", "缺失值规则。 Rule for missing values.",
            {"type": "string", "enum": ["exclude", "reweight", "lowest"]},
        ),
    ],
}  # fmt: skip
OWN |= {
    "thematic": [
        query("over", "比较的地区。 What is compared.", {"type": "string", "enum": list(OVERS), "default": OVERS[0]}),
        query(
            "indicator",
            "指标，或 platforms.count、.density、.area（平台数、密度、公布面积）。"
            " An indicator, or platforms.count, .density or .area.",
        ),
        query("year", "年份，累计数为 2016-2020。 Year, or the years of a sum as 2016-2020."),
        query(
            "kind",
            "实际（含快报）或目标。 Actual (flash figures too) or target.",
            {"type": "string", "enum": list(KINDS)},
        ),
        query("from", "与此年相比的变化。 The change since this year."),
        query(
            "from_kind", "此年的实际或目标。 Actual or target of that year.", {"type": "string", "enum": list(KINDS)}
        ),
        query(
            "classes",
            "分级方法。 How values are classed.",
            {"type": "string", "enum": list(METHODS), "default": METHODS[0]},
        ),
        query("platform_kind", "平台类别（仅 platforms.*）。 Kind of platform, with platforms.* alone."),
    ],
    "progress_chart": [
        query("indicator", "指标。 Indicator.") | {"required": True},
        query("region", "地区（代码或名称）。 Region, by id or name."),
        query("platform", "平台（代码或名称）。 Platform, by id or name."),
    ],
    "platform_chart": [
        query("over", "县或市。 Counties or cities.", {"type": "string", "enum": ["counties", "cities"]}),
    ],
}
SECURITY_SCHEMES: Schema = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "innomap keys create 所给的密钥。 A key of this service.",
    }
}
#: Operations written out for each collection, with its own queryables as parameters.
BY_COLLECTION = {"/collections/{collectionId}/items": "items", "/collections/{collectionId}/aggregate": "aggregate"}


def documented(operation: str) -> Schema:
    """Parameters and answers of an operation whose query is parsed by hand."""
    names, responses = OPERATIONS[operation]
    made: Schema = {
        "parameters": [*OWN.get(operation, []), *(PARAMETERS[name] for name in names)],
        "responses": deepcopy(responses),
    }
    if operation == "search_items":
        made["requestBody"] = POSTED
    return made


def listed(register: Register) -> Schema:
    """Parameters and answer of a register."""
    parameters = [of_field(field) for field in register.fields if field.queryable]
    parameters += [PARAMETERS[name] for name in ("sortby", "limit", "offset", *COMMON)]
    return {"parameters": parameters, "responses": _answers("application/json", LIST)}


def document(app: FastAPI, address: str, codes: Codes) -> Schema:
    """The API's description; ``address`` is where its clients find it, ``codes`` those of each sort."""
    # the same object, as long as no layer was imported or defined anew
    imported, known, made = getattr(app.state, "described", (None, {}, {}))
    if imported is not COLLECTIONS.imported or known != codes:
        made = _document(app, codes)
        app.state.described = (COLLECTIONS.imported, codes, made)
    return {**made, "servers": [{"url": address}]}


def _document(app: FastAPI, codes: Codes) -> Schema:
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.0.3",
        license_info={"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    )  # fmt: skip
    paths: Schema = {}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            _complete(operation)
        if path in BY_COLLECTION:
            for described in COLLECTIONS.values():
                own = _of(operations, BY_COLLECTION[path], described, codes)
                paths[path.replace("{collectionId}", described.id)] = own
        else:
            paths[path] = operations
    return {
        **schema,
        "paths": _down(paths),
        "components": {
            "schemas": SCHEMAS,
            "parameters": {**PARAMETERS, **_paging(app)},
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _paging(app: FastAPI) -> Schema:
    """As this installation is set (/req/core/fc-limit-definition)."""
    settings = app.state.settings
    limit = {"type": "integer", "minimum": 1, "maximum": settings.max_limit, "default": settings.default_limit}
    offset = {"type": "integer", "minimum": 0, "maximum": settings.max_offset}
    return {name: {**PARAMETERS[name], "schema": schema} for name, schema in (("limit", limit), ("offset", offset))}


def _complete(operation: Schema) -> None:
    """Shared parameters by reference, the collection's name from those there are, and every error's form."""
    made = []
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path" and parameter["name"] == "collectionId":
            parameter = {**parameter, "schema": {"type": "string", "enum": list(COLLECTIONS)}}
        made.append(_shared(parameter))
    operation["parameters"] = made
    # FastAPI's own description of a 422 does not apply: bad input is a 400
    operation["responses"].pop("422", None)
    # a browser gets a page (``error_pages``)
    problem = {"application/problem+json": {"schema": reference("exception")}, **HTML}
    # /req/oas30/exceptions-codes
    operation["responses"]["304"] = {"description": "未变 Not modified"}
    operation["responses"]["400"] = {"description": "请求有误 Bad request", "content": problem}
    operation["responses"]["default"] = {"description": "错误 Error", "content": problem}


def _shared(parameter: Schema) -> Schema:
    name = parameter["name"]
    shared = parameter == PARAMETERS.get(name)
    return {"$ref": f"#/components/parameters/{name}"} if shared else parameter


def _of(operations: Mapping[str, Schema], kind: str, described: Collection, codes: Codes) -> Schema:
    """The operations of a path for one collection: reading with its own parameters, writing where that is allowed."""
    made = deepcopy(dict(operations))
    for method, operation in operations.items():
        if method == "post" and not described.writable:
            del made[method]
            continue
        own = made[method]
        own["operationId"] = f"{kind if method == 'get' else method}_{described.id}"
        own["summary"] = f"{described.title} {described.title_en}"
        parameters = [one for one in operation["parameters"] if one.get("in") != "path"]
        own["parameters"] = _selecting(described, codes) + parameters if method == "get" else parameters
    return made


def _selecting(described: Collection, codes: Codes) -> list[Schema]:
    """What chooses items of a collection; its own properties under their own descriptions."""
    own: list[Field] = list(described.queryables)
    names = [one for one in asking.selecting(described) if not any(one == field.name for field in own)]
    return [*(_shared(PARAMETERS[one]) for one in names), *(of_field(field, codes) for field in own)]


def _down(node: Any) -> Any:
    """JSON Schema of 3.1 as 3.0 writes it: ``anyOf`` with null becomes ``nullable``."""
    if isinstance(node, list):
        return [_down(one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {key: _down(value) for key, value in node.items()}
    choices = node.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [one for one in choices if one != {"type": "null"}]
        node.pop("anyOf")
        node |= {"nullable": True} | (rest[0] if len(rest) == 1 else {"anyOf": rest})
    return node
