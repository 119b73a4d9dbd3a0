"""What the tests of several standards share: the collections, addresses filled in, and ids found by a filter."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx
import jsonschema
import shapely

from app.api.components import SCHEMAS
from app.catalog import COLLECTIONS, Collection

GEOJSON = "application/geo+json"
SCHEMA = "application/schema+json"
REL = "http://www.opengis.net/def/rel/ogc/1.0"
EVERY = list(COLLECTIONS)
HYPHENATED = ("bbox_crs", "filter_lang", "filter_crs")
#: The smallest collection of each set of fields; the others have the same fields over other rows.
KINDS = ["hightech_parks", "counties_land", "towns", "corridors", "region_indicators"]

#: Of the largest layer one region's items are enough, where what is asked does not depend on which they are.
PART = {"region_indicators": {"region": "330421"}}


def get(client: httpx.Client, path: str, **query: Any) -> httpx.Response:
    """A successful answer."""
    # parameters given beside an address replace its own
    asked = {name.replace("_", "-") if name in HYPHENATED else name: value for name, value in query.items()}
    answer = client.get(path, params=asked or None)
    assert answer.status_code == 200, f"{answer.url}: {answer.text[:500]}"
    return answer


def refused(client: httpx.Client, path: str, query: Mapping[str, str], parameter: str) -> dict[str, Any]:
    """A refusal that names the parameter, as problem+json."""
    answer = client.get(path, params=query)
    assert answer.status_code == 400, f"{answer.url}: {answer.status_code}"
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    validate(body, "exception")
    assert body["parameter"] == parameter
    return body


def items(client: httpx.Client, collection: str, **query: Any) -> dict[str, Any]:
    """A FeatureCollection of all items selected."""
    body: dict[str, Any] = get(client, f"/collections/{collection}/items", limit=10000, **query).json()
    assert body["numberMatched"] == body["numberReturned"] == len(body["features"])
    return body


@cache
def whole(client: httpx.Client, collection: str) -> list[dict[str, Any]]:
    """Every item, asked for once: the session's data do not change. To look at, not to change."""
    features: list[dict[str, Any]] = items(client, collection)["features"]
    return features


@cache
def drawn(client: httpx.Client, collection: str) -> Mapping[str, shapely.Geometry]:
    """The geometries of a collection's items that have one, by id."""
    features = [one for one in whole(client, collection) if one["geometry"] is not None]
    return {one["id"]: shapely.from_geojson(json.dumps(one["geometry"])) for one in features}


def sample(features: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first and the last item of each type of geometry, of those without one too."""
    kinds = {one["geometry"] and one["geometry"]["type"]: one for one in reversed(features)}
    kinds_again = {one["geometry"] and one["geometry"]["type"]: one for one in features}
    return list({one["id"]: one for one in (*kinds.values(), *kinds_again.values())}.values())


def matched(client: httpx.Client, collection: str, **query: Any) -> int:
    """How many items are selected."""
    number: int = get(client, f"/collections/{collection}/items", limit=1, **query).json()["numberMatched"]
    return number


def found(client: httpx.Client, collection: str, filter: Any, **query: Any) -> set[str]:
    """Ids of the items that a filter finds."""
    return {
        one["id"] for one in items(client, collection, filter=filter, properties=first(collection), **query)["features"]
    }


def first(collection: str) -> str:
    """A property to ask for alone, so that answers stay small."""
    return COLLECTIONS[collection].fields[0].name


def types(described: Collection, *wanted: str) -> list[str]:
    """Names of queryables of some JSON types."""
    return [one.name for one in described.queryables if one.type in wanted]


def spatial(described: Collection) -> list[str]:
    """Names of the spatial queryables."""
    return ["geometry", "position"] if described.has_position else ["geometry"]


def links(body: Mapping[str, Any], rel: str) -> list[dict[str, str]]:
    return [one for one in body["links"] if one["rel"] == rel]


def validate(body: Any, name: str) -> None:
    """Check a body against a schema of the API definition (OpenAPI 3.0, whose ``nullable`` JSON Schema lacks)."""
    _validator(name).validate(body)


@cache
def _validator(name: str) -> jsonschema.Draft202012Validator:
    schema = {**_nullable(SCHEMAS[name]), "components": {"schemas": _nullable(SCHEMAS)}}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _nullable(node: Any) -> Any:
    if isinstance(node, list):
        return [_nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    node = {key: _nullable(value) for key, value in node.items()}
    return {"anyOf": [{"type": "null"}, {**node, "nullable": False}]} if node.get("nullable") is True else node
