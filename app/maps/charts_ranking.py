"""Regions ranked by what a thematic map shows, as bars in the colours of its classes."""

from markupsafe import Markup

from app.maps import symbols
from app.maps.charts import NARROW, TYPE, WIDE, Scale, Svg, both_widths, width_of
from app.maps.thematic import Item, Theme
from app.maps.thematic_drawing import colour
from app.maps.wording import say

_BAR = 14.0


def ranking(theme: Theme, lang: str) -> Markup:
    """The bars, the greatest value first; regions without a number are left to the table."""
    return both_widths([_drawn(theme, lang, width) for width in (WIDE, NARROW)])


def _drawn(theme: Theme, lang: str, width: float) -> Markup:
    rows = theme.ranked()
    names = [_name(one, lang) for one in rows]
    # names stand before the bars while they leave them room, else above
    column = max((width_of(name) for name in names), default=0.0) + 10
    above = column > width * 0.45
    left, step = (0.0, 2 * TYPE + 12) if above else (column, _BAR + 10)
    reference = theme.reference if theme.ratio else None
    values = [float(one.value or 0) for one in rows] + ([float(reference.value or 0)] if reference else [])
    low, high = min(0.0, *values, 0.0), max(0.0, *values, 0.0)
    room = max((width_of(one.label) for one in rows), default=0.0) + 8
    scale = Scale(low, high or 1.0, left + (room if low < 0 else 0), width - room)
    top = TYPE + 12 if reference else 4.0
    svg = Svg(width, top + step * len(rows) + 4)
    for number, (one, name) in enumerate(zip(rows, names, strict=True)):
        y = top + number * step
        if above:
            svg.text(left, y + TYPE * 0.6, name)
            y += TYPE + 4
        else:
            svg.text(left - 10, y + _BAR / 2 + 2, name, anchor="end")
            y += 2
        value = float(one.value or 0)
        start, end = sorted((scale(0), scale(value)))
        svg.add(
            "rect", x=start, y=y, width=max(end - start, 1), height=_BAR, fill=colour(theme, one), stroke=symbols.INK,
            stroke_width=0.75,
        )  # fmt: skip
        if value < 0:
            svg.text(start - 5, y + _BAR / 2, one.label, anchor="end")
        else:
            svg.text(end + 5, y + _BAR / 2, one.label)
    if low < 0:
        svg.line(scale(0), top - 2, scale(0), svg.height - 2, symbols.INK)
    if reference and reference.value is not None:
        x = scale(float(reference.value))
        svg.line(x, TYPE + 8, x, svg.height - 2, symbols.INK, 1.5, "5 4")
        words = f"{_name(reference, lang)} {reference.label}"
        half = width_of(words) / 2
        svg.text(min(max(x, half), width - half), TYPE * 0.6, words, anchor="middle", weight=700)
    title = say(theme.title, lang)
    said = say(("从高到低：", "From the highest: "), lang) + "; ".join(
        f"{name} {one.label}" for one, name in zip(rows, names, strict=True)
    )
    return svg.document(f"ranking-{width:g}", title, said)


def _name(one: Item, lang: str) -> str:
    return one.name_en if lang == "en" else one.name
