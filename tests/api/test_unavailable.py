"""Without its database the service says so, and answers again as soon as the database is back."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import sqlalchemy as sa

from app.db.migrate import upgrade
from tests.conftest import connect, embedded_server, http, served, settings_for

PATIENCE_S = 60.0
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
    import os
    import signal

    folder = Path(str(url.query["host"])).parent
    pid = int(next(folder.glob("pg*/postmaster.pid")).read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


def ask(client: httpx.Client) -> httpx.Response:
    return client.get("/collections/platforms/items", params={"limit": "1"})


def test_503_and_back(own_url: sa.URL) -> None:
    with served(settings_for(own_url, **UNKEPT)) as address, http(address) as client:
        assert ask(client).status_code == 200
        kill_server(own_url)
        seen = set()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            answer = ask(client)
            seen.add(answer.status_code)
            if answer.status_code == 503:
                assert int(answer.headers["retry-after"]) > 0
                assert answer.headers["content-type"] == "application/problem+json"
                assert client.get("/livez").status_code == 200
            elif 503 in seen:
                break
        assert seen == {200, 503}
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
    import concurrent.futures

    settings = settings_for(database_url, statement_timeout_ms=400, pool_size=1, **UNKEPT)
    with served(settings) as address, http(address) as client, concurrent.futures.ThreadPoolExecutor(6) as threads:
        with connect(database_url).begin() as blocking:
            blocking.execute(sa.text("LOCK TABLE platform IN ACCESS EXCLUSIVE MODE"))
            answers = list(threads.map(lambda _: ask(client), range(6)))
        assert {answer.status_code for answer in answers} == {503}
        assert ask(client).status_code == 200


# a stream that is cancelled while it opens leaves its cursor to be collected, with the connection that it closes
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "request_line",
    [
        "GET /collections/platforms/items?limit=1",
        "HEAD /collections/platforms/tiles/WebMercatorQuad/8/106/213",
        "GET /exports/platforms.gpkg",
        "POST /collections/platforms/search",
    ],
)
def test_a_client_that_leaves_ends_its_statement(database_url: sa.URL, request_line: str) -> None:
    """Long before its time is up, and its connection serves the next client."""
    # the watch on the data's version has another name
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'innomap'"
        " AND wait_event_type = 'Lock'"
    )
    body = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    settings = settings_for(database_url, statement_timeout_ms=600_000, pool_size=1)
    observing = connect(database_url).execution_options(isolation_level="AUTOCOMMIT")
    with served(settings) as address, http(address) as client, observing.connect() as observer:

        def wait_for(statements: int) -> None:
            deadline = time.monotonic() + PATIENCE_S
            while observer.scalar(sa.text(waiting)) != statements:
                assert time.monotonic() < deadline, f"never {statements} waiting"
                time.sleep(0.02)

        with connect(database_url).begin() as blocking:
            blocking.execute(sa.text("LOCK TABLE platform IN ACCESS EXCLUSIVE MODE"))
            with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as leaving:
                leaving.sendall(f"{request_line} HTTP/1.1\r\nHost: x\r\n{body}".encode())
                wait_for(1)
            wait_for(0)
        assert ask(client).status_code == 200
