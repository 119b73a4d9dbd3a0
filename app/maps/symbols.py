"""The one grammar of every map: colour and shape carry the role, the line carries the knowledge.

Maps, pages and pictures take colours, shapes and legend texts from here, so that a legend is generated, never drawn
twice. Colours are those of Okabe and Ito, told apart by colour-blind eyes; no two roles differ by colour alone.
"""

from dataclasses import dataclass
from math import cos, pi, sin
from typing import Any, Literal

from markupsafe import Markup

Shape = Literal["band", "axis", "area", "ring", "outline", "circle", "square", "diamond", "triangle", "hexagon"]

INK = "#1B2733"
PAPER = "#FFFFFF"
GREY = "#5F6B76"
#: The ground under everything: land shown, what lies around, water, boundary, names.
LAND, BACKGROUND, WATER, BOUNDARY, FAINT, NAME = "#FFFFFF", "#F0F1F1", "#E3EDF3", "#9AA0A6", "#CDD2D6", "#7C858D"

DASHED = "6 4"
DOTTED = "1 5"


@dataclass(frozen=True)
class Symbol:
    """How one role is drawn; a number on it is written in ``ink``."""

    id: str
    name: str
    name_en: str
    colour: str
    shape: Shape
    ink: str = PAPER


CORRIDOR = Symbol("corridor", "科创走廊带", "Corridor band", "#0072B2", "band")
AXIS = Symbol("axis", "走廊轴线", "Corridor axis", "#0072B2", "axis")
SECTION = Symbol("section", "走廊分段", "Section of a corridor", "#0072B2", "outline")
CORE = Symbol("core", "核心区", "Core", "#CC79A7", "area")
ZONE = Symbol("zone", "城、片区", "City or zone", "#D55E00", "ring")
LAKE = Symbol("lake", "科创湖区", "Science-lake district", "#009E73", "ring", INK)
PARK = Symbol("park", "高新区", "High-tech park", "#E69F00", "square", INK)
PLACE = Symbol("place", "新城与片区", "New town or zone", "#D55E00", "hexagon", PAPER)
#: Symbols of members that are numbered, with their names in the legend.
NUMBERED = (LAKE, PARK, PLACE)
INSTITUTE = Symbol("institute", "研发机构", "R&D institute", "#1F3A5F", "diamond")
INCUBATOR = Symbol("incubator", "孵化与服务平台", "Incubator or service platform", "#56B4E9", "triangle", INK)
OTHER = Symbol("other", "其他", "Other", GREY, "circle")
#: Not one symbol but those of what a document names beside a layout.
OTHERS = Symbol("others", "文件所列其他平台", "Other platforms of the document", GREY, "circle")

#: Order of layers and of the legend, from the ground up.
ELEMENT_SYMBOLS = (CORRIDOR, AXIS, SECTION, CORE, ZONE)
PLATFORM_SYMBOLS = (LAKE, PARK, PLACE, INSTITUTE, INCUBATOR, OTHER)

_OF_KIND = {
    LAKE: ("lake_district",),
    PARK: ("hightech_park",),
    PLACE: ("new_town", "corridor", "corridor_node", "demonstration_zone", "industrial_park", "finance_cluster"),
    INSTITUTE: (
        "research_institute", "laboratory", "technology_innovation_center", "engineering_research_center",
        "research_facility", "computing_center", "university",
    ),
    INCUBATOR: ("incubator", "maker_space", "innovation_park", "service_platform"),
}  # fmt: skip
SYMBOL_OF_KIND = {kind: symbol for symbol, kinds in _OF_KIND.items() for kind in kinds}
SYMBOL_OF_ROLE = {"corridor": CORRIDOR, "section": SECTION, "core": CORE}
#: Geometry methods under which only a county or a city is known: the symbol stays hollow.
HOLLOW = ("county_only", "city_only")


def platform_symbol(kind: str) -> Symbol:
    """The symbol of a kind of platform; a kind unknown here is drawn as any other place."""
    return SYMBOL_OF_KIND.get(kind, OTHER)


def element_symbol(role: str) -> Symbol:
    """The symbol of a layout element that has a shape of its own."""
    return SYMBOL_OF_ROLE.get(role, ZONE)


def path_style(symbol: Symbol, *, schematic: bool) -> dict[str, Any]:
    """Leaflet path options of a line or an area: dashed where the shape is only a drawing."""
    dash = {"dashArray": DASHED} if schematic else {}
    if symbol is AXIS:
        return {"color": symbol.colour, "weight": 3, "fill": False, **dash}
    if symbol is CORRIDOR:
        return {"color": symbol.colour, "weight": 1, "opacity": 0.6, "fillOpacity": 0.12, **dash}
    if symbol is SECTION:
        return {"color": symbol.colour, "weight": 1, "opacity": 0.7, "fillOpacity": 0, **dash}
    return {"color": symbol.colour, "weight": 2, "fillOpacity": 0.12, **dash}


