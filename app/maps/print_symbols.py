"""The symbols of ``app.maps.symbols`` on paper."""

from typing import Any

from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry

from app.maps import symbols
from app.maps.print_sheet import Sheet
from app.maps.symbols import Symbol

#: Outermost share of a symbol's size that anything of it reaches, see ``symbols.corners``.
OUTER = 1.25
#: What the ring of a member of the core adds, in millimetres.
RING = 0.8


def outline(symbol: Symbol, at: tuple[float, float], reach: float) -> Polygon:
    """A point symbol's shape around a place."""
    x, y = at
    if symbol.shape in ("circle", "ring"):
        return Point(x, y).buffer(reach, quad_segs=24)
    return Polygon([(x + dx, y - dy) for dx, dy in symbols.corners(symbol.shape, reach)])


def draw_point(
    sheet: Sheet, symbol: Symbol, at: tuple[float, float], reach: float, *, label: str = "", hollow: bool = False,
    ringed: bool = False, z: float = 10,
) -> None:  # fmt: skip
    """A point symbol with its number, as ``symbols.icon`` has it; ``reach`` is half its size in millimetres."""
    empty = hollow or symbol.shape == "ring"
    if ringed:
        around = outline(symbol, at, reach + RING)
        sheet.shape(around, fill=symbols.PAPER, colour=symbols.CORE.colour, weight=1.6, z=z)
    sheet.shape(
        outline(symbol, at, reach), fill=symbols.PAPER if empty else symbol.colour,
        colour=symbol.colour if empty else symbols.PAPER, weight=1.5 if empty else 0.7, z=z + 0.1,
    )  # fmt: skip
    if label:
        ink = symbols.INK if hollow else symbol.ink
        size = reach * (3.1 if len(label) < 2 else 2.55) * (0.85 if symbol.shape in ("triangle", "diamond") else 1.0)
        sheet.text(at, label, size, align="center", bold=True, colour=ink, z=z + 0.2)


def draw_area(sheet: Sheet, symbol: Symbol, drawn: BaseGeometry, *, schematic: bool, z: float = 3) -> None:
    """A line or an area in the style of the screen."""
    style: dict[str, Any] = symbols.path_style(symbol, schematic=schematic)
    filled = style.get("fill", True) and style.get("fillOpacity", 0)
    sheet.shape(
        drawn, colour=style["color"], weight=style["weight"], opacity=style.get("opacity", 1.0),
        dash=style.get("dashArray", ""), fill=style["color"] if filled else "none",
        fill_opacity=style.get("fillOpacity", 1.0), z=z,
    )  # fmt: skip


def draw_sample(
    sheet: Sheet, symbol: Symbol, at: tuple[float, float], width: float, height: float, *, hollow: bool = False,
    ringed: bool = False,
) -> None:  # fmt: skip
    """A legend's sample in a frame around ``at``, as ``symbols.swatch`` has it."""
    x, y = at
    half, reach = width / 2, height * 0.36
    if symbol.shape == "axis":
        draw_area(sheet, symbol, LineString([(x - half, y), (x + half, y)]), schematic=True)
    elif symbol.shape in ("band", "outline", "area"):
        draw_area(sheet, symbol, box(x - half, y - height * 0.36, x + half, y + height * 0.36), schematic=True)
    elif symbol.shape == "ring":
        circle = Point(at).buffer(height * 0.5, quad_segs=24)
        sheet.shape(circle, colour=symbol.colour, fill=symbol.colour, fill_opacity=0.12, weight=1.6, dash="4 3")
    else:
        draw_point(sheet, symbol, at, reach, hollow=hollow, ringed=ringed)
