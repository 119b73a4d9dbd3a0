"""What documents say of one indicator over the years: actual figures and targets, each with its source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from app.maps import symbols
from app.maps.charts import NARROW, SERIES, TYPE, WIDE, Scale, Svg, both_widths, marker, ticks, width_of
from app.maps.wording import KINDS, Both, number, say, with_sign

Row = Mapping[str, Any]
#: Shape of a kind of value, and whether it is hollow: what is not final is.
SHAPES: dict[str, tuple[str, bool]] = {
    "actual": ("circle", False),
    "flash": ("circle", True),
    "target": ("diamond", True),
}
_HEIGHT, _RIGHT = 340.0, 26.0


@dataclass(frozen=True)
class Point:
    """One printed number; the same number printed again in the same document is the same point."""

    row: Row
    value: float
    colour: str

    @property
    def year(self) -> int:
        return int(self.row["year"])


@dataclass(frozen=True)
class Progress:
    """The points of one region or platform by year, and the colour of each document."""

    points: Sequence[Point]
    documents: Mapping[str, tuple[Both, str]]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind in SHAPES if any(one.row["kind"] == kind for one in self.points)]


def progress(rows: Sequence[Row]) -> Progress:
    """The points of printed rows in the order of ``queries.thematic.printed``; words without a number have none."""
    numeric = [row for row in rows if row["value"] is not None]
    titles = {row["document"]: (f"《{row['title']}》", str(row["title_en"])) for row in numeric}
    colours = {name: SERIES[n % len(SERIES)] for n, name in enumerate(titles)}
    seen: dict[tuple[Any, ...], Point] = {}
    for row in numeric:
        key = (row["year_from"], row["year"], row["kind"], row["document"], row["operator"], row["value"])
        seen.setdefault(key, Point(row, float(row["value"]), colours[row["document"]]))
    return Progress(list(seen.values()), {name: (titles[name], colours[name]) for name in titles})


def chart(told: Progress, title: str, unit: str, lang: str) -> Markup:
    """The chart, wide and narrow; there must be a point."""
    return both_widths([_Chart(told, unit, lang, width).draw(title) for width in (WIDE, NARROW)])


def sample(kind: str, colour: str = symbols.INK) -> Markup:
    """A legend's sample of a kind of value."""
    svg = Svg(18, 18)
    shape, hollow = SHAPES[kind]
    marker(svg, shape, 9, 9, colour, hollow=hollow)
    return Markup('<svg class="swatch" width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">{}</svg>').format(
        Markup("").join(svg.parts)
    )


class _Chart:
    """One drawing of the chart."""

    def __init__(self, told: Progress, unit: str, lang: str, width: float) -> None:
        self.points, self.unit, self.lang = told.points, unit, lang
        self.svg = Svg(width, _HEIGHT)
        values = [one.value for one in self.points]
        low, high = min(values), max(values)
        around = (high - low) * 0.12 or abs(high) * 0.1
        self.marks = ticks(low - around if low < 0 or low > around else 0, high + around, 5)
        left = max(width_of(number(mark)) for mark in self.marks) + 12
        first = min(one.row["year_from"] or one.year for one in self.points)
        last = max(one.year for one in self.points)
        self.x = Scale(first, last, left + 22, width - _RIGHT)
        self.y = Scale(self.marks[0], self.marks[-1], _HEIGHT - 46, 30)
        self.left = left
        self.taken: list[tuple[float, float, float, float]] = []

    def draw(self, title: str) -> Markup:
        self._axes()
        self._lines()
        for one in self.points:
            shape, hollow = SHAPES[one.row["kind"]]
            marker(self.svg, shape, self.x(one.year), self.y(one.value), one.colour, hollow=hollow)
        for one in self.points:
            self._label(one)
        said = "; ".join(
            f"{self._years(one.row)} {say(KINDS[one.row['kind']], self.lang)} {with_sign(one.row)}"
            for one in self.points
        )
        return self.svg.document(f"progress-{self.svg.width:g}", title, said)

    def _years(self, row: Row) -> str:
        return f"{row['year_from']}–{row['year']}" if row["year_from"] else str(row["year"])

    def _axes(self) -> None:
        right = self.svg.width - 6
        for mark in self.marks:
            y = self.y(mark)
            self.svg.line(self.left, y, right, y, symbols.FAINT)
            self.svg.text(self.left - 6, y, number(mark), anchor="end", colour=symbols.GREY)
        if self.unit:
            self.svg.text(0, 9, self.unit, colour=symbols.GREY)
        bottom, end, low = self.y(self.marks[0]), -99.0, False
        years = {one.year for one in self.points} | {
            one.row["year_from"] for one in self.points if one.row["year_from"]
        }
        for year in sorted(years):
            x, half = self.x(year), width_of(str(year)) / 2
            # years that stand too close take turns
            low = x - half < end + 4 and not low
            self.svg.line(x, bottom, x, bottom + 5, symbols.GREY)
            self.svg.text(x, bottom + (30 if low else 14), str(year), anchor="middle", colour=symbols.GREY)
            end = x + half

    def _lines(self) -> None:
        """Solid through the actuals, dashed to a target from what its document has before it; a sum spans its years."""
        single = [one for one in self.points if not one.row["year_from"]]
        told = {one.year: one for one in reversed(single) if one.row["kind"] != "target"}
        self._path([told[year] for year in sorted(told)], symbols.GREY, None)
        for aim in (one for one in single if one.row["kind"] == "target"):
            before = [one for one in single if one.row["document"] == aim.row["document"] and one.year < aim.year]
            # of one year the actual, not what had been aimed at
            start = max(before, key=lambda one: (one.year, one.row["kind"] != "target"), default=aim)
            self._path([start, aim], aim.colour, "6 4")
        for one in self.points:
            if one.row["year_from"]:
                dash = "6 4" if one.row["kind"] == "target" else None
                y = self.y(one.value)
                self.svg.line(self.x(one.row["year_from"]), y, self.x(one.year), y, one.colour, 2, dash)

    def _path(self, points: Sequence[Point], colour: str, dash: str | None) -> None:
        if len(points) > 1:
            corners = " ".join(f"{self.x(one.year):.1f},{self.y(one.value):.1f}" for one in points)
            self.svg.add("polyline", points=corners, fill="none", stroke=colour, stroke_width=2, stroke_dasharray=dash)

    def _label(self, one: Point) -> None:
        """The number beside its point, where least stands already."""
        words, x, y = with_sign(one.row), self.x(one.year), self.y(one.value)
        half = width_of(words) / 2
        places = [(x, y - 16), (x, y + 17), (x + half + 11, y), (x - half - 11, y), (x, y - 31), (x, y + 32)]
        found = min(places, key=lambda at: self._covered(at[0], at[1], half))
        self.taken.append((found[0] - half, found[1] - TYPE / 2, found[0] + half, found[1] + TYPE / 2))
        self.svg.text(*found, words, anchor="middle", halo=True)

    def _covered(self, x: float, y: float, half: float) -> float:
        """What words at a place would hide: other words, points, the edge of the drawing."""
        box = (x - half, y - TYPE / 2, x + half, y + TYPE / 2)
        points = [
            (self.x(p.year) - 8, self.y(p.value) - 8, self.x(p.year) + 8, self.y(p.value) + 8) for p in self.points
        ]
        hidden = sum(_common(box, other) for other in (*self.taken, *points))
        outside = max(self.left - box[0], 0) + max(box[2] - self.svg.width, 0) + max(14 - box[1], 0)
        return hidden + 100 * (outside + max(box[3] - self.y(self.marks[0]), 0))


def _common(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)
