"""What a map says of one feature, as a piece of a page: embedded where a map is small, else fetched on a click."""

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from app.api import params
from app.api.answers import headers
from app.api.html import templates
from app.api.language import LANGUAGES, language, language_headers
from app.api.links import base
from app.api.parameters import PARAMETERS
from app.api.problems import Problem
from app.db.engine import snapshot
from app.maps.popups import Popup, popup
from app.queries.names import names
from app.queries.popups import popup_rows

router = APIRouter(tags=["maps"])
#: Bytes of popups that a map's page carries; the others are fetched.
EMBEDDED = 110_000
IN_LANGUAGE = {"parameters": [PARAMETERS["lang"]]}


@router.get("/maps/popups/{collectionId}/{featureId}", response_class=HTMLResponse, openapi_extra=IN_LANGUAGE)
async def get_popup(request: Request, collectionId: str, featureId: str) -> Response:
    """地图弹窗：一个要素（HTML 片段）。 What a map says of one item, as a piece of HTML."""
    described = params.collection(collectionId)
    given = params.only(request, ("lang",))
    params.choice(given, "lang", LANGUAGES)
    spoken = language(request)
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, described.layers, "popup")
        rows = await popup_rows(connection, described, featureId)
        named = await names(connection, spoken)
    if rows is None:
        raise Problem(
            404, f"图层 {described.id} 中没有 {featureId!r}。 No item {featureId!r} in {described.id}.",
            parameter="featureId",
        )  # fmt: skip
    shown = popup(described, rows, named, spoken)
    return HTMLResponse(_macro(request, "article", shown), headers={**made, **language_headers(request)})


def embedded(request: Request, popups: Sequence[Popup], spoken: Mapping[str, str]) -> list[str]:
    """Templates of popups for a map's page: whole while the page stays small, then no more than names."""
    written: list[str] = []
    size = 0
    for one in popups:
        whole = _macro(request, "whole", one, spoken.get(one.id, ""))
        size += len(whole.encode())
        written.append(whole if size <= EMBEDDED else _macro(request, "named", one, spoken.get(one.id, "")))
    return written


def _macro(request: Request, name: str, *values: object) -> str:
    module = templates.get_template("map_popup.html").make_module({"lang": language(request), "base": base(request)})
    text: str = getattr(module, name)(*values)
    return text
