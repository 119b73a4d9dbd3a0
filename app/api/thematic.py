"""Thematic maps over HTTP: one address for any indicator, the choice of which needs no script."""

from collections.abc import Mapping
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
from app.api.openapi import documented
from app.api.thematic_answer import PATH, Made, body, options
from app.api.thematic_asked import NAMES, ask
from app.catalog.indicators import REGION_INDICATOR_LAYERS
from app.catalog.platforms import PLATFORM_LAYERS
from app.db.engine import snapshot
from app.maps import wording
from app.maps.charts_ranking import ranking
from app.maps.thematic import printed_theme
from app.maps.thematic_counts import counted_theme
from app.maps.thematic_drawing import HATCH, drawing, legend
from app.queries import thematic
from app.queries.freshness import changed_at
from app.queries.layouts import ground
from app.queries.thematic import COMPARED, OVERS

router = APIRouter(tags=["maps"])
LAYERS = tuple(dict.fromkeys((*REGION_INDICATOR_LAYERS, *PLATFORM_LAYERS)))


@router.get(PATH, openapi_extra=documented("thematic"))
async def get_thematic(request: Request) -> Response:
    """专题图：任一指标的分级图，附排名图与数据表。 A thematic map of any indicator, with ranking and table."""
    given = {name: text for name, text in params.only(request, NAMES).items() if text or name != "platform_kind"}
    params.formats(given, "json", "html")
    html = wants_html(request, given)
    async with snapshot(request.app.state.reader) as connection:
        made_headers = await headers(request, connection, LAYERS, "html" if html else "json")
        made = await _made(connection, given, html)
    told = body(made, base(request))
    if not html:
        return JSONResponse(jsonable_encoder(told, custom_encoder=params.NUMBERS), headers=made_headers)
    shown = await run_in_threadpool(_shown, made, language(request))
    return page(
        request, "thematic.html", headers=made_headers, title=made.theme.title[language(request) == "en"],
        made=made, theme=made.theme, body=told, hatch=HATCH, words=wording, **shown, **options(made),
    )  # fmt: skip


async def _made(connection: AsyncConnection, given: Mapping[str, str], html: bool) -> Made:
    over = params.choice(given, "over", OVERS)
    compared = await thematic.regions(connection, over)
    choices = await thematic.choices(connection, compared)
    kinds = await thematic.kinds(connection)
    asked = ask(given, over, compared, choices, kinds)
    changed = await changed_at(connection)
    as_of = changed.date().isoformat() if changed else ""
    indicator = None
    if asked.at is None:
        found = await thematic.counts(connection, over, compared, asked.platform_kind)
        kind = next((one for one in kinds if one["id"] == asked.platform_kind), None)
        theme = counted_theme(asked.indicator, kind, over, compared, found, as_of, asked.method)
    else:
        indicator = await thematic.indicator(connection, asked.indicator)
        ids = [row["id"] for row in (*compared.rows, compared.parent)]
        rows = await thematic.printed(connection, asked.indicator, ids)
        theme = printed_theme(indicator or {}, over, compared, rows, asked.at, asked.since, asked.method)
    parent = COMPARED[over][1]
    drawn = await ground(connection, parent, compared.parent["level"]) if html else []
    return Made(asked, compared, choices, kinds, theme, indicator, drawn, as_of)


def _shown(made: Made, lang: str) -> dict[str, Any]:
    return {
        "drawing": drawing(made.theme, made.ground, made.compared, lang),
        "legend": legend(made.theme, made.compared, lang),
        "chart": ranking(made.theme, lang) if made.theme.ranked() else None,
    }
