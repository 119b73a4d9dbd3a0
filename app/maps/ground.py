"""The ground of a map as shapes: land, outline, water, and where names may stand on them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import shapely
from shapely import affinity
from shapely.geometry import MultiPoint, MultiPolygon, box, mapping
from shapely.geometry.base import BaseGeometry

Row = Mapping[str, Any]
Point = tuple[float, float]
#: West, south, east, north in degrees.
Box = tuple[float, float, float, float]

#: Outlines are simplified to this share of the map's width, half a pixel of a screen that shows the whole.
TOLERANCE = 1 / 1500
#: Width of a symbol and of a name's half line, as shares of the map's width while the whole is shown.
SYMBOL = 1 / 40
#: Drawn outlines keep as many decimals as this share of the map's width needs: 10 m for a city, 100 m for a province.
GRID = 1 / 4000
#: Islets smaller than this many squares of the tolerance, 2 by 2 pixels, are left out.
ISLET = 16
#: Places tried for the name of a division.
PLACES = 6


def geometry(text: str) -> BaseGeometry:
    """A shape from GeoJSON text."""
    return shapely.from_geojson(text)


def feature(drawn: BaseGeometry, key: str) -> dict[str, Any]:
    """A GeoJSON Feature that carries no more than its key."""
    return {"type": "Feature", "id": key, "properties": {}, "geometry": mapping(drawn)}


@dataclass(frozen=True)
class Place:
    """Where words may stand: on a point, above (1) or below (-1) it, and turned clockwise around it by degrees; or
    beside it, in a direction in degrees anticlockwise from east."""

    x: float
    y: float
    turn: float = 0.0
    above: int = 0
    beside: float | None = None

    @property
    def numbers(self) -> list[float]:
        """For the page, without needless decimals."""
        found = [round(self.x, 4), round(self.y, 4), round(self.turn), self.above]
        return found if self.beside is None else [*found, round(self.beside)]


def widest_place(area: BaseGeometry, taken: BaseGeometry, tolerance: float) -> Point:
    """Where a name, twice as wide as high, is farthest from the area's boundary and from what is ``taken``."""
    # a buffer of nothing keeps the areas alone of what a difference may leave
    free = area.difference(taken).buffer(0)
    squeezed = affinity.scale(area if free.is_empty else free, xfact=0.5, origin=(0, 0))
    x, y = shapely.maximum_inscribed_circle(squeezed, tolerance=tolerance).coords[0]
    return 2 * x, y


def free_places(area: BaseGeometry, taken: BaseGeometry, width: float) -> list[Place]:
    """Places for a name in an area, best first, on a map ``width`` degrees wide."""
    places = []
    high = width * SYMBOL
    for _ in range(PLACES):
        x, y = widest_place(area, taken, width / 400)
        places.append(Place(x, y))
        taken = taken.union(box(x - high, y - high / 2, x + high, y + high / 2))
    return places


def around_symbols(points: Iterable[Point], lines: Iterable[BaseGeometry], extent: Box) -> BaseGeometry:
    """The ground that symbols and lines cover while the whole map is shown."""
    reach = (extent[2] - extent[0]) * SYMBOL
    return MultiPoint(list(points)).buffer(reach).union(shapely.union_all(list(lines)).buffer(reach / 2))


def ground_extent(rows: Sequence[Row]) -> Box:
    """West, south, east, north of what the map is about."""
    shown = parts(rows, "frame") or parts(rows, "unit")
    west, south, east, north = shapely.total_bounds([geometry(row["geometry"]) for row in shown])
    return float(west), float(south), float(east), float(north)


@dataclass(frozen=True)
class GroundShapes:
    """The ground simplified for its map, in degrees: land and neighbours in the order of their rows."""

    extent: Box
    land: Sequence[BaseGeometry]
    around: Sequence[BaseGeometry]
    water: Sequence[BaseGeometry]
    #: The region's own outline: as published, else that of its land.
    outline: Sequence[BaseGeometry]


def parts(rows: Sequence[Row], part: str) -> list[Row]:
    """The rows of one part of the ground: ``unit``, ``frame`` or ``around``."""
    return [row for row in rows if row["part"] == part]


def ground_shapes(rows: Sequence[Row]) -> GroundShapes:
    """What a map draws of the rows of ``queries.layouts.ground``."""
    extent = ground_extent(rows)
    width = extent[2] - extent[0]
    land, around, frame = (
        _simplified(parts(rows, part), width * coarse) for part, coarse in (("unit", 1), ("around", 4), ("frame", 1))
    )
    return GroundShapes(extent, land, around, _water(frame, land), frame or [shapely.union_all(land)])


def place_name(row: Row, lang: str) -> str:
    """A division's name as maps write it: in English without its rank."""
    return re.sub(r" (City|County|District)$", "", row["name_en"]) if lang == "en" else str(row["name"])


def _water(frame: Sequence[BaseGeometry], land: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """What a region's outline encloses beside land, without the slivers of two simplifications."""
    rest = shapely.union_all(frame).difference(shapely.union_all(land).buffer(0)) if frame else shapely.Polygon()
    return [part for part in shapely.get_parts(rest) if part.area > (part.length / 40) ** 2]


def _simplified(rows: Sequence[Row], width: float) -> list[BaseGeometry]:
    """Outlines simplified for a map ``width`` degrees wide; neighbours keep one common boundary.

    Islets that would be no more than a dot are left out.
    """
    if not rows:
        return []
    tolerance, grid = width * TOLERANCE, 10.0 ** floor(log10(width * GRID))
    whole = (shapely.get_parts(geometry(row["geometry"])) for row in rows)
    islands = [MultiPolygon([part for part in parts if part.area > ISLET * tolerance**2]) for parts in whole]
    return list(shapely.set_precision(shapely.coverage_simplify(islands, tolerance), grid))
