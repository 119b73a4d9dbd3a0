"""Wrong requests are answered with the parameter, the rule and what would be right; hostile ones do no harm."""

import base64
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.catalog import COLLECTIONS

ITEMS = "/collections/platforms/items"
COUNTS = "/collections/platforms/aggregate"


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    ("address", "parameter", "words"),
    [
        (f"{ITEMS}?limit=0", "limit", "1 or more"),
        (f"{ITEMS}?limit=-1", "limit", "1 or more"),
        (f"{ITEMS}?limit=ten", "limit", "1 or more"),
        (f"{ITEMS}?limit=1.5", "limit", "1 or more"),
        (f"{ITEMS}?limit=", "limit", "1 or more"),
        (f"{ITEMS}?limit=%D9%A5", "limit", "1 or more"),
        (f"{ITEMS}?bbox-crs=EPSG:9999", "bbox-crs", "EPSG:9999"),
        (f"{ITEMS}?filter-crs=x", "filter-crs", "x"),
        (f"{ITEMS}?filter-lang=sql", "filter-lang", "sql"),
        (f"{ITEMS}?offset=-1", "offset", "0 or more"),
        (f"{ITEMS}?offset=10001", "offset", "page by cursor"),
        (f"{ITEMS}?offset=1&cursor=WyJhIl0", "offset", "not both"),
        (f"{ITEMS}?cursor=x", "cursor", "page token"),
        (f"{ITEMS}?cursor=", "cursor", "page token"),
        (f"{ITEMS}?cursor=WzFd", "cursor", "page token"),
        (f"{ITEMS}?cursor=%E6%B5%B7", "cursor", "page token"),
        (f"{ITEMS}?bbox=1,2,3", "bbox", "four numbers"),
        (f"{ITEMS}?bbox=1,2,3,4,5", "bbox", "four numbers"),
        (f"{ITEMS}?bbox=a,2,3,4", "bbox", "not a number"),
        (f"{ITEMS}?bbox=nan,2,3,4", "bbox", "not a number"),
        (f"{ITEMS}?bbox=1,inf,3,4", "bbox", "not a number"),
        (f"{ITEMS}?bbox=120,31,121,30", "bbox", "first"),
        (f"{ITEMS}?bbox=-181,30,121,31", "bbox", "±180"),
        (f"{ITEMS}?bbox=120,30,121,91", "bbox", "±180"),
        (f"{ITEMS}?bbox=1e30,1e30,2e30,2e30&bbox-crs=EPSG:4549", "bbox", "EPSG:4549"),
        (f"{ITEMS}?relation=near", "relation", "No value 'near'"),
        ("/collections/counties/items?relation=declared", "relation", "no county that a document names"),
        (f"{ITEMS}?kind=", "kind", "must not be empty"),
        (f"{ITEMS}?kind=a,,b", "kind", "must not be empty"),
        (f"{ITEMS}?kind={','.join(['a'] * 101)}", "kind", "At most 100"),
        (f"{ITEMS}?level=global", "level", "No value 'global'"),
        (f"{COUNTS}?group_by=name,name_en", "group_by", "More than 10000 groups"),
        (f"{ITEMS}?schematic=yes", "schematic", "true or false"),
        (f"{ITEMS}?area_km2=large", "area_km2", "not a number"),
        (f"{ITEMS}?position_source=x", "position_source", "No parameter"),
        (f"{ITEMS}?knd=lake_district", "knd", "Did you mean 'kind'?"),
        (f"{ITEMS}?kind=a&kind=b", "kind", "Given twice"),
        (f"{ITEMS}?kind=%00", "kind", "NUL"),
        (f"{ITEMS}?f=xml", "f", "No format 'xml'"),
        ("/collections/counties/items?industry=x", "industry", "No parameter"),
        (f"{ITEMS}?industry=人工智能,智能人工", "industry", "No code or name '智能人工'"),
        (f"{ITEMS}?near=120,30&distance=-1", "distance", "between 0 and 20037508"),
        (f"{ITEMS}?within=towns/nanhu-daqiao", "within", "use town="),
        (f"{ITEMS}?within=corridors/jx-corridor", "within", "no areas"),
        (f"{ITEMS}?within=platforms/jiaxing-hightech-park", "within", "no area"),
        (f"{ITEMS}?within=", "within", "must not be empty"),
        (COUNTS, "group_by", "required"),
        (f"{COUNTS}?group_by=colour", "group_by", "No property 'colour'"),
        (f"{COUNTS}?group_by=sources", "group_by", "No property 'sources'"),
        (f"{COUNTS}?group_by=kind&stat=median:area_km2", "stat", "No statistic"),
        (f"{COUNTS}?group_by=kind&stat=sum:name", "stat", "No statistic"),
        (f"{COUNTS}?group_by=kind&limit=5", "limit", "No parameter"),
        ("/exports/platforms.geojson?limit=0", "limit", "whole number"),
        ("/exports/platforms.geojson?offset=5", "offset", "No parameter"),
        ("/exports/platforms.kml?crs=EPSG:4549", "crs", "CRS84"),
        ("/collections?x=1", "x", "No parameter"),
        ("/collections/platforms?x=1", "x", "No parameter"),
        (f"{ITEMS}/juanhu-science-city?x=1", "x", "No parameter"),
        ("/?x=1", "x", "No parameter"),
    ],
)  # fmt: skip
def test_bad_request(client: httpx.Client, address: str, parameter: str, words: str) -> None:
    body = problem(client.get(address), 400)
    assert body["parameter"] == parameter
    assert words in body["detail"]


