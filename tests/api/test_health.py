"""The service tells how it is: alive, ready, in numbers, in its log."""

import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import create_async_engine

from app import __version__
from app.db import slow, verbatim
from app.db import tables as t
from app.db.engine import reader
from app.logs import REQUEST_ID, Json, Lines
from tests.conftest import PATIENCE_S, connect, http, served, settings_for


def numbers(client: httpx.Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All samples of /metrics, by name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    found = text_string_to_metric_families(answer.text)
    return {(s.name, frozenset(s.labels.items())): s.value for family in found for s in family.samples}


def requests(client: httpx.Client, route: str, status: str) -> float:
    labels = frozenset({"method": "GET", "route": route, "status": status}.items())
    return numbers(client).get(("innomap_request_seconds_count", labels), 0)


def test_ready_tells_the_version_of_the_data(database_url: sa.URL) -> None:
    with served(settings_for(database_url)) as address, http(address) as client:
        before = client.get("/readyz").json()
        assert before["release"] == __version__
        assert re.fullmatch("[0-9a-f]{12}", before["data_version"])
        assert client.get("/readyz").json() == before
        with connect(database_url).begin() as connection:
            connection.execute(sa.text("UPDATE platform SET note = 'other'"))
        after = client.get("/readyz").json()
        assert after["data_version"] != before["data_version"]
        assert after["data_changed_at"] > before["data_changed_at"]


def test_requests_are_counted_by_route(client: httpx.Client) -> None:
    asked = (
        ("/collections/counties/items/330481?crs=EPSG:4549", "/collections/{collectionId}/items/{featureId}", "200"),
        ("/collections/counties/items/nowhere", "/collections/{collectionId}/items/{featureId}", "404"),
        ("/collections?f=none", "/collections", "400"),
        ("/static/page.css", "/static", "200"),
        ("/nowhere/at/all", "(none)", "404"),
    )
    for path, route, status in asked:
        before = requests(client, route, status)
        assert client.get(path).status_code == int(status)
        # a request is told of when all of it is done, a file's closing included
        deadline = time.monotonic() + PATIENCE_S
        while requests(client, route, status) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert requests(client, route, status) == before + 1, path
    client.request("BREW", "/collections")
    assert all(dict(labels).get("method") != "BREW" for _, labels in numbers(client))


def test_answers_that_stood_ready_are_told_apart(client: httpx.Client) -> None:
    address = "/collections/counties/items?limit=3"
    before = requests(client, "(kept)", "200")
    deadline = time.monotonic() + PATIENCE_S
    while requests(client, "(kept)", "200") == before and time.monotonic() < deadline:
        client.get(address)
    assert requests(client, "(kept)", "200") > before
    held, missed = (
        numbers(client)[name, frozenset()] for name in ("innomap_cache_bytes", "innomap_cache_misses_total")
    )
    assert held > 3_000
    client.get("/collections/counties/items?limit=4")
    assert numbers(client)["innomap_cache_misses_total", frozenset()] > missed
    assert numbers(client)["innomap_cache_bytes", frozenset()] > held


def test_numbers_of_the_database(client: httpx.Client) -> None:
    found = numbers(client)
    assert found["innomap_database_up", frozenset()] == 1
    assert found["innomap_release", frozenset({("version", __version__)})] == 1
    version = client.get("/readyz").json()["data_version"]
    assert found["innomap_data_version", frozenset({("version", version)})] == 1
    assert found["innomap_data_changed_timestamp_seconds", frozenset()] <= time.time()
    assert found["innomap_database_connections_most", frozenset()] >= 1
    assert found["innomap_database_write_connections_most", frozenset()] >= 1
    assert found["innomap_database_write_connections_used", frozenset()] == 0
    for kind in ("exports", "tiles", "prints"):
        assert found["innomap_turns_waiting", frozenset({("kind", kind)})] == 0


def test_without_its_database_it_still_counts(loaded_url: sa.URL) -> None:
    with served(settings_for(loaded_url)) as address, http(address) as client:
        client.get("/readyz")
        app_engine = create_async_engine(loaded_url.set(database="not-there"))
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("app.api.health.snapshot", lambda _: app_engine.connect())
            assert numbers(client)["innomap_database_up", frozenset()] == 0
            assert client.get("/readyz").status_code == 503
            assert client.get("/livez").status_code == 200
        assert client.get("/readyz").status_code == 200


def test_numbers_are_for_the_networks_named(loaded_url: sa.URL) -> None:
    with served(settings_for(loaded_url, metrics_networks=["192.0.2.0/24"])) as address, http(address) as client:
        refused = client.get("/metrics")
        assert refused.status_code == 403
        assert "INNOMAP_METRICS_NETWORKS" in refused.json()["detail"]
        assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.9"}).status_code == 200


# ------------------------------------------------------------------------------------------------- several processes


@contextlib.contextmanager
def serving(url: sa.URL, *options: str, **environment: str) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """``innomap serve`` over a database, once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": url.render_as_string(hide_password=False), **environment}
    command = [Path(sys.executable).with_name("innomap"), "serve", "--port", str(port), *options]
    running = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        with http(f"http://127.0.0.1:{port}") as client:
            for line in running.stdout or ():
                if "Ctrl+C" in line:
                    break
            yield client, running
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate()


@pytest.fixture
def two_processes(loaded_url: sa.URL) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """Two web processes, with their log as JSON on standard error, and without the response cache."""
    told = {"INNOMAP_LOG_FORMAT": "json", "INNOMAP_LOG_REQUESTS": "true", "INNOMAP_RESPONSE_CACHE_MB": "0"}
    with serving(loaded_url, "--workers", "2", **told) as running:
        yield running


def workers(running: subprocess.Popen[str]) -> list[int]:
    """The web processes, by their number."""
    children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
    return [int(one) for one in children if "spawn_main" in Path(f"/proc/{one}/cmdline").read_text()]


def test_several_processes_count_as_one(two_processes: tuple[httpx.Client, subprocess.Popen[str]]) -> None:
    client, running = two_processes
    # a new connection each, so that both processes answer some
    for _ in range(30):
        client.get("/conformance", headers={"Connection": "close"})
    assert {requests(client, "/conformance", "200") for _ in range(4)} == {30}
    before = workers(running)
    assert len(before) == 2
    most = numbers(client)["innomap_database_connections_most", frozenset()]
    os.kill(before[0], signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_S
    while (len(workers(running)) < 2 or before[0] in workers(running)) and time.monotonic() < deadline:
        time.sleep(0.2)
    while time.monotonic() < deadline:
        # what the killed one had in hand is not counted on, and what it answered is
        if numbers(client)["innomap_database_connections_most", frozenset()] == most:
            break
        time.sleep(0.2)
    assert numbers(client)["innomap_database_connections_most", frozenset()] == most
    assert requests(client, "/conformance", "200") == 30
    client.get("/search?q=secret-words", headers={"X-Request-ID": "mine-1", "Authorization": "Bearer secret-key"})
    running.send_signal(signal.SIGTERM)
    _, errors = running.communicate(timeout=PATIENCE_S)
    lines = [json.loads(line) for line in errors.splitlines()]
    assert {"time", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines))
    told = next(line for line in lines if line.get("request_id") == "mine-1" and line["message"] == "request")
    assert (told["method"], told["route"]) == ("GET", "/search")
    assert told["milliseconds"] > 0
    assert "secret" not in errors
    assert "127.0.0.1" not in errors


class Collector(BaseHTTPRequestHandler):
    """Takes what OpenTelemetry sends."""

    received: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        self.received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *values: object) -> None:
        pass


def test_traces_go_where_opentelemetry_is_told(loaded_url: sa.URL) -> None:
    """The extra ``telemetry``: FastAPI's own spans, by OTLP over HTTP."""
    Collector.received.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as collector:
        threading.Thread(target=collector.serve_forever).start()
        told = {
            "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.server_port}",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with serving(loaded_url, **told) as (client, _):
            traced = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
            assert client.get("/collections/counties/items/330481", headers=traced).status_code == 200
        # what is left is sent when it ends
        collector.shutdown()
    spans = b"".join(body for path, body in Collector.received if path == "/v1/traces")
    assert b"GET /collections/{collectionId}/items/{featureId}" in spans
    assert bytes.fromhex("0af7651916cd43dd8448eb211c80319c") in spans
    assert b"client.address" not in spans


# ---------------------------------------------------------------------------------------------------- ids and the log


def test_a_request_has_an_id(client: httpx.Client) -> None:
    made = {client.get(path).headers["x-request-id"] for path in ("/livez", "/livez", "/nowhere", "/static/page.css")}
    assert len(made) == 4
    assert all(re.fullmatch("[0-9a-f]{16}", one) for one in made)
    assert client.get("/livez", headers={"X-Request-ID": "a-B.9_"}).headers["x-request-id"] == "a-B.9_"
    for wrong in ("with space", "x" * 65, "<b>"):
        assert client.get("/livez", headers={"X-Request-ID": wrong}).headers["x-request-id"] != wrong


def test_a_defect_has_its_id(loaded_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("app.api.pages.landing", fail)
    with served(settings_for(loaded_url)) as address, http(address) as client:
        answer = client.get("/?f=json", headers={"X-Request-ID": "mine-2"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (500, "mine-2")
    # a connection on which the program failed is closed
    with served(settings_for(loaded_url)) as address, http(address) as client:
        assert requests(client, "/", "500") >= 1


def record(**more: object) -> logging.LogRecord:
    made = logging.LogRecord("innomap", logging.WARNING, "file", 1, "现状 %s", ("x",), None)
    vars(made).update(more)
    return made


def test_lines_of_the_log() -> None:
    token = REQUEST_ID.set("mine-3")
    try:
        told = json.loads(Json().format(record(number=3)))
        assert Lines().format(record(number=3)) == "WARNING innomap: 现状 x number=3 [mine-3]"
    finally:
        REQUEST_ID.reset(token)
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "WARNING", "logger": "innomap", "message": "现状 x", "request_id": "mine-3", "number": 3,
    }  # fmt: skip
    try:
        raise ValueError("why")
    except ValueError:
        failed = record(exc_info=sys.exc_info())
    assert "ValueError: why" in json.loads(Json().format(failed))["exception"]
    assert Lines().format(failed).endswith("ValueError: why")


def test_slow_statements_are_told_with_their_plan(
    loaded_url: sa.URL, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = connect(loaded_url)
    slow.tell_slow(engine, 500)
    question = sa.text("SELECT count(*) FROM platform, pg_sleep(:wait) WHERE name <> :name")
    with engine.connect() as connection:
        for _ in range(2):
            connection.execute(question, {"wait": 0.6, "name": "秘密"})
        connection.execute(question, {"wait": 0, "name": "x"})
        connection.execute(sa.text("SET LOCAL statement_timeout = 600"))
        with pytest.raises(sa.exc.OperationalError):
            connection.execute(question, {"wait": 10, "name": "秘密"})
    first, second, cut = caplog.records
    assert {one.name for one in caplog.records} == {"innomap.slow"}
    assert [one.getMessage() for one in caplog.records] == ["slow statement", "slow statement", "statement cut off"]
    assert "FROM platform, pg_sleep" in vars(first)["statement"]
    assert "Scan" in vars(first)["plan"]
    assert vars(first)["milliseconds"] >= 600
    # a plan now and then, not with each
    assert "plan" not in vars(second)
    assert "plan" not in vars(cut)
    assert not any("秘密" in Json().format(one) for one in caplog.records)


def test_slow_statements_of_the_hot_path_are_told_as_well(loaded_url: sa.URL, caplog: pytest.LogCaptureFixture) -> None:
    async def asked() -> None:
        engine = reader(loaded_url, settings_for(loaded_url, slow_query_ms=300, statement_timeout_ms=1500))
        platform, wait = t.platform.c, sa.bindparam("wait", type_=sa.Double)
        asked = sa.select(platform.name, sa.func.pg_sleep(wait)).where(platform.id == sa.bindparam("id"))
        written = verbatim.write(asked.where(platform.name != "秘密"))
        values = {"id": "juanhu-science-city"}
        async with engine.connect() as connection:
            answer = await verbatim.ask(connection, written, {**values, "wait": 0.4})
            assert answer.row(0)[0] == "鹃湖国际科技城"
            with pytest.raises(sa.exc.OperationalError, match="statement timeout"):
                await verbatim.ask(connection, written, {**values, "wait": 9.0})
            assert len(await verbatim.ask(connection, written, {**values, "wait": 0.0})) == 1
        await engine.dispose()

    asyncio.run(asked())
    slow_one, cut = caplog.records
    assert [one.getMessage() for one in (slow_one, cut)] == ["slow statement", "statement cut off"]
    assert "Scan" in vars(slow_one)["plan"]
    assert not any(one in str(vars(slow_one)) for one in ("秘密", "juanhu"))


def test_a_plan_costs_the_request_nothing(
    database_url: sa.URL, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a snapshot and without a transaction, whether there is a plan, or it fails or takes too long."""
    monkeypatch.setattr(slow, "PLAN_EVERY_S", -1)
    monkeypatch.setattr(slow, "PLAN_TIMEOUT_MS", 100)
    engine = connect(database_url)
    with engine.begin() as connection:
        # what says that it changes nothing is called for the plan, and cannot be planned quickly
        dawdle = "CREATE FUNCTION dawdle() RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
        connection.exec_driver_sql(f"{dawdle} 'BEGIN PERFORM pg_sleep(0.3); RETURN 1; END'")
    slow.tell_slow(engine, 50)
    usual = "SELECT count(*) FROM platform, pg_sleep(0.06) WHERE area_km2 > 12.75 AND name <> '秘密'"
    # run once, the table that it reads is not found any more
    fails = (
        "SELECT set_config('search_path', 'nowhere', true) FROM (SELECT FROM platform LIMIT 1) AS one, pg_sleep(0.06)"
    )
    lasts = "SELECT count(*) FROM platform WHERE dawdle() = 1"
    with engine.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 9000")
        begun = connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar()
        first = connection.exec_driver_sql(usual).scalar()
        connection.exec_driver_sql(fails)
        connection.exec_driver_sql("SET LOCAL search_path = public")
        assert connection.exec_driver_sql(lasts).scalar() > first
        assert connection.exec_driver_sql(usual).scalar() == first
        assert connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar() == begun
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "9s"
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        assert connection.exec_driver_sql(usual).scalar() == first
    # on a busy machine anything is slow
    plans = [vars(one)["plan"] for one in caplog.records if "FROM platform" in vars(one)["statement"]]
    assert plans[1:3] == ["(ProgrammingError)", "(OperationalError)"]
    for plan in (plans[0], *plans[3:]):
        assert "Seq Scan on platform  (cost=0." in plan
        assert "(area_km2 > …)" in plan
        assert "(name <> '…'::text)" in plan
    assert len(plans) == 5


def test_no_value_stands_in_a_plan(loaded_url: sa.URL) -> None:
    engine = connect(loaded_url)
    numbered = (
        "SELECT id FROM region AS region_2 WHERE adcode <> %(name)s AND %(low)s < length(id) AND length(id) < -15.5e1"
    )
    with engine.connect() as connection:
        plan = slow._plan(connection, numbered, {"name": "3304'02", "low": 1753})
    assert "region_2" in plan
    for value in ("3304", "1753", "15.5", "155"):
        assert value not in plan, plan
    assert "Filter: " in plan
    assert "rows=" in plan
