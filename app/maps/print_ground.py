"""A sheet with the ground of a map on it: title, land, names, north arrow, scale bar and the lines of its sources.

Lengths on the sheet are millimetres; the ground is projected to CGCS2000 / 3-degree Gauss-Kruger CM 120E (EPSG:4549),
which is the local grid of Jiaxing and keeps angles and lengths within 0.1 % over the whole of Zhejiang.
"""

from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from app.maps import symbols
from app.maps.ground import geometry, parts, place_name
from app.maps.paper import PROJECTION
from app.maps.print_labels import Frame, Room, Word
from app.maps.print_sheet import MARGIN, POINT, Sheet, text_width, wrapped

Row = Mapping[str, Any]

#: Millimetres on A4: the legend's width, the scale bar's, and room around the region.
LEGEND, SCALE_BAR, AROUND = 80.0, 66.0, 5.0
#: Type size of the source lines, and their distance as a share of it.
_SMALL, _LEADING = 5.6, 1.32
#: Millimetres: what is simplified away, and the smallest island's side.
_TOLERANCE, _ISLET = 0.06, 0.25
_TO_METRES = Transformer.from_crs(4326, PROJECTION, always_xy=True)


class Paper:
    """One sheet while a map is drawn on it."""

    def __init__(self, ground: Sequence[Row], size: str, lang: str) -> None:
        self.rows_of_ground, self.lang = ground, lang
        self.sheet = Sheet(size)
        self.words: list[Word] = []

    def begin(self, first: str, second: str, sources: Sequence[str]) -> Frame:
        """Title in two lines, source lines, frame and ground; gives the column that is left to the legend."""
        sheet, scale = self.sheet, self.sheet.scale
        left, right = MARGIN, sheet.width - MARGIN
        top = self._title(left, right, sheet.height - MARGIN, first, second)
        width = right - left - SCALE_BAR * scale
        lines = [line for text in sources for line in wrapped(text, width, _SMALL * scale)]
        foot = MARGIN + max(12.0 * scale, len(lines) * _SMALL * scale * POINT * _LEADING) + 1.5
        column = right - LEGEND * scale
        self._place_ground((left, foot + 1.5, column - 4, top))
        self._foot(left, foot, lines)
        self._ground()
        return column, foot + 1.5, right, top

    def _title(self, left: float, right: float, top: float, first: str, second: str) -> float:
        scale = self.sheet.scale
        size = min(18.0 * scale, 18.0 * scale * (right - left) / text_width(first, 18.0 * scale, bold=True))
        small = min(9.0 * scale, 9.0 * scale * (right - left) / text_width(second, 9.0 * scale))
        high = 18.0 * scale * POINT
        self.sheet.text((left, top - high / 2), first, size, bold=True)
        self.sheet.text((left, top - high - 9.0 * scale * POINT * 0.75), second, small, colour=symbols.GREY)
        return float(top - high - 9.0 * scale * POINT * 1.4 - 2.0)

    def _foot(self, left: float, top: float, lines: Sequence[str]) -> None:
        """North arrow and scale bar at the left, the lines beside them."""
        sheet, scale = self.sheet, self.sheet.scale
        size = _SMALL * scale
        for number, line in enumerate(lines):
            y = top - 1.0 - (number + 0.5) * size * POINT * _LEADING
            sheet.text((left + SCALE_BAR * scale, y), line, size, colour=symbols.GREY)
        x, y, high = left + 3.5 * scale, top - 11.5 * scale, 7.5 * scale
        half = 2.2 * scale
        for side, fill in ((-1, symbols.INK), (1, symbols.PAPER)):
            arrow = Polygon([(x, y + high), (x + side * half, y), (x, y + high * 0.25)])
            sheet.shape(arrow, fill=fill, colour=symbols.INK, weight=0.7)
        sheet.text((x, y + high + 1.6 * scale), "北 N", 7 * scale, align="center", bold=True)
        length = _nice(38 * scale / self.per_metre)
        start, thick, step = left + 12 * scale, 1.3 * scale, length * self.per_metre / 4
        for part in range(4):
            bar = box(start + part * step, y + 2.2 * scale, start + (part + 1) * step, y + 2.2 * scale + thick)
            fill = symbols.PAPER if part % 2 else symbols.INK
            sheet.shape(bar, fill=fill, colour=symbols.INK, weight=0.7)
        for share in (0, 2, 4):
            text = f"{length / 1000 * share / 4:g}" + (" km" if share == 4 else "")
            sheet.text((start + share * step, y + 5.4 * scale), text, 6.5 * scale, align="center")
        denominator = round(1 / self.per_metre * 1000)
        text = f"比例尺 Scale 1:{denominator:,}（{'A3' if sheet.width > 300 else 'A4'}）"
        sheet.text((start, y + 0.2 * scale), text, 6.5 * scale)

    def _place_ground(self, frame: Frame) -> None:
        """Fit the region into ``frame`` at a round scale."""
        west, south, east, north = frame
        region = parts(self.rows_of_ground, "frame") or self.rows_of_ground
        x0, y0, x1, y1 = shapely.total_bounds([_metres(geometry(row["geometry"])) for row in region])
        free = min((east - west - 2 * AROUND) / (x1 - x0), (north - south - 2 * AROUND) / (y1 - y0))
        step = 10.0 ** (floor(log10(1000 / free)) - 1)
        self.per_metre = 1000 / (ceil(1000 / free / step) * step)
        self.middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        self.centre = ((west + east) / 2, (south + north) / 2)
        self.frame = box(*frame)
        self.room = Room(self.frame)
        self.sheet.shape(self.frame, fill=symbols.BACKGROUND, z=0)
        self.sheet.shape(self.frame, colour=symbols.GREY, weight=1, z=9)

    def on_paper(self, text: str) -> BaseGeometry:
        (x0, y0), (x1, y1) = self.middle, self.centre
        return shapely.transform(_metres(geometry(text)), lambda at: (at - (x0, y0)) * self.per_metre + (x1, y1))

    def _outlines(self, part: str) -> list[tuple[Row, BaseGeometry]]:
        """Outlines of one part of the ground in the frame; neighbours keep one common boundary."""
        rows = parts(self.rows_of_ground, part)
        if not rows:
            return []
        whole = (shapely.get_parts(self.on_paper(row["geometry"])) for row in rows)
        islands = [shapely.multipolygons([one for one in pieces if one.area > _ISLET**2]) for pieces in whole]
        simple = shapely.make_valid(shapely.coverage_simplify(islands, _TOLERANCE))
        return list(zip(rows, (one.intersection(self.frame) for one in simple), strict=True))

    def _ground(self) -> None:
        sheet = self.sheet
        around, outline, land = (self._outlines(part) for part in ("around", "frame", "unit"))
        for _, area in around:
            sheet.shape(area, colour=symbols.FAINT, weight=0.75, z=0.2)
        for _, area in outline:
            sheet.shape(area, fill=symbols.WATER, z=0.3)
        for _, area in land:
            sheet.shape(area, fill=symbols.LAND, colour=symbols.BOUNDARY, weight=0.9, z=0.4)
        edge = [area for _, area in outline] or [shapely.union_all([area for _, area in land])]
        for area in edge:
            sheet.shape(area, colour=symbols.GREY, weight=1.5, z=0.5)
        self.land, self.around, self.edge = land, around, edge

    def name_ground(self) -> None:
        self.name_units({row["id"]: place_name(row, self.lang) for row, _ in self.land}, symbols.NAME)
        self.name_around()

    def name_units(self, names: Mapping[str, str], colour: str) -> None:
        """Names in the divisions shown, across a boundary or beside where there is no room."""
        sizes = [size * self.sheet.scale for size in (10, 9, 8, 7)]
        for row, area in self.land:
            name, widest = names[row["id"]], largest(area)
            self.put(
                self.room.inside(name, sizes, widest, must=True) or self.room.beside(name, sizes[-1], widest), colour, 6
            )

    def name_around(self) -> None:
        sizes, inside = [size * self.sheet.scale for size in (8, 7)], shapely.union_all(self.edge)
        for row, area in self.around:
            seen = largest(area.difference(inside))
            word = self.room.inside(place_name(row, self.lang), sizes, seen, must=False)
            self.put(word, symbols.BOUNDARY, 6)

    def put(self, word: Word | None, colour: str, z: float, *, bold: bool = False) -> None:
        """Draw a word and take its ground."""
        if word is None:
            return
        if word.leader:
            self.sheet.shape(word.leader, colour=colour, weight=0.8, z=7)
            self.room.taken.append(word.leader)
        self.sheet.text(
            word.at,
            word.text,
            word.size,
            align="center",
            bold=bold,
            colour=colour,
            turn=word.turn,
            halo=True,
            z=z + 0.2,
        )
        self.words.append(word)
        self.room.taken.append(word.covered)


def _metres(shape: BaseGeometry) -> BaseGeometry:
    return shapely.transform(shape, lambda at: np.column_stack(_TO_METRES.transform(at[:, 0], at[:, 1])))


def largest(area: BaseGeometry) -> BaseGeometry:
    """The greatest part of an area."""
    return max(shapely.get_parts(area), key=lambda one: one.area, default=Polygon())


def _nice(length: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not longer."""
    power = 10.0 ** floor(log10(length))
    return max(step * power for step in (1, 2, 5) if step * power <= length)
