"""OGC API – Tiles: grids, tilesets and vector tiles, TileJSON and a style for MapLibre.

Requirements are those of OGC API – Tiles – Part 1: Core 1.0 (OGC 20-057).
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import asking, params
from app.api.answers import believed, headers, mark_of, represent
from app.api.html import wants_html
from app.api.links import HTML, JSON, link
from app.api.openapi import SELECTING
from app.api.parameters import PARAMETERS
from app.api.problems import Problem, closest
from app.api.published import see_imported
from app.api.tile_documents import MVT, THINNED_NOTE, Query, Tileset, metadata, summary, tilejson
from app.api.turns import turn
from app.catalog import Collection
from app.db.engine import snapshot
from app.encode.tilesets import CELLS, TILE_MATRIX_SETS, WEB_MERCATOR_QUAD, TileMatrixSet
from app.maps.tile_style import tile_style
from app.queries import thinned, tiles
from app.queries.items import extent
from app.queries.versions import Moved, State, state

router = APIRouter(tags=["tiles"])

#: Says that a tile reached the greatest number of features and may lack some.
CAPPED = "Innomap-Capped"
#: Says that a tile's features stand for the points of so many cells along its side.
THINNED = "Innomap-Thinned"
#: Whether tiles of many points are thinned.
THIN = "thin"
THINNING = ("auto", "none")
#: Parameters of the items that mean nothing tile by tile: the nearest of each tile are not the nearest.
NOT_BY_TILE = ("nearest", "k")
LANGUAGES: tuple[Literal["zh", "en"], ...] = ("zh", "en")
PAGE = ("json", "html")


def _grid(name: str) -> TileMatrixSet:
    found = TILE_MATRIX_SETS.get(name)
    if found is None:
        raise Problem(
            404, f"没有瓦片格网 {name!r}。 No tile matrix set {name!r}.{closest(name, TILE_MATRIX_SETS)}",
            parameter="tileMatrixSetId", allowed=TILE_MATRIX_SETS,
        )  # fmt: skip
    return found


def _given(request: Request, described: Collection, *more: str) -> tuple[dict[str, str], Query]:
    """The request's parameters, and those of them that say what tiles hold."""
    chosen = [*(name for name in asking.selecting(described) if name not in NOT_BY_TILE), THIN]
    given = params.only(request, (*chosen, *more))
    params.choice(given, THIN, THINNING)
    return given, {name: value for name, value in given.items() if name in chosen}


def _open(operation: str, *formats: str, selecting: bool = False) -> dict[str, Any]:
    """What the API definition says of an operation; ids end as 20-057, table 11, asks."""
    offered = [_word("f", "格式。 Format.", *formats)] if formats else []
    answer: dict[str, Any] = {"description": "成功 OK", "content": {JSON: {"schema": {"type": "object"}}}}
    if "html" in formats:
        offered.append(PARAMETERS["lang"])
        answer["content"][HTML] = {"schema": {"type": "string"}}
    return {
        "operationId": operation,
        "parameters": [*([*SELECTING, OPEN_THIN] if selecting else []), *offered],
        "responses": {"200": answer},
    }


def _word(name: str, description: str, *words: str) -> dict[str, Any]:
    schema = {"type": "string", "enum": list(words), "default": words[0]}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


OPEN_THIN = _word(
    THIN,
    "点很多的瓦片是否稀疏：每格一个要素，point_count 为该格的点数；none 时照录，至多 INNOMAP_TILE_MAX_FEATURES 个。"
    " Whether a tile of many points has one feature a cell, with their number in point_count; with none it has the"
    " points themselves, as many as INNOMAP_TILE_MAX_FEATURES at most.",
    *THINNING,
)
OPEN_STYLE = _open("getTileStyle", selecting=True)
OPEN_STYLE["parameters"].append(_word("lang", "标注的语言。 Language of the labels.", *LANGUAGES))
OPEN_TILE = _open(".collection.vector.getTile", "mvt", selecting=True)
OPEN_TILE["responses"] = {
    "200": {"description": "瓦片 Tile", "content": {MVT: {"schema": {"type": "string", "format": "binary"}}}},
    "204": {"description": "此处无要素 Nothing is here"},
    "404": {"description": "范围之外 Outside the tileset's limits"},
}


# ------------------------------------------------------------------------------------------------------------- grids


