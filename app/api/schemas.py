"""JSON Schemas of a collection's properties: what is returned, what can be asked, what can be sorted by.

Requirements are those of OGC API – Features Part 5 (OGC 23-058).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import Request

from app.api.links import SCHEMA, link
from app.catalog import Collection, Field

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
#: /req/schemas/properties C; a geometry of no one type.
GEOMETRY_FORMATS = {"Geometry": "geometry-any"}
#: /req/schemas/unit C asks for units in UCUM's case-sensitive spelling.
UCUM = {"km²": "km2", "m": "m"}

Schema = dict[str, Any]


#: The codes that there are, by property.
Codes = Mapping[str, Iterable[str]]


def property_schema(one: Field, codes: Codes) -> Schema:
    """The schema of one property, without its place in the order."""
    made: Schema = {"title": f"{one.title} {one.title_en}", "type": one.type}
    known = {"enum": found} if (found := list(codes.get(one.name, one.values))) else {}
    if one.type != "array":
        made |= known
    if one.unit in UCUM:
        made["x-ogc-unit"] = UCUM[one.unit]
    if one.type == "array" and one.queryable:
        made["items"] = {"type": "string", **known}
    return made


def returnables(request: Request, described: Collection, codes: Codes) -> Schema:
    """All that an item has (/req/returnables-and-receivables/response)."""
    made = _schema(request, described, "schema", described.fields, codes)
    identifier = {"type": "string", "title": "代号 Id", "x-ogc-role": "id", "readOnly": True}
    if described.writable:
        # /req/features/schema: what a request may hold beside what an answer does
        for name, one in made["properties"].items():
            if name not in described.writable:
                one["readOnly"] = True
        made |= {"required": list(described.required), "additionalProperties": False}
    return made | {"properties": {"id": identifier, **made["properties"], "geometry": _geometry(described)}}


def queryables(request: Request, described: Collection, codes: Codes) -> Schema:
    """What a filter may name, and nothing else (/req/queryables/response C)."""
    made = _schema(request, described, "queryables", described.queryables, codes)
    made["properties"]["geometry"] = _geometry(described)
    if described.has_position:
        made["properties"]["position"] = {
            "title": "定位点 Anchor point",
            "format": "geometry-point",
            "x-ogc-role": "secondary-geometry",
        }
    return made | {"additionalProperties": False}


def sortable(described: Collection) -> tuple[Field, ...]:
    """Fields that have an order (/req/sortables/response C)."""
    return tuple(one for one in described.queryables if one.type not in ("array", "object"))


def sortables(request: Request, described: Collection, codes: Codes) -> Schema:
    """What ``sortby`` may name, and nothing else (/req/sortables/response E)."""
    return _schema(request, described, "sortables", sortable(described), codes) | {"additionalProperties": False}


def _geometry(described: Collection) -> Schema:
    format_ = GEOMETRY_FORMATS.get(described.geometry_type, f"geometry-{described.geometry_type.lower()}")
    # /req/schemas/properties B: no type
    return {"title": "图形 Geometry", "format": format_, "x-ogc-role": "primary-geometry"}


def _schema(request: Request, described: Collection, resource: str, fields: Sequence[Field], codes: Codes) -> Schema:
    return {
        "$schema": JSON_SCHEMA,
        # /req/schemas/json-schema B: the address without its parameters
        "$id": link(request, f"/collections/{described.id}/{resource}", "self", SCHEMA, "")["href"],
        "type": "object",
        "title": f"{described.title} {described.title_en}",
        "description": f"{described.description} {described.description_en}",
        "properties": {
            one.name: {**property_schema(one, codes), "x-ogc-propertySeq": number}
            for number, one in enumerate(fields, 1)
        },
    }
