"""A thematic map on paper: the same values, classes and colours as on the screen, with all that is said beside them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from app.maps import symbols
from app.maps.ground import place_name
from app.maps.print_ground import Paper
from app.maps.print_labels import Frame
from app.maps.print_legend import LegendRow, draw_rows
from app.maps.print_sheet import MARGIN, POINT, Sheet, text_width, wrapped
from app.maps.thematic import METHOD_NAMES, Item, Theme, class_text
from app.maps.thematic_drawing import GREATEST, WITHOUT, colour, label, radius, radius_of, states
from app.maps.wording import Both, after, say
from app.queries.thematic import Regions

Row = Mapping[str, Any]
#: Millimetres on A4: radius of the greatest symbol, and the distance of the lines that hatch what has no number.
_GREATEST, _HATCH = 5.0, 1.4
#: From this distance in millimetres a line leads from a name to its symbol.
_NEAR = 1.2
#: The least type of a title with its documents, in points.
_TITLE = 13.0


def print_thematic(
    theme: Theme, compared: Regions, ground: Sequence[Row], last: Sequence[str], size: str, lang: str
) -> Sheet:  # fmt: skip
    """Draw a map on a sheet of ``size`` (A4, A3) with names in ``lang`` (zh, en); ``last`` are its last source lines.

    Raises ``FontMissing`` where no font of the machine holds Chinese.
    """
    return _Print(theme, compared, ground, size, lang).draw(last)


class _Print(Paper):
    """One map while it is drawn."""

    def __init__(self, theme: Theme, compared: Regions, ground: Sequence[Row], size: str, lang: str) -> None:
        super().__init__(ground, size, lang)
        self.theme, self.compared = theme, compared

    def draw(self, last: Sequence[str]) -> Sheet:
        theme = self.theme
        said = " ".join(f"{zh} {en}" for zh, en in (*theme.notes, NO_APPROVED_MAP))
        first, second = (1, 0) if self.lang == "en" else (0, 1)
        titles = self._heading(first, _TITLE), self._heading(second, _TITLE / 2)
        column = self.begin(*titles, [*self._documents(), said, *last])
        if self.compared.outlined:
            self._areas()
        else:
            self._circles()
        self.name_around()
        draw_rows(self.sheet, column, lambda size: self._legend(column, size))
        return self.sheet

    def _heading(self, number: int, least: float) -> str:
        """The title; the documents stand below too, so that one which they would make small goes without."""
        whole, heading = self.theme.title[number], self.theme.heading[number]
        room = self.sheet.width - 2 * MARGIN
        return whole if text_width(whole, least * self.sheet.scale, bold=True) <= room else heading

    def _documents(self) -> list[str]:
        titles = self.theme.documents.values()
        return [f"出处 Source：{'；'.join(f'{zh} {en}' for zh, en in titles)}"] if titles else []

    # ------------------------------------------------------------------------------------------------------- map

    def _areas(self) -> None:
        items = {one.region: one for one in self.theme.items}
        for row, area in self.land:
            fill = colour(self.theme, items[row["id"]])
            if fill:
                self.sheet.shape(area, fill=fill, z=0.41)
            else:
                self.sheet.shape(hatching(area, _HATCH * self.sheet.scale), colour=symbols.BOUNDARY, weight=0.6, z=0.41)
            self.sheet.shape(area, colour=symbols.BOUNDARY, weight=0.9, z=0.45)
        self.name_units({key: f"{self._name(one)} {label(one, self.lang)}" for key, one in items.items()}, symbols.INK)

    def _circles(self) -> None:
        """Circles at the seats, the greatest lowest, then their names around them."""
        seats = {row["id"]: json.dumps({"type": "Point", "coordinates": [row["lon"], row["lat"]]})
                 for row in self.compared.rows}  # fmt: skip
        drawn = [
            (one, self.on_paper(seats[one.region]).buffer(self._mm(radius(self.theme, one))))
            for one in self.theme.items
        ]
        drawn.sort(key=lambda pair: (-pair[1].area, pair[0].region))
        for number, (one, disc) in enumerate(drawn):
            self._disc(disc, colour(self.theme, one), 3 + number / 100)
            self.room.taken.append(disc)
        for one, disc in drawn:
            text = f"{self._name(one)} {label(one, self.lang)}".strip()
            word = self.room.beside(text, 7 * self.sheet.scale, disc)
            if word and not word.leader and word.covered.distance(disc) > _NEAR:
                word = replace(word, leader=shapely.shortest_line(word.covered, disc))
            self.put(word, symbols.INK, 6)

    def _disc(self, disc: BaseGeometry, fill: str | None, z: float) -> None:
        if fill:
            self.sheet.shape(disc, fill=fill, colour=symbols.INK, weight=0.8, z=z)
        else:
            self.sheet.shape(disc, fill=symbols.PAPER, colour=symbols.INK, weight=0.8, dash="3 3", z=z)
            self.sheet.shape(hatching(disc, _HATCH * self.sheet.scale / 2), colour=symbols.BOUNDARY, weight=0.6, z=z)

    def _mm(self, pixels: float) -> float:
        return float(pixels / GREATEST * _GREATEST * self.sheet.scale)

    def _name(self, one: Item) -> str:
        names = {"name": one.name, "name_en": one.name_en}
        return place_name(names, self.lang) if self.compared.outlined else say((one.name, one.name_en), self.lang)

    # ---------------------------------------------------------------------------------------------------- legend

    def _legend(self, column: Frame, size: float) -> list[LegendRow]:
        theme, mm = self.theme, size * POINT
        width = column[2] - column[0]
        unit = say(theme.unit, self.lang)
        rows = [LegendRow([self._both(("图例", "Legend"))], 0.0, size * 1.15, bold=True)]

        def text(both: Both, *, space: float = 0.35) -> None:
            rows.append(LegendRow(wrapped(self._both(both), width, size * 0.92), 0.0, size * 0.92, space=space))

        def sample(fill: str | None, pixels: float, words: str) -> None:
            reach = self._mm(pixels)
            indent = (2 * self._mm(GREATEST) if not self.compared.outlined else 2.6 * mm) + 1.0 * mm
            high = 0.0 if self.compared.outlined else max(2 * reach / (size * POINT) - 1.1, 0.0)
            rows.append(
                LegendRow(
                    wrapped(words, width - indent, size), indent, size, space=0.3 + high / 2,
                    sample=self._sample(fill, reach, mm),
                )
            )  # fmt: skip
            if high:
                rows.append(LegendRow([], 0.0, size, space=high / 2))

        text((f"{theme.subject[0]}，{theme.when[0]}", f"{theme.subject[1]}, {theme.when[1]}"))
        for one in reversed(theme.classes):
            pixels = radius_of(theme, max(abs(one.low), abs(one.high)))
            sample(one.colour, pixels, f"{class_text(one, unit)}（{one.count}）")
        for words, count in states(theme):
            sample(None, WITHOUT, f"{self._both(words)}（{count}）")
        method = METHOD_NAMES[theme.method]
        text(
            (f"分级：{method[0]}；括号内为地区数。", f"Classed by {method[1]}; in brackets the number of regions."),
            space=0.7,
        )
        if not self.compared.outlined:
            text(CIRCLES)
        if theme.reference:
            told = after(theme.reference.label, unit)
            text((f"{theme.reference.name}：{told}", f"{theme.reference.name_en}: {told}"))
        return rows

    def _both(self, both: Both) -> str:
        return f"{both[1]} {both[0]}" if self.lang == "en" else f"{both[0]} {both[1]}"

    def _sample(self, fill: str | None, reach: float, mm: float) -> Callable[[float, float], None]:
        def draw(left: float, y: float) -> None:
            if not self.compared.outlined:
                self._disc(Point(left + self._mm(GREATEST), y).buffer(reach), fill, 20)
                return
            field = shapely.box(left, y - 0.42 * mm, left + 2.6 * mm, y + 0.42 * mm)
            if fill:
                self.sheet.shape(field, fill=fill, z=20)
            else:
                self.sheet.shape(hatching(field, _HATCH * self.sheet.scale), colour=symbols.BOUNDARY, weight=0.6, z=20)
            self.sheet.shape(field, colour=symbols.GREY, weight=0.8, z=20.1)

        return draw


NO_APPROVED_MAP: Both = (
    "行政区轮廓仅供参考，无审图号，不得作为行政区划依据。",
    "Outlines are for reference, not an approved map, no evidence of boundaries.",
)
CIRCLES: Both = (
    "圆的面积与数值成正比，圆心在驻地；这些片区没有可用的界线。",
    "Circles are in proportion to the values and stand at the seats; no outlines of these areas are at hand.",
)


def hatching(area: BaseGeometry, gap: float) -> BaseGeometry:
    """Slanting lines across an area, ``gap`` apart."""
    west, south, east, north = area.bounds
    high = north - south
    starts = np.arange(np.floor((west - high) / gap) * gap, east, gap * np.sqrt(2))
    lines = shapely.multilinestrings(shapely.linestrings([[(x, south), (x + high, north)] for x in starts]))
    return shapely.intersection(lines, area)
