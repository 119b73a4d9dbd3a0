"""OGC API – Features Part 1: Core 1.0.1 (OGC 17-069r4), annex A.2, over every collection."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import shapely

from tests.conformance.helpers import (
    EVERY,
    GEOJSON,
    drawn,
    get,
    items,
    links,
    matched,
    refused,
    sample,
    validate,
    whole,
)

CLASSES = ["http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core"]
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


def described(client: httpx.Client, collection: str) -> dict[str, Any]:
    body: dict[str, Any] = get(client, f"/collections/{collection}").json()
    return body


def test_core_root_op_and_success(client: httpx.Client) -> None:
    """/conf/core/root-op, root-success"""
    body = get(client, "/").json()
    for rel in ("service-desc", "service-doc", "conformance", "data"):
        assert links(body, rel), rel


def test_core_api_definition(client: httpx.Client) -> None:
    """/conf/core/api-definition-op, api-definition-success"""
    body = get(client, "/").json()
    for rel in ("service-desc", "service-doc"):
        for one in links(body, rel):
            answer = client.get(one["href"], headers={"Accept": one["type"]})
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(one["type"])


def test_core_conformance(client: httpx.Client) -> None:
    """/conf/core/conformance-op, conformance-success"""
    body = get(client, links(get(client, "/").json(), "conformance")[0]["href"]).json()
    assert CLASSES[0] in body["conformsTo"]


def test_core_http(client: httpx.Client) -> None:
    """/conf/core/http: HTTP 1.1 and its answers to what is not there, not allowed or not acceptable"""
    assert get(client, "/").http_version == "HTTP/1.1"
    for path in ("/no/such/path", "/collections/nope", "/collections/counties/items/nope"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    answer = client.delete("/collections/counties")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


def test_core_fc_md_op_and_links(client: httpx.Client) -> None:
    """/conf/core/fc-md-op, fc-md-success, fc-md-links"""
    body = get(client, links(get(client, "/").json(), "data")[0]["href"]).json()
    validate(body, "collections")
    assert [one["type"] for one in links(body, "self")] == ["application/json"]
    assert [one["type"] for one in links(body, "alternate")] == ["text/html"]


def test_core_fc_md_items_and_extent(client: httpx.Client) -> None:
    """/conf/core/fc-md-items, fc-md-items-links, fc-md-extent"""
    for one in get(client, "/collections").json()["collections"]:
        to_items = links(one, "items")
        assert {link["type"] for link in to_items} == {GEOJSON, "text/html"}
        for link in to_items:
            answer = client.get(link["href"], headers={"Accept": link["type"]}, params={"limit": 1})
            # a link's own parameters are replaced by httpx when others are given
            assert answer.status_code == 200
        assert one["extent"]["spatial"]["crs"] == CRS84
        (box,) = one["extent"]["spatial"]["bbox"]
        # coordinates are rounded to six decimals
        assert list(shapely.total_bounds(list(drawn(client, one["id"]).values()))) == pytest.approx(box, abs=1e-6)


@pytest.mark.parametrize("collection", EVERY)
def test_core_sfc_md(client: httpx.Client, collection: str) -> None:
    """/conf/core/sfc-md-op, sfc-md-success: as in the list of collections"""
    (listed,) = [one for one in get(client, "/collections").json()["collections"] if one["id"] == collection]
    body = described(client, collection)
    validate(body, "collection")
    assert body == listed
    assert body["itemType"] == "feature"
    for rel in ("self", "alternate", "items", "license", "describedby", "enclosure"):
        assert links(body, rel), rel


@pytest.mark.parametrize("collection", EVERY)
def test_core_fc_op_and_response(client: httpx.Client, collection: str) -> None:
    """/conf/core/fc-op, fc-response, fc-links, fc-rel-type, fc-timeStamp, fc-numberMatched, fc-numberReturned"""
    answer = get(client, f"/collections/{collection}/items")
    assert answer.headers["content-type"] == GEOJSON
    body = answer.json()
    validate({**body, "features": sample(body["features"])}, "featureCollectionGeoJSON")
    assert [one["type"] for one in links(body, "self")] == [GEOJSON]
    assert [one["type"] for one in links(body, "alternate")] == ["text/html"]
    assert all({"rel", "type", "href"} <= one.keys() for one in body["links"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", body["timeStamp"])
    # a kept answer was made when it was first asked for
    assert datetime.fromisoformat(body["timeStamp"]) <= datetime.now(UTC) + timedelta(seconds=1)
    assert body["numberReturned"] == len(body["features"])
    assert body["numberMatched"] == len(whole(client, collection))


@pytest.mark.parametrize("collection", EVERY)
def test_core_fc_limit_response(client: httpx.Client, collection: str) -> None:
    """/conf/core/fc-limit-response: no more than the limit; every item once, page by page"""
    every = [one["id"] for one in whole(client, collection)]
    size = max(len(every) // 3, 1)
    paged: list[str] = []
    address = f"/collections/{collection}/items?limit={size}&properties=name"
    while address:
        body = get(client, address).json()
        assert len(body["features"]) <= size
        assert body["numberMatched"] == len(every)
        paged += [one["id"] for one in body["features"]]
        following = links(body, "next")
        assert bool(following) == (len(paged) < len(every))
        address = following[0]["href"] if following else ""
    assert paged == every


def test_core_fc_limit_bounds(client: httpx.Client) -> None:
    """/req/core/fc-limit-response-1 B: more than the maximum is the maximum, no error; less than 1 is one"""
    for limit in ("10000", "10001", "99999999999999999999"):
        assert get(client, "/collections/counties/items", limit=limit).json()["numberReturned"] == 7
    for limit in ("0", "-1", "1.5", "x", "", "１"):
        refused(client, "/collections/counties/items", {"limit": limit}, "limit")


@pytest.mark.parametrize("collection", EVERY)
def test_core_fc_bbox_response(client: httpx.Client, collection: str) -> None:
    """/conf/core/fc-bbox-response: those that touch the box, compared with shapely; heights change nothing"""
    shapes = drawn(client, collection)
    west, south, east, north = described(client, collection)["extent"]["spatial"]["bbox"][0]
    # coordinates are rounded: no edge goes through the outermost point
    half = ((west + east) / 2 + 1e-5, south - 1e-5, east + 1e-5, (south + north) / 2 + 1e-5)
    quarter = (120.5, 30.5, 120.8, 30.7)
    for box in (half, quarter, (west - 1e-5, south - 1e-5, east + 1e-5, north + 1e-5), (0.0, 0.0, 1.0, 1.0)):
        area = shapely.box(*box)
        expected = {id for id, one in shapes.items() if shapely.intersects(area, one)}
        text = ",".join(map(str, box))
        assert {one["id"] for one in items(client, collection, bbox=text)["features"]} == expected
        high = f"{box[0]},{box[1]},-100,{box[2]},{box[3]},9000"
        assert matched(client, collection, bbox=high) == len(expected)
    assert matched(client, collection, bbox="170,-90,160,90") == len(shapes)


@pytest.mark.parametrize(
    "bbox",
    ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0,1,2,nan", "0,10,1,0", "-181,0,0,1", "0,0,1,91", "0,0,1,1,", "0 0 1 1"],
)
def test_core_fc_bbox_invalid(client: httpx.Client, bbox: str) -> None:
    """/conf/core/query-param-invalid"""
    refused(client, "/collections/counties/items", {"bbox": bbox}, "bbox")


@pytest.mark.parametrize("collection", EVERY)
@pytest.mark.parametrize(
    "when",
    ["2018-02-12T23:20:50Z", "2018-02-12T00:00:00Z/2018-03-18T12:31:12Z", "2018-02-12T00:00:00Z/..",
     "../2018-03-18T12:31:12Z", "/2018-03-18T12:31:12.5+08:00", "2018-02-12"],
)  # fmt: skip
def test_core_fc_time_response(client: httpx.Client, collection: str, when: str) -> None:
    """/conf/core/fc-time-response: items without a time match every time (/req/core/fc-time-response A)"""
    everything = matched(client, collection)
    assert matched(client, collection, datetime=when) == everything


@pytest.mark.parametrize(
    "when", ["", "yesterday", "2018", "2018-13-01", "2018-02-12T25:00:00Z", "../..", "2018-02-12/2018-02-13/2018-02-14"]
)
def test_core_fc_time_invalid(client: httpx.Client, when: str) -> None:
    """/conf/core/query-param-invalid"""
    refused(client, "/collections/counties/items", {"datetime": when}, "datetime")


@pytest.mark.parametrize("collection", EVERY)
def test_core_query_param_unknown(client: httpx.Client, collection: str) -> None:
    """/conf/core/query-param-unknown, on items, item and the rest"""
    one = whole(client, collection)[0]["id"]
    for path in ("", "/items", f"/items/{one}", "/queryables", "/schema", "/sortables"):
        body = refused(client, f"/collections/{collection}{path}", {"bboxx": "1"}, "bboxx")
        assert "allowed" in body


@pytest.mark.parametrize("collection", EVERY)
def test_core_f_op_success_links(client: httpx.Client, collection: str) -> None:
    """/conf/core/f-op, f-success, f-links: each item of a page, alone, is the same"""
    for one in get(client, f"/collections/{collection}/items", limit=3).json()["features"]:
        answer = get(client, f"/collections/{collection}/items/{one['id']}")
        assert answer.headers["content-type"] == GEOJSON
        body = answer.json()
        validate(body, "featureGeoJSON")
        assert {name: body[name] for name in one} == one
        for rel, kind in (("self", GEOJSON), ("alternate", "text/html"), ("collection", "application/json")):
            assert [link["type"] for link in links(body, rel)] == [kind]
            assert client.get(links(body, rel)[0]["href"]).status_code == 200


def test_core_crs84(client: httpx.Client) -> None:
    """/conf/core/crs84: longitude first, unless asked otherwise"""
    for collection in EVERY:
        for one in drawn(client, collection).values():
            west, south, east, north = one.bounds
            assert 117 < west <= east < 124
            assert 26 < south <= north < 32