@pytest.mark.parametrize(
    ("address", "parameter", "candidate"),
    [
        ("/collections/platform", "collectionId", "platforms"),
        ("/collections/platform/items", "collectionId", "platforms"),
        ("/collections/platform/items/x", "collectionId", "platforms"),
        ("/collections/platform/aggregate?group_by=kind", "collectionId", "platforms"),
        ("/exports/platform.geojson", "collectionId", "platforms"),
        ("/exports/platforms.doc", "name", "platforms.geojson"),
        ("/exports/platforms", "name", "platforms.geojson"),
        (f"{ITEMS}?within=counties/330480", "within", "counties/330481"),
        (f"{ITEMS}?within=海宁县", "within", "海宁市"),
        (f"{ITEMS}?within=Hainin", "within", "海宁市"),
        (f"{ITEMS}?within=lake_districts/juanhu", "within", "lake_districts/juanhu-science-city"),
        (f"{ITEMS}?within=planets/mars", "within", "counties/…"),
    ],
)
def test_not_found(client: httpx.Client, address: str, parameter: str, candidate: str) -> None:
    body = problem(client.get(address), 404)
    assert body["parameter"] == parameter
    assert candidate in body["allowed"]


def test_unknown_item_and_path(client: httpx.Client) -> None:
    assert problem(client.get(f"{ITEMS}/atlantis"), 404)["parameter"] == "featureId"
    assert "/api lists them" in problem(client.get("/atlantis"), 404)["detail"]


