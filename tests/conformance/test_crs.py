"""OGC API – Features Part 2: Coordinate Reference Systems by Reference (OGC 18-058r1), annex A, every collection."""

import json
from functools import cache

import httpx
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from app.crs import OFFERED, Crs
from tests.conformance.helpers import EVERY, PART, get, items, matched, refused

CLASSES = ["http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs"]
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
SYSTEMS = pytest.mark.parametrize("system", OFFERED.values(), ids=lambda one: one.code)


@cache
def transformer(system: Crs) -> Transformer:
    """To a system in the axis order of its authority, by PROJ and not by the program."""
    target = "OGC:CRS84" if system.code == "CRS84" else system.code
    return Transformer.from_crs("OGC:CRS84", target, always_xy=False)


def projected(system: Crs, lon: float, lat: float) -> tuple[float, float]:
    """A place in a system."""
    x, y = transformer(system).transform(lon, lat)
    return float(x), float(y)


def test_crs_crs_uri(client: httpx.Client) -> None:
    """/conf/crs/crs-uri: names are URIs of the OGC register"""
    for one in get(client, "/collections").json()["collections"]:
        assert all(uri.startswith("http://www.opengis.net/def/crs/") for uri in one["crs"])


@pytest.mark.parametrize("collection", EVERY)
def test_crs_fc_md_crs_list_and_storage_crs(client: httpx.Client, collection: str) -> None:
    """/conf/crs/fc-md-crs-list, fc-md-storageCrs, fc-md-storageCrs-valid-value"""
    body = get(client, f"/collections/{collection}").json()
    assert body["crs"] == list(OFFERED)
    assert body["crs"][0] == CRS84
    assert body["storageCrs"] in body["crs"]


@pytest.mark.parametrize("collection", EVERY)
@SYSTEMS
def test_crs_fc_crs_action_and_header(client: httpx.Client, collection: str, system: Crs) -> None:
    """/conf/crs/crs-action, ogc-crs-header, ogc-crs-header-value: coordinates as PROJ has them, and the header"""
    part = PART.get(collection, {})
    plain = [one for one in items(client, collection, **part)["features"] if one["geometry"]]
    answer = get(client, f"/collections/{collection}/items", crs=system.uri, limit=10000, **part)
    assert answer.headers["content-crs"] == f"<{system.uri}>"
    asked = {one["id"]: one for one in answer.json()["features"]}
    # CRS84 answers are rounded to 0.1 m; a bent edge gets no points here, so that vertices correspond
    tolerance = 2e-6 if system.unit == "degree" else 0.2
    for one in plain[:8]:
        before = shapely.get_coordinates(shapely.from_geojson(json.dumps(one["geometry"])))[:20]
        after = shapely.get_coordinates(shapely.from_geojson(json.dumps(asked[one["id"]]["geometry"])))[:20]
        expected = np.column_stack(transformer(system).transform(before[:, 0], before[:, 1]))
        assert np.abs(after - expected).max() < tolerance
        alone = get(client, f"/collections/{collection}/items/{one['id']}", crs=system.uri)
        assert alone.headers["content-crs"] == f"<{system.uri}>"
        assert alone.json()["geometry"] == asked[one["id"]]["geometry"]


@pytest.mark.parametrize("collection", EVERY)
def test_crs_fc_crs_default_value(client: httpx.Client, collection: str) -> None:
    """/conf/crs/fc-crs-default-value: CRS84, and the header says so"""
    answer = get(client, f"/collections/{collection}/items", limit=1)
    assert answer.headers["content-crs"] == f"<{CRS84}>"
    named = get(client, f"/collections/{collection}/items", limit=1, crs=CRS84)
    assert named.json()["features"] == answer.json()["features"]


@pytest.mark.parametrize("value", ["http://www.opengis.net/def/crs/EPSG/0/9999", "EPSG:32651", "nonsense", ""])
@pytest.mark.parametrize("parameter", ["crs", "bbox-crs", "filter-crs"])
def test_crs_fc_crs_valid_value(client: httpx.Client, parameter: str, value: str) -> None:
    """/conf/crs/fc-crs-valid-value, fc-bbox-crs-valid-value: what is not offered is refused, with what is"""
    query = {"crs": {}, "bbox-crs": {"bbox": "120,30,121,31"}, "filter-crs": {"filter": "true"}}[parameter]
    body = refused(client, "/collections/counties/items", {**query, parameter: value}, parameter)
    assert body["allowed"] == list(OFFERED)


@pytest.mark.parametrize("collection", EVERY)
@SYSTEMS
def test_crs_fc_bbox_crs_action(client: httpx.Client, collection: str, system: Crs) -> None:
    """/conf/crs/fc-bbox-crs-action: a box in the authority's axis order; inside it all, beside it nothing"""
    drawn = matched(client, collection, filter="geometry IS NOT NULL")
    west, south, east, north = get(client, f"/collections/{collection}").json()["extent"]["spatial"]["bbox"][0]
    # a projection's rectangle is no rectangle in degrees: leave room round the extent
    low, high = projected(system, west - 0.3, south - 0.3), projected(system, east + 0.3, north + 0.3)
    box = ",".join(map(str, (*low, *high)))
    assert matched(client, collection, bbox=box, bbox_crs=system.uri) == drawn
    low, high = projected(system, west - 1, south - 1), projected(system, west - 0.5, south - 0.5)
    box = ",".join(map(str, (*low, *high)))
    assert matched(client, collection, bbox=box, bbox_crs=system.uri) == 0


def test_crs_fc_bbox_crs_default(client: httpx.Client) -> None:
    """/conf/crs/fc-bbox-crs-definition, valid-defaultValue: CRS84"""
    box = "120.5,30.3,120.9,30.6"
    plain = items(client, "platforms", bbox=box)["features"]
    assert plain == items(client, "platforms", bbox=box, bbox_crs=CRS84)["features"]
    turned = items(client, "platforms", bbox="30.3,120.5,30.6,120.9", bbox_crs="EPSG:4490")["features"]
    assert turned == plain


def test_crs_names_beside_the_uri(client: httpx.Client) -> None:
    """Safe CURIE and short name mean the same as the URI; the header has the URI"""
    for name in (
        "[EPSG:4549]",
        "EPSG:4549",
        "urn:ogc:def:crs:EPSG::4549",
        "http://www.opengis.net/def/crs/EPSG/0/4549",
    ):
        answer = get(client, "/collections/counties/items", crs=name, limit=1)
        assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/EPSG/0/4549>"
