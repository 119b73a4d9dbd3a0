"""Slow, silent and vanishing clients: each has its time, and nothing of theirs stays behind."""

import asyncio
import contextlib
import json
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import protocol
from app.api.protocol import make_room
from app.settings import Settings
from tests.conftest import PATIENCE_S, connect, http, served, settings_for

IDLE = 1_000


class Small:
    """An application that reads a body and tells its length, or answers without end."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self.on = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            # no start, no end
            return
        try:
            if scope["path"] == "/endless":
                await self._endless(send)
            elif scope["path"] == "/halves":
                await self._halves(send)
            elif scope["path"] == "/unread":
                await self._answer(b"enough", send)
            else:
                await self._length(receive, send)
        finally:
            self.ended.set()

    async def _length(self, receive: Receive, send: Send) -> None:
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message.get("body", b"")), message.get("more_body", False)
        await self._answer(str(size).encode(), send)

    async def _answer(self, body: bytes, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    async def _halves(self, send: Send) -> None:
        """The second when it may go on."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"8")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        while not self.on.is_set():
            await asyncio.sleep(0.01)
        await send({"type": "http.response.body", "body": b"half"})

    async def _endless(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while True:
            await send({"type": "http.response.body", "body": b" " * 65_536, "more_body": True})


@contextlib.contextmanager
def serving(app: ASGIApp, **values: object) -> Iterator[Callable[[], socket.socket]]:
    """The application under some limits; gives a function that connects to it."""
    with contextlib.ExitStack() as opened, served(Settings(**values), app) as address:  # type: ignore[arg-type]

        def connected() -> socket.socket:
            made = opened.enter_context(socket.socket())
            # a client that does not read is noticed sooner
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            made.settimeout(PATIENCE_S)
            made.connect(("127.0.0.1", int(str(urlsplit(address).port))))
            return made

        yield connected
        opened.close()


def rest(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection, however it does."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            received += piece
    return received


def asked(connection: socket.socket) -> bool:
    """Whether a small question is answered; the connection stays open."""
    connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    received = b""
    while not received.endswith(b"\r\n\r\n0") and (piece := connection.recv(65_536)):
        received += piece
    return received.startswith(b"HTTP/1.1 200 ")


def refused(answer: bytes, status: int) -> bool:
    """Whether an answer is this problem and nothing more."""
    head, _, body = answer.partition(b"\r\n\r\n")
    said = httpx.Headers([tuple(line.split(b": ")) for line in head.split(b"\r\n")[1:]])
    return (
        head.startswith(b"HTTP/1.1 %d " % status)
        and said["content-type"] == "application/problem+json"
        and json.loads(body)["status"] == status
    )


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234"],
)
def test_a_request_that_does_not_come(sent: bytes) -> None:
    with serving(Small(), request_timeout_s=0.2) as connected:
        client = connected()
        client.sendall(sent)
        assert refused(rest(client), 408)


def test_a_head_in_drops() -> None:
    """What comes now and then gains no time."""
    with serving(Small(), request_timeout_s=0.3) as connected:
        client = connected()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(int(PATIENCE_S / 0.05)):
                client.sendall(b"G")
                time.sleep(0.05)
            pytest.fail("the connection stayed open")


def test_a_large_body_gains_time_by_coming() -> None:
    with serving(Small(), request_timeout_s=2) as connected:
        client = connected()
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2097152\r\n\r\n")
        for _ in range(8):
            client.sendall(b" " * 262_144)
            time.sleep(0.35)
        assert rest(client).endswith(b"2097152")


def test_a_body_that_nobody_reads_is_no_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answered before its end, a body is taken all the same, up to a limit; the next question is answered."""
    monkeypatch.setattr(protocol, "UNREAD", 4 << 20)
    with serving(Small()) as connected:
        client = connected()
        client.sendall(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 3145728\r\n\r\n" + b" " * 3_145_728)
        answer = b""
        while not answer.endswith(b"enough"):
            answer += client.recv(65_536)
        assert asked(client)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(b"POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + b" " * 16_777_216)
            assert rest(client).endswith(b"enough")
            client.sendall(b" " * 1_048_576)
            pytest.fail("the connection stayed open")


def test_between_two_requests_a_connection_is_kept() -> None:
    with serving(Small(), request_timeout_s=1) as connected:
        client = connected()
        for _ in range(2):
            assert asked(client)
            time.sleep(1.5)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"not a request\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 600_000, 431),
        (b"GET /" + b"x" * 600_000, 431),
    ],
    ids=["no HTTP", "length", "header", "address"],
)
def test_what_is_no_request(sent: bytes, status: int) -> None:
    with serving(Small()) as connected:
        client = connected()
        answered: list[bytes] = []
        reading = threading.Thread(target=lambda: answered.append(rest(client)))
        reading.start()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.sendall(sent)
        reading.join()
        assert refused(answered[0], status)


@pytest.mark.parametrize("limit", ["send_timeout_s", "longest_answer_s"])
def test_an_answer_that_is_not_taken(limit: str) -> None:
    app = Small()
    with serving(app, **{limit: 0.3}) as connected:
        client = connected()
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert app.ended.wait(PATIENCE_S)
        assert rest(client).startswith(b"HTTP/1.1 200 ")


def test_an_answer_that_is_taken_slowly() -> None:
    app = Small()
    with serving(app, send_timeout_s=2) as connected:
        client = connected()
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(12):
            for _ in range(64):
                assert client.recv(4096)
            time.sleep(0.25)
        assert not app.ended.is_set()


def reachable(address: tuple[str, int]) -> bool:
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(address):
        return True
    return False


def test_told_to_stop_it_answers_what_it_has_begun() -> None:
    app = Small()
    with contextlib.ExitStack() as running:
        address = ("127.0.0.1", int(str(urlsplit(running.enter_context(served(Settings(), app))).port)))
        with socket.create_connection(address, PATIENCE_S) as client:
            client.sendall(b"GET /halves HTTP/1.1\r\nHost: x\r\n\r\n")
            received = b""
            while not received.endswith(b"half"):
                received += client.recv(65_536)
            stopping = threading.Thread(target=running.close)
            stopping.start()
            deadline = time.monotonic() + PATIENCE_S
            while reachable(address):
                assert time.monotonic() < deadline
                time.sleep(0.02)
            app.on.set()
            assert (received + rest(client)).endswith(b"halfhalf")
            stopping.join()


def test_told_to_stop_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    assert protocol.GRACE_S < 10
    monkeypatch.setattr(protocol, "GRACE_S", 0.2)
    app = Small()
    with served(Settings(), app) as address:
        client = socket.create_connection(("127.0.0.1", int(str(urlsplit(address).port))), PATIENCE_S)
        client.sendall(b"GET /halves HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"
    assert app.ended.is_set()
    client.close()


def test_more_connections_than_allowed() -> None:
    with serving(Small(), max_connections=3) as connected:
        kept = [connected() for _ in range(3)]
        for client in kept:
            assert asked(client)
        assert refused(rest(connected()), 503)
        kept[0].close()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            # the server has to notice first that a place is free
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                if asked(connected()):
                    break
        else:
            pytest.fail("the place of a client that left stayed taken")


def test_a_thousand_idle_connections() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    # both ends of each connection are here
    make_room(Settings(max_connections=2 * IDLE))
    try:
        with serving(Small(), request_timeout_s=5) as connected:
            idle = [connected() for _ in range(IDLE)]
            assert asked(connected())
            assert all(refused(rest(one), 408) for one in idle)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_the_question_of_a_client_that_left_ends(database_url: sa.URL) -> None:
    """Its statement is cancelled in the database, its connection serves the next, its turn is free again."""
    # the watch on the data's version, which has another name, may wait as well
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND application_name = 'innomap'"
    )

    def statements(watching: sa.Connection, number: int) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while watching.scalar(waiting) != number and time.monotonic() < deadline:
            time.sleep(0.02)
        return watching.scalar(waiting) == number

    settings = settings_for(database_url, statement_timeout_ms=300_000, pool_size=3)
    tile = "/collections/platforms/tiles/WebMercatorQuad/8/105/213"
    # whatever features stand ready, these read the table itself
    paths = ("/collections/platforms/items?sortby=name", "/exports/platforms.csv", tile)
    with (
        served(settings) as address,
        http(address) as client,
        connect(database_url).execution_options(isolation_level="AUTOCOMMIT").connect() as watching,
    ):
        for path in paths:
            with (
                connect(database_url).begin() as blocking,
                socket.create_connection(("127.0.0.1", int(str(urlsplit(address).port)))) as leaving,
            ):
                blocking.execute(sa.text("LOCK TABLE platform IN ACCESS EXCLUSIVE MODE"))
                leaving.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                assert statements(watching, 1)
                leaving.close()
                assert statements(watching, 0)
        for path in paths * 3:
            assert client.get(path).status_code == 200
