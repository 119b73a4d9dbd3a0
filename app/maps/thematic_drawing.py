"""A thematic map for the browser: shapes, symbols and words as data, which ``static/thematic.js`` draws."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import shapely
from markupsafe import Markup
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from app.maps import symbols
from app.maps.ground import ground_shapes, parts, place_name, widest_place
from app.maps.thematic import Item, State, Theme, class_text
from app.maps.wording import Both, say
from app.queries.thematic import Regions

Row = Mapping[str, Any]
#: Pixels: radius of the greatest value's symbol, of the least that is still seen, and of one without a value.
GREATEST, LEAST, WITHOUT = 26.0, 4.0, 8.0
#: Below this luminance grey words no longer stand out from a colour, and white ones do.
_DARK = 0.25
#: Where the page defines how a region without a number is filled.
HATCH = "hatch"


@dataclass(frozen=True)
class LegendLine:
    """One line of a legend: a sample, what it means, how many regions it holds."""

    swatch: Markup
    text: str
    count: int


def drawing(theme: Theme, ground: Sequence[Row], compared: Regions, lang: str) -> dict[str, Any]:
    """Everything the map shows, as JSON; coordinates are longitude, latitude, and radii pixels."""
    shapes = ground_shapes(ground)
    west, south, east, north = shapes.extent
    land = dict(zip((row["id"] for row in parts(ground, "unit")), shapes.land, strict=True))
    seats = {row["id"]: row for row in compared.rows}
    width = east - west
    regions = []
    for one in theme.items:
        row = seats[one.region]
        named = {"name": one.name, "name_en": one.name_en}
        # only a division is written without its rank
        name = place_name(named, lang) if compared.outlined else say((one.name, one.name_en), lang)
        drawn: dict[str, Any] = {
            "id": one.region,
            "name": name,
            "label": label(one, lang), "fill": colour(theme, one), "without": one.value is None,
            "dark": one.number is not None and dark(theme.classes[one.number].colour),
        }  # fmt: skip
        if compared.outlined:
            area = land[one.region]
            at = widest_place(area, shapely.Polygon(), width / 400)
            drawn |= {"geometry": _geometry(area), "at": [round(at[0], 4), round(at[1], 4)]}
        else:
            drawn |= {"at": [row["lon"], row["lat"]], "radius": round(radius(theme, one), 1)}
        regions.append(drawn)
    return {
        "extent": [[south, west], [north, east]],
        "colours": {
            "land": symbols.LAND, "water": symbols.WATER, "boundary": symbols.BOUNDARY, "outline": symbols.GREY,
            "around": symbols.FAINT, "ink": symbols.INK, "hatch": f"url(#{HATCH})",
        },
        "around": _geometry(*shapes.around), "water": _geometry(*shapes.water), "outline": _geometry(*shapes.outline),
        "land": None if compared.outlined else _geometry(*shapes.land),
        "regions": regions,
    }  # fmt: skip


def label(one: Item, lang: str) -> str:
    """What stands on the map beside a region's name."""
    return say(("文字", "words"), lang) if one.state == "text" else one.label


def dark(colour: str) -> bool:
    """Whether words on a colour have to be white (relative luminance of WCAG 2)."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue < _DARK


def colour(theme: Theme, one: Item) -> str | None:
    return None if one.number is None else theme.classes[one.number].colour


def radius(theme: Theme, one: Item) -> float:
    """A symbol's area is in proportion to its value, or to its change in either direction."""
    return WITHOUT if one.value is None else radius_of(theme, abs(float(one.value)))


def radius_of(theme: Theme, value: float) -> float:
    """Pixels of the symbol of a value, without its sign."""
    most = max((abs(float(one.value)) for one in theme.items if one.value is not None), default=0.0)
    return max(GREATEST * sqrt(value / most), LEAST) if most else LEAST


def legend(theme: Theme, compared: Regions, lang: str) -> list[LegendLine]:
    """The classes from the highest down, then what has no number."""
    unit = say(theme.unit, lang)
    lines = []
    for one in reversed(theme.classes):
        reach = None if compared.outlined else radius_of(theme, max(abs(one.low), abs(one.high)))
        lines.append(LegendLine(_swatch(one.colour, reach), class_text(one, unit), one.count))
    for words, count in states(theme):
        reach = None if compared.outlined else WITHOUT
        lines.append(LegendLine(_swatch(f"url(#{HATCH})", reach), say(words, lang), count))
    return lines


def states(theme: Theme) -> list[tuple[Both, int]]:
    """Why regions have no number, and how many for each reason."""
    nothing: Both = ("缺一端数值", "one end is missing") if theme.change else ("未印出", "not printed")
    reasons: dict[State, Both] = {
        "mark": ("原文为“/”“—”等，无数值", "printed as “/”, “—”: no number"),
        "text": ("只有文字，无数值", "words only, no number"),
        "none": nothing,
    }
    found = [(words, sum(one.state == state for one in theme.items)) for state, words in reasons.items()]
    return [one for one in found if one[1]]


def _swatch(fill: str, reach: float | None) -> Markup:
    """A sample of a class: a field of its colour, or its symbol in the size of its upper bound."""
    half = GREATEST + 1
    if reach is None:
        return Markup(
            '<svg class="swatch" width="36" height="20" viewBox="0 0 36 20" aria-hidden="true">'
            '<rect x="1" y="1" width="34" height="18" fill="{}" stroke="{}"/></svg>'
        ).format(fill, symbols.GREY)
    high = 2 * max(reach, WITHOUT) + 4
    return Markup(
        '<svg class="swatch" width="{w:g}" height="{h:g}" viewBox="{x:g} {y:g} {w:g} {h:g}" aria-hidden="true">'
        '<circle r="{r:.1f}" fill="{fill}" stroke="{ink}"/></svg>'
    ).format(w=2 * half, h=high, x=-half, y=-high / 2, r=reach, fill=fill, ink=symbols.INK)


def _geometry(*shapes: BaseGeometry) -> dict[str, Any] | None:
    """One GeoJSON geometry of several areas, each keeping its own outline."""
    if not shapes:
        return None
    if len(shapes) == 1:
        return dict(mapping(shapes[0]))
    return dict(mapping(shapely.geometrycollections(list(shapes))))
