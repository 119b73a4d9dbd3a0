"""What surrounds the application: HEAD for every GET, and the address clients see behind a reverse proxy."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Networks:
    """A list of networks, such as ``10.0.0.0/8``."""

    def __init__(self, named: Iterable[str]) -> None:
        self._networks: list[Network] = [ipaddress.ip_network(one) for one in named]
        # few ask again and again
        self.hold = lru_cache(1000)(self._hold)

    def _hold(self, host: str) -> bool:
        """Whether an address is in one of them; what is no address is in none."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


class HeadAsGet:
    """Answers HEAD as GET without the body; its headers, length included, are those of the GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self.app({**scope, "method": "GET"}, receive, without_body)


def client_of(scope: Scope) -> str:
    """Who asks, for limits by client: the address; of IPv6 the network of 64 bits, which one customer has whole."""
    host = str((scope.get("client") or ("",))[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))
    return host


class Forwarded:
    """Takes ``X-Forwarded-Proto``, ``-Host``, ``-Prefix`` and ``-For`` from trusted proxies, and from nobody else.

    ``root_path`` is the prefix where no proxy names one; requests may come with it or without.
    """

    def __init__(self, app: ASGIApp, trusted: Iterable[str], root_path: str = "") -> None:
        self.app = app
        self.root_path = root_path.rstrip("/")
        self.trusted = Networks(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.root_path:
            scope = {**scope, "root_path": self.root_path}
        if scope["type"] == "http" and self.trusted.hold((scope.get("client") or ("",))[0]):
            scope = self._seen_outside(scope)
        await self.app(scope, receive, send)

    def _seen_outside(self, scope: Scope) -> Scope:
        if not any(name.startswith(b"x-forwarded-") for name, _ in scope["headers"]):
            return scope
        given = Headers(scope=scope)
        scope = {**scope, "headers": list(scope["headers"])}
        # of a chain of proxies the one nearest to the client stands first
        scheme = given.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
        if scheme in ("http", "https"):
            scope["scheme"] = scheme
        host = given.get("x-forwarded-host", "").partition(",")[0].strip()
        if host:
            MutableHeaders(scope=scope)["host"] = host
        # each proxy adds whom it heard: the last that is no trusted one counts; before it stands what anybody may write
        heard = [one.strip() for line in given.getlist("x-forwarded-for") for one in line.split(",")]
        outside = next((one for one in reversed(heard) if one and not self.trusted.hold(one)), None)
        if outside is not None:
            scope["client"] = (outside, 0)
        prefix = given.get("x-forwarded-prefix", "").partition(",")[0].strip().rstrip("/")
        if prefix.startswith("/"):
            scope["root_path"] = prefix
            scope["path"] = prefix + scope["path"]
        return scope
