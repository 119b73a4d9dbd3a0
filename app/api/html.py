"""Pages from templates; every value is escaped."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import __version__
from app.api.links import base
from app.maps.assets import asset_url

templates = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


templates.globals["asset"] = asset_url


def wants_html(request: Request, given: Mapping[str, str]) -> bool:
    """``f`` decides, then whether a browser asks."""
    if "f" in given:
        return given["f"] == "html"
    wanted = _weights(request.headers.get("accept", ""))
    data = max(weight for kind, weight in wanted.items() if kind not in PAGES)
    return wanted.get("text/html", 0) > 0 and wanted["text/html"] >= data


#: Media types that say nothing of whether data or a page is preferred.
PAGES = ("text/html", "application/xhtml+xml", "application/xml", "*/*")


def _weights(accept: str) -> dict[str, float]:
    """Weight by media type of an ``Accept`` header; an unreadable weight is 1."""
    found = {"": 0.0}
    for part in accept.split(","):
        kind, *parameters = (piece.strip().lower() for piece in part.split(";"))
        given = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        found[kind] = float(given) if re.fullmatch(r"[01](\.[0-9]{0,3})?", given) else 1.0
    return found


def page(request: Request, template: str, *, headers: Mapping[str, str] | None = None, **values: Any) -> Response:
    """A page; its address may answer programs with something else, so caches must look at ``Accept``."""
    text = templates.get_template(template).render(base=base(request), version=__version__, request=request, **values)
    return Response(text, media_type="text/html", headers={"Vary": "Accept", **(headers or {})})
