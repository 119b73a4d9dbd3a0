"""OGC API – Features Part 1, class GeoJSON (annex A.3): RFC 7946."""

import httpx
import pytest
import shapely

from tests.conformance.helpers import EVERY, GEOJSON, drawn, get, items, sample, validate

CLASSES = ["http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson"]


@pytest.mark.parametrize("accept", [GEOJSON, "application/json", "*/*", "application/geo+json;q=0.9, text/html;q=0.5"])
def test_geojson_definition(client: httpx.Client, accept: str) -> None:
    """/conf/geojson/definition"""
    for path in ("/collections/counties/items", "/collections/counties/items/330481"):
        assert client.get(path, headers={"Accept": accept}).headers["content-type"] == GEOJSON


@pytest.mark.parametrize("collection", EVERY)
def test_geojson_content(client: httpx.Client, collection: str) -> None:
    """/conf/geojson/content: unique ids, valid shapes, outer rings anticlockwise (RFC 7946, 3.1.6)"""
    body = items(client, collection)
    features = body["features"]
    # the validator takes its time for every vertex; that items are alike is seen below
    validate({**body, "features": sample(features)}, "featureCollectionGeoJSON")
    assert len({one["id"] for one in features}) == len(features)
    assert "crs" not in body
    for one in features:
        assert {"type", "id", "geometry", "properties"} <= one.keys()
        assert one["type"] == "Feature"
        if one["geometry"] is not None:
            assert one["geometry"].keys() == {"type", "coordinates"}
    for shape in drawn(client, collection).values():
        assert not shape.is_empty
        for part in shapely.get_parts(shape):
            if part.geom_type == "Polygon":
                assert part.exterior.is_ccw
                assert not any(ring.is_ccw for ring in part.interiors)


def test_geojson_says_another_reference_system(client: httpx.Client) -> None:
    """Coordinates outside RFC 7946 carry the ``crs`` member of 2008; no other answer has one"""
    uri = "http://www.opengis.net/def/crs/EPSG/0/4549"
    for path in ("/collections/counties/items", "/collections/counties/items/330481"):
        assert get(client, path, crs=uri).json()["crs"] == {"type": "name", "properties": {"name": uri}}
        assert "crs" not in get(client, path).json()
