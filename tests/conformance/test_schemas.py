"""OGC API – Features Part 5: Schemas (OGC 23-058), over every collection."""

from typing import Any

import httpx
import jsonschema
import pytest

from app.catalog import COLLECTIONS
from tests.conformance.helpers import EVERY, PART, REL, SCHEMA, get, items, links, refused, whole

PART_5 = "http://www.opengis.net/spec/ogcapi-features-5/1.0/conf"
CLASSES = [
    f"{PART_5}/{one}"
    for one in ("schemas", "core-roles-features", "returnables-and-receivables", "queryables", "sortables")
]
RESOURCES = ("schema", "queryables", "sortables")
FORMATS = {
    "geometry-any", "geometry-point", "geometry-linestring", "geometry-polygon", "geometry-multipolygon",
}  # fmt: skip


def schema(client: httpx.Client, collection: str, resource: str) -> dict[str, Any]:
    answer = client.get(f"/collections/{collection}/{resource}", headers={"Accept": SCHEMA})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == SCHEMA
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("collection", EVERY)
@pytest.mark.parametrize("resource", RESOURCES)
def test_schemas_json_schema_and_properties(client: httpx.Client, collection: str, resource: str) -> None:
    """/req/schemas/json-schema, properties, additional-keywords, role, role-id, property-seq, unit"""
    body = schema(client, collection, resource)
    jsonschema.Draft202012Validator.check_schema(body)
    assert body["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert body["$id"] == str(client.base_url.join(f"/collections/{collection}/{resource}"))
    assert body["type"] == "object"
    properties = body["properties"]
    known = {"title", "type", "format", "enum", "items", "readOnly"}
    for name, one in properties.items():
        assert {key for key in one if not key.startswith("x-ogc-")} <= known
        assert one["title"], name
        if "format" in one:
            assert one["format"] in FORMATS
            assert "type" not in one
        else:
            assert one["type"] in ("string", "number", "integer", "boolean", "array", "object")
        assert one.get("x-ogc-unit", "km2") in ("km2", "m")
    order = [one["x-ogc-propertySeq"] for one in properties.values() if "x-ogc-propertySeq" in one]
    assert order == list(range(1, len(order) + 1))
    roles = [one["x-ogc-role"] for one in properties.values() if "x-ogc-role" in one]
    assert roles.count("id") == (resource == "schema")
    assert len(roles) == len(set(roles))


@pytest.mark.parametrize("collection", EVERY)
def test_core_roles_features(client: httpx.Client, collection: str) -> None:
    """/req/core-roles-features/role-primary-geometry: one, spatial; no role of time without a property of time"""
    for resource in ("schema", "queryables"):
        properties = schema(client, collection, resource)["properties"]
        primary = [one for one in properties.values() if one.get("x-ogc-role") == "primary-geometry"]
        assert [one["format"].startswith("geometry-") for one in primary] == [True]
        assert not any("instant" in one.get("x-ogc-role", "") for one in properties.values())


@pytest.mark.parametrize("collection", EVERY)
def test_returnables_and_receivables(client: httpx.Client, collection: str) -> None:
    """/req/returnables-and-receivables/link, op, response: every item is what the schema says"""
    (link,) = links(get(client, f"/collections/{collection}").json(), f"{REL}/schema")
    assert link["type"] == SCHEMA
    body = schema(client, collection, "schema")
    assert link["href"] == body["$id"]
    names = set(body["properties"]) - {"id", "geometry"}
    kinds = {"geometry-point": {"Point"}, "geometry-polygon": {"Polygon"}, "geometry-linestring": {"LineString"},
             "geometry-multipolygon": {"MultiPolygon", "Polygon"}}  # fmt: skip
    allowed = kinds.get(body["properties"]["geometry"]["format"])
    nullable = {
        "type": "object",
        "properties": {
            name: {**one, "type": [one["type"], "null"], **({"enum": [*one["enum"], None]} if "enum" in one else {})}
            for name, one in body["properties"].items()
            if name in names
        },
    }
    checker = jsonschema.Draft202012Validator(nullable)
    for one in whole(client, collection):
        assert one["properties"].keys() == names
        checker.validate(one["properties"])
        if allowed and one["geometry"]:
            assert one["geometry"]["type"] in allowed


@pytest.mark.parametrize("collection", EVERY)
def test_queryables_and_sortables(client: httpx.Client, collection: str) -> None:
    """/req/queryables/link, response C; /req/sortables/link, response C–E: what is named works, nothing else does"""
    body = get(client, f"/collections/{collection}").json()
    for resource in ("queryables", "sortables"):
        (link,) = links(body, f"{REL}/{resource}")
        assert link["href"] == schema(client, collection, resource)["$id"]
        assert schema(client, collection, resource)["additionalProperties"] is False
    sortable = schema(client, collection, "sortables")["properties"]
    assert not any(one.get("type") in ("array", "object", None) for one in sortable.values())
    for name in sortable:
        part = PART.get(collection, {})
        values = [one["properties"][name] for one in items(client, collection, sortby=name, **part)["features"]]
        present = [value for value in values if value is not None]
        # by code point, those without a value last
        assert present == sorted(present)
        assert values == present + [None] * (len(values) - len(present))
    for name in ("geometry", "no_such_property"):
        refused(client, f"/collections/{collection}/items", {"sortby": name}, "sortby")


def test_sortables_both_ways(client: httpx.Client) -> None:
    """Several properties, up and down, page by page: the order of the whole"""
    address = "/collections/platforms/items?sortby=level,-name&limit=50&properties=level,name"
    seen: list[tuple[str | None, str]] = []
    while address:
        body = get(client, address).json()
        seen += [(one["properties"]["level"], one["properties"]["name"]) for one in body["features"]]
        address = next((one["href"] for one in body["links"] if one["rel"] == "next"), "")
    expected = sorted(
        sorted(seen, key=lambda one: one[1], reverse=True), key=lambda one: (one[0] is None, one[0] or "")
    )
    assert seen == expected
    assert len(seen) == items(client, "platforms", properties="name")["numberMatched"]
    assert len(COLLECTIONS["platforms"].queryables) > 10
