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
