"""The headers that guard every answer; what they do is tried in tests/browser/test_security.py."""

import re

import httpx
import pytest
import sqlalchemy as sa

from tests.conftest import http, served, settings_for

ANSWERS = (
    "/?f=html", "/?f=json", "/api", "/api.html", "/collections/platforms/items?f=html", "/maps/jiaxing", "/nowhere",
    "/collections/platforms/items?limit=none", "/static/page.css", "/static/nowhere.css", "/exports/counties.csv",
    "/collections/counties/tiles/WebMercatorQuad/8/105/213", "/favicon.ico",
)  # fmt: skip


def directives(answer: httpx.Response) -> dict[str, list[str]]:
    parts = [one.split() for one in answer.headers["content-security-policy"].split(";")]
    found = {name: values for name, *values in parts}
    assert len(found) == len(parts)
    return found


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_is_guarded(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    said = directives(answer)
    scripts = said["script-src"]
    assert scripts[0] == "'self'"
    assert all(re.fullmatch(r"'sha256-[\w+/]{43}='", one) for one in (*scripts[1:], *said["style-src"][1:]))
    assert said["img-src"] == ["'self'", "data:"]
    assert (said["object-src"], said["base-uri"], said["form-action"]) == (["'none'"], ["'none'"], ["'self'"])
    assert said["frame-ancestors"] == ["'self'"]
    assert "worker-src" not in said
    assert "unsafe-eval" not in str(said)
    assert [name for name, values in said.items() if "'unsafe-inline'" in values] == ["style-src-attr"]


def test_a_defect_is_guarded_and_tells_nothing(loaded_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("app.api.pages.landing", fail)
    with served(settings_for(loaded_url)) as address, http(address) as client:
        answer = client.get("/?f=json")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert directives(answer)["script-src"] == ["'self'"]


def test_who_came_by_tls_stays_with_it(client: httpx.Client, loaded_url: sa.URL) -> None:
    by_tls = {"X-Forwarded-Proto": "https"}
    for path in ("/", "/nowhere", "/static/page.css", "/collections/counties/items?limit=1"):
        # twice: an answer that was kept ready is the same
        for _ in range(2):
            assert client.get(path, headers=by_tls).headers["strict-transport-security"] == "max-age=31536000"
            assert "strict-transport-security" not in client.get(path).headers
    with served(settings_for(loaded_url, trusted_proxies=["192.0.2.0/24"])) as address, http(address) as other:
        # anybody may write the header
        assert "strict-transport-security" not in other.get("/", headers=by_tls).headers


def test_no_page_elsewhere_acts_for_a_visitor(client: httpx.Client) -> None:
    """Any page may ask as nobody; none with what a browser holds of this site."""
    origin = {"Origin": "https://elsewhere.example", "Cookie": "lang=en"}
    asked = {"Access-Control-Request-Method": "DELETE", "Access-Control-Request-Headers": "authorization"}
    for answer in (
        client.get("/collections", headers=origin),
        client.get("/nowhere", headers=origin),
        client.options("/collections/platforms/items", headers=origin | asked),
    ):
        assert "access-control-allow-credentials" not in answer.headers
        # a browser gives no answer to a request with credentials away for this
        assert answer.headers["access-control-allow-origin"] == "*"
