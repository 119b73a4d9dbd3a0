"""The service as clients of others see it, with a record of what reached it."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
import sqlalchemy as sa
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from app.main import create_app
from tests.conftest import PATIENCE_S, settings_for


class Recorder:
    """Passes requests on, and keeps path and parameters of each."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.requests: list[tuple[str, dict[str, str]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            query = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
            self.requests.append((scope["path"], {name: values[0] for name, values in query.items()}))
        await self.app(scope, receive, send)

    def asked(self, path: str) -> list[dict[str, str]]:
        """Parameters of each request for a path."""
        return [query for one, query in self.requests if one == path]


@pytest.fixture(scope="session")
def recorded(loaded_url: sa.URL) -> Iterator[tuple[str, Recorder]]:
    """Address of a service, and its recorder."""
    recorder = Recorder(create_app(settings_for(loaded_url)))
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        server = uvicorn.Server(uvicorn.Config(recorder, log_level="warning", proxy_headers=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="recorded")
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", recorder
        server.should_exit = True
        thread.join()


@pytest.fixture
def service(recorded: tuple[str, Recorder], monkeypatch: pytest.MonkeyPatch) -> tuple[str, Recorder]:
    """The same with an empty record, for clients that must not ask a proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    recorded[1].requests.clear()
    return recorded


def run(*command: str) -> str:
    """Output of a program, which must succeed and complain of nothing."""
    if shutil.which(command[0]) is None:
        pytest.fail(f"These tests need {command[0]}: apt-get install --no-install-recommends gdal-bin", pytrace=False)
    # the virtual environment's PROJ data are not those of the system's GDAL
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PROJ_", "GDAL_"))}
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    return done.stdout
