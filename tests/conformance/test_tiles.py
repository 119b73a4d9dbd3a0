"""The abstract tests of OGC API – Tiles – Part 1: Core 1.0 (OGC 20-057, annex A) for the classes that are declared,
and of the parts of the Tile Matrix Set standard 2.0 (OGC 17-083r4) that they build on.

Each test is named by the identifier of its abstract test.
"""

from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema
import pytest
import shapely

from app.catalog import COLLECTIONS
from tests.mvt import EXTENT, MEDIA_TYPE, Grid, decode, fetch, items, limits

TILES = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
TMS = "http://www.opengis.net/spec/tms/2.0/conf"
REL = "http://www.opengis.net/def/rel/ogc/1.0"
CLASSES = [
    *(f"{TILES}/{one}" for one in ("core", "tileset", "tilesets-list", "geodata-tilesets", "mvt", "oas30")),
    *(f"{TMS}/{one}" for one in ("tilematrixset", "json-tilematrixset", "tilematrixsetlimits")),
    *(f"{TMS}/{one}" for one in ("json-tilematrixsetlimits", "tilesetmetadata", "json-tilesetmetadata")),
]
GRIDS = ("WebMercatorQuad", "CGCS2000Quad")
VARIABLES = ("{tileMatrix}", "{tileRow}", "{tileCol}")

# what the standard's JSON Schemas (17-083r4, annex C) require of the members used here
POINT = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}}
BOX = {
    "type": "object",
    "required": ["lowerLeft", "upperRight"],
    "properties": {
        "lowerLeft": POINT,
        "upperRight": POINT,
        "crs": {"type": "string", "format": "uri"},
        "orderedAxes": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "string"}},
    },
}
COUNT = {"type": "integer", "minimum": 0}
LINK = {
    "type": "object",
    "required": ["rel", "href"],
    "properties": {
        "rel": {"type": "string"},
        "href": {"type": "string"},
        "type": {"type": "string"},
        "title": {"type": "string"},
        "templated": {"type": "boolean"},
    },
}
MATRIX = {
    "type": "object",
    "required": [
        "id", "scaleDenominator", "cellSize", "pointOfOrigin", "tileWidth", "tileHeight", "matrixWidth", "matrixHeight",
    ],
    "properties": {
        "id": {"type": "string"},
        "scaleDenominator": {"type": "number"},
        "cellSize": {"type": "number"},
        "cornerOfOrigin": {"enum": ["topLeft", "bottomLeft"]},
        "pointOfOrigin": POINT,
        **{name: {"type": "integer", "minimum": 1} for name in ("tileWidth", "tileHeight")},
        **{name: {"type": "integer", "minimum": 1} for name in ("matrixWidth", "matrixHeight")},
    },
}  # fmt: skip
TILE_MATRIX_SET = {
    "type": "object",
    "required": ["crs", "tileMatrices"],
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "uri": {"type": "string", "format": "uri"},
        "crs": {"type": "string", "format": "uri"},
        "orderedAxes": {"type": "array", "minItems": 1, "items": {"type": "string"}},
        "wellKnownScaleSet": {"type": "string", "format": "uri"},
        "boundingBox": BOX,
        "tileMatrices": {"type": "array", "minItems": 1, "items": MATRIX},
    },
}
TILESET = {
    "type": "object",
    "required": ["dataType", "crs", "links"],
    "properties": {
        "title": {"type": "string"},
        "dataType": {"enum": ["map", "vector", "coverage"]},
        "crs": {"type": "string", "format": "uri"},
        "tileMatrixSetURI": {"type": "string", "format": "uri"},
        "links": {"type": "array", "items": LINK},
        "boundingBox": BOX,
        "updated": {"type": "string", "format": "date-time"},
        "attribution": {"type": "string"},
        "mediaTypes": {"type": "array", "items": {"type": "string"}},
        "accessConstraints": {"enum": ["unclassified", "restricted", "confidential", "secret", "topSecret"]},
        "tileMatrixSetLimits": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tileMatrix", "minTileRow", "maxTileRow", "minTileCol", "maxTileCol"],
                "properties": {
                    "tileMatrix": {"type": "string"},
                    **{f"{end}Tile{axis}": COUNT for end in ("min", "max") for axis in ("Row", "Col")},
                },
            },
        },
        "layers": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["id", "dataType"],
                "properties": {
                    "id": {"type": "string"},
                    "dataType": {"enum": ["map", "vector", "coverage"]},
                    "geometryDimension": {"type": "integer", "minimum": 0, "maximum": 3},
                    "boundingBox": BOX,
                    "propertiesSchema": {
                        "type": "object",
                        "required": ["type", "properties"],
                        "properties": {
                            "type": {"const": "object"},
                            "properties": {"type": "object", "additionalProperties": {"type": "object"}},
                        },
                    },
                },
            },
        },
    },
}


