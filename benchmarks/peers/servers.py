"""Starts the service and its peers, each with so many web processes on a loopback port of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import httpx
import sqlalchemy as sa

from benchmarks.peers.data import SCHEMA

START_S = 120
#: What the peers are installed from, each into a virtual environment of its own.
PACKAGES = {
    "tipg": ("tipg", "uvicorn", "uvloop", "httptools"),
    "pygeoapi": ("pygeoapi", "gunicorn", "psycopg2-binary", "geoalchemy2", "sqlalchemy"),
}


class Server:
    """A running server: its address and its processes."""

    def __init__(self, address: str, *processes: "subprocess.Popen[bytes]") -> None:
        self.address = address
        self.processes = processes

    def memory(self) -> int:
        """The largest resident set (KiB) that a web process has now."""
        return max(_resident(pid) for one in self.processes for pid in _family(one.pid))


def _family(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    children = [int(one) for one in text.split()]
    return [pid, *(one for child in children for one in _family(child))]


def _resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


def install(name: str, folder: Path) -> Path:
    """The folder of the programs of a peer, which is installed where it is not yet."""
    venv = folder / name
    if not (venv / ".complete").exists():
        print(f"installing {name} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)  # noqa: S603
        subprocess.run([str(venv / "bin/pip"), "install", "--quiet", *PACKAGES[name]], check=True)  # noqa: S603
        (venv / ".complete").touch()
    return venv / "bin"


def free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], port: int, path: str, log: Path
) -> Iterator[Server]:
    """A server from the moment it answers at ``path`` until the context ends. Raises ``SystemExit``."""
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603
            command, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        deadline = time.monotonic() + START_S
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=30).raise_for_status()
                break
            except httpx.HTTPError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} did not start: see {log}") from None
                time.sleep(0.1)
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def product(url: sa.URL, workers: int, folder: Path, cache_mb: int) -> Iterator[Server]:
    """The service; ``cache_mb`` is its response cache."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("innomap")), "serve", "--port", str(port), "--workers", str(workers)]
    environment = {
        "DATABASE_URL": url.render_as_string(hide_password=False).replace("+psycopg", ""),
        "INNOMAP_RESPONSE_CACHE_MB": str(cache_mb),
        # as many at once as the peers take
        "INNOMAP_CONCURRENT_TILES": "8", "INNOMAP_POOL_SIZE": "20", "INNOMAP_STATEMENT_TIMEOUT_MS": "60000",
    }  # fmt: skip
    with running(command, environment, port, "/readyz", folder / f"product-{cache_mb}.log") as server:
        _settled(url)
        yield server


def _settled(url: sa.URL) -> None:
    """Wait until the service has made ready what it keeps ready, as it does in the background after each change."""
    at_work = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'innomap watch' AND state <> 'idle'"
    )
    idle = 0
    with sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        while idle < 3:
            time.sleep(0.5)
            idle = 0 if connection.scalar(at_work) else idle + 1


@contextlib.contextmanager
def tipg(url: sa.URL, workers: int, folder: Path) -> Iterator[Server]:
    port = free_port()
    command = [
        str(install("tipg", folder) / "uvicorn"), "tipg.main:app", "--port", str(port), "--workers", str(workers),
        "--log-level", "error", "--no-access-log",
    ]  # fmt: skip
    environment = {
        "DATABASE_URL": f"postgresql://{url.username}@{_host(url)}:{_port(url)}/{url.database}",
        "TIPG_DB_SCHEMAS": json.dumps([SCHEMA]), "TIPG_DB_EXCLUDE_FUNCTION_SCHEMAS": json.dumps(["public"]),
        "TIPG_MAX_FEATURES_PER_QUERY": "2000000", "TIPG_TILE_BUFFER": "64", "WEB_CONCURRENCY": str(workers),
    }  # fmt: skip
    with running(command, environment, port, "/healthz", folder / "tipg.log") as server:
        yield server


def _host(url: sa.URL) -> str:
    return quote(str(url.query.get("host") or url.host), safe="")


def _port(url: sa.URL) -> str:
    return str(url.query.get("port") or url.port or 5432)


@contextlib.contextmanager
def pygeoapi(url: sa.URL, workers: int, folder: Path, names: Sequence[str]) -> Iterator[Server]:
    port = free_port()
    programs = install("pygeoapi", folder)
    config, description = folder / "pygeoapi.json", folder / "pygeoapi-openapi.json"
    config.write_text(json.dumps(_configured(url, port, names)))
    environment = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(description)}
    generate = [str(programs / "pygeoapi"), "openapi", "generate", str(config), "--format", "json"]
    subprocess.run(  # noqa: S603
        [*generate, "--output-file", str(description)],
        env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    command = [
        str(programs / "gunicorn"), "pygeoapi.flask_app:APP", "--bind", f"127.0.0.1:{port}", "--workers", str(workers),
        "--threads", "4", "--log-level", "error", "--limit-request-line", "0",
    ]  # fmt: skip
    with running(command, environment, port, "/conformance?f=json", folder / "pygeoapi.log") as server:
        yield server


def _configured(url: sa.URL, port: int, names: Sequence[str]) -> dict[str, object]:
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port}, "url": f"http://127.0.0.1:{port}",
            "mimetype": "application/json", "encoding": "utf-8", "language": "en-US",
            "limits": {"default_items": 10, "max_items": 2000000},
            "map": {"url": "https://localhost/", "attribution": ""},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "t", "description": "d", "keywords": ["k"], "terms_of_service": "t", "url": "https://localhost",
            },
            "license": {"name": "l", "url": "https://localhost"},
            "provider": {"name": "p", "url": "https://localhost"},
            "contact": {"name": "c"},
        },
        "resources": {
            name: {
                "type": "collection", "title": name, "description": name, "keywords": ["k"], "links": [],
                "extents": {"spatial": {"bbox": [-180, -90, 180, 90]}},
                "providers": [{
                    "type": "feature", "name": "PostgreSQL", "id_field": "id", "table": name, "geom_field": "geom",
                    "data": {
                        "host": str(url.query.get("host") or url.host), "port": _port(url), "dbname": url.database,
                        "user": url.username, "password": "", "search_path": [SCHEMA, "public"],
                    },
                }],
            }
            for name in names
        },
    }  # fmt: skip
