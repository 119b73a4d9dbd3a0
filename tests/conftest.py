"""A real PostGIS for every test: the embedded cluster in memory, or the server that ``TEST_DATABASE_URL`` names.

One template database is migrated and loaded with the repository's data once a session. ``database_url`` is a copy of
it for one test to change, ``loaded_url`` one for all tests that only read.
"""

import contextlib
import os
import shutil
import socket
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Protocol

import httpx
import pytest
import sqlalchemy as sa
import uvicorn
from starlette.types import ASGIApp

from app.api.protocol import server_options
from app.db.embedded import cluster
from app.db.migrate import upgrade
from app.db.server import check, normalise
from app.ingest.load import load
from app.main import create_app
from app.settings import ROOT, Settings

MEMORY = Path("/dev/shm")  # noqa: S108
#: Seconds after which what must come is given up: far longer than anything takes, on a slow and busy machine too.
PATIENCE_S = 240.0


def examples(number: int) -> int:
    """How many random cases a test tries: so many, or as many times more as ``scripts/verify fuzz`` says."""
    return number * int(os.environ.get("FUZZ_TIMES", "1"))


def pytest_configure(config: pytest.Config) -> None:
    """Programs that the tests start find their modules compiled: each takes a third of the time to begin."""
    if not hasattr(config, "workerinput"):
        folder = tempfile.mkdtemp(prefix="innomap-compiled-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder


#: Files and folders whose tests take longest.
LONG = (
    "tests/endurance", "tests/benchmarks", "tests/test_cli.py", "tests/imports", "tests/clients", "tests/commands",
    "tests/db/test_embedded.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins first, so that of several processes none works on alone at the end."""
    items.sort(key=lambda one: not one.nodeid.startswith(LONG))


class Server(Protocol):
    """Makes and removes databases."""

    def create_database(self, name: str, template: str | None = None) -> sa.URL: ...

    def drop_database(self, name: str) -> None: ...


class ForeignServer:
    """The server of ``TEST_DATABASE_URL``; its role may create databases and the PostGIS extension."""

    def __init__(self, url: sa.URL) -> None:
        self._url = url

    def _execute(self, statement: str) -> None:
        engine = sa.create_engine(self._url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(sa.text(statement))

    def create_database(self, name: str, template: str | None = None) -> sa.URL:
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template0"}"')
        url = self._url.set(database=name)
        if template is None:
            check(url)
        return url

    def drop_database(self, name: str) -> None:
        self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.contextmanager
def embedded_server() -> Iterator[Server]:
    """A private cluster that forgets everything, in memory where the system has that."""
    folder = Path(tempfile.mkdtemp(prefix="innomap-tests-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    # the database server runs as an account of its own when the tests run as root
    folder.chmod(0o755)
    try:
        with cluster(folder, fast=True) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Where the tests keep their databases."""
    address = os.environ.get("TEST_DATABASE_URL")
    if address:
        yield ForeignServer(normalise(address))
    else:
        with embedded_server() as running:
            yield running


@pytest.fixture(scope="session")
def make_database(server: Server) -> Iterator[Callable[..., sa.URL]]:
    """A function that makes a database, empty or as a copy; all are dropped at the end."""
    made: list[str] = []

    def make(template: str | None = None) -> sa.URL:
        made.append(f"innomap_test_{uuid.uuid4().hex[:12]}")
        return server.create_database(made[-1], template)

    yield make
    for name in reversed(made):
        server.drop_database(name)


def connect(url: sa.URL) -> sa.Engine:
    """An engine that keeps no connection, so that its database can be copied or dropped."""
    return sa.create_engine(url, poolclass=sa.NullPool)


def settings_for(url: sa.URL, **values: object) -> Settings:
    """Settings of a service over a database; unless a test says otherwise no limit is for quick machines only."""
    patient = {"statement_timeout_ms": 60_000, "queue_wait_s": PATIENCE_S}
    return Settings(DATABASE_URL=url.render_as_string(hide_password=False), **patient | values)  # type: ignore[arg-type]


@contextlib.contextmanager
def served(settings: Settings, app: ASGIApp | None = None) -> Iterator[str]:
    """Serve the application (or another) in a thread on a free loopback port; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = uvicorn.Server(
            uvicorn.Config(app or create_app(settings), **(server_options(settings) | {"log_config": None}))
        )
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, name="served")
        thread.start()
        try:
            # the socket listens already: a first request waits until the application is ready
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join()


def http(address: str) -> httpx.Client:
    """A client that heeds no proxy of the environment and keeps no cookie: every request stands for itself."""
    # the server closes what is idle for 5 seconds: a connection must not be used in that very moment
    opened = httpx.Client(
        base_url=address, trust_env=False, timeout=PATIENCE_S, limits=httpx.Limits(keepalive_expiry=2)
    )
    opened.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return opened


@pytest.fixture(scope="session")
def geodata(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's data files, to read; it is what the session's databases hold."""
    return Path(shutil.copytree(ROOT / "geodata", tmp_path_factory.mktemp("data") / "geodata"))


@pytest.fixture(scope="session")
def template_url(make_database: Callable[..., sa.URL], schema_url: sa.URL, geodata: Path) -> sa.URL:
    """A migrated and loaded database that nobody stays connected to: the source of all copies."""
    ready = os.environ.get("TEST_LOADED")  # made beforehand, see tests/mutation.py
    url = make_database(ready or schema_url.database)
    if not ready:
        with connect(url).connect() as connection:
            load(connection, geodata)
    return url


@pytest.fixture(scope="session")
def schema_url(make_database: Callable[..., sa.URL]) -> sa.URL:
    """A migrated database without data, the source of copies."""
    ready = os.environ.get("TEST_SCHEMA")
    url = make_database(ready)
    if not ready:
        with connect(url).connect() as connection:
            upgrade(connection)
    return url


@pytest.fixture
def migrated_url(server: Server, schema_url: sa.URL) -> Iterator[sa.URL]:
    """A migrated database of one test, without data."""
    name = f"innomap_test_{uuid.uuid4().hex[:12]}"
    yield server.create_database(name, schema_url.database)
    server.drop_database(name)


@pytest.fixture
def empty_url(server: Server) -> Iterator[sa.URL]:
    """A database of one test with PostGIS and nothing else."""
    name = f"innomap_test_{uuid.uuid4().hex[:12]}"
    yield server.create_database(name)
    server.drop_database(name)


@pytest.fixture
def database_url(server: Server, template_url: sa.URL) -> Iterator[sa.URL]:
    """A migrated and loaded database of one test."""
    name = f"innomap_test_{uuid.uuid4().hex[:12]}"
    yield server.create_database(name, template_url.database)
    server.drop_database(name)


@pytest.fixture
def connection(database_url: sa.URL) -> Iterator[sa.Connection]:
    """A connection to this test's own database, in autocommit."""
    engine = connect(database_url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as opened:
        yield opened


@pytest.fixture(scope="session")
def loaded_url(make_database: Callable[..., sa.URL], template_url: sa.URL) -> sa.URL:
    """A migrated and loaded database for all tests that only read."""
    return make_database(template_url.database)


@pytest.fixture(scope="session")
def live_server(loaded_url: sa.URL) -> Iterator[str]:
    """The application on the session's database, served on loopback; its address without a slash at the end."""
    with served(settings_for(loaded_url)) as address:
        yield address


@pytest.fixture(scope="session")
def client(live_server: str) -> Iterator[httpx.Client]:
    """An HTTP client of the application on the session's database."""
    with http(live_server) as opened:
        yield opened
