"""What every answer has: marks and 304, HEAD, compression, CORS, and right addresses behind a proxy."""

import http.client
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
import zstandard

from tests.conftest import PATIENCE_S, served, settings_for
from tests.conftest import http as client_of

MARKED = [
    "/collections",
    "/collections/counties",
    "/collections/counties/items",
    "/collections/counties/items/330481",
    "/collections/platforms/aggregate?group_by=county",
    "/exports/counties.geojson",
]
OUTSIDE = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "map.example.org", "X-Forwarded-Prefix": "/jiaxing"}


def raw(address: str, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """An exchange without the conveniences of a client."""
    connection = http.client.HTTPConnection(str(urlsplit(address).netloc), timeout=PATIENCE_S)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


@pytest.mark.parametrize("path", MARKED)
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_mark_and_not_modified(client: httpx.Client, path: str, accept: str) -> None:
    answer = client.get(path, headers={"Accept": accept})
    mark = answer.headers["etag"]
    assert mark.startswith('W/"')
    assert "last-modified" in answer.headers
    for known in (mark, mark.removeprefix("W/"), f'"other", {mark}', "*"):
        again = client.get(path, headers={"Accept": accept, "If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == mark
    assert client.get(path, headers={"Accept": accept, "If-None-Match": '"other"'}).status_code == 200


def test_each_representation_has_its_own_mark(client: httpx.Client) -> None:
    path = "/collections/counties/items"
    asked = [
        client.get(path, headers={"Accept": "application/json"}),
        client.get(path, headers={"Accept": "text/html"}),
        client.get(path, params={"limit": 3}),
        client.get(path, params={"crs": "EPSG:4549"}),
        client.get("/collections/counties_land/items"),
    ]
    assert len({one.headers["etag"] for one in asked}) == len(asked)
    assert all({"Accept", "Accept-Language"} <= set(one.headers["vary"].split(", ")) for one in asked)


@pytest.mark.parametrize(
    "path", [*MARKED, "/", "/api", "/conformance", "/maps/jiaxing", "/static/page.css", "/nothing"]
)
def test_head_is_get_without_its_body(live_server: str, path: str) -> None:
    plain = {"Accept-Encoding": "identity"}
    status, headers, body = raw(live_server, "GET", path, plain)
    head = raw(live_server, "HEAD", path, plain)
    assert (head[0], head[2]) == (status, b"")
    left_out = {"date", "transfer-encoding", "x-request-id"}
    assert {n: v for n, v in head[1].items() if n not in left_out} == {
        n: v for n, v in headers.items() if n not in left_out
    }
    assert body


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
@pytest.mark.parametrize(
    "path", ["/collections/platforms/items", "/exports/platforms.geojson", "/api", "/static/page.css"]
)
def test_compressed_in_each_coding(live_server: str, client: httpx.Client, coding: str, path: str) -> None:
    plain = client.get(path, headers={"Accept-Encoding": "identity"}).content
    status, headers, body = raw(live_server, "GET", path, {"Accept-Encoding": coding})
    assert status == 200
    assert headers["content-encoding"] == coding
    assert "Accept-Encoding" in headers["vary"]
    assert len(body) < len(plain) / 2
    if coding == "zstd":
        read = zstandard.ZstdDecompressor().decompressobj().decompress(body)
    else:
        read = client.get(path, headers={"Accept-Encoding": coding}).content
    # one field alone tells the moment of the answer
    assert len(read) == len(plain)


def test_cors_lets_pages_elsewhere_ask(client: httpx.Client) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    asked = client.get("/collections/counties/items", headers=origin)
    assert asked.headers["access-control-allow-origin"] == "*"
    assert {"Link", "Content-Crs", "ETag"} <= set(asked.headers["access-control-expose-headers"].split(", "))
    assert "access-control-allow-credentials" not in asked.headers
    before = client.options(
        "/collections/platforms/search",
        headers={**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"},
    )
    assert before.status_code == 200
    assert "POST" in before.headers["access-control-allow-methods"]
    assert "content-type" in before.headers["access-control-allow-headers"]


# -------------------------------------------------------------------------------------------------- behind a proxy


def addresses(client: httpx.Client, path: str, headers: dict[str, str]) -> list[str]:
    body = client.get(path, headers=headers).json()
    return [one["href"] for one in body["links"]]


def test_links_are_those_of_a_trusted_proxy(client: httpx.Client) -> None:
    for path in ("/", "/collections/counties", "/collections/counties/items", "/collections/counties/items/330481"):
        found = addresses(client, path, OUTSIDE)
        assert found
        assert all(one.startswith("https://map.example.org/jiaxing/") for one in found)
    page = client.get("/collections/counties/items/330481", headers={**OUTSIDE, "Accept": "text/html"}).text
    assert 'href="https://map.example.org/jiaxing/static/page.css"' in page
    assert "127.0.0.1" not in page
    # Folium writes addresses of its own
    drawn = re.findall(r'(?:src|href)="([^"]*/static/[^"]*)"', client.get("/maps/jiaxing", headers=OUTSIDE).text)
    assert any("leaflet.js" in one for one in drawn)
    assert [one for one in drawn if not re.match("(https://map.example.org)?/jiaxing/static/", one)] == []
    definition = client.get("/api", headers=OUTSIDE).json()
    assert definition["servers"] == [{"url": "https://map.example.org/jiaxing"}]


def test_the_mark_knows_the_address(client: httpx.Client) -> None:
    """A cache must not give one site's links to another"""
    path = "/collections/counties/items"
    assert client.get(path).headers["etag"] != client.get(path, headers=OUTSIDE).headers["etag"]


@pytest.fixture(scope="module")
def distrustful(loaded_url: sa.URL) -> Iterator[httpx.Client]:
    """A service that trusts a proxy elsewhere alone."""
    with served(settings_for(loaded_url, trusted_proxies=["10.0.0.0/8"])) as address, client_of(address) as opened:
        yield opened


def test_forwarded_addresses_of_others_count_for_nothing(distrustful: httpx.Client) -> None:
    here = str(distrustful.base_url).rstrip("/")
    for path in ("/", "/collections/counties/items"):
        assert all(one.startswith(here) for one in addresses(distrustful, path, OUTSIDE))


def test_root_path_leads_every_address(loaded_url: sa.URL) -> None:
    with served(settings_for(loaded_url, root_path="/map")) as address, client_of(address) as client:
        for path in ("/collections/counties/items", "/map/collections/counties/items"):
            assert all(one.startswith(f"{address}/map/") for one in addresses(client, path, {}))
        following = client.get("/collections/towns/items?limit=5").json()["links"][-1]["href"]
        assert client.get(following).json()["numberReturned"] == 5
