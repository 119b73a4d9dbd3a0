"""Each request seen: its id, its time in the metrics, and a line in the log where that is wanted."""

import logging
import re
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api import metrics
from app.logs import REQUEST_ID, REQUEST_ID_HEADER
from app.settings import Settings

#: An id that a client or a proxy gives is taken over where it is one.
_GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}")
#: Where a request's scope carries what is seen of it.
SEEN = "innomap.seen"
#: In place of a route: the answer stood ready in memory; it is a file; nothing has this address.
KEPT, STATIC, NONE = "(kept)", "/static", "(none)"
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
HEADER = REQUEST_ID_HEADER.lower().encode()
#: Other requests are numbered, in each process by itself.
_PROCESS, _number = secrets.token_hex(4), count()
log = logging.getLogger("innomap.request")


@dataclass(slots=True)
class Seen:
    """A request: the template of its address, and the status and size of its answer."""

    id: str
    route: str = KEPT
    status: int = 0
    size: int = 0


class Observed:
    """Stands before all that answers; ``Routed`` stands behind and tells the route."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._logs = settings.log_requests
        # looking one up takes longer than writing to it
        self._time = lru_cache(1000)(metrics.REQUESTS.labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        seen = scope[SEEN] = Seen(_id(scope))
        REQUEST_ID.set(seen.id)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                seen.status = message["status"]
                message["headers"] = [*message["headers"], (HEADER, seen.id.encode())]
            else:
                seen.size += len(message.get("body", b""))
            await send(message)

        began = time.perf_counter()
        metrics.RUNNING.inc()
        try:
            await self.app(scope, receive, sending)
        except Exception:
            seen.status = 500
            raise
        finally:
            metrics.RUNNING.dec()
            self._tell(scope, seen, time.perf_counter() - began)

    def _tell(self, scope: Scope, seen: Seen, took: float) -> None:
        # a client that left before its answer began
        status = seen.status or 499
        # whatever word a client takes for a method
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._time(method, seen.route, str(status)).observe(took)
        if self._logs:
            told = {
                "method": method, "route": seen.route, "status": status,
                "milliseconds": round(took * 1000, 1), "bytes": seen.size,
            }  # fmt: skip
            log.info("request", extra=told)


class Routed:
    """Stands next to what answers by itself, and tells which route was taken."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        finally:
            if scope["type"] == "http":
                files = STATIC if isinstance(scope.get("endpoint"), StaticFiles) else NONE
                scope[SEEN].route = getattr(scope.get("route"), "path", files)


def _id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode() if _GIVEN.fullmatch(given) else f"{_PROCESS}{next(_number):08x}"
