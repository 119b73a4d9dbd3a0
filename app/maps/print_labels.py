"""Where symbols and words stand on paper, so that none hides another. Pure geometry in millimetres."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan2, degrees

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from app.maps.print_sheet import POINT, text_width, word_box

Place = tuple[float, float]
Frame = tuple[float, float, float, float]
Geometries = NDArray[np.object_]

#: Angle by which each symbol at one place leaves it in another direction than those before (golden angle).
_TURN = 2.399963
_ROUNDS = 5000
#: Step of the places tried for a word.
_STEP = 2.0
#: How far from its area a word may stand, and what crossing a line costs, both in millimetres.
_REACH = 32.0
_CROSSING = 10.0
#: How far a line may bend away from a name that runs along it.
_BEND = 1.0


def spread(anchors: Sequence[Place], radii: Sequence[float], frame: Frame, gap: float) -> list[Place]:
    """Places of round symbols near their anchors, ``gap`` apart and inside ``frame``; the same each time.

    Symbols that overlap push each other away, each by half of what is missing, until none does.
    """
    if not anchors:
        return []
    number = np.arange(len(anchors))
    reach = np.asarray(radii, float)
    places = np.asarray(anchors, float) + 0.01 * np.stack([np.cos(number * _TURN), np.sin(number * _TURN)], 1)
    low = np.array(frame[:2])[None] + reach[:, None] + gap
    high = np.array(frame[2:])[None] - reach[:, None] - gap
    apart = reach[:, None] + reach[None, :] + gap
    for _ in range(_ROUNDS):
        away = places[:, None] - places[None, :]
        distance = np.hypot(away[..., 0], away[..., 1])
        missing = np.where(number[:, None] == number[None, :], 0.0, apart - distance)
        if missing.max() <= 0:
            break
        # a little more than needed, so that an end is reached
        push = np.where(missing > 0, missing / 2 + 0.005, 0.0) / np.maximum(distance, 1e-9)
        places = np.clip(places + 0.7 * (away * push[..., None]).sum(1), low, high)
    return [(float(x), float(y)) for x, y in places]


@dataclass(frozen=True)
class Word:
    """A line of text put somewhere; ``leader`` joins it to what it names where that is not beside it."""

    text: str
    size: float
    at: Place
    turn: float
    covered: Polygon
    leader: LineString | None = None


class Room:
    """What is taken on the map: nothing may stand on ``taken``, and lines are crossed only at a price."""

    def __init__(self, frame: BaseGeometry) -> None:
        self.frame = frame
        self.taken: list[BaseGeometry] = []
        self.lines: list[BaseGeometry] = []

    def _free(self, covered: Geometries) -> NDArray[np.bool_]:
        free = np.asarray(shapely.covered_by(covered, self.frame.buffer(-1.0)))
        if self.taken:
            free &= ~shapely.intersects(covered[:, None], np.array(self.taken, object)[None, :]).any(1)
        return np.asarray(free)

    def _crossed(self, covered: Geometries) -> NDArray[np.float64]:
        if not self.lines:
            return np.zeros(len(covered))
        return np.asarray(shapely.intersects(covered[:, None], np.array(self.lines, object)[None, :]).sum(1), float)

    def _hidden(self, leaders: Geometries) -> NDArray[np.float64]:
        """How many things stand on each leader."""
        if not self.taken:
            return np.zeros(len(leaders))
        return np.asarray(shapely.intersects(leaders[:, None], np.array(self.taken, object)[None, :]).sum(1), float)

    def inside(self, text: str, sizes: Sequence[float], area: BaseGeometry, *, must: bool) -> Word | None:
        """A name in its area, in the largest type that has room; ``must``: across its boundary rather than nowhere."""
        if area.is_empty:
            return None
        x, y = shapely.maximum_inscribed_circle(area, tolerance=0.5).coords[0]
        for within in (True, False) if must else (True,):
            for size in sizes:
                width = text_width(text, size) + 1.0
                places = [one for one in _grid(area.bounds) if area.covers(shapely.Point(one))]
                covered = _boxes(places, width, size)
                if not places:
                    continue
                free = self._free(covered)
                if within:
                    free &= shapely.covered_by(covered, area)
                cost = np.hypot(*(np.array(places) - (x, y)).T) + _CROSSING * self._crossed(covered)
                if free.any():
                    best = int(np.argmin(np.where(free, cost, np.inf)))
                    return Word(text, size, places[best], 0.0, covered[best])
        return None

    def beside(self, text: str, size: float, area: BaseGeometry) -> Word | None:
        """A name next to the area or line it names, level, with a leader where the way is long."""
        width = text_width(text, size, bold=True) + 1.0
        west, south, east, north = area.bounds
        places = list(_grid((west - _REACH - width / 2, south - _REACH, east + _REACH + width / 2, north + _REACH)))
        covered = _boxes(places, width, size)
        distance = shapely.distance(covered, area)
        free = self._free(covered) & (distance > 0.8) & (distance < _REACH)
        if not free.any():
            return None
        leaders = shapely.shortest_line(covered, area)
        cost = distance + _CROSSING * (self._crossed(covered) + self._hidden(leaders))
        best = int(np.argmin(np.where(free, cost, np.inf)))
        far = distance[best] > 2 * size * POINT
        leader = leaders[best] if far else None
        return Word(text, size, places[best], 0.0, covered[best], leader)

    def along(self, text: str, size: float, axis: LineString, half_band: float) -> Word | None:
        """A name that runs along a line, above or below it, where most is free; ``None`` for a line too short."""
        width, high = text_width(text, size, bold=True) + 1.0, size * POINT
        if axis.length < width * 1.1:
            return None
        found = []
        for position in np.linspace(width / 2, axis.length - width / 2, 40):
            first, middle, last = (axis.interpolate(position + step * width / 2) for step in (-1, 0, 1))
            # words are straight: where the line bends away from them they do not run along it
            if LineString([first, last]).distance(middle) > _BEND:
                continue
            angle = atan2(last.y - first.y, last.x - first.x)
            turn = degrees(angle) - 180 * round(degrees(angle) / 180)
            across = np.array([-np.sin(angle), np.cos(angle)])
            for offset in (high * 0.5 + 1.2, half_band + high * 0.5 + 0.8, half_band + high * 1.5):
                for side in (1, -1):
                    x, y = np.array([middle.x, middle.y]) + side * offset * across
                    found.append(((float(x), float(y)), turn, offset))
        if not found:
            return None
        covered = np.array([word_box(at, width, size, turn) for at, turn, _ in found], object)
        free = self._free(covered) & (shapely.distance(covered, axis) > 0.5)
        if not free.any():
            return None
        off_middle = [abs(axis.project(shapely.Point(at)) / axis.length - 0.5) for at, _, _ in found]
        cost = (
            np.array([offset for *_, offset in found]) + 3 * np.array(off_middle) + _CROSSING * self._crossed(covered)
        )
        best = int(np.argmin(np.where(free, cost, np.inf)))
        return Word(text, size, found[best][0], found[best][1], covered[best])


def _boxes(places: Sequence[Place], width: float, size: float) -> Geometries:
    x, y = np.array(places).reshape(-1, 2).T
    high = size * POINT
    return np.asarray(shapely.box(x - width / 2, y - high / 2, x + width / 2, y + high / 2), object)


def _grid(bounds: tuple[float, ...]) -> list[Place]:
    west, south, east, north = bounds
    return [(float(x), float(y)) for y in np.arange(south, north, _STEP) for x in np.arange(west, east, _STEP)]
