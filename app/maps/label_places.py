"""Places for the names of a layout's elements; the page takes the first that is free, at every zoom anew."""

from collections.abc import Sequence
from math import atan2, cos, degrees, radians

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPoint
from shapely.geometry.base import BaseGeometry

from app.maps.ground import Place, Point

#: Places tried along a line and around an area.
ALONG, AROUND = 17, 16


def along(axis: LineString, band: BaseGeometry, taken: Sequence[Point]) -> list[Place]:
    """Along a line, on either side, those far from ``taken`` first; then level, beside the band around it."""
    dots = MultiPoint(list(taken))
    shares = np.linspace(0.14, 0.86, ALONG)
    ranked = sorted(shares, key=lambda one: -axis.interpolate(one, normalized=True).distance(dots))
    turned, level = [], []
    for share in ranked:
        here, before, after = (axis.interpolate(share + step, normalized=True) for step in (0, -0.05, 0.05))
        turn = degrees(atan2(before.y - after.y, (after.x - before.x) * cos(radians(here.y))))
        turn -= 180 * round(turn / 180)
        turned += [Place(here.x, here.y, turn, side) for side in (1, -1)]
        for side in (1, -1):
            # straight across the line, until the band's edge
            x, y = side * (before.y - after.y), side * (after.x - before.x)
            ray = LineString([(here.x, here.y), (here.x + 99 * x, here.y + 99 * y)])
            edge = ray.intersection(band.boundary)
            if edge.is_empty:
                continue
            rim = min(shapely.get_parts(edge), key=here.distance)
            level.append(Place(rim.x, rim.y, beside=degrees(atan2(y, x * cos(radians(here.y))))))
    return [*turned, *level]


def inside(area: BaseGeometry, axis: LineString) -> list[Place]:
    """In a part of a band, off its axis: near the middle first, on either side."""
    axis = axis.intersection(area) if axis.intersects(area) else axis
    places = []
    for share in (0.5, 0.35, 0.65, 0.2, 0.8):
        here = axis.interpolate(share, normalized=True)
        edge = area.exterior.interpolate(area.exterior.project(here))
        for side in (0.6, -0.6, 0.85, -0.85):
            x, y = here.x + side * (edge.x - here.x), here.y + side * (edge.y - here.y)
            places.append(Place(x, y))
    return places


def around(area: BaseGeometry, taken: Sequence[Point], lines: Sequence[LineString]) -> list[Place]:
    """Just outside an area, those far from points and lines first; heights count double, for words are wide."""
    west, south, east, north = area.bounds
    rim = area.buffer((east - west) * 0.04).exterior
    dots = [*taken, *(xy for line in lines for xy in line.segmentize(0.01).coords)]
    spots = [rim.interpolate(share / AROUND, normalized=True) for share in range(AROUND)]

    def room(dot: shapely.Point) -> float:
        return min((abs(dot.x - x) / 2 + abs(dot.y - y) for x, y in dots), default=0.0)

    x, y = (west + east) / 2, (south + north) / 2
    return [
        Place(dot.x, dot.y, beside=degrees(atan2(dot.y - y, (dot.x - x) * cos(radians(y)))))
        for dot in sorted(spots, key=room, reverse=True)
    ]