def get(client: httpx.Client, address: str) -> dict[str, Any]:
    answer = client.get(address, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    body: dict[str, Any] = answer.json()
    return body


def linked(body: dict[str, Any], rel: str) -> list[dict[str, Any]]:
    return [one for one in body["links"] if one["rel"] == rel]


def template(client: httpx.Client, collection: str, grid: str) -> str:
    """Address of the tiles, as the tileset gives it."""
    (link,) = linked(get(client, f"/collections/{collection}/tiles/{grid}"), "item")
    address: str = link["href"]
    return address


def filled(address: str, *values: int) -> str:
    for variable, value in zip(VARIABLES, values, strict=True):
        assert variable in address
        address = address.replace(variable, str(value))
    return address


@pytest.mark.parametrize("conformance_class", CLASSES)
def test_conformance_success(client: httpx.Client, conformance_class: str) -> None:
    assert conformance_class in get(client, "/conformance")["conformsTo"]


# --------------------------------------------------------------------------------------------------------------- core


@pytest.mark.parametrize("grid", GRIDS)
def test_core_tc_op(client: httpx.Client, grid: str) -> None:
    """A tile is got from the template, and matrix, row and column mean what the tile matrix set says."""
    address, described, level = template(client, "towns", grid), Grid(client, grid), 9
    (place,) = [described.units(one, level) for id, one in items(client, "towns").items()][:1]
    answer = client.get(filled(address, level, int(place.y), int(place.x)))
    assert answer.status_code == 200


@pytest.mark.parametrize("grid", GRIDS)
def test_core_tc_tilematrix_tilerow_tilecol_definition(client: httpx.Client, grid: str) -> None:
    """Every matrix of the limits is one of the set, and its rows and columns lie within the matrix."""
    matrices = {one["id"]: one for one in get(client, f"/tileMatrixSets/{grid}")["tileMatrices"]}
    found = get(client, f"/collections/counties/tiles/{grid}")["tileMatrixSetLimits"]
    assert found
    for one in found:
        matrix = matrices[one["tileMatrix"]]
        assert 0 <= one["minTileRow"] <= one["maxTileRow"] < matrix["matrixHeight"]
        assert 0 <= one["minTileCol"] <= one["maxTileCol"] < matrix["matrixWidth"]
        address = template(client, "counties", grid)
        corner = client.get(filled(address, int(one["tileMatrix"]), one["minTileRow"], one["minTileCol"]))
        assert corner.status_code in (200, 204)


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("accept", [MEDIA_TYPE, "*/*"])
def test_core_tc_success(client: httpx.Client, grid: str, accept: str) -> None:
    """200, the format asked for, and only what the tile's area (and its buffer) holds."""
    level = 8
    rows, cols = limits(client, "counties", grid, level)
    described, true = Grid(client, grid), items(client, "counties")
    answer = client.get(
        filled(template(client, "counties", grid), level, rows[-1], cols[-1]), headers={"Accept": accept}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, MEDIA_TYPE)
    area = shapely.box(cols[-1], rows[-1], cols[-1] + 1, rows[-1] + 1).buffer(0.02)
    ids = set(decode(answer.content)["id"])
    assert ids == {id for id, one in true.items() if described.units(one, level).intersects(area)}


@pytest.mark.parametrize("grid", GRIDS)
def test_core_tc_error(client: httpx.Client, grid: str) -> None:
    """404 outside the matrix and outside the limits; 204 where there is nothing within them."""
    address, level = template(client, "platforms", grid), 13
    matrix = Grid(client, grid).matrices[level]
    rows, cols = limits(client, "platforms", grid, level)
    outside = [
        (level, matrix["matrixHeight"], cols[0]),
        (level, rows[0], matrix["matrixWidth"]),
        (99, 0, 0),
        (level, rows[0] - 1, cols[0]),
        (level, rows[-1] + 1, cols[0]),
        (level, rows[0], cols[0] - 1),
        (level, rows[0], cols[-1] + 1),
    ]
    for tile in outside:
        answer = client.get(filled(address, *tile))
        assert answer.status_code == 404, tile
        assert answer.json()["status"] == 404
    empty = client.get(filled(address, level, rows[0], cols[0]))
    assert (empty.status_code, empty.content) == (204, b"")


# ------------------------------------------------------------------------------------------ tileset and tilesets-list


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("collection", COLLECTIONS)
def test_tileset_description(client: httpx.Client, collection: str, grid: str) -> None:
    body = get(client, f"/collections/{collection}/tiles/{grid}")
    jsonschema.validate(body, TILESET, format_checker=jsonschema.FormatChecker())
    (scheme,) = linked(body, f"{REL}/tiling-scheme")
    definition = get(client, scheme["href"])
    assert definition["id"] == grid
    assert definition["crs"] == body["crs"]
    # only a registered set has an address in the register
    assert body.get("tileMatrixSetURI") == definition.get("uri")
    (item,) = linked(body, "item")
    assert item["templated"] is True
    assert item["type"] == MEDIA_TYPE
    assert all(variable in item["href"] for variable in VARIABLES)
    assert not any(one.get("templated") for one in body["links"] if one is not item)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_tilesets_list_tileset_links(client: httpx.Client, collection: str) -> None:
    body = get(client, f"/collections/{collection}/tiles")
    assert len(body["tilesets"]) == len(GRIDS)
    for one in body["tilesets"]:
        jsonschema.validate(one, TILESET, format_checker=jsonschema.FormatChecker())
        (own,) = linked(one, "self")
        full = get(client, own["href"])
        assert {name: full[name] for name in ("dataType", "crs")} == {name: one[name] for name in ("dataType", "crs")}
        (scheme,) = linked(one, f"{REL}/tiling-scheme")
        name = get(client, scheme["href"])["id"]
        assert urlsplit(own["href"]).path == f"/collections/{collection}/tiles/{name}"
        assert one.get("tileMatrixSetURI") == get(client, scheme["href"]).get("uri")


# --------------------------------------------------------------------------------------------------- geodata-tilesets


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_geodata_tilesets_desc_links_and_operation(client: httpx.Client, collection: str) -> None:
    (link,) = linked(get(client, f"/collections/{collection}"), f"{REL}/tilesets-vector")
    assert urlsplit(link["href"]).path == f"/collections/{collection}/tiles"
    assert get(client, link["href"])["tilesets"]


# ---------------------------------------------------------------------------------------------------------------- mvt


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("collection", ["towns", "platforms", "corridors", "counties"])
def test_mvt_content(client: httpx.Client, collection: str, grid: str) -> None:
    """One tile, features with geometry and type, upper left corner at 0,0 and linear from there to the lower right."""
    level = 9
    described, true = Grid(client, grid), items(client, collection)
    rows, cols = limits(client, collection, grid, level)
    seen = 0
    for row in rows:
        for col in cols:
            tile = fetch(client, f"/collections/{collection}/tiles/{grid}/{level}/{row}/{col}")
            if tile is None:
                continue
            assert not tile.geometry.is_empty.any()
            assert set(tile.geometry.geom_type.str.removeprefix("Multi")) <= {"Point", "LineString", "Polygon"}
            for id, drawn in zip(tile["id"], tile.geometry, strict=True):
                place = shapely.transform(
                    described.units(true[id], level), lambda xy, r=row, c=col: (xy - [c, r]) * EXTENT
                )
                # straight lines in degrees stay within a unit of the curve they are in the grid
                assert shapely.difference(drawn, place.buffer(1.5)).is_empty
                seen += 1
    assert seen >= len(true)


# -------------------------------------------------------------------------------------------------------------- oas30


def test_oas30_completeness(client: httpx.Client) -> None:
    """The definition has every address that the resources link to, with its variables."""
    body = client.get("/api").json()
    paths = body["paths"]
    tile = "/collections/{collectionId}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}"
    for path in ("/tileMatrixSets", "/tileMatrixSets/{tileMatrixSetId}", "/collections/{collectionId}/tiles"):
        assert path in paths
    assert "/collections/{collectionId}/tiles/{tileMatrixSetId}" in paths
    shared = body.get("components", {}).get("parameters", {})
    parameters = [
        shared[one["$ref"].rsplit("/", 1)[1]] if "$ref" in one else one for one in paths[tile]["get"]["parameters"]
    ]
    declared = {one["name"] for one in parameters if one["in"] == "path"}
    assert declared == {"collectionId", "tileMatrixSetId", "tileMatrix", "tileRow", "tileCol"}
    assert {"within", "bbox"} <= {one["name"] for one in parameters if one["in"] == "query"}
    assert MEDIA_TYPE in paths[tile]["get"]["responses"]["200"]["content"]
    linked_to = urlsplit(template(client, "platforms", "WebMercatorQuad")).path
    assert linked_to == tile.replace("{collectionId}", "platforms").replace("{tileMatrixSetId}", "WebMercatorQuad")


def test_oas30_operation_id(client: httpx.Client) -> None:
    """Operations end as table 11 of the standard has them."""
    paths = client.get("/api").json()["paths"]
    found = {path: one["get"]["operationId"] for path, one in paths.items() if "get" in one}
    own = "/collections/{collectionId}/tiles"
    assert found["/tileMatrixSets"].endswith("getTileMatrixSetsList")
    assert found["/tileMatrixSets/{tileMatrixSetId}"].endswith("getTileMatrixSet")
    assert found[own].endswith(".collection.vector.getTileSetsList")
    assert found[f"{own}/{{tileMatrixSetId}}"].endswith(".collection.vector.getTileSet")
    tile = f"{own}/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    assert found[tile].endswith(".collection.vector.getTile")


# ------------------------------------------------------------------------------------------- Tile Matrix Set standard


def test_tms_json_tilematrixset(client: httpx.Client) -> None:
    """Every set in the list is a definition of its own, levels halve, and the matrix fills the bounding box."""
    listed = get(client, "/tileMatrixSets")["tileMatrixSets"]
    assert [one["id"] for one in listed] == list(GRIDS)
    for one in listed:
        (link,) = linked(one, "self")
        body = get(client, link["href"])
        jsonschema.validate(body, TILE_MATRIX_SET, format_checker=jsonschema.FormatChecker())
        matrices, box = body["tileMatrices"], body["boundingBox"]
        span = {abs(high - low) for low, high in zip(box["lowerLeft"], box["upperRight"], strict=True)}
        for matrix in matrices:
            sides = (matrix["matrixWidth"] * matrix["tileWidth"], matrix["matrixHeight"] * matrix["tileHeight"])
            assert {round(side * matrix["cellSize"], 3) for side in sides} == {round(one, 3) for one in span}
            assert matrix["scaleDenominator"] * 0.00028 / matrix["cellSize"] == pytest.approx(
                1 if one["id"] == "WebMercatorQuad" else 111319.490793274
            )
        for coarse, fine in pairwise(matrices):
            assert coarse["cellSize"] == pytest.approx(2 * fine["cellSize"], rel=1e-12)


@pytest.mark.parametrize("grid", GRIDS)
def test_tms_json_tilematrixsetlimits(client: httpx.Client, grid: str) -> None:
    """The limits hold the bounding box that the tileset states, and no tile more than its buffer asks for."""
    body = get(client, f"/collections/counties/tiles/{grid}")
    described = Grid(client, grid)
    union = shapely.union_all(list(items(client, "counties").values()))
    levels = [int(one["tileMatrix"]) for one in body["tileMatrixSetLimits"]]
    assert levels == sorted(described.matrices)[: len(levels)]
    for one in body["tileMatrixSetLimits"]:
        west, north, east, south = described.units(shapely.box(*union.bounds), int(one["tileMatrix"])).bounds
        rows = (one["minTileRow"], one["maxTileRow"] + 1)
        cols = (one["minTileCol"], one["maxTileCol"] + 1)
        assert cols[0] <= west < east <= cols[1]
        assert rows[0] <= north < south <= rows[1]
        assert cols[1] - cols[0] <= east - west + 2.04
        assert rows[1] - rows[0] <= south - north + 2.04


@pytest.mark.parametrize("grid", GRIDS)
def test_tms_tilesetmetadata(client: httpx.Client, grid: str) -> None:
    """Bounding boxes are in the tileset's system and axis order; the layer lists just what its features carry."""
    body = get(client, f"/collections/platforms/tiles/{grid}")
    definition = get(client, f"/tileMatrixSets/{grid}")
    box = body["boundingBox"]
    assert (box["crs"], box["orderedAxes"]) == (definition["crs"], definition["orderedAxes"])
    if grid == "CGCS2000Quad":
        west, south, east, north = shapely.union_all(list(items(client, "platforms").values())).bounds
        assert box["lowerLeft"] == pytest.approx([south, west], abs=1e-6)
        assert box["upperRight"] == pytest.approx([north, east], abs=1e-6)
    (layer,) = body["layers"]
    rows, cols = limits(client, "platforms", grid, 5)
    tile = fetch(client, filled(template(client, "platforms", grid), 5, rows[0], cols[0]))
    assert tile is not None
    carried = set(tile.columns) - {"geometry", "mvt_id"}
    assert carried <= set(layer["propertiesSchema"]["properties"])
    assert layer["id"] == "platforms"
