"""Pages from templates; every value is escaped."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import __version__
from app.api.language import TAGS, language, language_headers, switch, weights
from app.api.links import base
from app.catalog.words import WORDS
from app.maps import wording
from app.maps.vendored import asset_url

templates = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


templates.globals |= {"asset": asset_url, "WORDS": WORDS, "theme": wording.theme}
#: Whether a text holds Chinese, which a page in English marks as such for screen readers.
templates.tests["chinese"] = lambda text: re.search(r"[㐀-鿿]", str(text)) is not None


def embedded(data: Any) -> str:
    """Data as JSON that may stand inside a ``script`` element, whatever its texts hold."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def wants_html(request: Request, given: Mapping[str, str]) -> bool:
    """``f`` decides, then whether a browser asks."""
    if "f" in given:
        return given["f"] == "html"
    wanted = weights(request.headers.get("accept", ""))
    data = max((weight for kind, weight in wanted.items() if kind not in PAGES), default=0.0)
    return wanted.get("text/html", 0) > 0 and wanted["text/html"] >= data


#: Media types that say nothing of whether data or a page is preferred.
PAGES = ("text/html", "application/xhtml+xml", "application/xml", "*/*")


def page(request: Request, template: str, *, headers: Mapping[str, str] | None = None, **values: Any) -> Response:
    """A page in the reader's language (``lang`` in the template).

    Its address may answer programs with something else, so caches must look at ``Accept`` too.
    """
    spoken = language(request)
    other, other_address = switch(request)
    text = templates.get_template(template).render(
        base=base(request), version=__version__, request=request, lang=spoken, lang_tag=TAGS[spoken],
        other_lang=other, other_lang_tag=TAGS[other], other_address=other_address, **values,
    )  # fmt: skip
    return Response(text, media_type="text/html", headers={**(headers or {}), **language_headers(request)})
