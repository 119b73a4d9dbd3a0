"""Without its database the service says so, and answers again as soon as the database is back."""

import contextlib
import os
import re
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from app.db.engine import PRIMARY
from app.db.migrate import upgrade
from tests.conftest import PATIENCE_S, connect, embedded_server, http, served, settings_for

#: Every answer comes from the database.
UNKEPT = {"response_cache_mb": 0}


@pytest.fixture
def own_url() -> Iterator[sa.URL]:
    """A database on a server of this test alone, which may be killed."""
    with embedded_server() as running:
        url = running.create_database("innomap_test")
        with connect(url).connect() as connection:
            upgrade(connection)
        yield url


def kill_server(url: sa.URL) -> None:
    """Crash the server as ``kill -9`` of one of its processes does: all connections end, recovery follows."""
    os.kill(postmaster(url), signal.SIGKILL)


def postmaster(url: sa.URL) -> int:
    folder = Path(str(url.query["host"])).parent
    return int(next(folder.glob("pg*/postmaster.pid")).read_text().splitlines()[0])


@contextlib.contextmanager
def frozen(url: sa.URL) -> Iterator[None]:
    """Stop the server and its sessions, as SIGSTOP does; they go on afterwards."""
    main = postmaster(url)
    all = [main, *map(int, Path(f"/proc/{main}/task/{main}/children").read_text().split())]
    for pid in all:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in all:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def ask(client: httpx.Client) -> httpx.Response:
    # sorted: whatever features stand ready, the table itself is read
    return client.get("/collections/platforms/items", params={"limit": "1", "sortby": "name"})


def test_503_and_back(own_url: sa.URL) -> None:
    with served(settings_for(own_url, **UNKEPT)) as address, http(address) as client:
        assert ask(client).status_code == 200
        seen = set()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if 503 not in seen:
                # again where it was back before anybody asked
                with contextlib.suppress(StopIteration, IndexError, ProcessLookupError):
                    kill_server(own_url)
            answer = ask(client)
            seen.add(answer.status_code)
            if answer.status_code == 503:
                assert int(answer.headers["retry-after"]) > 0
                assert answer.headers["content-type"] == "application/problem+json"
                assert client.get("/livez").status_code == 200
            elif 503 in seen:
                break
        assert {503} <= seen <= {200, 503}
        assert ask(client).status_code == 200


def test_ended_sessions_are_replaced(own_url: sa.URL) -> None:
    """An administrator ends every session; the next request finds a new connection."""
    with served(settings_for(own_url, **UNKEPT)) as address, http(address) as client:
        assert ask(client).status_code == 200
        with psycopg.connect(
            own_url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
        ) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert ask(client).status_code == 200


def test_a_server_that_does_not_answer(own_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frozen, as on a disk that hangs: told within the limits, and no connection is lost for it."""
    monkeypatch.setitem(PRIMARY, "connect_timeout", 2)
    settings = settings_for(own_url, pool_size=2, statement_timeout_ms=3_000, **UNKEPT)
    with served(settings) as address, http(address) as client, ThreadPoolExecutor(4) as threads:
        assert client.get("/readyz").status_code == 200
        with frozen(own_url):
            for answer in threads.map(client.get, ["/readyz", "/collections/platforms/items"] * 2):
                assert answer.status_code == 503, answer.text
                assert int(answer.headers["retry-after"]) > 0
                assert answer.headers["content-type"] == "application/problem+json"
            assert client.get("/livez").status_code == 200
        deadline = time.monotonic() + PATIENCE_S
        while client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
        told = client.get("/metrics").text
    # but for the one that the metrics are asked with
    used = re.findall(r"^innomap_database_connections_used\S* (\S+)$", told, re.MULTILINE)
    assert used
    assert sum(map(float, used)) <= 1, used


def test_a_question_that_takes_too_long(database_url: sa.URL) -> None:
    with served(settings_for(database_url, statement_timeout_ms=100, **UNKEPT)) as address, http(address) as client:
        with connect(database_url).begin() as blocking:
            blocking.execute(sa.text("LOCK TABLE platform IN ACCESS EXCLUSIVE MODE"))
            answer = ask(client)
        assert answer.status_code == 503
        assert "longer than the limit" in answer.json()["detail"]
        assert int(answer.headers["retry-after"]) > 0


def test_more_requests_than_connections(database_url: sa.URL) -> None:
    """A request that finds no connection within the limit is told to come again."""
    settings = settings_for(database_url, statement_timeout_ms=1_500, pool_size=1, **UNKEPT)
    with served(settings) as address, http(address) as client, ThreadPoolExecutor(6) as threads:
        with connect(database_url).begin() as blocking:
            blocking.execute(sa.text("LOCK TABLE platform IN ACCESS EXCLUSIVE MODE"))
            answers = list(threads.map(lambda _: ask(client), range(6)))
        assert {answer.status_code for answer in answers} == {503}
        assert ask(client).status_code == 200