def corners(shape: Shape, reach: float) -> list[tuple[float, float]]:
    """Corners of a symbol around the origin, y down; areas look alike though shapes differ."""
    number, turn, scale = {
        "square": (4, pi / 4, 1.18),
        "diamond": (4, 0.0, 1.12),
        "triangle": (3, -pi / 2, 1.2),
        "hexagon": (6, 0.0, 1.08),
    }[shape]
    angles = [turn + 2 * pi * corner / number for corner in range(number)]
    return [(reach * scale * cos(a), reach * scale * sin(a)) for a in angles]


def _body(shape: Shape, reach: float, paint: str) -> str:
    if shape in ("circle", "ring"):
        return f'<circle r="{reach:.1f}" {paint}/>'
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners(shape, reach))
    return f'<polygon points="{points}" {paint}/>'


def icon(symbol: Symbol, label: str = "", *, hollow: bool = False, ringed: bool = False, size: int = 24) -> Markup:
    """A point symbol as SVG of ``size`` pixels; ``label`` is a number. Ringed: a member of the core."""
    badge = symbol.shape == "ring"
    empty = hollow or badge
    fill = PAPER if empty else symbol.colour
    stroke = symbol.colour if empty else PAPER
    reach = size * 0.36
    parts = []
    if ringed:
        parts.append(
            _body(symbol.shape, reach + size * 0.12, f'fill="{PAPER}" stroke="{CORE.colour}" stroke-width="2.5"')
        )
    parts.append(_body(symbol.shape, reach, f'fill="{fill}" stroke="{stroke}" stroke-width="{2 if empty else 1}"'))
    if label:
        ink = symbol.ink if not hollow else INK
        parts.append(
            f'<text y="0.36em" text-anchor="middle" font-size="{size * 0.5:.0f}" font-weight="700" fill="{ink}">'
            f"{Markup.escape(label)}</text>"
        )
    half = size / 2
    return Markup(  # noqa: S704 - numbers and colours of this module, and an escaped label
        f'<svg width="{size}" height="{size}" viewBox="{-half} {-half} {size} {size}" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def swatch(symbol: Symbol, *, hollow: bool = False, ringed: bool = False) -> Markup:
    """A legend's sample of a symbol, 36 by 20 pixels, dashed as every schematic shape is on the map."""
    colour = symbol.colour
    drawn = {
        "band": f'<rect x="1" y="3" width="34" height="14" fill="{colour}" fill-opacity="0.12" stroke="{colour}"'
        f' stroke-opacity="0.6" stroke-dasharray="{DASHED}"/>',
        "axis": _stroke(colour, 3, DASHED),
        "outline": f'<rect x="2" y="3" width="32" height="14" fill="none" stroke="{colour}"'
        f' stroke-dasharray="{DASHED}"/>',
        "area": f'<rect x="2" y="3" width="32" height="14" rx="6" fill="{colour}" fill-opacity="0.12" stroke="{colour}"'
        f' stroke-width="2" stroke-dasharray="{DASHED}"/>',
        "ring": f'<circle cx="18" cy="10" r="8.5" fill="{colour}" fill-opacity="0.12" stroke="{colour}"'
        f' stroke-width="2" stroke-dasharray="4 3"/>',
    }.get(symbol.shape)
    if drawn is None:
        inner = icon(symbol, hollow=hollow, ringed=ringed, size=20)
        drawn = f'<g transform="translate(18 10)">{inner[inner.index(">") + 1 : -len("</svg>")]}</g>'
    return _sample(drawn)


def _stroke(colour: str, width: float, dash: str = "") -> str:
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<line x1="1" y1="10" x2="35" y2="10" stroke="{colour}" stroke-width="{width}"{dashes}/>'


def _sample(drawn: str) -> Markup:
    return Markup(f'<svg class="swatch" width="36" height="20" viewBox="0 0 36 20" aria-hidden="true">{drawn}</svg>')  # noqa: S704


@dataclass(frozen=True)
class Knowledge:
    """One line of the legend's second half: what a way of drawing says about what is known."""

    id: Literal["solid", "dashed", "hollow", "dotted"]
    sample: Markup
    name: str
    name_en: str


def knowledge() -> tuple[Knowledge, ...]:
    """What solid, dashed, hollow and dotted mean, on every map alike."""
    return (
        Knowledge("solid", _sample(_stroke(INK, 2)), "实线：已知轮廓", "Solid: known outline"),
        Knowledge("dashed", _sample(_stroke(INK, 2, DASHED)), "虚线：示意，不是边界", "Dashed: schematic"),
        Knowledge(
            "hollow",
            swatch(INSTITUTE, hollow=True),
            "空心：只知所在县（市）",
            "Hollow: only the county is known",
        ),
        Knowledge(
            "dotted",
            _sample(
                f'<circle cx="18" cy="10" r="8.5" fill="none" stroke="{INK}" stroke-width="1.5"'
                ' stroke-dasharray="1 3"/>'
            ),
            "点线圆：位置误差",
            "Dotted: accuracy of the place",
        ),
    )
