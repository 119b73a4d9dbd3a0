"""How the server deals with clients: what it waits for, for how long, and what ends when one leaves.

uvicorn has no limit of its own on how slowly a request may arrive or an answer be taken, and lets a question run to its
end for a client that has left.
"""

import asyncio
import resource
from array import array
from contextlib import suppress
from fcntl import ioctl
from functools import partial
from http import HTTPStatus
from termios import TIOCOUTQ
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from app.api.problems import Problem, respond
from app.logs import log_config
from app.settings import Settings

#: Of a request this much (or the rest) must come within the time limit.
PIECE_IN = 262_144
#: Of an answer this much (or the rest) must be taken within the time limit.
PIECE_OUT = 16_384
#: Seconds in which requests at work may end when the server is told to stop; a container is given ten.
GRACE_S = 8
#: Files open at once beside the clients' connections: the database's, modules, downloads.
OTHER_FILES = 500
#: Seconds in which a web process of several must be there, and answer the one that watches it.
START_S = 60
#: What the head of a request may hold beside its address.
HEADERS = 65_536
#: Of a body that was answered before its end, so much is still taken: who finds the connection broken while sending
#: does not read the answer that says why.
UNREAD = 67_108_864


def server_options(settings: Settings) -> dict[str, Any]:
    """Options of ``uvicorn`` for this application."""
    return {
        "http": partial(Patient, settings),
        "timeout_graceful_shutdown": GRACE_S,
        # a web process takes seconds to load its modules, more on a busy machine
        "timeout_worker_healthcheck": START_S,
        # Forwarded knows whom to believe
        "proxy_headers": False,
        "server_header": False,
        "log_config": log_config(settings),
        "log_level": "warning",
        "access_log": False,
    }


def make_room(settings: Settings) -> None:
    """Let this process, and those it starts, open as many files as ``max_connections`` takes, if the system allows."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(now, settings.max_connections + OTHER_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))


class Patient(HttpToolsProtocol):
    """One connection. Its patience ends (``request_timeout_s``, ``send_timeout_s``, ``longest_answer_s``)."""

    def __init__(
        self,
        settings: Settings,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._settings = settings
        self._application: ASGIApp = config.loaded_app
        self.app = self._answer
        self._task: asyncio.Task[Any] | None = None
        self._left = False
        self._due: asyncio.TimerHandle | None = None
        self._received = self._head = self._unread = 0
        self._in_body = False
        self._stuck: asyncio.TimerHandle | None = None

    # --------------------------------------------------------------------------------------------------- a connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._settings.max_connections:
            self._refuse(503, "连接过多，请稍后再试。 Too many connections: try again shortly.")
        else:
            self._expect()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        for timer in (self._due, self._stuck):
            if timer:
                timer.cancel()
        if self._task and not self.cycle.response_complete:
            # psycopg then cancels the statement in the database
            self._left = True
            self._task.cancel()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application for one request; it ends when the client leaves or the answer takes too long."""
        task = self._task = asyncio.current_task()
        longest = self.loop.call_later(self._settings.longest_answer_s, self.transport.abort)
        # since this version of ASGI a streamed answer does not itself watch for the client: one cancels it, once
        scope["asgi"] = {**scope["asgi"], "spec_version": "2.4"}
        try:
            await self._application(scope, receive, send)
        except asyncio.CancelledError:
            if not self._left:
                raise
        finally:
            longest.cancel()
            if self._task is task:
                self._task = None

    # -------------------------------------------------------------------------------------------------- slow requests

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._in_body = True
        self._unread = 0

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._in_body = False

    def data_received(self, data: bytes) -> None:
        of_a_body = self._in_body
        super().data_received(data)
        self._received += len(data)
        if of_a_body or self._in_body:
            self._head = 0
            if self.cycle.response_complete:
                self._unread += len(data)
                if self._unread > UNREAD:
                    self.transport.close()
        elif self._head_missing():
            self._head += len(data)
            if self._head > self._settings.max_url_bytes + HEADERS:
                self._refuse(431, "请求头过长。 The head of the request is too long.")
        else:
            self._head = 0
        if not (self._head_missing() or self.cycle.more_body):
            if self._due:
                self._due.cancel()
                self._due = None
            self._received = 0
        elif self._due is None or self._received >= PIECE_IN:
            self._expect()

    def _head_missing(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _expect(self) -> None:
        """Give the client its time for the next piece."""
        if self._due:
            self._due.cancel()
        self._received = 0
        self._due = self.loop.call_later(self._settings.request_timeout_s, self._too_slow)

    def _too_slow(self) -> None:
        self._due = None
        if self.flow.read_paused:
            # it is not the client who is slow
            self._expect()
        else:
            self._refuse(408, "请求到达过慢。 The request came too slowly.")

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "不是有效的 HTTP 请求。 Not a valid HTTP request.")

    def _refuse(self, status: int, detail: str) -> None:
        """Answer without the application, unless it has begun to, and close the connection."""
        if not self.transport.is_closing():
            if self._head_missing() or not self.cycle.response_started:
                self.transport.write(_raw(Problem(status, detail)))
            self.transport.close()

    # --------------------------------------------------------------------------------------------------- slow answers

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stuck:
            self._stuck.cancel()
            self._stuck = None

    def _watch(self) -> None:
        """Look again later whether less than now waits to be taken."""
        self._stuck = self.loop.call_later(self._settings.send_timeout_s, self._look_again, self._untaken())

    def _look_again(self, before: int) -> None:
        if self._untaken() > before - PIECE_OUT:
            self.transport.abort()
        else:
            self._watch()

    def _untaken(self) -> int:
        """Bytes of answers that the client has not received yet, as far as the system tells."""
        queue = array("i", [0])
        with suppress(OSError):
            # the system's own buffer holds megabytes, and takes more only when a third of it is free
            ioctl(self.transport.get_extra_info("socket").fileno(), TIOCOUTQ, queue)
        return int(self.transport.get_write_buffer_size()) + queue[0]


def _raw(problem: Problem) -> bytes:
    """An answer on the wire."""
    answer = respond(problem)
    lines = [
        f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}".encode(),
        *(name + b": " + value for name, value in answer.raw_headers),
        b"connection: close",
        b"",
        bytes(answer.body),
    ]
    return b"\r\n".join(lines)
