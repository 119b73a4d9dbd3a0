"""The documents of a tileset: what its list says, its metadata (OGC 17-083r4) and TileJSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from app.api.links import HTML, JSON, link
from app.catalog import Collection
from app.encode.tilesets import CELLS, WEB_MERCATOR_QUAD, Bounds, TileMatrixSet, limits
from app.queries import thinned, tiles
from app.queries.versions import State

MVT = "application/vnd.mapbox-vector-tile"
REL = "http://www.opengis.net/def/rel/ogc/1.0"
DIMENSIONS = {"Point": 0, "LineString": 1, "Polygon": 2, "MultiPolygon": 2}
#: What a tileset of points says of itself, in Chinese and in English.
THINNED_NOTE = (
    f"瓦片内的点达到 {thinned.THINNED_FROM} 个时稀疏为 {CELLS}×{CELLS} 格：每格一个要素，位于格内各点的平均位置，"
    "其他属性为编号最小者的，point_count 为格内点数；thin=none 不稀疏。",
    f"A tile that reaches {thinned.THINNED_FROM} points is thinned to {CELLS} by {CELLS} cells: one feature a cell"
    " at the mean place of its points, whose point_count is their number and whose other properties are those of the"
    " first of them by id;"
    " thin=none leaves the points.",
)

Query = Mapping[str, str]


@dataclass(frozen=True)
class Tileset:
    """One collection in one grid, and the parameters that choose its items."""

    collection: Collection
    grid: TileMatrixSet
    query: Query

    @property
    def path(self) -> str:
        return f"/collections/{self.collection.id}/tiles/{self.grid.id}"

    @property
    def title(self) -> str:
        return f"{self.collection.title} {self.collection.title_en} ({self.grid.id})"

    def address(self, request: Request, media_type: str = "") -> str:
        """Address of its metadata, as a page or as data where that is said."""
        chosen = {"f": "html" if media_type == HTML else "json"} if media_type else {}
        return link(request, self.path, "", "", "", {**self.query, **chosen})["href"]

    def template(self, request: Request, names: str = "{tileMatrix}/{tileRow}/{tileCol}") -> str:
        """Address of a tile with the variables left in."""
        return link(request, self.path, "item", MVT, "", {**self.query, "f": "mvt"})["href"].replace(
            self.path, f"{self.path}/{names}"
        )


def summary(request: Request, tileset: Tileset) -> dict[str, Any]:
    """What the list and the tileset itself both say (/req/tilesets-list/tileset-links)."""
    grid = tileset.grid
    links = [
        link(request, tileset.path, "self", JSON, tileset.title, tileset.query),
        link(request, f"/tileMatrixSets/{grid.id}", f"{REL}/tiling-scheme", JSON, grid.title),
    ]
    uri = {"tileMatrixSetURI": grid.uri} if grid.uri else {}
    return {"title": tileset.title, "dataType": "vector", "crs": grid.crs.uri, **uri, "links": links}


def metadata(request: Request, tileset: Tileset, around: Bounds | None, current: State) -> dict[str, Any]:
    """Tile set metadata as 17-083r4 has it (/req/tileset/description)."""
    described, grid = tileset.collection, tileset.grid
    body = summary(request, tileset)
    body["links"] = [*body["links"], *_more_links(request, tileset)]
    dimension = DIMENSIONS.get(described.geometry_type)
    layer = {
        "id": described.id,
        "title": f"{described.title} {described.title_en}",
        "description": _description(described),
        "dataType": "vector",
        **({} if dimension is None else {"geometryDimension": dimension}),
        "propertiesSchema": {"type": "object", "properties": _properties(described)},
    }
    if around:
        body["boundingBox"] = layer["boundingBox"] = grid.box(around)
        body["tileMatrixSetLimits"] = [one.document() for one in limits(grid, around)]
    if current.changed_at:
        body["updated"] = current.changed_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return {
        **body,
        "attribution": " ".join(described.credits),
        "accessConstraints": "unclassified",
        "mediaTypes": [MVT],
        "layers": [layer],
    }


def _more_links(request: Request, tileset: Tileset) -> list[dict[str, Any]]:
    """Links that only the full metadata has."""
    described = tileset.collection
    template: dict[str, Any] = {
        "href": tileset.template(request),
        "rel": "item",
        "type": MVT,
        "title": "瓦片 Tiles",
        "templated": True,
    }
    found: list[dict[str, Any]] = [
        template,
        link(request, tileset.path, "alternate", HTML, "网页 As a page", {**tileset.query, "f": "html"}),
        link(request, f"/collections/{described.id}", f"{REL}/geodata", JSON, described.title),
    ]
    if tileset.grid is WEB_MERCATOR_QUAD:
        asked = {**tileset.query, "f": "tilejson"}
        style = f"/collections/{described.id}/style.json"
        found.append(link(request, tileset.path, "alternate", JSON, "TileJSON 3.0", asked))
        found.append(link(request, style, f"{REL}/styles", JSON, "MapLibre 样式 MapLibre style", tileset.query))
    return found


def _description(described: Collection) -> str:
    parts = [described.description, described.description_en, *(THINNED_NOTE if thinned.is_thinned(described) else ())]
    return " ".join(filter(None, parts))


def _properties(described: Collection) -> dict[str, dict[str, Any]]:
    """JSON Schema of the properties that a tile's features carry."""
    return {
        "id": {"title": "代码 Id", "type": "string"},
        **{
            one.name: {
                "title": f"{one.title} {one.title_en}",
                "type": one.type,
                **({"enum": list(one.values)} if one.values else {}),
            }
            for one in (
                *tiles.tile_fields(described),
                *([thinned.POINT_COUNT] if thinned.is_thinned(described) else []),
            )
        },
    }


def tilejson(request: Request, tileset: Tileset, box: Bounds | None) -> dict[str, Any]:
    """TileJSON 3.0.0, which knows Web Mercator alone."""
    described, grid = tileset.collection, tileset.grid
    layer = {
        "id": described.id,
        "description": f"{described.title} {described.title_en}",
        "minzoom": grid.first,
        "maxzoom": grid.deepest,
        "fields": {name: one["title"] for name, one in _properties(described).items()},
    }
    return {
        "tilejson": "3.0.0",
        "name": tileset.title,
        "description": _description(described),
        "attribution": " ".join(described.credits),
        "scheme": "xyz",
        "tiles": [tileset.template(request, "{z}/{y}/{x}")],
        "minzoom": grid.first,
        "maxzoom": grid.deepest,
        **({"bounds": list(box)} if box else {}),
        "vector_layers": [layer],
    }
