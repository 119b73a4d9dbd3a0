"""What leaves is GeoJSON as RFC 7946 has it."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import httpx
import pytest

from app.catalog import COLLECTIONS
from app.crs import CRS84, Crs, find
from app.encode.geojson import feature_collection, feature_stream, feature_with, line_stream

FEATURES = [
    '{"type": "Feature", "id": "a", "geometry": null, "properties": {"name": "甲"}}',
    '{"type": "Feature", "id": "b"}',
]
DEPTH = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}


def check_positions(coordinates: Any, depth: int) -> None:
    if depth:
        assert isinstance(coordinates, list)
        assert coordinates
        for one in coordinates:
            check_positions(one, depth - 1)
        return
    assert 2 <= len(coordinates) <= 3
    assert all(isinstance(one, int | float) and math.isfinite(one) for one in coordinates)
    assert -180 <= coordinates[0] <= 180
    assert -90 <= coordinates[1] <= 90


def signed_area(ring: list[list[float]]) -> float:
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring)) / 2


def check_rings(rings: list[list[list[float]]]) -> None:
    """Closed, of four positions or more (section 3.1.6)."""
    for ring in rings:
        assert len(ring) >= 4
        assert ring[0] == ring[-1]
        assert signed_area(ring) != 0


def check_geometry(geometry: dict[str, Any] | None) -> None:
    if geometry is None:
        return
    assert "crs" not in geometry
    if geometry["type"] == "GeometryCollection":
        for one in geometry["geometries"]:
            check_geometry(one)
        return
    check_positions(geometry["coordinates"], DEPTH[geometry["type"]])
    if geometry["type"] == "LineString":
        assert len(geometry["coordinates"]) >= 2
    if geometry["type"] == "Polygon":
        check_rings(geometry["coordinates"])
    if geometry["type"] == "MultiPolygon":
        for polygon in geometry["coordinates"]:
            check_rings(polygon)


def check_feature(feature: dict[str, Any]) -> None:
    """Section 3.2, and 7.1: no member of another GeoJSON type."""
    assert feature["type"] == "Feature"
    assert isinstance(feature["id"], str)
    assert isinstance(feature["properties"], dict)
    assert not {"coordinates", "geometries", "features"} & feature.keys()
    check_geometry(feature["geometry"])


@pytest.mark.parametrize("name", COLLECTIONS)
def test_items_are_a_feature_collection(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/collections/{name}/items", params={"limit": "10000"})
    assert answer.headers["content-type"].startswith("application/geo+json")
    collection = json.loads(answer.content.decode("utf-8"), parse_constant=pytest.fail)
    assert collection["type"] == "FeatureCollection"
    assert not {"coordinates", "geometries", "geometry", "properties", "crs"} & collection.keys()
    assert collection["features"]
    for feature in collection["features"]:
        check_feature(feature)
        properties = {field.name for field in COLLECTIONS[name].fields}
        assert set(feature["properties"]) == properties


@pytest.mark.parametrize("name", COLLECTIONS)
def test_one_item_is_a_feature(client: httpx.Client, name: str) -> None:
    id = client.get(f"/collections/{name}/items", params={"limit": "1"}).json()["features"][0]["id"]
    check_feature(client.get(f"/collections/{name}/items/{id}").json())


async def gather(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def some(features: list[str], at_a_time: int) -> AsyncIterator[list[str]]:
    for start in range(0, len(features), at_a_time):
        yield features[start : start + at_a_time]


@pytest.mark.parametrize("at_a_time", [1, 2, 100])
@pytest.mark.parametrize("features", [[], FEATURES[:1], FEATURES])
def test_stream_and_page_are_the_same(features: list[str], at_a_time: int) -> None:
    members = {"name": "图层", "numberMatched": len(features)}
    page = feature_collection(",\n".join(features).encode(), members)
    assert asyncio.run(gather(feature_stream(some(features, at_a_time), members))) == page
    assert json.loads(page) == {
        "type": "FeatureCollection",
        **members,
        "features": [json.loads(one) for one in features],
    }
    assert "图层" in page.decode()


@pytest.mark.parametrize("crs", [CRS84, find("EPSG:4549")], ids=lambda one: one.code)
def test_lines_are_the_features_and_the_first_tells_of_the_file(crs: Crs) -> None:
    lines = asyncio.run(gather(line_stream(some(FEATURES, 2), {"metadata": {"a": 1}}, crs))).splitlines()
    read = [json.loads(one) for one in lines]
    named = {} if crs is CRS84 else {"crs": {"type": "name", "properties": {"name": crs.uri}}}
    assert read[0] == {**json.loads(FEATURES[0]), **named, "metadata": {"a": 1}}
    assert read[1:] == [{**json.loads(one), **named} for one in FEATURES[1:]]


@pytest.mark.parametrize("feature", [FEATURES[0], FEATURES[0] + "\n", '{"type": "Feature"} '])
def test_members_are_added_beside(feature: str) -> None:
    made = json.loads(feature_with(feature, {"links": [], "注": "a"}))
    assert made == {**json.loads(feature), "links": [], "注": "a"}
