"""OGC API – Features Part 3: Filtering (OGC 19-079r2), classes Queryables and Queryables as Query Parameters."""

import httpx
import pytest

from app.catalog import COLLECTIONS
from tests.conformance.helpers import EVERY, KINDS, PART, REL, SCHEMA, get, items, links, refused, whole
from tests.conformance.test_oas30 import parameters

PART_3 = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
CLASSES = [f"{PART_3}/queryables", f"{PART_3}/queryables-query-parameters"]


@pytest.mark.parametrize("collection", EVERY)
def test_queryables_get_queryables(client: httpx.Client, collection: str) -> None:
    """/conf/queryables/get-queryables-op, get-queryables-response"""
    path = f"/collections/{collection}/queryables"
    answer = client.get(path, headers={"Accept": SCHEMA})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == SCHEMA
    body = answer.json()
    assert body["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert body["$id"] == str(client.base_url.join(path))
    assert body["type"] == "object"
    assert body["properties"]["geometry"]["format"].startswith("geometry-")
    assert body["additionalProperties"] is False
    # C: whatever comes from a list says which values there are
    for one in COLLECTIONS[collection].queryables:
        described = body["properties"][one.name]
        allowed = (described["items"] if one.type == "array" else described).get("enum", [])
        found = [f["properties"][one.name] for f in whole(client, collection)]
        values = {value for many in found for value in (many if isinstance(many, list) else [many])} - {None}
        assert bool(allowed) is bool(one.refers or one.values), one.name
        assert not allowed or values <= set(allowed), one.name


@pytest.mark.parametrize("collection", EVERY)
def test_queryables_link(client: httpx.Client, collection: str) -> None:
    """/conf/queryables/queryables-link: in every filterable resource, in its body and as a header"""
    address = str(client.base_url.join(f"/collections/{collection}/queryables"))
    for path in (f"/collections/{collection}", f"/collections/{collection}/items?limit=1"):
        answer = get(client, path)
        (link,) = links(answer.json(), f"{REL}/queryables")
        assert link["href"] == address
        assert f'<{address}>; rel="{REL}/queryables"; type="{SCHEMA}"' in answer.headers["link"]


def test_queryables_of_every_kind_are_asked() -> None:
    """The collections asked field by field have all fields there are"""
    assert {COLLECTIONS[one].fields for one in KINDS} == {one.fields for one in COLLECTIONS.values()}


@pytest.mark.parametrize("collection", KINDS)
def test_queryables_query_parameters(client: httpx.Client, collection: str) -> None:
    """/conf/queryables-query-parameters/parameters: each simple queryable, by each value the first items have"""
    part = PART.get(collection, {})
    features = items(client, collection, **part)["features"]
    for one in COLLECTIONS[collection].queryables:
        if one.type == "array":
            continue
        for value in list({str(f["properties"][one.name]): f["properties"][one.name] for f in features[:40]}.values())[
            :3
        ]:
            if value is None:
                continue
            text = str(value).lower() if one.type == "boolean" else str(value).replace(",", "\\,")
            expected = {f["id"] for f in features if f["properties"][one.name] == value}
            answer = client.get(f"/collections/{collection}/items", params={**part, one.name: text, "limit": 10000})
            assert {f["id"] for f in answer.json()["features"]} == expected, one.name


@pytest.mark.parametrize("collection", EVERY)
def test_queryables_query_parameters_are_described(client: httpx.Client, collection: str) -> None:
    """/conf/queryables-query-parameters/parameters A: with the schema of the queryable"""
    described = parameters(get(client, "/api").json(), f"/collections/{collection}/items")
    for name, one in get(client, f"/collections/{collection}/queryables").json()["properties"].items():
        if one.get("type") in ("string", "number", "integer", "boolean"):
            schema = described[name]["schema"]
            assert (schema["type"], schema.get("enum")) == (one["type"], one.get("enum"))


def test_queryables_query_parameters_combine(client: httpx.Client) -> None:
    """Different parameters mean AND, a comma OR, a backslash keeps a comma; a wrong value is refused"""
    both = items(client, "platforms", level="national,provincial")["numberMatched"]
    apart = [items(client, "platforms", level=level)["numberMatched"] for level in ("national", "provincial")]
    assert both == sum(apart) > max(apart) > 0
    narrowed = items(client, "platforms", level="national", status="existing")["features"]
    assert all(
        (one["properties"]["level"], one["properties"]["status"]) == ("national", "existing") for one in narrowed
    )
    refused(client, "/collections/platforms/items", {"level": "galactic"}, "level")
    refused(client, "/collections/platforms/items", {"schematic": "maybe"}, "schematic")
    refused(client, "/collections/counties/items", {"area_km2": "wide"}, "area_km2")
