"""OGC API – Features Part 3: Filtering (OGC 19-079r2), classes Filter and Features Filter, on items."""

import httpx
import pytest
from pyproj import CRS, Transformer

from app.crs import OFFERED, Crs
from tests.conformance.helpers import EVERY, GEOJSON, drawn, first, found, get, matched, refused, whole

PART_3 = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf"
CLASSES = [f"{PART_3}/filter", f"{PART_3}/features-filter"]


def box(client: httpx.Client, collection: str) -> tuple[float, float, float, float]:
    west, south, east, north = get(client, f"/collections/{collection}").json()["extent"]["spatial"]["bbox"][0]
    return west, south, east, north


@pytest.mark.parametrize("collection", EVERY)
def test_filter_filter_param_and_lang(client: httpx.Client, collection: str) -> None:
    """/conf/filter/filter-param, filter-lang-default: both encodings, text where none is named"""
    name = first(collection)
    expected = {one["id"] for one in whole(client, collection) if one["properties"][name] is None}
    text = f"{name} IS NULL"
    json = f'{{"op": "isNull", "args": [{{"property": "{name}"}}]}}'
    assert found(client, collection, text) == expected
    assert found(client, collection, text, filter_lang="cql2-text") == expected
    assert found(client, collection, json, filter_lang="cql2-json") == expected
    path = f"/collections/{collection}/items"
    for query in (
        {"filter": "THIS IS NOT A FILTER"},
        {"filter": text, "filter-lang": "cql2-json"},
        {"filter": json, "filter-lang": "cql2-text"},
        {"filter": ""},
    ):
        refused(client, path, query, "filter")
    refused(client, path, {"filter": text, "filter-lang": "ecql"}, "filter-lang")


@pytest.mark.parametrize("collection", EVERY)
def test_filter_expression_construction(client: httpx.Client, collection: str) -> None:
    """/conf/filter/expression-construction: an unknown queryable is refused, and those there are listed"""
    query = {"filter": "this_is_not_a_queryable IS NULL"}
    body = refused(client, f"/collections/{collection}/items", query, "filter")
    assert set(body["allowed"]) >= set(get(client, f"/collections/{collection}/queryables").json()["properties"])


@pytest.mark.parametrize("collection", EVERY)
def test_filter_filter_crs_wgs84(client: httpx.Client, collection: str) -> None:
    """/conf/filter/filter-crs-wgs84: longitude, latitude by default; what lies beyond Earth is refused"""
    west, south, east, north = box(client, collection)
    every = set(drawn(client, collection))
    assert found(client, collection, f"S_INTERSECTS(geometry,BBOX({west},{south},{east},{north}))") == every
    beyond = {"filter": "S_INTERSECTS(geometry,BBOX(1000000,1000000,2000000,2000000))"}
    refused(client, f"/collections/{collection}/items", beyond, "filter")


@pytest.mark.parametrize("collection", EVERY)
@pytest.mark.parametrize("system", OFFERED.values(), ids=lambda one: one.code)
def test_filter_filter_crs_param(client: httpx.Client, collection: str, system: Crs) -> None:
    """/conf/filter/filter-crs-param: every system of the collection, in its authority's axis order"""
    west, south, east, north = box(client, collection)
    target = CRS.from_user_input("OGC:CRS84" if system.code == "CRS84" else system.code)
    transform = Transformer.from_crs("OGC:CRS84", target).transform
    # a rectangle of a projection is none in degrees: leave room round the extent
    corners = (*transform(west - 0.3, south - 0.3), *transform(east + 0.3, north + 0.3))
    text = f"S_INTERSECTS(geometry,BBOX({','.join(map(str, corners))}))"
    assert matched(client, collection, filter=text, filter_crs=system.uri) == len(drawn(client, collection))


@pytest.mark.parametrize("collection", EVERY)
def test_filter_mixing_expressions(client: httpx.Client, collection: str) -> None:
    """/conf/filter/mixing-expressions: AND between filter and other parameters"""
    west, south, east, north = box(client, collection)
    text = f"S_INTERSECTS(geometry,BBOX({west},{south},{east},{north}))"
    assert matched(client, collection, filter=text, bbox=f"{west},{south},{east},{north}") == len(
        drawn(client, collection)
    )
    assert matched(client, collection, filter=text, bbox=f"{west - 9},{south - 9},{west - 8},{south - 8}") == 0


@pytest.mark.parametrize("collection", EVERY)
def test_features_filter_filter_on_items(client: httpx.Client, collection: str) -> None:
    """/conf/features-filter/filter-on-items: GeoJSON of those that match, and their number"""
    answer = get(client, f"/collections/{collection}/items", filter="true", limit=1)
    assert answer.headers["content-type"] == GEOJSON
    assert answer.json()["numberMatched"] == len(whole(client, collection))
    assert get(client, f"/collections/{collection}/items", filter="false").json()["numberMatched"] == 0


def test_features_filter_goes_on_in_next_links(client: httpx.Client) -> None:
    """Pages of a filtered answer hold what the filter finds and nothing else"""
    text = "level = 'national' OR name LIKE '%研究院%'"
    expected, seen = found(client, "platforms", text), []
    address = str(httpx.URL("/collections/platforms/items", params={"filter": text, "limit": "7"}))
    while address:
        body = get(client, address).json()
        seen += [one["id"] for one in body["features"]]
        address = next((one["href"] for one in body["links"] if one["rel"] == "next"), "")
    assert sorted(seen) == sorted(expected)
    assert len(expected) > 14
