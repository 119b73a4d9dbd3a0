"""Limits of every request: address, body, number; each refusal is a problem that says the rule."""

from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from app.api.edge import client_of
from app.api.limits import MOST_CLIENTS, Buckets
from tests.api.test_edge import raw
from tests.conftest import http, served, settings_for

SEARCH = "/collections/platforms/search"


@pytest.fixture(scope="module")
def address(loaded_url: sa.URL) -> Iterator[str]:
    """A service with small limits, behind a proxy on this machine."""
    settings = settings_for(
        loaded_url, max_url_bytes=2_000, max_body_bytes=1_000, rate_per_second=0.001, rate_burst=8,
        trusted_proxies=["127.0.0.1/32", "192.0.2.0/24"],
        max_offset=5, max_values=3, filter_max_text=100, filter_max_list=10, filter_max_vertices=10,
    )  # fmt: skip
    with served(settings) as running:
        yield running


@pytest.fixture
def client(address: str, request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    with http(address) as opened:
        # each test is a client of its own
        opened.headers["X-Forwarded-For"] = f"client of {request.node.name}"
        yield opened


def problem(answer: httpx.Response, status: int) -> dict[str, str]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert "content-security-policy" in answer.headers
    body: dict[str, str] = answer.json()
    assert body["status"] == status
    return body


def test_an_address_that_is_too_long(client: httpx.Client) -> None:
    assert client.get("/collections", params={"f": "json"}).status_code == 200
    for path in ("/collections?f=" + "j" * 2_000, "/" + "c" * 2_001, "/collections?f=" + "嘉" * 300):
        said = problem(client.get(path), 414)
        assert said["parameter"] == "URL"
        assert "2000" in said["detail"]


def test_the_size_of_a_question_is_as_the_settings_say(client: httpx.Client) -> None:
    items = "/collections/platforms/items"
    ring = {"type": "LineString", "coordinates": [[120, 30 + one / 100] for one in range(11)]}
    listed = {"op": "in", "args": [{"property": "kind"}, ["x"] * 11]}
    refused = {
        "offset": (client.get(items, params={"offset": "6"}), "At most 5"),
        "kind": (client.get(items, params={"kind": "a,b,c,d"}), "At most 3"),
        "filter": (client.get(items, params={"filter": f"name = '{'x' * 100}'"}), "100 characters"),
        "body": (client.post(SEARCH, json={"filter": listed}), "10 members"),
        "geometry": (
            client.post(SEARCH, json={"filter": {"op": "s_intersects", "args": [{"property": "geometry"}, ring]}}),
            "10 vertices",
        ),
        "intersects": (client.post(SEARCH, json={"intersects": ring}), "10 vertices"),
    }
    for name, (answer, rule) in refused.items():
        said = problem(answer, 400)
        assert rule in said["detail"], name
    named = ("offset", "kind", "filter", "intersects")
    assert tuple(refused[name][0].json()["parameter"] for name in named) == named
    described = client.get("/api").json()["components"]["parameters"]["offset"]["schema"]
    assert described["maximum"] == 5


def test_a_body_that_is_too_large(client: httpx.Client, address: str) -> None:
    fitting = b'{"limit": 1}' + b" " * 988
    assert client.post(SEARCH, content=fitting, headers={"Content-Type": "application/json"}).status_code == 200
    said = problem(client.post(SEARCH, content=fitting + b" ", headers={"Content-Type": "application/json"}), 413)
    assert said["parameter"] == "body"
    assert "1000" in said["detail"]
    # without a claim of its size it is counted as it comes
    pieces = (fitting for _ in range(2))
    assert problem(client.post(SEARCH, content=pieces, headers={"Content-Type": "application/json"}), 413)
    # the claim alone is enough: no byte of it is waited for
    claim = {"Content-Type": "application/json", "Content-Length": "1001"}
    assert raw(address, "POST", SEARCH, claim)[0] == 413


def test_a_client_that_asks_too_often(client: httpx.Client) -> None:
    assert [client.get("/conformance").status_code for _ in range(8)] == [200] * 8
    answer = client.get("/conformance")
    problem(answer, 429)
    assert 0 < int(answer.headers["retry-after"]) <= 1000
    # another client is not touched, nor what watches the service
    other = {"X-Forwarded-For": "198.51.100.7"}
    assert client.get("/conformance", headers=other).status_code == 200
    assert client.get("/livez").status_code == 200


def test_the_client_is_whom_the_nearest_proxy_heard(client: httpx.Client) -> None:
    """What a client writes into the header itself stands before it, and counts for nothing."""
    mine = [f"203.0.113.{number}, 198.51.100.9, 192.0.2.1" for number in range(9)]
    answers = [client.get("/conformance", headers={"X-Forwarded-For": one}).status_code for one in mine]
    assert answers == [200] * 8 + [429]


def test_a_browser_elsewhere_reads_the_refusal(client: httpx.Client) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    answer = client.get("/" + "c" * 2_001, headers=origin)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (414, "*")


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "::ffff:192.0.2.7"),
        ("unknown", "unknown"),
        (None, ""),
    ],
)
def test_who_is_one_client(host: str | None, client: str) -> None:
    assert client_of({"client": (host, 80) if host else None}) == client


def test_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("app.api.limits.time.monotonic", lambda: now)
    given = Buckets(rate=2, burst=3)
    assert [given.wait("one") for _ in range(4)] == [0, 0, 0, 0.5]
    # a refused request costs nothing
    assert given.wait("one") == 0.5
    now += 0.5
    assert [given.wait("one"), given.wait("one")] == [0, 0.5]
    now += 1000
    assert [given.wait("one") for _ in range(4)] == [0, 0, 0, 0.5]
    for number in range(MOST_CLIENTS):
        given.wait(str(number))
    assert given.wait("one") == 0
    assert len(given._left) == MOST_CLIENTS
