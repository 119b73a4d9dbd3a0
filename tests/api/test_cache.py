"""Answers are kept while their data stand, and never longer than the stated bound after they changed."""

import asyncio
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.api.cache import OVERHEAD, ResponseCache, remember
from app.db import tables as t
from app.db.engine import reader
from app.db.standbys import Readers
from app.queries import watch
from app.queries.versions import State
from app.queries.watch import BOUND_S, Watch
from tests.conftest import PATIENCE_S, connect, http, served, settings_for

ONE = "/collections/platforms/items/juanhu-science-city"


@pytest.fixture
def service(database_url: sa.URL) -> Iterator[httpx.Client]:
    with served(settings_for(database_url, statement_timeout_ms=2000)) as address, http(address) as client:
        # until the watch has looked for the first time nothing is given from memory
        assert client.get(ONE).status_code == 200
        yield client


def concept(client: httpx.Client, **headers: str) -> str:
    answer = client.get(ONE, headers=headers)
    assert answer.status_code == 200
    text: str = answer.json()["properties"]["concept"]
    return text


def change(url: sa.URL, text: str) -> None:
    with connect(url).begin() as connection:
        connection.execute(sa.update(t.platform).where(t.platform.c.id == ONE.rpartition("/")[2]).values(concept=text))


def becomes(client: httpx.Client, text: str) -> bool:
    """Whether the answer has a text before the bound."""
    deadline = time.monotonic() + BOUND_S + PATIENCE_S
    while concept(client) != text:
        if time.monotonic() > deadline:
            return False
    return True


def is_kept(url: sa.URL, client: httpx.Client, path: str, **headers: str) -> bool:
    """Whether a request is answered although nobody can read the table."""
    with connect(url).begin() as blocking:
        blocking.execute(sa.text("LOCK TABLE platform IN ACCESS EXCLUSIVE MODE"))
        return client.get(path, headers=headers).status_code in (200, 304)


def comes_to_be_kept(url: sa.URL, client: httpx.Client) -> None:
    """Ask for the one item until its answer is kept: the watch has to have looked a moment ago."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_kept(url, client, ONE):
        assert time.monotonic() < deadline
        concept(client)


def test_a_kept_answer_needs_no_query(database_url: sa.URL, service: httpx.Client) -> None:
    comes_to_be_kept(database_url, service)
    first = service.get(ONE)
    again = service.get(ONE)
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    head = service.head(ONE)
    assert head.headers["content-length"] == first.headers["content-length"]
    assert head.content == b""
    same = service.get(ONE, headers={"If-None-Match": first.headers["etag"]})
    assert same.status_code == 304
    assert "content-length" not in same.headers
    # a representation of its own, or one client's own, is another answer
    assert not is_kept(database_url, service, ONE, **{"Accept-Language": "en"})
    assert not is_kept(database_url, service, ONE, **{"Innomap-Token": "0/0"})
    assert not is_kept(database_url, service, ONE + "?crs=EPSG:4549")


def test_a_change_is_seen(database_url: sa.URL, service: httpx.Client) -> None:
    assert concept(service) == concept(service)
    change(database_url, "甲")
    assert becomes(service, "甲")
    change(database_url, "乙")
    assert becomes(service, "乙")


def test_a_change_is_seen_though_the_listening_connection_was_lost(database_url: sa.URL, service: httpx.Client) -> None:
    end = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                  " AND application_name = 'innomap watch'")  # fmt: skip
    concept(service)
    with connect(database_url).begin() as connection:
        assert connection.execute(end).scalars().first()
    change(database_url, "丙")
    assert becomes(service, "丙")
    # it listens again, so that answers are kept again
    comes_to_be_kept(database_url, service)


def test_features_are_made_ready_again_after_a_change(database_url: sa.URL, service: httpx.Client) -> None:
    """And are those that would be computed."""
    ready = sa.select(t.ready_feature.c.feature).where(
        t.ready_feature.c.collection == "platforms", t.ready_feature.c.id == ONE.rpartition("/")[2]
    )
    change(database_url, "丁")
    deadline = time.monotonic() + PATIENCE_S
    feature = None
    while time.monotonic() < deadline and not (feature and feature["properties"]["concept"] == "丁"):
        with connect(database_url).connect() as connection:
            feature = json.loads(connection.scalar(ready) or "null")
    assert feature is not None
    computed = service.get(ONE, params={"crs": "EPSG:4326"}).json()
    assert feature["properties"] == computed["properties"]
    given = service.get(ONE).json()
    assert {name: given[name] for name in feature} == feature
    lon, lat = feature["geometry"]["coordinates"][0][0]
    assert computed["geometry"]["coordinates"][0][0] == [lat, lon]


def test_what_was_not_looked_at_lately_does_not_hold(monkeypatch: pytest.MonkeyPatch, loaded_url: sa.URL) -> None:
    async def looked() -> Watch:
        engine = reader(loaded_url, settings_for(loaded_url))
        found = Watch(Readers(engine), loaded_url)
        await found.refresh()
        await engine.dispose()
        return found

    watching = asyncio.run(looked())
    assert watching._known is not None
    epoch, versions = watching._known.epoch, watching._known.versions
    seen = State(epoch, {"platform": versions["platform"]}, None)
    assert watching.holds(seen)
    assert not watching.holds(State("another", seen.versions, None))
    assert not watching.holds(State(epoch, {"platform": versions["platform"] - 1}, None))
    assert not watching.holds(State(epoch, {"a table nobody wrote": 1}, None))
    assert watching.holds(State(epoch, {"a table nobody wrote": 0}, None))
    now = time.monotonic()
    monkeypatch.setattr(watch.time, "monotonic", lambda: now + BOUND_S + 1)
    assert not watching.holds(seen)


class Believing:
    """A watch that says yes."""

    def holds(self, seen: State) -> bool:
        return True


def ask(cache: ResponseCache, path: str) -> None:
    scope = {"type": "http", "method": "GET", "scheme": "http", "path": path, "query_string": b"", "headers": []}

    async def nothing(message: Any = None) -> Any:
        return None

    asyncio.run(cache(scope, nothing, nothing))


def test_the_least_recently_used_go_first() -> None:
    asked: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        remember(scope, State("", {}, None))
        size = 400_000 if scope["path"] == "/large" else 1_000
        await send({"type": "http.response.start", "status": 200, "headers": [(b"etag", b'"1"')]})
        await send({"type": "http.response.body", "body": b"x" * size})

    cache = ResponseCache(app, 3 * (1_000 + OVERHEAD), lambda: Believing())  # type: ignore[arg-type, return-value]
    for path in ("/a", "/b", "/a", "/c", "/a", "/d", "/a", "/b"):
        ask(cache, path)
    assert asked == ["/a", "/b", "/c", "/d", "/b"]
    assert cache.size <= cache.limit
    # larger than its share: answered, not kept
    for _ in range(2):
        ask(cache, "/large")
    assert asked[-2:] == ["/large", "/large"]
