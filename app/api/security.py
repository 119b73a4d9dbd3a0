"""What every answer tells a browser not to do: the Content-Security-Policy and smaller headers.

A page may run the program's own files and the inline scripts whose hashes stand in its header. Hashes are taken from
what the renderer wrote as a script, never from the finished page, so that a script which came in with the data would
find no hash of its own.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "Content-Security-Policy"
#: On every answer, unless its route has set another.
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
#: A year without http for who came by https (RFC 6797); of this host alone, others of the domain may differ.
STRICT = {"Strict-Transport-Security": "max-age=31536000"}
#: Chromium shows a PDF in a plug-in that its own policy would stop, and runs nothing of it.
PDF = "script-src 'none'; frame-ancestors 'self'"


def policy(*, scripts: Iterable[str] = (), styles: Iterable[str] = (), images: Iterable[str] = ()) -> str:
    """A policy for a page with these inline ``scripts`` and ``styles``; ``images`` are origins of base maps."""
    return "; ".join(
        (
            "default-src 'self'",
            " ".join(("script-src 'self'", *map(_hash, scripts))),
            " ".join(("style-src 'self'", *map(_hash, styles))),
            # Leaflet's and Swagger's elements carry positions and colours in style attributes
            "style-src-attr 'unsafe-inline'",
            # Leaflet and the icons of Swagger have pictures inside
            " ".join(("img-src 'self' data:", *images)),
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )


def _hash(text: str) -> str:
    """A CSP source expression (CSP Level 3, 2.3.1); a browser reads the page's line ends as line feeds."""
    digest = hashlib.sha256(text.replace("\r\n", "\n").encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


DEFAULT = policy()


def _raw(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """Headers as they are sent."""
    return {name.lower().encode(): value.encode() for name, value in headers.items()}


#: What goes with every answer, with all but a 304, with a PDF, and with what came by TLS.
ALWAYS, USUAL, OF_PDF, BY_TLS = map(_raw, (HEADERS, {POLICY: DEFAULT}, {POLICY: PDF}, STRICT))


class Guarded:
    """Puts the headers on every answer of the application, files and errors among them."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = dict(message["headers"])
                wanted = dict(ALWAYS)
                # a 304 leaves the page in the browser's cache the policy that it came with
                if message["status"] != 304:
                    pdf = given.get(b"content-type", b"").startswith(b"application/pdf")
                    wanted |= OF_PDF if pdf else USUAL
                # behind a proxy with TLS, if it is a trusted one that says so
                if scope["scheme"] == "https":
                    wanted |= BY_TLS
                message["headers"] = [*message["headers"], *(one for one in wanted.items() if one[0] not in given)]
            await send(message)

        await self.app(scope, receive, guarded)
