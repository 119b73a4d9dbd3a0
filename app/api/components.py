"""Schemas of the API definition, after those of OGC API – Features Part 1 (annex B) and Part 3."""

from typing import Any

from app.db.records import ACTIONS

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}


def reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(*required: str, **properties: Schema) -> Schema:
    # OpenAPI 3.0 has no empty list of what is required
    return {"type": "object", **({"required": list(required)} if required else {}), "properties": properties}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


LINKS = _list(reference("link"))

SCHEMAS: dict[str, Schema] = {
    "link": _object("href", "rel", href=TEXT, rel=TEXT, type=TEXT, title=TEXT),
    "landingPage": _object("links", title=TEXT, description=TEXT, links=LINKS),
    "confClasses": _object("conformsTo", conformsTo=_list(TEXT)),
    "collections": _object("links", "collections", links=LINKS, collections=_list(reference("collection"))),
    "collection": _object(
        "id",
        "links",
        id=TEXT,
        title=TEXT,
        description=TEXT,
        attribution=TEXT,
        updated={"type": "string", "format": "date-time"},
        links=LINKS,
        extent=reference("extent"),
        itemType={"type": "string", "enum": ["feature"]},
        crs=_list(TEXT),
        storageCrs=TEXT,
    ),
    "extent": _object(
        spatial=_object(
            bbox={
                "type": "array",
                "minItems": 1,
                "items": {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}},
            },
            crs=TEXT,
        )
    ),
    "geometryGeoJSON": {
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {
                "type": "string",
                "enum": [
                    "Point",
                    "LineString",
                    "Polygon",
                    "MultiPoint",
                    "MultiLineString",
                    "MultiPolygon",
                    "GeometryCollection",
                ],
            },
            "coordinates": {"type": "array", "items": {}},
            "geometries": {"type": "array", "items": {"type": "object"}},
        },
    },
    "featureGeoJSON": _object(
        "type",
        "id",
        "geometry",
        "properties",
        type={"type": "string", "enum": ["Feature"]},
        id=TEXT,
        geometry={"allOf": [reference("geometryGeoJSON")], "nullable": True, "type": "object"},
        properties={"type": "object"},
        links=LINKS,
    ),
    "featureCollectionGeoJSON": _object(
        "type",
        "features",
        type={"type": "string", "enum": ["FeatureCollection"]},
        features=_list(reference("featureGeoJSON")),
        links=LINKS,
        timeStamp={"type": "string", "format": "date-time"},
        numberMatched=COUNT,
        numberReturned=COUNT,
    ),
    "functions": _object(
        "functions",
        functions=_list(
            _object(
                "name",
                "returns",
                name=TEXT,
                description=TEXT,
                arguments=_list(_object("type", title=TEXT, description=TEXT, type=_list(TEXT))),
                returns=_list(TEXT),
            )
        ),
    ),
    "groups": _object(
        "groups",
        "total",
        "unassigned",
        groups=_list(_object("key", "label", "count", key=TEXT, label=TEXT, count=COUNT, stats={"type": "object"})),
        total=COUNT,
        unassigned=COUNT,
    ),
    "schema": _object(
        "$schema",
        "$id",
        "type",
        "properties",
        type={"type": "string", "enum": ["object"]},
        properties={"type": "object"},
    ),
    "change": _object(
        "id",
        "action",
        "who",
        "at",
        "unconditional",
        "changed",
        id=COUNT,
        action={"type": "string", "enum": list(ACTIONS)},
        who=TEXT,
        at={"type": "string", "format": "date-time"},
        why={**TEXT, "nullable": True},
        unconditional={"type": "boolean"},
        undoes={**COUNT, "nullable": True},
        version={**COUNT, "nullable": True},
        changed={"type": "object"},
        links=LINKS,
    ),
    "history": _object(
        "id",
        "version",
        "deleted",
        "changes",
        "numberMatched",
        id=TEXT,
        version=COUNT,
        deleted={"type": "boolean"},
        changes=_list(reference("change")),
        numberMatched=COUNT,
        numberReturned=COUNT,
        links=LINKS,
    ),
    "exception": _object(
        "type",
        "title",
        "status",
        "detail",
        type=TEXT,
        title=TEXT,
        status={"type": "integer"},
        detail=TEXT,
        parameter=TEXT,
        allowed=_list(TEXT),
        faults=_list(_object("property", "rule", property=TEXT, rule=TEXT, allowed=_list(TEXT))),
    ),
}
