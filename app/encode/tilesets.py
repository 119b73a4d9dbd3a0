"""Tile grids: the registered WebMercatorQuad and our own CGCS2000Quad, as arithmetic and as documents.

Documents follow OGC Two Dimensional Tile Matrix Set and Tile Set Metadata 2.0 (OGC 17-083r4); levels, rows and columns
are its tileMatrix, tileRow and tileCol, rows counted from the north.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, pi
from typing import Any

from app.crs import OFFERED, Crs

#: Pixels along a tile's side, in both grids.
TILE_PIXELS = 256
#: Metres a pixel measures on the standard's reference screen (17-083r4, 6.2).
PIXEL_METRES = 0.00028
#: Equatorial radius in metres, the same in WGS 84 and CGCS2000.
RADIUS = 6378137.0
#: Units along a tile's side, the coordinates of a vector tile.
EXTENT = 4096
#: Units beyond each side that a vector tile also carries, so that lines and symbols on its edge are drawn whole.
BUFFER = 64
#: Cells along a tile's side, of each of which a thinned tile has one feature: 8 pixels of 256.
CELLS = 32

#: West, south, east, north in units of the grid's reference system, east before north.
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class Limits:
    """Tiles of a level that carry something, both ends included."""

    level: int
    min_row: int
    max_row: int
    min_col: int
    max_col: int

    def __contains__(self, tile: tuple[int, int]) -> bool:
        row, col = tile
        return self.min_row <= row <= self.max_row and self.min_col <= col <= self.max_col

    def document(self) -> dict[str, Any]:
        return {
            "tileMatrix": str(self.level),
            "minTileRow": self.min_row,
            "maxTileRow": self.max_row,
            "minTileCol": self.min_col,
            "maxTileCol": self.max_col,
        }


@dataclass(frozen=True)
class TileMatrixSet:
    """A grid of square tiles that halve from level to level, counted from the north-west corner.

    ``side`` is the side of a tile at level ``first`` in units of ``crs``, ``metres`` how long one unit is; ``deepest``
    is the last level that is served, which the definition may exceed.
    """

    id: str
    title: str
    title_en: str
    crs: Crs
    axes: tuple[str, str]
    metres: float
    west: float
    north: float
    side: float
    first: int
    last: int
    deepest: int
    cols: int
    rows: int
    uri: str | None = None
    scale_set: str | None = None
    note: str = ""
    note_en: str = ""

    @property
    def served(self) -> range:
        """The levels that have tiles."""
        return range(self.first, self.deepest + 1)

    def size(self, level: int) -> tuple[int, int]:
        """Rows and columns of a level."""
        factor = 1 << (level - self.first)
        return self.rows * factor, self.cols * factor

    def has(self, level: int, row: int, col: int) -> bool:
        """Whether the grid has a tile at a served level."""
        if level not in self.served:
            return False
        rows, cols = self.size(level)
        return 0 <= row < rows and 0 <= col < cols

    def bounds(self, level: int, row: int, col: int, buffer: float = 0.0) -> Bounds:
        """Edges of a tile, wider by ``buffer`` tiles on each side."""
        side = self._side(level)
        return (
            self.west + (col - buffer) * side,
            self.north - (row + 1 + buffer) * side,
            self.west + (col + 1 + buffer) * side,
            self.north - (row - buffer) * side,
        )

    def limits(self, level: int, extent: Bounds) -> Limits:
        """The tiles that something within ``extent`` may reach, buffers included."""
        west, south, east, north = extent
        side, reach = self._side(level), BUFFER / EXTENT
        rows, cols = self.size(level)

        def clamped(position: float, count: int) -> int:
            return min(max(floor(position), 0), count - 1)

        return Limits(
            level,
            clamped((self.north - north) / side - reach, rows),
            clamped((self.north - south) / side + reach, rows),
            clamped((west - self.west) / side - reach, cols),
            clamped((east - self.west) / side + reach, cols),
        )

    def corner(self, east: float, north: float) -> list[float]:
        """A position in the axis order of the reference system."""
        return [north, east] if self.crs.flipped else [east, north]

    def box(self, bounds: Bounds) -> dict[str, Any]:
        """A bounding box as the standard's ``2DBoundingBox``."""
        west, south, east, north = bounds
        return {
            "lowerLeft": self.corner(west, south),
            "upperRight": self.corner(east, north),
            "crs": self.crs.uri,
            "orderedAxes": list(self.axes),
        }

    def document(self) -> dict[str, Any]:
        """The definition, every level of it."""
        body = {
            "id": self.id,
            "title": f"{self.title} {self.title_en}",
            "description": f"{self.note} {self.note_en}" if self.note else None,
            "uri": self.uri,
            "crs": self.crs.uri,
            "orderedAxes": list(self.axes),
            "wellKnownScaleSet": self.scale_set,
            "boundingBox": self.box(self.whole),
            "tileMatrices": [self._matrix(level) for level in range(self.first, self.last + 1)],
        }
        return {name: value for name, value in body.items() if value is not None}

    def _side(self, level: int) -> float:
        return self.side / (1 << (level - self.first))

    @property
    def whole(self) -> Bounds:
        """Edges of the grid."""
        return self.west, self.north - self.rows * self.side, self.west + self.cols * self.side, self.north

    def _matrix(self, level: int) -> dict[str, Any]:
        cell = self._side(level) / TILE_PIXELS
        rows, cols = self.size(level)
        return {
            "id": str(level),
            # the register prints fifteen digits
            "scaleDenominator": float(f"{cell * self.metres / PIXEL_METRES:.15g}"),
            "cellSize": float(f"{cell:.15g}"),
            "cornerOfOrigin": "topLeft",
            "pointOfOrigin": self.corner(*(float(f"{at:.15g}") for at in (self.west, self.north))),
            "tileWidth": TILE_PIXELS,
            "tileHeight": TILE_PIXELS,
            "matrixWidth": cols,
            "matrixHeight": rows,
        }


def _offered(code: str) -> Crs:
    return next(one for one in OFFERED.values() if one.code == code)


WEB_MERCATOR_QUAD = TileMatrixSet(
    "WebMercatorQuad", "网络墨卡托", "Google Maps Compatible for the World", _offered("EPSG:3857"), ("X", "Y"), 1.0,
    west=-pi * RADIUS, north=pi * RADIUS, side=2 * pi * RADIUS, first=0, last=24, deepest=22, cols=1, rows=1,
    uri="http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad",
    scale_set="http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
)  # fmt: skip
CGCS2000_QUAD = TileMatrixSet(
    "CGCS2000Quad", "2000 国家大地坐标系经纬度", "CGCS2000 degrees", _offered("EPSG:4490"), ("Lat", "Lon"),
    pi * RADIUS / 180, west=-180.0, north=90.0, side=180.0, first=1, last=18, deepest=18, cols=2, rows=1,
    note="本服务自定义：第 1 级为 2×1 块，与天地图“c”瓦片的行列号一致。",
    note_en="Defined by this service: level 1 has 2 by 1 tiles, numbered as Tianditu's “c” tiles are.",
)  # fmt: skip
TILE_MATRIX_SETS: dict[str, TileMatrixSet] = {one.id: one for one in (WEB_MERCATOR_QUAD, CGCS2000_QUAD)}


def limits(grid: TileMatrixSet, extent: Bounds) -> Iterable[Limits]:
    """The limits of every served level."""
    return (grid.limits(level, extent) for level in grid.served)
