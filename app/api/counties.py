"""The page of a county: its platforms on a map and in a table, its indicators, and the data of what is shown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import asking, figures, params
from app.api.answers import headers, represent
from app.api.html import embedded, wants_html
from app.api.language import language
from app.api.links import GEOJSON, HTML, JSON, Link, base, link
from app.api.openapi import documented
from app.api.overview import PLATFORMS, by_symbol
from app.api.params import Paging
from app.api.problems import Problem
from app.catalog import COLLECTIONS
from app.db.engine import snapshot
from app.maps import county_map
from app.maps.symbols import knowledge, swatch
from app.queries import county, items
from app.queries.aggregate import Group, aggregate
from app.queries.exports import FORMATS
from app.queries.layouts import ground, layouts
from app.queries.names import document_titles, indicator_names, names
from app.queries.places import AmbiguousPlace, UnknownPlace, find_place
from app.queries.registers import listing
from app.registers.values import PROGRESS, VALUES

router = APIRouter(tags=["pages"])
#: What chooses among a county's platforms.
SIEVE = ("kind", "level", "status", "industry", "industry_contains", "industry_under", "relation")
USUAL_ORDER = "kind,name"
#: Rows of a page: more would make it heavy.
USUAL_LIMIT = 200
SHOWN = ("name", "name_en", "kind", "level", "status", "area_km2", "industries", "geometry_method", "schematic")
MOST_VALUES = 5000
PLATFORM_ITEMS = "/collections/platforms/items"


@dataclass(frozen=True)
class County:
    """A county with what a request chooses of it."""

    properties: Mapping[str, Any]
    platforms: items.Page
    kinds: Sequence[Group]
    #: Parameters of the same choice in the platforms collection.
    asked: Mapping[str, str]
    said: Mapping[str, Any]

    @property
    def features(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(b"[%b]" % self.platforms.features)
        return found


@router.get("/counties/{countyId}", openapi_extra=documented("county"))
async def get_county(request: Request, countyId: str) -> Response:
    """县（市、区）的平台、指标与下载。 A county: its platforms, its indicators, and their downloads."""
    given = params.only(request, (*SIEVE, "sortby", "limit", "offset", "f", "lang"))
    params.formats(given, "json", "html")
    # a form sends a field left empty
    given = {name: value for name, value in given.items() if value or name != "industry_contains"}
    paging = params.paging({"limit": str(USUAL_LIMIT), **given}, request.app.state.settings)
    as_page = wants_html(request, given)
    async with snapshot(request.app.state.reader) as connection:
        adcode = await find_county(connection, countyId, "countyId")
        if adcode != countyId:
            query = f"?{request.url.query}" if request.url.query else ""
            return RedirectResponse(f"{base(request)}/counties/{adcode}{query}")
        made = await headers(
            request, connection, asking.layers(PLATFORMS, {"within": ""}), "html" if as_page else "json"
        )
        chosen = await choose(connection, adcode, given, paging)
        values = (await listing(connection, VALUES, {"region": [adcode]}, (), MOST_VALUES, 0)).rows
        body = _body(request, chosen, values)
        more = await _page_values(request, connection, chosen, values) if as_page else {}
    kept = {name: value for name, value in given.items() if name not in ("f", "limit", "offset")}
    more |= {"now": given, "kept": kept, "links": _paging(request, chosen, given, paging)}
    return represent(request, given, body, "county.html", made, chosen=chosen, **more)


async def find_county(connection: AsyncConnection, text: str, parameter: str) -> str:
    """The adcode of a county given by it, by name or by another name. Raises a ``Problem`` with candidates."""
    try:
        place = await find_place(connection, f"counties/{text}" if text.isdecimal() else text)
    except UnknownPlace as error:
        candidates = [one.removeprefix("counties/") for one in error.candidates]
    except AmbiguousPlace as error:
        detail = f"{text!r} 不止一处，请用代码。 {text!r} names several places: use an id."
        raise Problem(400, detail, parameter=parameter, allowed=error.candidates) from None
    else:
        if place.collection == "counties":
            return place.id
        candidates = [name for name, _ in (await county.counties(connection)).values()]
    detail = f"没有县（市、区）{text!r}。 No county {text!r}."
    raise Problem(404, detail, parameter=parameter, allowed=candidates)


async def choose(connection: AsyncConnection, adcode: str, given: Mapping[str, str], paging: Paging) -> County:
    """A county with the platforms that ``given`` chooses of it."""
    asked = {"within": f"counties/{adcode}", **{name: given[name] for name in SIEVE if name in given}}
    order = given.get("sortby", USUAL_ORDER)
    view = asking.view(PLATFORMS, {"sortby": order, "properties": ",".join(SHOWN)})
    question = await asking.question(connection, PLATFORMS, asked)
    platforms = await items.page(connection, question.selection, paging.limit, None, paging.offset, view)
    # how many of each kind there would be, whichever kinds are chosen
    any_kind = {name: value for name, value in asked.items() if name != "kind"}
    every = (await asking.question(connection, PLATFORMS, any_kind)).selection
    by_kind = await aggregate(connection, every, [one for one in PLATFORMS.fields if one.name == "kind"], ())
    item = await items.one(connection, COLLECTIONS["counties"], adcode)
    assert item is not None  # noqa: S101 - it was found in the same snapshot
    return County(json.loads(item.feature)["properties"], platforms, by_kind.groups, asked, question.said)


def _body(request: Request, chosen: County, values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The county as data; its platforms and values have addresses of their own, linked to."""
    adcode = chosen.asked["within"].removeprefix("counties/")
    found = [{"id": one["id"], **one["properties"]} for one in chosen.features]
    return {
        "id": adcode,
        **{name: chosen.properties[name] for name in ("name", "name_en", "area_km2", "land_area_km2")},
        **chosen.said,
        "platforms": {
            "numberMatched": chosen.platforms.matched,
            "numberReturned": len(found),
            "kinds": [{"key": one.key, "label": one.label, "count": one.count} for one in chosen.kinds if one.count],
            "items": found,
        },
        "indicators": values,
        "links": [
            link(request, f"/counties/{adcode}", "self", JSON, chosen.properties["name"]),
            link(request, f"/counties/{adcode}", "alternate", HTML, chosen.properties["name"], {"f": "html"}),
            link(request, f"/collections/counties/items/{adcode}", "describes", GEOJSON, "轮廓 Outline"),
            link(request, PLATFORM_ITEMS, "items", GEOJSON, "平台 Platforms", chosen.asked),
            link(request, "/exports/platforms.geojson", "enclosure", GEOJSON, "下载 Download", chosen.asked),
            link(request, VALUES.path, "related", JSON, VALUES.title, {"region": adcode}),
            link(request, PROGRESS.path, "related", JSON, PROGRESS.title, {"region": adcode}),
        ],
    }


