"""Home page and API documentation for people, and the landing page for programs, by what the client accepts."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from app.api import params
from app.api.answers import headers
from app.api.collections import landing
from app.api.html import page, wants_html
from app.api.language import VARY, language
from app.api.links import base
from app.api.openapi import OPENAPI_MEDIA_TYPE, document, documented
from app.api.overview import tiles
from app.catalog import COLLECTIONS
from app.db.engine import snapshot
from app.maps.paper import version_mark
from app.maps.symbols import PLATFORM_SYMBOLS, swatch
from app.maps.vendored import vendored_packages
from app.queries.codes import listed
from app.queries.exports import FORMATS
from app.queries.layouts import layouts
from app.queries.names import names
from app.queries.versions import state
from app.registers import REGISTERS

router = APIRouter(tags=["pages"])
ICON = Path(__file__).parents[1] / "static" / "icon.svg"


@router.get("/", openapi_extra=documented("landing"))
async def get_landing(request: Request) -> Response:
    """主页。 The landing page."""
    given = params.only(request, ("f", "lang"))
    params.formats(given, "json", "html")
    if not wants_html(request, given):
        return JSONResponse(landing(request), headers={"Vary": VARY})
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, COLLECTIONS.layers, "html")
        now = await state(connection, COLLECTIONS.layers)
        maps = await layouts(connection)
        counties, total, unassigned = await tiles(connection)
        named = await names(connection, language(request))
    return page(
        request, "home.html", headers=made, maps=[{**one, **_addresses(one["id"])} for one in maps],
        data_version=version_mark(now.mark), changed=now.changed_at, tiles=counties, total=total,
        unassigned=unassigned, names=named, collections=COLLECTIONS.values(), registers=REGISTERS,
        extensions=tuple(FORMATS), swatch=swatch, symbols=PLATFORM_SYMBOLS,
        credits=dict.fromkeys(credit for one in COLLECTIONS.values() for credit in one.credits),
    )  # fmt: skip


def _addresses(layout: str) -> dict[str, str]:
    name, _, system = layout.partition("-")
    return {"address": f"/maps/{name}?system={system}", "picture": f"/maps/{name}/thumbnail.svg?system={system}"}


@router.get("/api", include_in_schema=False)
async def get_api(request: Request) -> Response:
    given = params.only(request, ("f", "lang"))
    params.formats(given, "json", "html")
    if wants_html(request, given):
        return await get_api_page(request)
    sorts = {one.refers for described in COLLECTIONS.values() for one in described.queryables if one.refers}
    async with snapshot(request.app.state.reader) as connection:
        codes = {sort: list(await listed(connection, sort)) for sort in sorted(sorts)}
    described = document(request.app, base(request), codes)
    return JSONResponse(described, headers={"Vary": VARY}, media_type=OPENAPI_MEDIA_TYPE)


@router.get("/api.html", include_in_schema=False)
async def get_api_page(request: Request) -> Response:
    params.formats(params.only(request, ("f", "lang")), "html", "json")
    return page(request, "api.html")


@router.get("/favicon.ico", include_in_schema=False)
async def get_icon() -> FileResponse:
    """For browsers that ask where no page has named the icon, such as beside a picture."""
    return FileResponse(ICON)


@router.get("/credits", include_in_schema=False)
async def get_credits(request: Request) -> Response:
    params.formats(params.only(request, ("f", "lang")), "html")
    return page(request, "credits.html", collections=COLLECTIONS.values(), packages=vendored_packages())
