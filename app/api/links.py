"""Links to the service's own resources, right behind a reverse proxy."""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

from fastapi import Request

JSON = "application/json"
GEOJSON = "application/geo+json"
HTML = "text/html"
SCHEMA = "application/schema+json"

#: Names of OGC's own link relations.
REL = "http://www.opengis.net/def/rel/ogc/1.0"

Link = dict[str, str]


#: Where a request's scope carries its ``base``, which a page of items has in each of its links.
BASE = "innomap.base"


def base(request: Request) -> str:
    """Address of the landing page without a slash at its end."""
    scope = request.scope
    if BASE not in scope:
        root = scope.get("app_root_path", scope.get("root_path", ""))
        server = tuple(scope.get("server") or ())
        scope[BASE] = _base(scope["scheme"], server, request.headers.get("host", ""), root)
    found: str = scope[BASE]
    return found


@lru_cache(1000)
def _base(scheme: str, server: tuple[str | int | None, ...], host: str, root: str) -> str:
    """As ``Request.base_url`` has it, which takes a twentieth of the time of a short answer."""
    headers = [(b"host", host.encode("latin-1"))] if host else []
    asked = {"type": "http", "scheme": scheme, "server": server or None, "headers": headers, "root_path": root}
    return str(Request(asked | {"path": root, "query_string": b""}).base_url).rstrip("/")


def link(
    request: Request, path: str, rel: str, media_type: str, title: str, query: Mapping[str, str] | None = None
) -> Link:
    """A link object of OGC API; ``path`` starts with a slash."""
    href = base(request) + _path(path)
    if query:
        href += "?" + "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in query.items())
    return {"href": href, "rel": rel, "type": media_type, "title": title}


@lru_cache(1000)
def _path(path: str) -> str:
    return quote(path, safe="/.")


#: What has to be quoted beside spaces and what stands for these; and what need not be.
QUOTED = re.compile(r"[^\w.~:/,%+-]", re.ASCII)
UNQUOTED = re.compile(r"[\w.~:/,-]*", re.ASCII)


def _quoted(text: str) -> str:
    """As ``quote_plus`` has it, which takes a millisecond for the outline of a county."""
    if UNQUOTED.fullmatch(text):
        return text
    text = text.replace("%", "%25").replace("+", "%2B").replace(" ", "+")
    return QUOTED.sub(lambda found: quote(found[0]), text)


def link_header(*links: Link) -> dict[str, str]:
    """The links as a header (RFC 8288); without their titles, which are not ASCII."""
    return {"Link": ", ".join(f'<{one["href"]}>; rel="{one["rel"]}"; type="{one["type"]}"' for one in links)}
