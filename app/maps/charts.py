"""Charts as SVG text: written by the server, readable without scripts, every value escaped.

A chart is drawn once wide and once narrow, and the page shows the one that fits, so that its words are never scaled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10
from unicodedata import east_asian_width

from markupsafe import Markup

from app.maps import symbols

#: Widths in pixels of a chart on a desk and on a phone.
WIDE, NARROW = 760, 340
#: Size of words, in pixels.
TYPE = 13.0
#: Colours of Okabe and Ito that stand out from white, for series; shapes differ too.
SERIES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#5F6B76", "#E69F00", "#56B4E9")


@dataclass
class Svg:
    """A drawing, y down, in pixels."""

    width: float
    height: float
    parts: list[Markup] = field(default_factory=list)

    def add(self, tag: str, content: str | None = None, **attributes: str | float | None) -> None:
        """One element; underscores in names of attributes stand for hyphens, ``None`` leaves one out."""
        written = Markup("").join(
            Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _short(value))
            for name, value in attributes.items()
            if value is not None
        )
        start = Markup("<") + tag + written
        self.parts.append(
            start + Markup("/>") if content is None else start + Markup(">{}</{}>").format(content, Markup(tag))  # noqa: S704
        )

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "start", size: float = TYPE, weight: int | None = None,
        colour: str = symbols.INK, halo: bool = False,
    ) -> None:  # fmt: skip
        """Words whose middle stands at the height ``y``."""
        around: dict[str, str | float] = (
            {"paint_order": "stroke", "stroke": symbols.PAPER, "stroke_width": 4.0} if halo else {}
        )
        self.add(
            "text", words, x=x, y=y + size * 0.35, text_anchor=None if anchor == "start" else anchor, font_size=size,
            font_weight=weight, fill=colour, **around,
        )  # fmt: skip

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dash: str | None = None
    ) -> None:
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=colour, stroke_width=width, stroke_dasharray=dash)

    def document(self, id: str, title: str, description: str) -> Markup:
        """The whole drawing, with the words that a screen reader says in its place."""
        return Markup(
            '<svg class="chart" role="img" aria-labelledby="{id}-title {id}-desc" width="{w}" height="{h}"'
            ' viewBox="0 0 {w} {h}"><title id="{id}-title">{title}</title><desc id="{id}-desc">{desc}</desc>{parts}'
            "</svg>"
        ).format(
            id=id, w=_short(self.width), h=_short(self.height), title=title, desc=description,
            parts=Markup("").join(self.parts),
        )  # fmt: skip


def _short(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def width_of(words: str, size: float = TYPE) -> float:
    """About how wide words are: a Chinese character as wide as high, others little more than half."""
    return sum(1.0 if east_asian_width(one) in "WF" else 0.58 for one in words) * size


def ticks(low: float, high: float, number: int) -> list[float]:
    """Round numbers from at or below ``low`` to at or above ``high``, about ``number`` steps apart."""
    if low == high:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    rough = (high - low) / number
    power = 10.0 ** floor(log10(rough))
    step = next(one * power for one in (1, 2, 2.5, 5, 10) if one * power >= rough * 0.999)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(one * step, 10) for one in range(first, last + 1)]


@dataclass(frozen=True)
class Scale:
    """From values to pixels, in a straight line."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high != self.low else 0.5
        return self.start + share * (self.end - self.start)


def marker(svg: Svg, shape: str, x: float, y: float, colour: str, *, hollow: bool = False, reach: float = 5.5) -> None:
    """A point of a series: ``circle``, ``square`` or ``diamond``, filled or hollow."""
    paint = {"fill": symbols.PAPER if hollow else colour, "stroke": colour, "stroke_width": 2}
    if shape == "circle":
        svg.add("circle", cx=x, cy=y, r=reach, **paint)  # type: ignore[arg-type]
        return
    corners = " ".join(
        f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in symbols.corners("diamond" if shape == "diamond" else "square", reach)
    )
    svg.add("polygon", points=corners, **paint)  # type: ignore[arg-type]


def both_widths(draw: Sequence[Markup]) -> Markup:
    """A chart's wide and narrow drawing, of which the page shows one."""
    wide, narrow = draw
    return Markup('<div class="wide-chart">{}</div><div class="narrow-chart">{}</div>').format(wide, narrow)