def test_an_ambiguous_name_lists_what_it_may_mean(database_url: Any) -> None:
    """Two counties with one short name; the short name alone decides nothing."""
    import sqlalchemy as sa

    from app.db import tables as t
    from tests.conftest import connect, http, served, settings_for

    with connect(database_url).begin() as connection:
        for region in ("330402", "330411"):
            row = {"region": region, "name": "老城", "kind": "alias", "reason": "a test"}
            connection.execute(sa.insert(t.alias).values(row))
    with served(settings_for(database_url)) as address, http(address) as client:
        body = problem(client.get(f"{ITEMS}?within=老城"), 400)
        assert body["parameter"] == "within"
        assert [one[:15] for one in body["allowed"]] == ["counties/330402", "counties/330411"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_other_methods(client: httpx.Client, method: str) -> None:
    answer = client.request(method, ITEMS)
    assert problem(answer, 405)
    assert "GET" in answer.headers["allow"]


def test_a_method_that_an_address_does_not_take(client: httpx.Client) -> None:
    answer = client.get("/collections/platforms/search")
    assert problem(answer, 405)["allowed"] == [answer.headers["allow"]] == ["POST"]


# ---------------------------------------------------------------------------------------------------------- injection

HOSTILE = [
    "'; DROP TABLE platform; --",
    "' OR '1'='1",
    "1) OR (1=1",
    "%(a)s :a {0} ${b}",
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "counties/330481' OR 'a'='a",
    "\u202e\ud7ff\uffff",
    "𠮷" * 300,
    "NaN",
    "1e400",
    "9" * 400,
    "\\,",
    "a\nb\r\nX-Injected: 1",
]


def names(path: str) -> list[str]:
    """Every parameter the resource says it knows."""
    from app.api import asking, params

    described = COLLECTIONS["platforms"]
    known = [*asking.selecting(described), "f", "lang"]
    if path == ITEMS:
        known += [*asking.VIEWING, *params.PAGING]
    return [*known, *(["group_by", "stat"] if path == COUNTS else [])]


#: What each resource needs, and as little of an answer as it can give.
PLAIN = {
    ITEMS: {"limit": "1", "properties": "name"},
    COUNTS: {"group_by": "kind"},
    "/exports/platforms.geojson": {"properties": "name"},
}


@pytest.mark.parametrize("path", PLAIN)
def test_hostile_values(client: httpx.Client, path: str) -> None:
    """In every parameter: refused, or taken as plain text that fits nothing."""
    total = client.get(ITEMS).json()["numberMatched"]
    for name in names(path):
        # properties share their way into the query, every other parameter has one of its own
        for value in HOSTILE if path == ITEMS and COLLECTIONS["platforms"].field(name) is None else HOSTILE[:2]:
            answer = client.get(path, params=PLAIN[path] | {name: value})
            assert answer.status_code in (200, 400, 404), (name, value, answer.status_code)
            assert "x-injected" not in answer.headers
            if answer.status_code != 200:
                assert answer.headers["content-type"] == "application/problem+json"
            elif path == ITEMS and name not in ("limit", "offset", "k", "datetime", "lang", "distance"):
                assert answer.json()["numberMatched"] == 0, (name, value)
    assert client.get(ITEMS).json()["numberMatched"] == total


@pytest.mark.parametrize("value", [*HOSTILE, "a\0"])
def test_hostile_paths(client: httpx.Client, value: str) -> None:
    for path in (
        "/collections/{}", "/collections/{}/items", "/collections/platforms/items/{}", "/exports/{}.geojson",
        "/collections/platforms/items/{}/history", "/maps/popups/platforms/{}",
    ):  # fmt: skip
        answer = client.get(path.format(quote(value, safe="")))
        assert answer.status_code in (400, 404), (path, value)


@pytest.mark.parametrize(
    "key",
    [
        ["a"],
        ["a", "b"],
        [1, "a"],
        [None, "a"],
        ["' OR 1=1 --"],
        [1e308, "a"],
        ["x" * 5000],
        [True, "a"],
        [{}, "a"],
        [10**400, "a"],
    ],
)
@pytest.mark.parametrize("order", ["", "name", "area_km2", "schematic", "-position_accuracy_m"])
def test_forged_page_tokens(client: httpx.Client, key: list[Any], order: str) -> None:
    token = base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")
    given = {"cursor": token} | ({"sortby": order} if order else {})
    assert client.get(ITEMS, params=given).status_code in (200, 400)


def test_a_page_token_of_nothing_but_brackets(client: httpx.Client) -> None:
    token = base64.urlsafe_b64encode(b"[" * 30_000).decode()
    assert problem(client.get(ITEMS, params={"cursor": token}), 400)["parameter"] == "cursor"


def test_a_long_address(client: httpx.Client) -> None:
    assert client.get(ITEMS, params={"name": "海" * 5000}).status_code in (200, 400, 414)


SEARCH = "/collections/platforms/search"
BODIES: tuple[tuple[bytes, str, str], ...] = (
    # a body, the parameter that is wrong, the rule
    (b"[]", "body", "JSON object"),
    (b"{", "body", "Not JSON"),
    (b'{"filter": "\xff"}', "body", "UTF-8"),
    (b'{"where": {}}', "where", "No member 'where'"),
    (b'{"filter": {"op": "=", "args": [{"property": "nmae"}, "x"]}}', "filter", "Did you mean 'name'"),
    (b'{"filter": {"op": "in", "args": [{"property": "kind"}, [1e999]]}}', "filter", "in size"),
    (b'{"intersects": [120, 30]}', "intersects", "GeoJSON geometry"),
    (b'{"intersects": {"type": "Point", "coordinates": [120]}}', "intersects", "do not make a Point"),
    (b'{"limit": true}', "limit", "whole number"),
    (b'{"limit": 0}', "limit", "1 or more"),
    (b'{"cursor": 5}', "cursor", "Must be a text"),
    (b'{"cursor": "x"}', "cursor", "page token"),
)


@pytest.mark.parametrize(("body", "parameter", "words"), BODIES)
def test_posted_questions(client: httpx.Client, body: bytes, parameter: str, words: str) -> None:
    said = problem(client.post(SEARCH, content=body, headers={"Content-Type": "application/json"}), 400)
    assert said["parameter"] == parameter
    assert words in said["detail"]


def test_a_posted_question_of_another_kind(client: httpx.Client) -> None:
    said = problem(client.post(SEARCH, content=b"limit=1", headers={"Content-Type": "text/plain"}), 415)
    assert said["parameter"] == "Content-Type"
    assert problem(client.post(f"{SEARCH}?limit=1", json={}), 400)["parameter"] == "limit"
    # null is as if it were not there
    whole = client.post(SEARCH, json={"filter": None, "intersects": None, "limit": 1}).json()
    assert whole["numberMatched"] == client.get(ITEMS).json()["numberMatched"]


def test_a_page_of_a_refusal_leads_to_what_would_be_right(client: httpx.Client) -> None:
    """Each choice is the address that was asked for but for the wrong value."""
    browser = {"Accept": "text/html"}
    page = client.get(ITEMS, params={"relation": "near", "limit": "5"}, headers=browser)
    assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert 'href="?relation=intersects&amp;limit=5"' in page.text
    # a parameter that is none has no address: its choices are told
    unknown = client.get(ITEMS, params={"knd": "park"}, headers=browser)
    assert unknown.status_code == 400
    assert "kind" in unknown.text
