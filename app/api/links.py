"""Links to the service's own resources, right behind a reverse proxy."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request

JSON = "application/json"
GEOJSON = "application/geo+json"
HTML = "text/html"
SCHEMA = "application/schema+json"

#: Names of OGC's own link relations.
REL = "http://www.opengis.net/def/rel/ogc/1.0"

Link = dict[str, str]


def base(request: Request) -> str:
    """Address of the landing page without a slash at its end."""
    return str(request.base_url).rstrip("/")


def link(
    request: Request, path: str, rel: str, media_type: str, title: str, query: Mapping[str, Any] | None = None
) -> Link:
    """A link object of OGC API; ``path`` starts with a slash."""
    href = base(request) + quote(path, safe="/.")
    if query:
        href += "?" + urlencode(query, safe=":/,", doseq=True)
    return {"href": href, "rel": rel, "type": media_type, "title": title}


def link_header(*links: Link) -> dict[str, str]:
    """The links as a header (RFC 8288); without their titles, which are not ASCII."""
    return {"Link": ", ".join(f'<{one["href"]}>; rel="{one["rel"]}"; type="{one["type"]}"' for one in links)}
