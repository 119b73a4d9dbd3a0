"""The language of a page: ``lang`` in its address, else the reader's cookie, else what the browser prefers.

Data answers (JSON, files) are bilingual and the same in either; only pages differ.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal
from urllib.parse import urlencode

from fastapi import Request

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
#: As documents and headers name them (BCP 47).
TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}
COOKIE = "lang"
#: What decides between a page and data, and the page's language: the same for every representation of an address.
VARY = "Accept, Accept-Language, Cookie"
#: How long a choice is remembered, in seconds: a year.
REMEMBERED = 31_536_000


def language(request: Request) -> Language:
    """The language in which a page is to be written; Chinese where nothing is said."""
    said = (request.query_params.get("lang"), request.cookies.get(COOKIE))
    return _known(*said) or _preferred(request.headers.get("accept-language", ""))


def _known(*texts: str | None) -> Language | None:
    return next((one for text in texts for one in LANGUAGES if text == one), None)


def _preferred(accepted: str) -> Language:
    """The one of most weight; of equals the one named first."""
    found = weights(accepted).items()
    known = [(weight, _known(tag.partition("-")[0])) for tag, weight in found if weight > 0]
    best = max((one for one in known if one[1]), key=lambda one: one[0], default=(0.0, None))
    return best[1] or LANGUAGES[0]


def language_headers(request: Request) -> dict[str, str]:
    """Headers of a page: its language, what that depends on, and the cookie that keeps a language asked for.

    A 304 carries the cookie too: switching back to a page in the browser's cache is a choice as well.
    """
    chosen = language(request)
    made = {"Content-Language": TAGS[chosen], "Vary": VARY}
    if request.query_params.get("lang") == chosen != request.cookies.get(COOKIE):
        path = request.scope.get("root_path") or "/"
        made["Set-Cookie"] = f"{COOKIE}={chosen}; Path={path}; Max-Age={REMEMBERED}; SameSite=Lax; HttpOnly"
    return made


def switch(request: Request) -> tuple[Language, str]:
    """The other language, and where this very page is in it, relative to the page."""
    other = LANGUAGES[1 - LANGUAGES.index(language(request))]
    kept = [pair for pair in request.query_params.multi_items() if pair[0] != "lang"]
    return other, "?" + urlencode([*kept, ("lang", other)], safe=":/,")


@lru_cache(1000)
def weights(header: str) -> Mapping[str, float]:
    """Weight by name of an ``Accept`` or ``Accept-Language`` header, in its order; an unreadable weight is 1."""
    found = {}
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        given = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        found[name] = float(given) if re.fullmatch(r"[01](\.[0-9]{0,3})?", given) else 1.0
    return found
