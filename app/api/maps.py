"""Maps as pages: one for each spatial layout of the plans."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool

from app.api import params
from app.api.answers import headers
from app.api.html import page
from app.api.language import LANGUAGES, Language, language
from app.api.links import base, link
from app.api.parameters import PARAMETERS, query
from app.api.popups import embedded
from app.api.problems import Problem, closest
from app.api.security import POLICY, policy
from app.catalog import COLLECTIONS
from app.catalog.layouts import LAYOUT_LAYERS
from app.catalog.platforms import PLATFORM_LAYERS
from app.db.engine import snapshot
from app.maps.symbols import PARK, knowledge, swatch
from app.queries.layouts import LayoutRows, layout_rows, layouts

if TYPE_CHECKING:
    from app.maps.layout_map import LayoutMap
    from app.maps.page import Parts

router = APIRouter(tags=["maps"])
#: What a layout's map reads.
LAYERS = (*LAYOUT_LAYERS, *PLATFORM_LAYERS)
#: Which of a region's layouts.
SYSTEM = query("system", "空间体系，一图有多个时。 Spatial system, where a map has several.")


@router.get("/maps/{mapId}", response_class=HTMLResponse, openapi_extra={"parameters": [SYSTEM, PARAMETERS["lang"]]})
async def get_map(request: Request, mapId: str) -> Response:
    """空间布局图（网页）。 A spatial layout of the plans as an interactive map."""
    given = params.only(request, ("lang", "system"))
    params.choice(given, "lang", LANGUAGES)
    async with snapshot(request.app.state.reader) as connection:
        known = await layouts(connection)
        systems = systems_of(known, mapId)
        chosen = chosen_system(systems, given.get("system"))
        made = await headers(request, connection, LAYERS, "html")
        rows = await layout_rows(connection, chosen)
    # drawing is arithmetic and text: other requests go on meanwhile
    drawn, parts = await run_in_threadpool(_drawn, rows, language(request), base(request))
    return _page(request, rows, systems, mapId, drawn, parts, {**made, **guarded(request, parts)})


def guarded(request: Request, parts: "Parts") -> dict[str, str]:
    """The policy of a map's page: its own scripts and styles, and pictures of the base maps offered."""
    offered = request.app.state.settings.offered_base_maps
    images = dict.fromkeys(origin for one in offered for origin in one.origins)
    return {POLICY: policy(scripts=parts.scripts, styles=parts.styles, images=images)}


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


def _drawn(rows: LayoutRows, lang: Language, address: str) -> "tuple[LayoutMap, Parts]":
    # with Folium, which no start should wait for
    from app.maps.layout_map import layout_map
    from app.maps.page import page_parts

    drawn = layout_map(rows.ground, rows.elements, rows.platforms, rows.kinds, lang)
    return drawn, page_parts(drawn.canvas, address)


def _page(
    request: Request, rows: LayoutRows, systems: Mapping[str, Mapping[str, Any]], name: str, drawn: "LayoutMap",
    parts: "Parts", made: Mapping[str, str],
) -> Response:  # fmt: skip
    def href(layout: str, extension: str = "", **asked: str) -> str:
        if len(systems) > 1:
            asked["system"] = layout.removeprefix(f"{name}-")
        if "lang" in request.query_params or extension:
            asked["lang"] = language(request)
        return link(request, f"/maps/{name}{extension}", "", "", "", asked)["href"]

    layout = rows.layout
    return page(
        request,
        "map.html",
        headers=made,
        drawn=drawn,
        parts=parts,
        layout=layout,
        systems=[{**one, "href": href(one["id"])} for one in systems.values()],
        sheet=lambda kind, size: href(layout["id"], f".{kind}", size=size),
        popups=embedded(request, drawn.popups, rows.spoken),
        base_maps=request.app.state.settings.offered_base_maps,
        knowledge=knowledge(),
        dotted=next(one for one in knowledge() if one.id == "dotted"),
        core_member=swatch(PARK, ringed=True),
        credits=(*COLLECTIONS["counties"].credits, *COLLECTIONS["platforms"].credits),
        changed=rows.changed.date().isoformat(),
    )