@router.get("/tileMatrixSets", openapi_extra=_open("getTileMatrixSetsList", *PAGE))
async def get_tile_matrix_sets(request: Request) -> Response:
    """全部瓦片格网。 All tile grids."""
    given = _format(request)
    described = [
        {
            "id": one.id,
            "title": f"{one.title} {one.title_en}",
            **({"uri": one.uri} if one.uri else {}),
            "crs": one.crs.uri,
            "links": [link(request, f"/tileMatrixSets/{one.id}", "self", JSON, one.title)],
        }
        for one in TILE_MATRIX_SETS.values()
    ]
    body = {"tileMatrixSets": described, "links": _self(request, "/tileMatrixSets")}
    return represent(request, given, body, "grids.html", grids=TILE_MATRIX_SETS.values())


@router.get("/tileMatrixSets/{tileMatrixSetId}", openapi_extra=_open("getTileMatrixSet", *PAGE))
async def get_tile_matrix_set(request: Request, tileMatrixSetId: str) -> Response:
    """一个瓦片格网的定义。 The definition of a tile grid."""
    grid = _grid(tileMatrixSetId)
    return represent(request, _format(request), grid.document(), "grid.html", grid=grid)


def _format(request: Request) -> dict[str, str]:
    given = params.only(request, ("f", "lang"))
    params.formats(given, *PAGE)
    return given


def _self(request: Request, path: str, query: Query | None = None) -> list[dict[str, str]]:
    return [
        link(request, path, "self", JSON, "本页 This page", query),
        link(request, path, "alternate", HTML, "网页 As a page", {**(query or {}), "f": "html"}),
    ]


# ----------------------------------------------------------------------------------------------------------- tilesets


@router.get(
    "/collections/{collectionId}/tiles",
    openapi_extra=_open(".collection.vector.getTileSetsList", *PAGE, selecting=True),
)
async def get_tilesets(request: Request, collectionId: str) -> Response:
    """图层的瓦片集。 The tilesets of a collection, one for each grid."""
    described = params.collection(collectionId)
    given, query = _given(request, described, "f", "lang")
    params.formats(given, *PAGE)
    sets = [Tileset(described, grid, query) for grid in TILE_MATRIX_SETS.values()]
    path = f"/collections/{described.id}"
    links = [
        *_self(request, f"{path}/tiles", query),
        link(request, path, "collection", JSON, described.title),
    ]
    body = {"links": links, "tilesets": [summary(request, one) for one in sets]}
    pages = [{"grid": one.grid, "href": one.address(request, HTML)} for one in sets]
    address = link(request, f"{path}/tiles", "", "", "", {**query, "f": "json"})["href"]
    values: dict[str, Any] = {"collection": described, "sets": pages, "json_address": address}
    return represent(request, given, body, "tilesets.html", **values)


@router.get(
    "/collections/{collectionId}/tiles/{tileMatrixSetId}",
    openapi_extra=_open(".collection.vector.getTileSet", "json", "tilejson", "html", selecting=True),
)
async def get_tileset(request: Request, collectionId: str, tileMatrixSetId: str) -> Response:
    """瓦片集说明，f=tilejson 为 TileJSON。 Metadata of a tileset, or TileJSON 3.0 with f=tilejson."""
    described, grid = params.collection(collectionId), _grid(tileMatrixSetId)
    given, query = _given(request, described, "f", "lang")
    formats = ("json", "tilejson", "html") if grid is WEB_MERCATOR_QUAD else PAGE
    params.formats(given, *formats)
    tileset = Tileset(described, grid, query)
    representation = "html" if wants_html(request, given) else given.get("f", "json")
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, asking.layers(described, query), representation)
        # parameters that make no sense are told here, not tile by tile
        await asking.question(connection, described, query)
        box = await extent(connection, described)
        if representation == "tilejson":
            return JSONResponse(tilejson(request, tileset, box), headers=made)
        around = await tiles.grid_extent(connection, described, grid)
        body = metadata(request, tileset, around, await state(connection, described.layers))
    values: dict[str, Any] = {
        "collection": described, "grid": grid, "box": box, "address": tileset.address(request),
        "thinned_note": THINNED_NOTE,
    }  # fmt: skip
    return represent(request, given, body, "tileset.html", made, json_address=tileset.address(request, JSON), **values)


@router.get("/collections/{collectionId}/style.json", openapi_extra=OPEN_STYLE)
async def get_style(request: Request, collectionId: str) -> dict[str, Any]:
    """MapLibre 样式。 A MapLibre style of the collection's tiles; nothing beside the tiles is fetched."""
    described = params.collection(collectionId)
    given, query = _given(request, described, "lang")
    tileset = Tileset(described, WEB_MERCATOR_QUAD, query)
    address = link(request, tileset.path, "alternate", JSON, "", {**query, "f": "tilejson"})["href"]
    source = {"type": "vector", "url": address, "promoteId": "id"}
    return tile_style(described, source, params.choice(given, "lang", LANGUAGES))


# -------------------------------------------------------------------------------------------------------------- tiles


