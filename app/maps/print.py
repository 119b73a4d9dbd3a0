"""The map of a spatial layout on paper: A4 or A3 landscape, as PNG, SVG or PDF.

The same rows, release and fonts give the same bytes: nothing is drawn from a clock or by chance. Lengths on the sheet
are millimetres; the ground is projected to CGCS2000 / 3-degree Gauss-Kruger CM 120E (EPSG:4549), which is the local
grid of Jiaxing and keeps angles and lengths within 0.1 % over the whole of Zhejiang.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, hypot, log10
from typing import Any

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from app import __version__
from app.catalog import COLLECTIONS
from app.maps import symbols
from app.maps.ground import geometry, place_name
from app.maps.layout_map import NUMBERED, member_order
from app.maps.print_labels import Place, Room, Word, spread
from app.maps.print_legend import Entry, Legend
from app.maps.print_sheet import MARGIN, POINT, Format, Sheet, text_width, wrapped
from app.maps.print_symbols import OUTER, RING, draw_area, draw_point
from app.maps.symbols import Symbol
from app.queries.layouts import LayoutRows

Row = Mapping[str, Any]

PROJECTION = 4549
#: Millimetres on A4: the legend's width, half a numbered symbol and half one without, room around the region.
LEGEND, REACH, SMALL, AROUND = 80.0, 2.0, 1.45, 5.0
#: Millimetres: what is simplified away, and the smallest island's side.
_TOLERANCE, _ISLET = 0.06, 0.25
_NARROW = str.maketrans("’‘“”", "''\"\"")
_TO_METRES = Transformer.from_crs(4326, PROJECTION, always_xy=True)


@dataclass(frozen=True)
class _Symbol:
    """A point symbol on the map: where it belongs and where it stands, in millimetres."""

    symbol: Symbol
    row: Row
    number: str
    anchor: Place
    reach: float


@dataclass(frozen=True)
class PrintedMap:
    """A drawn sheet, with the ground that each of its parts covers."""

    sheet: Sheet
    frame: Polygon
    #: Discs around the point symbols, and the words put between them.
    discs: Sequence[Polygon]
    words: Sequence[Word]
    legend: Legend

    def file(self, extension: Format) -> bytes:
        """The map as a file of one format."""
        return self.sheet.file(extension)


def version_mark(state: str) -> str:
    """A short mark of a state of the data (``queries.versions``), to be printed."""
    return hashlib.sha256(state.encode()).hexdigest()[:8]


def print_map(rows: LayoutRows, version: str, size: str, lang: str) -> PrintedMap:
    """Draw a layout on a sheet of ``size`` (A4, A3) with names in ``lang`` (zh, en); ``version`` marks the data.

    Raises ``FontMissing`` where no font of the machine holds Chinese.
    """
    return _Print(rows, version, size, lang).draw()


class _Print:
    """One map while it is drawn."""

    def __init__(self, rows: LayoutRows, version: str, size: str, lang: str) -> None:
        self.rows, self.version, self.lang = rows, version, lang
        self.sheet = Sheet(size)
        self.order = member_order(rows.elements)
        self.entries: dict[str, Entry] = {}
        self.words: list[Word] = []

    def draw(self) -> PrintedMap:
        sheet, scale = self.sheet, self.sheet.scale
        left, right = MARGIN, sheet.width - MARGIN
        top = self._title(left, right, sheet.height - MARGIN)
        strip = self._foot_lines(right - left - 66 * scale)
        foot = MARGIN + max(12.0 * scale, len(strip) * 5.6 * scale * POINT * 1.32) + 1.5
        column = right - LEGEND * scale
        self._place_ground((left, foot + 1.5, column - 4, top))
        self._foot(left, foot, right, strip)
        self._ground()
        self._elements()
        placed = self._symbols()
        legend = self._legend(moved=any(hypot(a[0] - s.anchor[0], a[1] - s.anchor[1]) > s.reach for s, a in placed))
        legend.draw(sheet, column, foot + 1.5, right, top)
        discs = [Point(at).buffer(one.reach) for one, at in placed]
        return PrintedMap(sheet, self.frame, discs, self.words, legend)

    # -------------------------------------------------------------------------------------------------- page around it

    def _title(self, left: float, right: float, top: float) -> float:
        layout, scale = self.rows.layout, self.sheet.scale
        zh = f"{layout['region_name']}“{layout['name']}”空间布局示意图"
        en = f"{layout['region_name_en']}: {layout['name_en']} – schematic map of the spatial layout"
        first, second = (en, zh) if self.lang == "en" else (zh, en)
        size = min(18.0 * scale, 18.0 * scale * (right - left) / text_width(first, 18.0 * scale, bold=True))
        small = min(9.0 * scale, 9.0 * scale * (right - left) / text_width(second, 9.0 * scale))
        high = 18.0 * scale * POINT
        self.sheet.text((left, top - high / 2), first, size, bold=True)
        self.sheet.text((left, top - high - 9.0 * scale * POINT * 0.75), second, small, colour=symbols.GREY)
        return float(top - high - 9.0 * scale * POINT * 1.4 - 2.0)

    def _foot_lines(self, width: float) -> list[str]:
        """Source, what the map is not, credits, and the data's date."""
        layout, size = self.rows.layout, 5.6 * self.sheet.scale
        first, last = layout["line_start"], layout["line_end"]
        lines = f"{first}–{last}" if last != first else f"{first}"
        credits = (*COLLECTIONS["counties"].credits, *COLLECTIONS["platforms"].credits)
        texts = (
            f"出处 Source：《{layout['title']}》“{layout['section']}”，{lines} 行 lines。 {layout['title_en']}",
            "示意图：虚线图形不是规划边界；无审图号，不得作为行政区划依据。"
            " Schematic: dashed shapes are not planned boundaries; not an approved map, no evidence of boundaries.",
            " ".join(credits),
            f"数据日期 Data of {self.rows.changed.date().isoformat()} · 数据版本 version {self.version}"
            f" · 软件 release {__version__} · CGCS2000 / 3° Gauss-Kruger CM 120°E (EPSG:{PROJECTION})",
        )
        return [line for text in texts for line in wrapped(text, width, size)]

    def _foot(self, left: float, top: float, right: float, lines: Sequence[str]) -> None:
        """North arrow and scale bar at the left, the lines beside them."""
        sheet, scale = self.sheet, self.sheet.scale
        size = 5.6 * scale
        for number, line in enumerate(lines):
            y = top - 1.0 - (number + 0.5) * size * POINT * 1.32
            sheet.text((left + 66 * scale, y), line, size, colour=symbols.GREY)
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

    def _legend(self, *, moved: bool) -> Legend:
        ranks = [one.id for one in (*symbols.ELEMENT_SYMBOLS, *symbols.PLATFORM_SYMBOLS)]
        return Legend(
            entries=sorted(self.entries.values(), key=lambda one: ranks.index(one.symbol.id)),
            core_member=any(row["id"] in self.core for row in self.shown),
            hollow=any(row["geometry_method"] in symbols.HOLLOW for row in self.shown),
            moved=moved,
            elsewhere=[
                self._name(row)
                for row in (*self.rows.elements, *self.outside)
                if row in self.outside or (row["role"] in ("enclave", "city") and row["geometry"] is None)
            ],
            lang=self.lang,
        )

    def _name(self, row: Row) -> str:
        # a Chinese font draws these as wide as a character
        return str(row["name_en"]).translate(_NARROW) if self.lang == "en" else str(row["name"])

    # ----------------------------------------------------------------------------------------------------- ground

    def _place_ground(self, frame: tuple[float, float, float, float]) -> None:
        """Fit the region into ``frame`` at a round scale."""
        west, south, east, north = frame
        region = [row for row in self.rows.ground if row["part"] == "frame"] or self.rows.ground
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

    def _on_paper(self, text: str) -> BaseGeometry:
        (x0, y0), (x1, y1) = self.middle, self.centre
        return shapely.transform(_metres(geometry(text)), lambda at: (at - (x0, y0)) * self.per_metre + (x1, y1))

    def _outlines(self, part: str) -> list[tuple[Row, BaseGeometry]]:
        """Outlines of one part of the ground in the frame; neighbours keep one common boundary."""
        rows = [row for row in self.rows.ground if row["part"] == part]
        if not rows:
            return []
        whole = (shapely.get_parts(self._on_paper(row["geometry"])) for row in rows)
        islands = [shapely.multipolygons([one for one in parts if one.area > _ISLET**2]) for parts in whole]
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

    def _ground_names(self) -> None:
        scale = self.sheet.scale
        inside = shapely.union_all(self.edge)
        for row, area in self.land:
            name, sizes = place_name(row, self.lang), [size * scale for size in (10, 9, 8, 7)]
            word = self.room.inside(name, sizes, _largest(area), must=True) or self.room.beside(
                name, sizes[-1], _largest(area)
            )
            self._put(word, symbols.NAME, 6)
        for row, area in self.around:
            seen = _largest(area.difference(inside))
            word = self.room.inside(place_name(row, self.lang), [8 * scale, 7 * scale], seen, must=False)
            self._put(word, symbols.BOUNDARY, 6)

    def _put(self, word: Word | None, colour: str, z: float, *, bold: bool = False) -> None:
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

    # --------------------------------------------------------------------------------------------------- elements

    def _elements(self) -> None:
        """Bands, axes and areas of the layout's own elements."""
        self.shapes: list[tuple[Symbol, Row, BaseGeometry, BaseGeometry | None]] = []
        for row in self.rows.elements:
            if row["geometry"] is None or row["shape"] not in ("band", "hull", "circle"):
                continue
            symbol = symbols.element_symbol(row["role"])
            drawn = self._on_paper(row["geometry"]).intersection(self.frame)
            axis = self._on_paper(row["axis"]).intersection(self.frame) if row["axis"] else None
            draw_area(self.sheet, symbol, drawn, schematic=row["schematic"], z=3)
            entry = self.entries.setdefault(symbol.id, Entry(symbol))
            if symbol is not symbols.SECTION:
                entry.items.append(("", self._name(row)))
            if axis and symbol is symbols.CORRIDOR:
                draw_area(self.sheet, symbols.AXIS, axis, schematic=row["schematic"], z=3.5)
                self.entries.setdefault(symbols.AXIS.id, Entry(symbols.AXIS))
                self.room.lines.append(axis)
            self.room.lines.append(drawn.boundary)
            self.shapes.append((symbol, row, drawn, axis))

    def _element_names(self) -> None:
        size = 8.5 * self.sheet.scale
        # those with least room first
        for symbol, row, drawn, axis in sorted(self.shapes, key=lambda one: (one[2].area, one[1]["id"])):
            name, word = self._name(row), None
            if isinstance(axis, LineString):
                half = row["band_m"] * self.per_metre if symbol is not symbols.SECTION else 0.0
                word = self.room.along(name, size, axis, half)
            self._put(word or self.room.beside(name, size, drawn), symbol.colour, 12, bold=True)

    # -------------------------------------------------------------------------------------------------- platforms

    def _symbols(self) -> list[tuple[_Symbol, Place]]:
        """Point symbols, moved apart where they would hide each other, then the names around them."""
        elements = self.rows.elements
        self.core = {
            one["platform"]
            for row in elements
            if row["role"] == "core"
            for one in row["members"] or ()
            if "platform" in one
        }
        encircled = {(row["members"] or [{}])[0].get("platform") for row in elements if row["shape"] == "circle"}
        rows = {row["id"]: row for row in self.rows.platforms}
        shown = [
            row
            for row in rows.values()
            if row["id"] in self.order or symbols.platform_symbol(row["kind"]) is symbols.INSTITUTE
        ]
        shown.sort(key=lambda row: (self.order.get(row["id"], len(self.order)), row["id"]))
        seen = [self.frame.covers(self._on_paper(row["position"])) for row in shown]
        self.shown = [row for row, inside in zip(shown, seen, strict=True) if inside]
        self.outside = [row for row, inside in zip(shown, seen, strict=True) if not inside]
        found = list(self._numbered())
        for one in found:
            if one.symbol is symbols.LAKE and one.row["schematic"] and one.row["id"] not in encircled:
                circle = self._on_paper(one.row["geometry"]).intersection(self.frame)
                draw_area(self.sheet, symbols.LAKE, circle, schematic=True, z=4)
                self.room.lines.append(circle.boundary)
        bounds = self.frame.bounds
        places = spread([one.anchor for one in found], [one.reach for one in found], bounds, gap=0.25)
        placed = list(zip(found, places, strict=True))
        for one, at in placed:
            self._symbol(one, at)
        self._element_names()
        self._ground_names()
        return placed

    def _numbered(self) -> Iterable[_Symbol]:
        scale = self.sheet.scale
        for symbol in symbols.PLATFORM_SYMBOLS:
            rows = [row for row in self.shown if symbols.platform_symbol(row["kind"]) is symbol]
            listed = [row for row in rows if symbol in NUMBERED or row["id"] in self.order]
            if rows:
                entry = self.entries.setdefault(symbol.id, Entry(symbol))
                entry.unnumbered = len(rows) - len(listed)
            for row in rows:
                dot = self._on_paper(row["position"])
                number = ""
                if row in listed:
                    number = str(listed.index(row) + 1) if len(listed) > 1 else ""
                    entry.items.append((number, self._name(row)))
                reach = (REACH if row in listed else SMALL) * scale
                if row["id"] in self.core:
                    reach += RING
                yield _Symbol(symbol, row, number, (dot.x, dot.y), reach * OUTER)

    def _symbol(self, one: _Symbol, at: Place) -> None:
        ringed = one.row["id"] in self.core
        reach = one.reach / OUTER - (RING if ringed else 0.0)
        if hypot(at[0] - one.anchor[0], at[1] - one.anchor[1]) > one.reach:
            leader = LineString([one.anchor, at])
            self.sheet.shape(leader, colour=symbols.INK, weight=0.7, z=8)
            self.sheet.shape(Point(one.anchor).buffer(0.35), fill=symbols.INK, z=8)
            self.room.taken.append(leader.buffer(0.3))
        hollow = one.row["geometry_method"] in symbols.HOLLOW
        draw_point(self.sheet, one.symbol, at, reach, label=one.number, hollow=hollow, ringed=ringed)
        self.room.taken.append(Point(at).buffer(one.reach))


def _metres(shape: BaseGeometry) -> BaseGeometry:
    return shapely.transform(shape, lambda at: np.column_stack(_TO_METRES.transform(at[:, 0], at[:, 1])))


def _largest(area: BaseGeometry) -> BaseGeometry:
    return max(shapely.get_parts(area), key=lambda one: one.area, default=Polygon())


def _nice(length: float) -> float:
    """The largest 1, 2 or 5 times a power of ten that is not longer."""
    power = 10.0 ** floor(log10(length))
    return max(step * power for step in (1, 2, 5) if step * power <= length)