async def _page_values(
    request: Request, connection: AsyncConnection, chosen: County, values: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What the page shows beyond the data: names in the reader's language, the map, the table of indicators."""
    lang, adcode = language(request), chosen.asked["within"].removeprefix("counties/")
    features = chosen.features
    positions = await county.positions(connection, [one["id"] for one in features])
    drawn = county_map.ground(await ground(connection, adcode, "county"), await county.towns(connection, adcode), lang)
    progress = (await listing(connection, PROGRESS, {"region": [adcode]}, (), MOST_VALUES, 0)).rows
    return {
        "features": features,
        "positions": positions,
        "symbols": by_symbol((one.key, one.count) for one in chosen.kinds),
        "ground": embedded(drawn),
        "shapes": embedded(county_map.shapes(features, positions, lang)),
        "swatch": swatch,
        "knowledge": knowledge(),
        "names": await names(connection, lang),
        "counties": await county.counties(connection),
        "table": figures.table(values),
        "figure": figures.figure,
        "in_words": figures.in_words,
        "letters": figures.letters,
        "aims": figures.aims(progress),
        "indicator_names": await indicator_names(connection, lang),
        "document_titles": await document_titles(connection, lang),
        "maps": [one for one in await layouts(connection) if one["region"] == adcode],
        "extensions": tuple(FORMATS),
        "exported": "?" + urlencode(chosen.asked, safe=":/,"),
        "items_address": link(request, "/collections/platforms/items", "", "", "", {**chosen.asked, "f": "html"})[
            "href"
        ],
    }


def _paging(request: Request, chosen: County, given: Mapping[str, str], paging: Paging) -> dict[str, str]:
    """Links to the rows before and after this page's."""
    path = f"/{chosen.asked['within']}"
    links: list[Link] = []
    if paging.offset:
        before = {**given, "offset": str(max(paging.offset - paging.limit, 0))}
        links.append(link(request, path, "prev", HTML, "", before))
    if chosen.platforms.next is not None:
        links.append(link(request, path, "next", HTML, "", {**given, "offset": str(paging.offset + paging.limit)}))
    return {one["rel"]: one["href"] for one in links}