@router.get(
    "/collections/{collectionId}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}",
    openapi_extra=OPEN_TILE,
)
async def get_tile(
    request: Request, collectionId: str, tileMatrixSetId: str, tileMatrix: str, tileRow: str, tileCol: str
) -> Response:
    """矢量瓦片（MVT）。 A vector tile; 204 where nothing is, 404 outside the tileset's limits."""
    address = (collectionId, tileMatrixSetId, tileMatrix, tileRow, tileCol)
    async with turn(request, "tiles"):
        # as the items: one statement, asked as if nothing had changed since the last look at the data
        with suppress(Moved, Problem):
            asked = _asked(request, *address)
            seen = believed(request, asked.collection.layers)
            if seen and not asking.refers(asked.collection, asked.query):
                async with request.app.state.reader.single() as connection:
                    tile = await _tile(connection, asked, seen)
                return _sent(tile, mark_of(request, seen, "mvt"))
        await see_imported(request)
        asked = _asked(request, *address)
        async with snapshot(request.app.state.reader) as connection:
            made = await headers(request, connection, asking.layers(asked.collection, asked.query), "mvt")
            tile = await _tile(connection, asked, request.state.read_from)
        return _sent(tile, made)


@dataclass(frozen=True)
class Asked:
    """A tile: the collection, the parameters that say what it holds, the grid, and its level, row and column."""

    collection: Collection
    query: Query
    grid: TileMatrixSet
    at: tuple[int, int, int]


def _asked(request: Request, collection: str, grid_name: str, matrix: str, row: str, col: str) -> Asked:
    described, grid = params.collection(collection), _grid(grid_name)
    given, query = _given(request, described, "f")
    params.formats(given, "mvt")
    return Asked(described, query, grid, _address(grid, matrix, row, col))


def _sent(tile: tiles.Tile, made: dict[str, str]) -> Response:
    # a tile is the same whatever the client accepts or speaks
    del made["Vary"]
    if not tile.content:
        # 20-057 leaves the choice of 204 or an empty 200 (/req/core/tc-error B); a vector tile should have a layer
        # (Mapbox Vector Tile Specification 2.1, 4.1), so that no empty one is a good one
        return Response(status_code=204, headers=made)
    if tile.capped:
        made[CAPPED] = str(tiles.most_features())
    if tile.thinned:
        made[THINNED] = str(CELLS)
    return Response(tile.content, media_type=MVT, headers=made)


async def _tile(connection: AsyncConnection, asked: Asked, seen: State) -> tiles.Tile:
    selection = (await asking.question(connection, asked.collection, asked.query)).selection
    points = thinned.is_thinned(asked.collection)
    whole = points and not asked.query.keys() - {THIN}
    kept_as = thinned.mark(seen, asked.collection) if whole else None
    make = thinned.tile if points and asked.query.get(THIN) != "none" else tiles.tile
    tile = await make(connection, selection, asked.grid, *asked.at, seen, kept_as)
    if not tile.content:
        await _within_limits(connection, asked.collection, asked.grid, *asked.at)
    return tile


async def _within_limits(
    connection: AsyncConnection, described: Collection, grid: TileMatrixSet, level: int, row: int, col: int
) -> None:
    """Raise a 404 for an empty tile outside the tileset's limits (/req/core/tc-error A)."""
    around = await tiles.grid_extent(connection, described, grid)
    if around is None or (row, col) not in grid.limits(level, around):
        raise Problem(
            404, "在本瓦片集的范围之外，见 tileMatrixSetLimits。 Outside the tileset: see its tileMatrixSetLimits.",
            parameter="tileRow, tileCol",
        )  # fmt: skip


def _address(grid: TileMatrixSet, matrix: str, row: str, col: str) -> tuple[int, int, int]:
    """Level, row and column. Raises a 404 for a tile that the grid lacks (/req/core/tc-error A)."""
    levels = {str(level): level for level in grid.served}
    if matrix not in levels:
        raise Problem(
            404, f"{grid.id} 没有级别 {matrix!r}。 {grid.id} has no level {matrix!r}.",
            parameter="tileMatrix", allowed=levels,
        )  # fmt: skip
    rows, cols = grid.size(levels[matrix])
    return levels[matrix], _position("tileRow", row, rows), _position("tileCol", col, cols)


def _position(name: str, text: str, count: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) >= count:
        raise Problem(
            404, f"须为 0–{count - 1} 的整数。 Must be a whole number from 0 to {count - 1} at this level.",
            parameter=name,
        )  # fmt: skip
    return int(text)


#: The route that a map asks dozens of times.
HOT = [route for route in router.routes if isinstance(route, APIRoute) and route.endpoint is get_tile]
