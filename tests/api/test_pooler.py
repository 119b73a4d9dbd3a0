"""Debian's PgBouncer in transaction mode before the database: everything works, limits included."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db import tables as t
from app.db.embedded import Cluster, DatabaseUnsuitable
from app.db.engine import readers, writer
from app.db.server import check
from app.edits import keys
from app.queries.watch import BOUND_S
from tests.commands.conftest import look
from tests.conftest import MEMORY, PATIENCE_S, connect, http, served, settings_for
from tests.imports.test_rules import GOOD, written
from tests.imports.test_upload import DEFINITION

PGBOUNCER = "/usr/sbin/pgbouncer"
ITEM = "/collections/platforms/items/juanhu-science-city"
READS = (
    ITEM,
    "/collections/platforms/items?within=counties/330481",
    "/collections/platforms/items?near=120.716,30.519&distance=3000",
    "/collections/platforms/aggregate?group_by=county",
    "/collections/platforms/tiles/WebMercatorQuad/9/210/427?f=mvt",
    "/exports/platforms.geojsonl",
    "/exports/platforms.gpkg",
    "/maps/jiaxing",
    "/search?q=湖",
    "/indicators/progress",
)
#: Connections to the server: fewer than the service has to the pooler, so that transactions change places.
SHARED = 3
CONFIGURATION = """
[databases]
* = host={sockets} port=5432 user=innomap
[pgbouncer]
unix_socket_dir = {folder}
listen_addr =
listen_port = 6432
auth_type = any
pool_mode = transaction
default_pool_size = {shared}
logfile = {folder}/log
ignore_startup_parameters = {ignored}
"""


@pytest.fixture(params=[""], ids=["plain"])
def ignored(request: pytest.FixtureRequest) -> str:
    """What the pooler passes over when a connection begins, instead of refusing it."""
    return str(request.param)


@pytest.fixture
def pool_url(primary: Cluster, private_url: sa.URL, ignored: str) -> Iterator[str]:
    """The private database through a pooler of its own."""
    home = primary._home
    folder = Path(tempfile.mkdtemp(prefix="innomap-pooler-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    os.chown(folder, home.account.uid, home.account.gid)
    told = CONFIGURATION.format(sockets=home.sockets, folder=folder, shared=SHARED, ignored=ignored)
    (folder / "pgbouncer.ini").write_text(told)
    (folder / "pgbouncer.ini").chmod(0o644)
    as_root = os.geteuid() == 0
    running = subprocess.Popen(
        [PGBOUNCER, "-q", folder / "pgbouncer.ini"],
        user=home.account.uid if as_root else None, group=home.account.gid if as_root else None,
        extra_groups=[] if as_root else None, cwd="/", stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not (folder / ".s.PGSQL.6432").exists():
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        found = private_url.update_query_dict({"host": str(folder), "port": "6432"})
        yield found.render_as_string(hide_password=False)
    finally:
        running.terminate()
        running.wait()
        shutil.rmtree(folder)


def test_prepared_statements_do_not_survive_this_pooler(pool_url: str) -> None:
    """What the tests below stand for: a connection that prepares fails here."""
    address = pool_url.replace("+psycopg", "")

    def each_prepares() -> None:
        with psycopg.connect(address) as one, psycopg.connect(address) as two:
            for connection in (one, two) * SHARED:
                connection.execute("SELECT 1", prepare=True)
                connection.commit()

    with pytest.raises(psycopg.Error, match="prepared statement"):
        each_prepares()


def test_the_doctor_asks_through_it(private_url: sa.URL, pool_url: str) -> None:
    gone = sa.make_url(pool_url).update_query_dict({"port": "6433"}).render_as_string(hide_password=False)
    ((level, _),) = look("pooler", settings_for(private_url, DATABASE_POOL_URL=pool_url), private_url)
    assert level == "ok"
    ((level, text),) = look("pooler", settings_for(private_url, DATABASE_POOL_URL=gone), private_url)
    assert level == "wrong"
    assert "check the pooler and its address" in text


def test_reads_and_writes_at_once(private_url: sa.URL, pool_url: str, tmp_path: Path) -> None:
    with connect(private_url).begin() as connection:
        key = keys.create(connection, "pooler", "admin")
    told = settings_for(private_url, DATABASE_POOL_URL=pool_url, response_cache_mb=0)
    with served(told) as address, http(address) as client:
        with ThreadPoolExecutor(8) as clients:
            # each statement is asked more often than a driver needs to prepare it
            answers = list(clients.map(client.get, READS * 8))
        assert {(answer.url.path, answer.status_code) for answer in answers} == {
            (httpx.URL(path).path, 200) for path in READS
        }
        edited = client.patch(
            ITEM,
            json={"properties": {"concept": "through a pooler"}},
            headers={
                "Authorization": f"Bearer {key}",
                "Content-Type": "application/merge-patch+json",
                "If-Match": client.get(ITEM).headers["etag"],
            },
        )
        assert edited.status_code == 200, edited.text
        # an import works in temporary tables: past the pooler
        uploaded = client.post(
            "/imports",
            data={"definition": DEFINITION, "apply": "true"},
            files={"file": ("stations.csv", written(tmp_path / "stations.csv", GOOD).read_bytes())},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert uploaded.status_code == 200, uploaded.text
        assert uploaded.json()["applied"]
        assert client.get(ITEM).json()["properties"]["concept"] == "through a pooler"


def test_a_change_is_pushed_past_the_pooler(private_url: sa.URL, pool_url: str) -> None:
    with served(settings_for(private_url, DATABASE_POOL_URL=pool_url)) as address, http(address) as client:
        client.get(ITEM).raise_for_status()
        with connect(private_url).begin() as connection:
            connection.execute(
                sa.update(t.platform).where(t.platform.c.id == ITEM.rpartition("/")[2]).values(concept="pushed")
            )
        deadline = time.monotonic() + BOUND_S + PATIENCE_S
        while client.get(ITEM).json()["properties"]["concept"] != "pushed":
            assert time.monotonic() < deadline


def test_nothing_is_prepared(private_url: sa.URL, pool_url: str) -> None:
    async def ask() -> None:
        engine = writer(private_url, settings_for(private_url, DATABASE_POOL_URL=pool_url))
        try:
            async with engine.begin(), engine.begin():
                pass
            # committed, each often enough, by two in turn on one connection to the server
            for _ in range(20):
                async with engine.begin() as connection:
                    await connection.scalar(sa.select(t.layer_version.c.version).limit(1))
        finally:
            await engine.dispose()

    asyncio.run(ask())


def test_limits_hold_for_each_transaction_and_for_no_other(private_url: sa.URL, pool_url: str) -> None:
    told = settings_for(private_url, DATABASE_POOL_URL=pool_url, statement_timeout_ms=1234)
    shown = [sa.text(f"SHOW {name}") for name in ("statement_timeout", "transaction_read_only", "timezone")]

    async def settings(engine: AsyncEngine) -> list[str]:
        async with engine.connect() as connection:
            return [str(await connection.scalar(one)) for one in shown]

    async def found() -> tuple[list[str], list[str]]:
        reading, writing = readers(private_url, told), writer(private_url, told)
        try:
            async with reading.primary.connect() as connection:
                with pytest.raises(DBAPIError, match="read-only"):
                    await connection.execute(sa.text("DELETE FROM platform"))
            return await settings(reading.primary), await settings(writing)
        finally:
            await reading.primary.dispose()
            await writing.dispose()

    reading, writing = asyncio.run(found())
    assert reading == ["1234ms", "on", "UTC"]
    assert writing == ["1234ms", "off", "UTC"]
    with psycopg.connect(pool_url.replace("+psycopg", "")) as other:
        left = other.execute("SHOW statement_timeout").fetchone()
        assert left == ("0",)


@pytest.mark.parametrize("ignored", ["", "options"], indirect=True, ids=["refused", "passed over"])
def test_a_pooler_in_the_place_of_the_server_is_told(pool_url: str) -> None:
    with pytest.raises(DatabaseUnsuitable, match="DATABASE_POOL_URL"):
        check(sa.make_url(pool_url))
