"""Thematic maps over HTTP: one address for any indicator, the choice of which needs no script."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.concurrency import run_in_threadpool

from app.api import params
from app.api.answers import headers
from app.api.html import page, wants_html
from app.api.language import language
from app.api.links import base
from app.api.openapi import OWN, documented
from app.api.prints import DRAWN, PRINTED, paper, printed, sheet
from app.api.thematic_answer import PATH, Made, body, options
from app.api.thematic_asked import NAMES, ask, regions
from app.catalog import COLLECTIONS
from app.catalog.indicators import REGION_INDICATOR_LAYERS
from app.catalog.platforms import PLATFORM_LAYERS
from app.db.engine import snapshot
from app.maps import wording
from app.maps.charts_ranking import ranking
from app.maps.paper import version_line, version_mark
from app.maps.thematic import printed_theme
from app.maps.thematic_counts import counted_theme
from app.maps.thematic_drawing import HATCH, drawing, legend
from app.queries import thematic
from app.queries.layouts import ground
from app.queries.thematic import COMPARED, OVERS
from app.queries.versions import state

router = APIRouter(tags=["maps"])
CREDITS = tuple(
    dict.fromkeys(credit for name in ("region_indicators", "platforms") for credit in COLLECTIONS[name].credits)
)
#: The moment of data that were never written.
NEVER = datetime.fromtimestamp(0, UTC)
LAYERS = tuple(dict.fromkeys((*REGION_INDICATOR_LAYERS, *PLATFORM_LAYERS)))


@router.get(PATH, openapi_extra=documented("thematic"))
async def get_thematic(request: Request) -> Response:
    """专题图：任一指标的分级图，附排名图与数据表。 A thematic map of any indicator, with ranking and table."""
    given = params.only(request, (*NAMES, "f", "lang"))
    params.formats(given, "json", "html")
    html = wants_html(request, given)
    async with snapshot(request.app.state.reader) as connection:
        made_headers = await headers(request, connection, LAYERS, "html" if html else "json")
        made = await _made(connection, given, drawn=html)
    told = body(made, base(request))
    if not html:
        return JSONResponse(jsonable_encoder(told, custom_encoder=params.NUMBERS), headers=made_headers)
    lang = language(request)
    shown = await run_in_threadpool(_shown, made, lang)
    return page(
        request, "thematic.html", headers=made_headers, title=made.theme.title[lang == "en"], made=made,
        theme=made.theme, body=told, hatch=HATCH, words=wording, credits=CREDITS, **shown, **options(made),
    )  # fmt: skip


@router.get(
    f"{PATH}.{{extension}}",
    response_class=Response,
    openapi_extra=printed(*OWN["thematic"]),
    responses=PRINTED,
    dependencies=DRAWN,
)
async def get_thematic_print(request: Request, extension: str) -> Response:
    """专题图（打印）。 A thematic map to print: PNG (300 dpi), SVG or PDF; A4 or A3 landscape."""
    given = params.only(request, (*NAMES, "size", "lang"))
    kind, size, lang = paper(given, extension)
    async with snapshot(request.app.state.reader) as connection:
        made_headers = await headers(request, connection, LAYERS, kind)
        made = await _made(connection, given, drawn=True)

    def draw() -> bytes:
        # with matplotlib, which no start should wait for
        from app.maps.thematic_print import print_thematic

        last = (*CREDITS, version_line(made.changed, version_mark(made.state)))
        return print_thematic(made.theme, made.compared, made.ground, last, size, lang).file(kind)

    return await sheet(draw, kind, f"{made.asked.indicator}-{made.asked.over}-{size}-{lang}", made_headers)


async def _made(connection: AsyncConnection, given: Mapping[str, str], *, drawn: bool) -> Made:
    over = params.choice(given, "over", OVERS)
    compared = await regions(connection, over)
    choices = await thematic.choices(connection, compared)
    kinds = await thematic.kinds(connection)
    asked = ask(given, over, compared, choices, kinds)
    now = await state(connection, LAYERS)
    changed = now.changed_at or NEVER
    indicator = None
    if asked.at is None:
        found = await thematic.counts(connection, over, compared, asked.platform_kind)
        kind = next((one for one in kinds if one["id"] == asked.platform_kind), None)
        theme = counted_theme(asked.indicator, kind, over, compared, found, changed.date().isoformat(), asked.method)
    else:
        indicator = await thematic.indicator(connection, asked.indicator)
        ids = [row["id"] for row in (*compared.rows, compared.parent)]
        rows = await thematic.printed(connection, asked.indicator, ids)
        theme = printed_theme(indicator or {}, over, compared, rows, asked.at, asked.since, asked.method)
    parent = COMPARED[over][1]
    under = await ground(connection, parent, compared.parent["level"]) if drawn else []
    return Made(asked, compared, choices, kinds, theme, indicator, under, changed, now.mark)


def _shown(made: Made, lang: str) -> dict[str, Any]:
    return {
        "drawing": drawing(made.theme, made.ground, made.compared, lang),
        "legend": legend(made.theme, made.compared, lang),
        "chart": ranking(made.theme, lang) if made.theme.ranked() else None,
    }
