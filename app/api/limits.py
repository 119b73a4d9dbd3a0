"""Limits that hold before a request is looked at: how long its address is, how large its body, how often it comes."""

import time
from collections import OrderedDict
from math import ceil

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.edge import client_of
from app.api.problems import Problem, respond
from app.filters.guard import LIMITS
from app.settings import Settings

#: Clients remembered by the rate limit; the one that asked longest ago is forgotten first.
MOST_CLIENTS = 10_000
#: Where a request's scope says how large its body may be, in bytes, if not as the settings say.
MAX_BODY = "innomap.max_body"
#: What a machine asks to see whether the service lives, never refused for its number.
UNCOUNTED = ("/livez", "/readyz", "/metrics")


class Buckets:
    """A token bucket for each client: ``rate`` requests a second, ``burst`` at once. In this process alone."""

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = burst
        #: what each client had left, and when
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> float:
        """Take one token; the seconds until there is one again, 0 where there was."""
        now = time.monotonic()
        left, then = self._left.get(client, (float(self._burst), now))
        left = min(self._burst, left + (now - then) * self._rate)
        wait = 0.0 if left >= 1 else (1 - left) / self._rate
        self._left[client] = (left if wait else left - 1, now)
        self._left.move_to_end(client)
        if len(self._left) > MOST_CLIENTS:
            self._left.popitem(last=False)
        return wait


class Limits:
    """Refuses addresses and bodies that are too long, addresses of no text, and clients that ask too often.

    What reads parameters and bodies holds itself to ``LIMITS``, set here. A route that takes larger bodies says so in
    ``request.scope[MAX_BODY]`` before it reads one.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._limits = settings
        self._longest = settings.max_url_bytes
        self._largest = settings.max_body_bytes
        rate = settings.rate_per_second
        self._buckets = Buckets(rate, settings.rate_burst) if rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif refusal := self._refusal(scope):
            await respond(refusal)(scope, receive, send)
        else:
            LIMITS.set(self._limits)
            await self.app(scope, self._counted(scope, receive), send)

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """``receive`` that raises a 413 when the body, or what it claims to be, is too large."""
        given = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        claimed = int(given) if given.isdigit() else 0
        size = 0

        async def counted() -> Message:
            nonlocal size
            most = scope.get(MAX_BODY, self._largest)
            message = await receive() if claimed <= most else {}
            size += len(message.get("body", b""))
            if max(claimed, size) > most:
                raise HTTPException(413, f"内容至多 {most} 字节。 A body has at most {most} bytes.")
            return message

        return counted

    def _refusal(self, scope: Scope) -> Problem | None:
        path = scope.get("raw_path") or scope["path"].encode()
        if len(path) + len(scope["query_string"]) > self._longest:
            return Problem(
                414,
                f"地址至多 {self._longest} 字节；长的问题请用 POST …/search。"
                f" An address has at most {self._longest} bytes: ask a long question by POST …/search.",
                parameter="URL",
            )
        if "\0" in scope["path"]:
            return Problem(400, "不得含空字符。 Must not contain a NUL character.", parameter="URL")
        if self._buckets and scope["path"] not in UNCOUNTED and (wait := self._buckets.wait(client_of(scope))):
            return Problem(
                429, "请求过于频繁，请稍后再试。 Too many requests: try again shortly.",
                headers={"Retry-After": str(ceil(wait))},
            )  # fmt: skip
        return None
