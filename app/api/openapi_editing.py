"""The writing operations of the API definition: what they take, and what they answer."""

from copy import deepcopy

from app.api.components import Schema, reference
from app.api.parameters import CRS, query

GEOJSON = "application/geo+json"
TEXT: Schema = {"type": "string"}
#: Why a write is refused, beside what every operation may answer.
REFUSALS = {
    "401": "需要有效的密钥 A key is required",
    "403": "密钥无此权限 The key does not open this collection",
    "405": "此图层不可编辑 The collection cannot be written",
    "413": "内容过长 Too long",
    "415": "不支持的媒体类型 Unsupported media type",
    "429": "错误的密钥过多 Too many wrong keys",
}
CONDITION = {
    "404": "没有这个要素 No such item",
    "412": "要素已被改动 The item was changed",
    "428": "须给出 If-Match If-Match is required",
}
CONFLICT = {"409": "与现状冲突 Conflict"}


def _header(name: str, description: str, schema: Schema | None = None) -> Schema:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": schema or TEXT}


MATCH = _header(
    "If-Match",
    "要素的 ETag；除非密钥准许，必须给出。 The item's ETag; required unless the key may write without.",
)
REASON = _header(
    "Innomap-Reason", "改动的理由，记入历史；非 ASCII 字符用百分号编码。 Why, for the history; percent-encoded UTF-8.",
    {"type": "string", "maxLength": 500},
)  # fmt: skip
CONTENT_CRS = _header("Content-Crs", "内容坐标的参考系。 Reference system of the body's coordinates.", CRS)
FEATURE: Schema = {
    "type": "object",
    "required": ["type", "geometry", "properties"],
    "properties": {
        "type": {"type": "string", "enum": ["Feature"]},
        "id": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 100},
        "geometry": {"allOf": [reference("geometryGeoJSON")], "nullable": True, "type": "object"},
        "properties": {"type": "object", "nullable": True},
    },
}
PATCH: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "geometry": {"allOf": [reference("geometryGeoJSON")], "nullable": True, "type": "object"},
        "properties": {"type": "object"},
    },
}
AFTER = {"ETag": TEXT, "Content-Crs": TEXT, "Innomap-Token": TEXT}


def _done(status: str, description: str, headers: dict[str, Schema], content: bool = True) -> Schema:
    made: Schema = {"description": description, "headers": {name: {"schema": one} for name, one in headers.items()}}
    if content:
        made["content"] = {GEOJSON: {"schema": reference("featureGeoJSON")}}
    return {status: made}


def _body(media_type: str, schema: Schema) -> Schema:
    return {"required": True, "content": {media_type: {"schema": schema}}}


def _refusals(*groups: dict[str, str]) -> Schema:
    problem = {"application/problem+json": {"schema": reference("exception")}}
    return {
        status: {"description": text, "content": problem}
        for group in (REFUSALS, *groups)
        for status, text in group.items()
    }


JSON_CHANGE: Schema = {"application/json": {"schema": reference("change")}}
_CHANGED = _done("200", "改后的要素 The item as it is now", AFTER)
_LISTED = {
    "200": {
        "description": "允许的方法 Methods that are allowed",
        "headers": {name: {"schema": TEXT} for name in ("Allow", "Accept-Post", "Accept-Patch")},
    }
}
OPERATIONS: dict[str, Schema] = {
    "options": {"responses": _LISTED},
    "create": {
        "parameters": [CONTENT_CRS, REASON],
        "requestBody": _body(GEOJSON, FEATURE),
        "responses": _done("201", "已建立 Created", {**AFTER, "Location": TEXT}) | _refusals(CONFLICT),
    },
    "replace": {
        "parameters": [MATCH, CONTENT_CRS, REASON],
        "requestBody": _body(GEOJSON, FEATURE),
        "responses": _CHANGED | _refusals(CONDITION),
    },
    "update": {
        "parameters": [MATCH, CONTENT_CRS, REASON],
        "requestBody": _body("application/merge-patch+json", PATCH),
        "responses": _CHANGED | _refusals(CONDITION),
    },
    "delete": {
        "parameters": [MATCH, REASON],
        "responses": _done("204", "已删除 Deleted", {"Innomap-Token": TEXT}, content=False) | _refusals(CONDITION),
    },
    "undo": {
        "parameters": [MATCH, REASON],
        "responses": _CHANGED
        | _done("204", "已撤销，要素不复存在 Undone; the item is away now", {"Innomap-Token": TEXT}, content=False)
        | _refusals(CONDITION, CONFLICT),
    },
    "history": {
        "parameters": [
            query("limit", "至多几条。 At most so many changes.", {"type": "integer", "minimum": 1, "maximum": 1000}),
            query("before", "此号之前的改动。 Changes before this number.", {"type": "integer", "minimum": 1}),
            query("at", "此刻的状态（RFC 3339）。 The item as it was then.", {"type": "string", "format": "date-time"}),
            query("f", "格式。 Format.", {"type": "string", "enum": ["json", "html"]}),
        ],
        "responses": {
            "200": {
                "description": "成功 OK",
                "content": {
                    "application/json": {"schema": reference("history")},
                    GEOJSON: {"schema": reference("featureGeoJSON")},
                    "text/html": {"schema": TEXT},
                },
            }
        },
    },
    "change": {"responses": {"200": {"description": "成功 OK", "content": JSON_CHANGE}}},
}  # fmt: skip


#: Operations that change something.
WRITES = ("create", "replace", "update", "delete", "undo")


def writing(operation: str) -> Schema:
    """Parameters, body and answers of an operation of this module."""
    made = deepcopy(OPERATIONS[operation])
    return {**made, "security": [{"key": []}]} if operation in WRITES else made
