"""Answers kept ready: a request that was answered before gets the same bytes while its data have not changed.

It stands before the application, so that a hit costs neither parameters nor a query. An answer is kept under the
versions of the layers it read, in the snapshot it read them; it is given again only while the database says that these
still hold (``queries.watch``), at most ``BOUND_S`` seconds ago. A writer sees its own change at once: an answer that
acknowledges a write (``Innomap-Token``) leaves only after the versions were read again.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.metrics import CACHE_BYTES, CACHE_MISSES
from app.api.rereading import reads
from app.queries.versions import State
from app.queries.watch import Watch

#: Where a request's scope carries what its answer was read from.
READ_FROM = "innomap.read_from"
#: Acknowledges a write, and asks for what was written.
TOKEN = b"innomap-token"
#: Request headers that an answer depends on (beside the address); the application says so in ``Vary``.
VARYING = (b"accept", b"accept-encoding", b"accept-language", b"cookie", b"origin")
#: With one of these a request wants an answer of its own.
PRIVATE = (b"authorization", b"range", TOKEN)
#: Share of the whole that one answer may take.
LARGEST_SHARE = 8
#: Bytes counted for an entry beside its body: headers, key, and the objects that hold them.
OVERHEAD = 2_000

Key = tuple[bytes | str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was sent."""

    headers: list[tuple[bytes, bytes]]
    body: bytes
    etag: str
    read_from: tuple[State, ...]

    @property
    def size(self) -> int:
        return len(self.body) + OVERHEAD


def remember(scope: Scope, read_from: State) -> None:
    """Tell the cache in which state of which layers the answer to this request was read."""
    if READ_FROM in scope:
        scope[READ_FROM].append(read_from)


def has_mark(given: str, mark: str) -> bool:
    """Whether an If-None-Match holds an ETag: weak comparison, as RFC 9110 has it."""
    marks = {one.strip().removeprefix("W/") for one in given.split(",")}
    return "*" in marks or mark.removeprefix("W/") in marks


class ResponseCache:
    """Keeps up to ``limit`` bytes of answers, the least recently used go first; 0 keeps none."""

    def __init__(self, app: ASGIApp, limit: int, watch: Callable[[], Watch | None]) -> None:
        self.app = app
        self.limit = limit
        self.watch = watch
        self.kept: OrderedDict[Key, Kept] = OrderedDict()
        self.size = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watch = self.watch() if scope["type"] == "http" else None
        if watch is None:
            await self.app(scope, receive, send)
            return
        key = self._key(scope) if self.limit and scope["method"] in ("GET", "HEAD") else None
        kept = self.kept.get(key) if key else None
        if key is None:
            await self.app(scope, receive, send if reads(scope) else _after_refresh(send, watch))
        elif kept is not None and all(map(watch.holds, kept.read_from)):
            self.kept.move_to_end(key)
            await _give(kept, scope, send)
        else:
            CACHE_MISSES.inc()
            await self._ask(key, scope, receive, send)

    @staticmethod
    def _key(scope: Scope) -> Key | None:
        """What an answer depends on; ``None`` where it is for one client alone."""
        given: dict[bytes, bytes] = dict(scope["headers"])
        if any(name in given for name in PRIVATE):
            return None
        host = given.get(b"host", b"")
        varying = (given.get(name, b"") for name in VARYING)
        return (scope["scheme"], host, scope.get("root_path", ""), scope["path"], scope["query_string"], *varying)

    async def _ask(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the application, and keep what it sends where that may be kept."""
        read_from: list[State] = []
        scope = {**scope, READ_FROM: read_from}
        begun: Message = {}
        pieces: list[bytes] = []
        length = 0

        async def copying(message: Message) -> None:
            nonlocal begun, length
            if message["type"] == "http.response.start":
                begun = message
            elif message["type"] == "http.response.body":
                body = message.get("body", b"")
                length += len(body)
                if length * LARGEST_SHARE > self.limit:
                    pieces.clear()
                else:
                    pieces.append(body)
                if not message.get("more_body") and length * LARGEST_SHARE <= self.limit:
                    self._keep(key, scope, begun, b"".join(pieces), read_from)
            await send(message)

        await self.app(scope, receive, copying)

    def _keep(self, key: Key, scope: Scope, begun: Message, body: bytes, read_from: list[State]) -> None:
        headers = Headers(raw=begun["headers"])
        etag = headers.get("etag")
        if scope["method"] != "GET" or begun["status"] != 200 or not read_from or not etag or "set-cookie" in headers:
            return
        old = self.kept.pop(key, None)
        new = Kept(begun["headers"], body, etag, tuple(read_from))
        self.kept[key] = new
        self.size += new.size - (old.size if old else 0)
        while self.size > self.limit:
            self.size -= self.kept.popitem(last=False)[1].size
        CACHE_BYTES.set(self.size)


async def _give(kept: Kept, scope: Scope, send: Send) -> None:
    """Send a kept answer, or that the client has it already."""
    headers = kept.headers
    wanted: dict[bytes, bytes] = dict(scope["headers"])
    known = wanted.get(b"if-none-match")
    if known is not None and has_mark(known.decode("latin-1"), kept.etag):
        headers = [one for one in headers if one[0] not in (b"content-length", b"content-type", b"content-encoding")]
        await send({"type": "http.response.start", "status": 304, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else kept.body})


def _after_refresh(send: Send, watch: Watch) -> Send:
    """Before a write is acknowledged, kept answers from before it are no longer believed."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start" and any(name == TOKEN for name, _ in message["headers"]):
            await watch.refresh()
        await send(message)

    return sending
