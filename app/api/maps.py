"""Maps as pages: one for each spatial layout of the plans."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from app.api import params
from app.api.language import LANGUAGES, TAGS, language, language_headers, switch
from app.api.problems import Problem, closest
from app.api.security import POLICY, policy
from app.catalog import COLLECTIONS
from app.db.engine import snapshot
from app.maps.layout_map import layout_map
from app.maps.page import Page, layout_page
from app.queries.layouts import LayoutRows, layout_rows, layouts

router = APIRouter(tags=["maps"])


@router.get("/maps/{mapId}", response_class=HTMLResponse)
async def get_map(request: Request, mapId: str) -> HTMLResponse:
    """空间布局图（网页）。 A spatial layout of the plans as an interactive map."""
    given = params.only(request, ("lang", "system"))
    params.choice(given, "lang", LANGUAGES)
    async with snapshot(request.app.state.reader) as connection:
        known = await layouts(connection)
        systems = systems_of(known, mapId)
        chosen = chosen_system(systems, given.get("system"))
        rows = await layout_rows(connection, chosen)
    # building the page is arithmetic and text: other requests go on meanwhile
    page = await run_in_threadpool(_page, request, rows, systems, mapId)
    guarded = {POLICY: policy(scripts=page.scripts, styles=page.styles)}
    return HTMLResponse(page.html, headers={**guarded, **language_headers(request)})


def systems_of(known: Sequence[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    """The layouts of a map by system. A layout's id is the map's name, a hyphen and the system."""
    systems = {one["id"].removeprefix(f"{name}-"): one for one in known if one["id"].startswith(f"{name}-")}
    names = list(dict.fromkeys(one["id"].partition("-")[0] for one in known))
    if name not in names:
        raise Problem(
            404, f"没有地图 {name!r}。 No map {name!r}.{closest(name, names)}", parameter="mapId", allowed=names
        )
    return systems


def chosen_system(systems: dict[str, dict[str, Any]], system: str | None) -> str:
    """The layout asked for, or the region's first."""
    found = systems.get(system) if system is not None else next(iter(systems.values()))
    if found is None:
        raise Problem(
            400, f"没有空间体系 {system!r}。 No spatial system {system!r}.{closest(str(system), systems)}",
            parameter="system", allowed=systems,
        )  # fmt: skip
    return str(found["id"])


def _page(request: Request, rows: LayoutRows, systems: dict[str, dict[str, Any]], name: str) -> Page:
    address, spoken = request.base_url.path.rstrip("/"), language(request)

    def href(layout: str) -> str:
        query = {"system": layout.removeprefix(f"{name}-")} if len(systems) > 1 else {}
        if "lang" in request.query_params:
            query["lang"] = spoken
        return f"{address}/maps/{name}" + (f"?{urlencode(query)}" if query else "")

    other, other_address = switch(request)
    credits = (*COLLECTIONS["counties"].credits, *COLLECTIONS["platforms"].credits)
    return layout_page(
        layout_map(rows.ground, rows.elements, rows.platforms, rows.kinds, spoken),
        layout=rows.layout,
        systems=[{**one, "href": href(one["id"])} for one in systems.values()],
        other_lang=other,
        other_lang_tag=TAGS[other],
        other_address=other_address,
        credits=credits,
        changed=rows.changed.date().isoformat(),
        lang=spoken,
        base=address,
    )
