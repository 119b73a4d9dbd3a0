"""A map of any layer: small ones stand in the page, of large ones the page fetches the pieces in view."""

import json
from collections.abc import Mapping, Sequence
from math import atan, degrees, sinh
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from app.api import asking, params
from app.api.answers import headers
from app.api.html import page
from app.api.language import LANGUAGES, language
from app.api.links import base, link
from app.api.maps import guarded
from app.api.openapi import SELECTING
from app.api.parameters import PARAMETERS
from app.api.problems import Problem
from app.catalog import Collection
from app.db.engine import snapshot
from app.encode.tilesets import RADIUS, TILE_PIXELS, WEB_MERCATOR_QUAD
from app.maps.ground import ground_extent
from app.maps.layer_signs import drawn, sign, symbol_field, used_symbols
from app.maps.symbols import Symbol, knowledge, swatch
from app.queries.layouts import Row, ground
from app.queries.pieces import Cell, Outline, Piece, features, outline, piece

if TYPE_CHECKING:
    from app.maps.page import Parts

router = APIRouter(tags=["maps"])
#: Most features that stand in the page, most bytes of them, and most bytes in the database worth trying.
EMBEDDED, BYTES, WEIGHT = 2_000, 150_000, 3_000_000
#: Shapes in the page are simplified to this share of the layer's width.
FINENESS = 1 / 4000
#: Cells along a piece's side are a power of two: levels of the grid below the piece.
CELLS = 2
#: Deepest level of pieces; a map zooms further with these.
DEEPEST = 18
#: Regions whose ground is drawn, the first that holds the layer, else the last.
GROUNDS = (("330400", "city"), ("330000", "province"))
#: Degrees by which a layer may reach out of its ground.
RIM = 0.1
OPEN = {"parameters": [*SELECTING, PARAMETERS["lang"]]}
#: Parameters of the items that mean nothing here: the nearest of each piece are not the nearest.
NOT_BY_PIECE = ("nearest", "k")


@router.get("/maps/layers/{collectionId}", response_class=HTMLResponse, openapi_extra=OPEN)
async def get_layer_map(request: Request, collectionId: str) -> Response:
    """图层的地图（网页）；要素的查询参数同样可用。 A layer as an interactive map; its items' parameters choose."""
    described = params.collection(collectionId)
    given, chosen = _given(request, described)
    field = symbol_field(described)
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, asking.layers(described, chosen), "html")
        selection = (await asking.question(connection, described, chosen)).selection
        found = await outline(connection, selection, field)
        embedded = None
        if found.box and found.count <= EMBEDDED and found.weight <= WEIGHT:
            fine = max(found.box[2] - found.box[0], 0.01) * FINENESS
            rows = await features(connection, selection, EMBEDDED, fine)
            text = json.dumps(drawn(rows, language(request)), ensure_ascii=False, separators=(",", ":"))
            embedded = text if len(text.encode()) <= BYTES else None
        for region, level in GROUNDS:
            under = await ground(connection, region, level)
            if found.box is None or _holds(under, found.box):
                break
    parts = await run_in_threadpool(_parts, under, found, language(request), base(request))
    return _page(request, described, given, chosen, found, embedded, parts, made)


@router.get("/maps/layers/{collectionId}/{level}/{row}/{column}", openapi_extra=OPEN)
async def get_piece(request: Request, collectionId: str, level: str, row: str, column: str) -> Response:
    """图层的一块：要素或各格的数目。 A piece of a layer for its map: features, or how many there are cell by cell."""
    described = params.collection(collectionId)
    _, chosen = _given(request, described)
    at = _address(level, row, column)
    columns, rows = _edges(*at)
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, asking.layers(described, chosen), "piece")
        selection = (await asking.question(connection, described, chosen)).selection
        found = await piece(connection, selection, columns, rows, (columns[-1] - columns[0]) / TILE_PIXELS)
    return JSONResponse(_body(found, language(request)), headers=made)


def _given(request: Request, described: Collection) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The request's parameters, and those that choose features."""
    names = [name for name in asking.selecting(described) if name not in NOT_BY_PIECE]
    given = params.only(request, (*names, "lang"))
    params.choice(given, "lang", LANGUAGES)
    return given, {name: value for name, value in given.items() if name != "lang"}


