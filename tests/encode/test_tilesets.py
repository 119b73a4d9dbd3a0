"""The arithmetic of the grids against figures that others publish."""

from math import isclose

import pytest

from app.encode.tilesets import (
    BUFFER,
    CGCS2000_QUAD,
    EXTENT,
    TILE_MATRIX_SETS,
    WEB_MERCATOR_QUAD,
    TileMatrixSet,
    limits,
)


@pytest.mark.parametrize(
    ("level", "scale", "cell", "width"),
    # http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad
    [
        (0, 559082264.028717, 156543.033928041, 1),
        (9, 1091957.54693108, 305.748113140704, 512),
        (22, 133.295598990611, 0.0373227677173712, 4194304),
        (24, 33.3238997476528, 0.0093306919293428, 16777216),
    ],
)
def test_web_mercator_quad_is_the_registered_one(level: int, scale: float, cell: float, width: int) -> None:
    body = WEB_MERCATOR_QUAD.document()
    assert [one["id"] for one in body["tileMatrices"]] == [str(n) for n in range(25)]
    one = body["tileMatrices"][level]
    assert isclose(one["scaleDenominator"], scale, rel_tol=1e-14)
    assert isclose(one["cellSize"], cell, rel_tol=1e-14)
    assert (one["matrixWidth"], one["matrixHeight"]) == (width, width)
    assert one["pointOfOrigin"] == [-20037508.3427892, 20037508.3427892]


def test_cgcs2000_quad_counts_from_the_north_west_latitude_first() -> None:
    body = CGCS2000_QUAD.document()
    assert body["crs"].endswith("/EPSG/0/4490")
    assert body["orderedAxes"] == ["Lat", "Lon"]
    assert body["boundingBox"]["lowerLeft"] == [-90, -180]
    assert body["boundingBox"]["upperRight"] == [90, 180]
    assert "uri" not in body
    first = body["tileMatrices"][0]
    assert (first["id"], first["pointOfOrigin"], first["cellSize"]) == ("1", [90, -180], 0.703125)
    assert (first["matrixWidth"], first["matrixHeight"], first["tileWidth"]) == (2, 1, 256)
    # of the same cell as level 0 of the registered WorldCRS84Quad
    assert isclose(first["scaleDenominator"], 279541132.014358, rel_tol=1e-14)


@pytest.mark.parametrize("grid", TILE_MATRIX_SETS.values(), ids=TILE_MATRIX_SETS)
def test_tiles_of_a_level_meet_and_fill_the_grid(grid: TileMatrixSet) -> None:
    level = grid.first + 2
    rows, cols = grid.size(level)
    west, south, east, north = grid.bounds(level, rows - 1, cols - 1)
    assert grid.bounds(level, 0, 0)[0] == grid.west
    assert grid.bounds(level, 0, 0)[3] == grid.north
    assert (east, south) == (-grid.west, -grid.north)
    left = grid.bounds(level, rows - 1, cols - 2)
    above = grid.bounds(level, rows - 2, cols - 1)
    assert left[2] == west
    assert above[1] == north


@pytest.mark.parametrize("grid", TILE_MATRIX_SETS.values(), ids=TILE_MATRIX_SETS)
def test_limits_are_the_tiles_whose_buffer_reaches_the_extent(grid: TileMatrixSet) -> None:
    level = grid.first + 4
    side = grid.bounds(level, 0, 0)[2] - grid.bounds(level, 0, 0)[0]
    reach = side * BUFFER / EXTENT
    west, south, east, north = grid.bounds(level, 5, 7)
    (inside,) = [
        one
        for one in limits(grid, (west + 2 * reach, south + 2 * reach, east - 2 * reach, north - 2 * reach))
        if one.level == level
    ]
    assert (inside.min_row, inside.max_row, inside.min_col, inside.max_col) == (5, 5, 7, 7)
    touching = grid.limits(level, (west + reach / 2, south + 2 * reach, east - 2 * reach, north - reach / 2))
    assert (touching.min_row, touching.max_row, touching.min_col, touching.max_col) == (4, 5, 6, 7)
    assert (4, 7) in touching
    assert (6, 7) not in touching
