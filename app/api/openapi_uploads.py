"""The importing operation of the API definition."""

from app.api.components import Schema, reference

TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
FLAG: Schema = {"type": "string", "enum": ["false", "true"], "default": "false"}
FORM: Schema = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "layer": {**TEXT, "description": "已有图层的代号。 Id of a layer there is."},
        "definition": {**TEXT, "description": "新图层的定义（YAML）。 Definition of a new layer."},
        "map": {**TEXTS, "description": "NAME=COLUMN"},
        "set": {**TEXTS, "description": "NAME=VALUE"},
        "crs": TEXT,
        "encoding": TEXT,
        "table": TEXT,
        "why": TEXT,
        "replace": FLAG,
        "apply": FLAG,
    },
}
REFUSALS = {
    "401": "需要有效的密钥 A key is required",
    "403": "密钥无此权限 The key does not open this collection",
    "413": "文件过大 Too large",
    "415": "不支持的媒体类型 Unsupported media type",
    "429": "错误的密钥过多 Too many wrong keys",
    "503": "请稍后再试 Try again shortly",
}


def uploading() -> Schema:
    """What the operation takes, and what it answers."""
    problem = {"application/problem+json": {"schema": reference("exception")}}
    refusals: Schema = {status: {"description": text, "content": problem} for status, text in REFUSALS.items()}
    report: Schema = {
        "description": "报告 The report",
        "headers": {"Innomap-Token": {"schema": TEXT}},
        "content": {"application/json": {"schema": {"type": "object", "required": ["read", "accepted", "applied"]}}},
    }
    return {
        "security": [{"key": []}],
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}},
        "responses": {"200": report, **refusals},
    }
