"""What every answer from the data has in common: its format, its mark (ETag), and not being sent twice."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app import __version__
from app.api import params
from app.api.cache import has_mark, remember
from app.api.freshness import TOKEN
from app.api.html import page, wants_html
from app.api.language import VARY, language, language_headers
from app.api.links import base
from app.db.standbys import Readers
from app.queries.versions import State, state

#: A cache may keep an answer, but asks each time whether it still holds.
CACHE_CONTROL = "no-cache"


class NotModified(Exception):
    """The client has the answer already; ``headers`` go with the 304."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__("not modified")
        self.headers = dict(headers)


async def not_modified(request: Request, error: Exception) -> Response:
    """Answers ``NotModified``."""
    return Response(status_code=304, headers=error.headers if isinstance(error, NotModified) else None)


async def headers(
    request: Request,
    connection: AsyncConnection,
    layers: Sequence[str],
    representation: str,
    version: int | None = None,
) -> dict[str, str]:
    """What ``mark`` gives. Raises ``NotModified`` when the client's mark is this one."""
    made = await mark(request, connection, layers, representation, version)
    if has_mark(request.headers.get("if-none-match", ""), made["ETag"]):
        raise NotModified(made)
    return made


async def mark(
    request: Request,
    connection: AsyncConnection,
    layers: Sequence[str],
    representation: str,
    version: int | None = None,
    address: str | None = None,
) -> dict[str, str]:
    """ETag, Last-Modified and Vary of an answer that reads ``layers``.

    ``version`` is the row's own, of an item that can be written; it stands first in the mark, so that an edit can be
    made conditional on it alone. Such a mark is strong, as If-Match asks: the answer it stands for is the same to the
    byte, compression included. Pages (``representation`` is ``html``) have a mark for each language. ``address``
    is the answer's own path, without a query, where it is not the request's.
    """
    found = await state(connection, layers)
    if request.app.state.reader.standbys:
        await request.app.state.watch.tell(found, connection)
    return mark_of(request, found, representation, version, address)


def believed(request: Request, layers: Sequence[str]) -> State | None:
    """The state that the data are in as far as this process knows, for an answer of one statement that tells whether
    they were; ``None`` where it is not known, or where the client has an answer or saw a write."""
    if any(name in request.headers for name in ("if-none-match", TOKEN)):
        return None
    known: State | None = request.app.state.watch.believed(layers)
    return known


def mark_of(
    request: Request, found: State, representation: str, version: int | None = None, address: str | None = None
) -> dict[str, str]:
    """``mark`` of an answer that was read from a state of its layers."""
    request.state.read_from = found
    remember(request.scope, found)
    spoken: Sequence[str] = ()
    if representation == "html":
        # a page differs by its language, and by the base maps that the settings offer
        spoken = (language(request), *map(repr, request.app.state.settings.offered_base_maps))
    # of an item that was written the mark is that of its own address, which has no query
    given = [] if address else sorted(request.query_params.multi_items())
    asked = f"{address or request.scope['path']}?{given}"
    parts = [found.mark, __version__, base(request), asked, representation, *spoken]
    if version is not None:
        parts.append(request.headers.get("accept-encoding", ""))
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:20]
    tag = f'W/"{digest}"' if version is None else f'"{version}.{digest}"'
    made = {"ETag": tag, "Cache-Control": CACHE_CONTROL, "Vary": VARY}
    readers: Readers = request.app.state.reader
    if readers.standbys:
        made[TOKEN] = readers.token
    if spoken:
        made |= language_headers(request)
    if found.changed_at:
        # RFC 9110, 8.8.2.1: not later than now, though a clock was set back since
        made["Last-Modified"] = _http_date(min(found.changed_at, datetime.now(UTC)))
    return made


@lru_cache(1000)
def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def represent(
    request: Request,
    given: Mapping[str, str],
    body: Mapping[str, Any],
    template: str,
    made: Mapping[str, str] | None = None,
    media_type: str = "application/json",
    **values: Any,
) -> Response:
    """A resource as JSON, or as the page ``template`` over the same body."""
    if wants_html(request, given):
        return page(request, template, headers=made, body=body, **values)
    text = jsonable_encoder(body, custom_encoder=params.NUMBERS)
    return JSONResponse(text, headers={"Vary": VARY, **(made or {})}, media_type=media_type)