def _address(*given: str) -> tuple[int, int, int]:
    """Level, row and column of a piece. Raises a 404 for one that the grid lacks."""
    numbers = [int(one) if one.isascii() and one.isdigit() and len(one) < 8 else -1 for one in given]
    level, row, column = numbers
    if not 0 <= level <= DEEPEST or not WEB_MERCATOR_QUAD.has(level, row, column):
        raise Problem(
            404, f"没有这一块；级别 0–{DEEPEST}。 No such piece: levels 0 to {DEEPEST} of WebMercatorQuad.",
            parameter="level, row, column",
        )  # fmt: skip
    return level, row, column


def _edges(level: int, row: int, column: int) -> tuple[list[float], list[float]]:
    """Edges of a piece's cells in degrees, from west to east and from south to north."""
    west, south, east, north = WEB_MERCATOR_QUAD.bounds(level, row, column)
    cells = 1 << CELLS
    columns = [west + (east - west) * number / cells for number in range(cells + 1)]
    rows = [south + (north - south) * number / cells for number in range(cells + 1)]
    return [degrees(x / RADIUS) for x in columns], [degrees(atan(sinh(y / RADIUS))) for y in rows]


def _body(found: Piece, lang: str) -> dict[str, Any]:
    if found.cells:
        return {"cells": [_cell(one) for one in found.cells]}
    return drawn(found.features, lang)


def _cell(one: Cell) -> dict[str, Any]:
    return {"count": one.count, "at": [round(x, 6) for x in one.at], "box": [round(x, 6) for x in one.box]}


def _holds(under: list[Row], box: tuple[float, float, float, float]) -> bool:
    west, south, east, north = ground_extent(under)
    return west - RIM <= box[0] and south - RIM <= box[1] and box[2] <= east + RIM and box[3] <= north + RIM


def _parts(under: list[Row], found: Outline, lang: str, address: str) -> "Parts":
    # with Folium, which no start should wait for
    from app.maps.layer_map import layer_map
    from app.maps.page import page_parts

    return page_parts(layer_map(under, found.box, lang), address)


def _legend(described: Collection, used: Sequence[Symbol]) -> list[tuple[Markup, str, str]]:
    """What the symbols stand for: a kind or role; in a layer that has none, a point for an item of the layer."""
    if symbol_field(described):
        return [(swatch(one), one.name, one.name_en) for one in used]
    if described.geometry_type == "Point":
        return [(swatch(one), described.title, described.title_en) for one in used]
    return []


def _page(
    request: Request, described: Collection, given: Mapping[str, str], chosen: Mapping[str, str], found: Outline,
    embedded: str | None, parts: "Parts", made: Mapping[str, str],
) -> Response:  # fmt: skip
    used = used_symbols(described, found.values)
    spoken = {"lang": language(request)}
    pieces = link(request, f"/maps/layers/{described.id}", "", "", "", {**chosen, **spoken})["href"]
    given_to_page = {
        "collection": described.id,
        "signs": {one.id: sign(one) for one in used},
        "box": found.box,
        # the way to a piece, or all there is
        "pieces": None if embedded else pieces.replace("?", "/{level}/{row}/{column}?", 1),
        **(json.loads(embedded) if embedded else {}),
    }
    changed = request.state.read_from.changed_at
    asked = {name: value for name, value in given.items() if name != "lang"}
    return page(
        request,
        "map_layer.html",
        headers={**made, **guarded(request, parts)},
        parts=parts,
        collection=described,
        chosen=chosen,
        count=found.count,
        legend=_legend(described, used),
        knowledge=[one for one in knowledge() if one.id != "dotted"],
        layer=given_to_page,
        table=link(request, f"/collections/{described.id}/items", "", "", "", {**asked, "f": "html"})["href"],
        downloads={
            one: link(request, f"/exports/{described.id}.{one}", "", "", "", asked)["href"]
            for one in ("geojson", "gpkg", "csv", "xlsx")
        },
        base_maps=request.app.state.settings.offered_base_maps,
        credits=described.credits,
        changed=changed.date().isoformat() if changed else "",
    )
