"""Two counties, or two layouts, side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import asking, figures, params
from app.api.answers import headers, represent
from app.api.counties import MOST_VALUES, County, choose, find_county
from app.api.html import page, wants_html
from app.api.language import language
from app.api.links import HTML, JSON, link
from app.api.openapi import documented
from app.api.overview import PLATFORMS
from app.api.params import Paging
from app.api.problems import Problem, closest
from app.catalog.layouts import LAYOUT_LAYERS
from app.db.engine import snapshot
from app.maps.symbols import platform_symbol, swatch
from app.queries import county
from app.queries.layouts import layouts
from app.queries.names import document_titles, indicator_names, names
from app.queries.registers import listing
from app.registers.values import VALUES

router = APIRouter(tags=["pages"])
MOST_PLATFORMS = 1000
SQUARE = 100  # km², what densities are counted for

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """One of the two counties, with every value that documents print of it."""

    id: str
    county: County
    values: Sequence[Row]

    @property
    def published_km2(self) -> float:
        """Sum of the published areas; platforms without one count nothing."""
        return sum(one["properties"]["area_km2"] or 0 for one in self.county.features)

    @property
    def density(self) -> float:
        """Platforms for each 100 km² of land."""
        return self.county.platforms.matched / float(self.county.properties["land_area_km2"]) * SQUARE

    @property
    def counts(self) -> dict[str, int]:
        return {one.key: one.count for one in self.county.kinds}


@router.get("/compare", openapi_extra=documented("compare"))
async def get_compare(request: Request) -> Response:
    """比较两县（市、区）。 Two counties side by side: platforms by kind, areas, indicators in common."""
    given = params.only(request, ("a", "b", "year", "f", "lang"))
    params.formats(given, "json", "html")
    year = params.whole("year", given["year"], 1900) if "year" in given else None
    as_page = wants_html(request, given)
    lang = language(request)
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(
            request, connection, asking.layers(PLATFORMS, {"within": ""}), "html" if as_page else "json"
        )
        counties = await county.counties(connection)
        if as_page and not ("a" in given and "b" in given):
            known = await layouts(connection)
            return page(request, "compare.html", headers=made, counties=counties, layouts=known, query=given)
        sides = [await _side(connection, given, name) for name in ("a", "b")]
        told = await indicator_names(connection, lang)
        titles = await document_titles(connection, lang) if as_page else {}
        named = await names(connection, lang) if as_page else {}
    common = _common(sides, year)
    years = sorted({row["year"] for one in _common(sides, None).values() for rows in one for row in rows})
    body = {
        **{name: _told(one) for name, one in zip(("a", "b"), sides, strict=True)},
        "year": year,
        "years": years,
        "indicators": [{"indicator": one, "name": told[one], "a": a, "b": b} for one, (a, b) in common.items()],
        "attribution": list(PLATFORMS.credits),
        "links": [
            link(request, "/compare", "self", JSON, "比较 Comparison", given),
            link(request, "/compare", "alternate", HTML, "网页 As a page", {**given, "f": "html"}),
            *(link(request, f"/counties/{one.id}", "item", JSON, one.county.properties["name"]) for one in sides),
        ],
    }
    return represent(
        request, given, body, "compare.html", made, query=given, counties=counties, sides=sides, common=common,
        names=named, indicator_names=told, titles=titles, kinds=_kinds(sides), swatch=swatch,
        symbol=platform_symbol, figure=figures.figure, in_words=figures.in_words,
        letters=figures.letters(sorted(_documents(common))),
    )  # fmt: skip


async def _side(connection: AsyncConnection, given: Mapping[str, str], name: str) -> Side:
    if name not in given:
        raise Problem(400, "须给出两个县（市、区）。 Two counties are required: a and b.", parameter=name)
    adcode = await find_county(connection, given[name], name)
    chosen = await choose(connection, adcode, {}, Paging(MOST_PLATFORMS, None, 0))
    values = (await listing(connection, VALUES, {"region": [adcode]}, (), MOST_VALUES, 0)).rows
    return Side(adcode, chosen, values)


def _common(sides: Sequence[Side], year: int | None) -> dict[str, list[list[Row]]]:
    """Values of both counties, by indicators that both have (of one year, where one is asked for)."""
    found: list[dict[str, list[Row]]] = []
    for one in sides:
        by_indicator: dict[str, list[Row]] = {}
        for row in one.values:
            if year in (None, row["year"]):
                known = by_indicator.setdefault(row["indicator"], [])
                if not any(figures.same(row, other) for other in known):
                    known.append(row)
        found.append(by_indicator)
    first, second = found
    return {indicator: [rows, second[indicator]] for indicator, rows in first.items() if indicator in second}


def _documents(common: Mapping[str, Sequence[Sequence[Row]]]) -> set[str]:
    return {row["document"] for both in common.values() for rows in both for row in rows}


def _kinds(sides: Sequence[Side]) -> list[str]:
    """Kinds that either county has, in the order of the legend."""
    return [kind for kind in sides[0].counts if any(one.counts[kind] for one in sides)]


def _told(side: Side) -> dict[str, Any]:
    """One county as data."""
    properties = side.county.properties
    return {
        "id": side.id,
        **{name: properties[name] for name in ("name", "name_en", "area_km2", "land_area_km2")},
        "platforms": side.county.platforms.matched,
        "platforms_per_100_km2_land": round(side.density, 2),
        "published_area_km2": side.published_km2,
        "kinds": [{"key": one.key, "label": one.label, "count": one.count} for one in side.county.kinds],
    }


@router.get("/compare/maps", include_in_schema=False)
async def get_compare_maps(request: Request) -> Response:
    """Two layouts' maps side by side, in step."""
    given = params.only(request, ("a", "b", "f", "lang"))
    params.formats(given, "html")
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, LAYOUT_LAYERS, "html")
        known = {one["id"]: one for one in await layouts(connection)}
        counties = await county.counties(connection)
    for name in ("a", "b"):
        if name in given and given[name] not in known:
            detail = f"没有空间布局 {given[name]!r}。 No layout {given[name]!r}.{closest(given[name], known)}"
            raise Problem(404, detail, parameter=name, allowed=known)
    if not ("a" in given and "b" in given):
        return page(request, "compare.html", headers=made, counties=counties, layouts=known.values(), query=given)
    both = [known[given[name]] for name in ("a", "b")]
    return page(request, "compare_maps.html", headers=made, layouts=known.values(), both=both, query=given)
