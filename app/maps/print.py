"""The map of a spatial layout on paper: A4 or A3 landscape, as PNG, SVG or PDF.

The same rows, release and fonts give the same bytes: nothing is drawn from a clock or by chance.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import hypot
from typing import Any

from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from app.catalog import COLLECTIONS
from app.maps import symbols
from app.maps.paper import Format, version_line
from app.maps.print_ground import Paper
from app.maps.print_labels import Place, Word, spread
from app.maps.print_legend import Entry, Legend
from app.maps.print_sheet import Sheet
from app.maps.print_symbols import OUTER, RING, draw_area, draw_point
from app.maps.symbols import Symbol
from app.queries.layouts import LayoutRows, member_order

Row = Mapping[str, Any]

#: Millimetres within which two edges are one.
_SAME = 0.1
#: Millimetres on A4: half a numbered symbol, and half one without a number.
REACH, SMALL = 2.0, 1.45
_NARROW = str.maketrans("’‘“”", "''\"\"")


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


def print_map(rows: LayoutRows, version: str, size: str, lang: str) -> PrintedMap:
    """Draw a layout on a sheet of ``size`` (A4, A3) with names in ``lang`` (zh, en); ``version`` marks the data.

    Raises ``FontMissing`` where no font of the machine holds Chinese.
    """
    return _Print(rows, version, size, lang).draw()


class _Print(Paper):
    """One map while it is drawn."""

    def __init__(self, rows: LayoutRows, version: str, size: str, lang: str) -> None:
        super().__init__(rows.ground, size, lang)
        self.rows, self.version = rows, version
        self.order = member_order(rows.elements)
        self.entries: dict[str, Entry] = {}

    def draw(self) -> PrintedMap:
        layout = self.rows.layout
        zh = f"{layout['region_name']}“{layout['name']}”空间布局示意图"
        en = f"{layout['region_name_en']}: {layout['name_en']} – schematic map of the spatial layout"
        column = self.begin(*((en, zh) if self.lang == "en" else (zh, en)), self._sources())
        self._elements()
        placed = self._symbols()
        legend = self._legend(moved=any(hypot(a[0] - s.anchor[0], a[1] - s.anchor[1]) > s.reach for s, a in placed))
        legend.draw(self.sheet, *column)
        discs = [Point(at).buffer(one.reach) for one, at in placed]
        return PrintedMap(self.sheet, self.frame, discs, self.words, legend)

    def _sources(self) -> list[str]:
        """Source, what the map is not, credits, and the data's date."""
        layout = self.rows.layout
        first, last = layout["line_start"], layout["line_end"]
        lines = f"{first}–{last}" if last != first else f"{first}"
        credits = (*COLLECTIONS["counties"].credits, *COLLECTIONS["platforms"].credits)
        return [
            f"出处 Source：《{layout['title']}》“{layout['section']}”，{lines} 行 lines。 {layout['title_en']}",
            "示意图：虚线图形不是规划边界；无审图号，不得作为行政区划依据。"
            " Schematic: dashed shapes are not planned boundaries; not an approved map, no evidence of boundaries.",
            " ".join(credits),
            version_line(self.rows.changed, self.version),
        ]

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

    # --------------------------------------------------------------------------------------------------- elements

    def _elements(self) -> None:
        """Bands, axes and areas of the layout's own elements."""
        self.shapes: list[tuple[Symbol, Row, BaseGeometry, BaseGeometry | None]] = []
        rows = [row for row in self.rows.elements if row["geometry"] and row["shape"] in ("band", "hull", "circle")]
        # bands first: of their parts only the edges between are drawn, for two dashed lines in one look solid
        rows.sort(key=lambda row: row["role"] == "section")
        edges: BaseGeometry = LineString()
        for row in rows:
            symbol = symbols.element_symbol(row["role"])
            drawn = self.on_paper(row["geometry"]).intersection(self.frame)
            axis = self.on_paper(row["axis"]).intersection(self.frame) if row["axis"] else None
            between = drawn.boundary.difference(edges.buffer(_SAME)) if symbol is symbols.SECTION else drawn
            draw_area(self.sheet, symbol, between, schematic=row["schematic"], z=3)
            edges = edges.union(drawn.boundary)
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
            self.put(word or self.room.beside(name, size, drawn), symbol.colour, 12, bold=True)

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
        seen = [self.frame.covers(self.on_paper(row["position"])) for row in shown]
        self.shown = [row for row, inside in zip(shown, seen, strict=True) if inside]
        self.outside = [row for row, inside in zip(shown, seen, strict=True) if not inside]
        found = list(self._numbered())
        for one in found:
            if one.symbol is symbols.LAKE and one.row["schematic"] and one.row["id"] not in encircled:
                circle = self.on_paper(one.row["geometry"]).intersection(self.frame)
                draw_area(self.sheet, symbols.LAKE, circle, schematic=True, z=4)
                self.room.lines.append(circle.boundary)
        bounds = self.frame.bounds
        places = spread([one.anchor for one in found], [one.reach for one in found], bounds, gap=0.25)
        placed = list(zip(found, places, strict=True))
        for one, at in placed:
            self._symbol(one, at)
        self._element_names()
        self.name_ground()
        return placed

    def _numbered(self) -> Iterable[_Symbol]:
        scale = self.sheet.scale
        for symbol in symbols.PLATFORM_SYMBOLS:
            rows = [row for row in self.shown if symbols.platform_symbol(row["kind"]) is symbol]
            listed = [row for row in rows if symbol in symbols.NUMBERED or row["id"] in self.order]
            if rows:
                entry = self.entries.setdefault(symbol.id, Entry(symbol))
                entry.unnumbered = len(rows) - len(listed)
            for row in rows:
                dot = self.on_paper(row["position"])
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
