"""A layout's map as a small picture without words, for pages that lead to the map: SVG, some ten kilobytes."""

from collections.abc import Iterable, Mapping
from math import cos, radians
from typing import Any

import shapely
from shapely import affinity
from shapely.geometry.base import BaseGeometry

from app.maps import symbols
from app.maps.ground import Box, geometry, ground_shapes
from app.queries.layouts import LayoutRows, member_order

#: Pixels of the picture, of the room around what it is about, and of a point symbol.
WIDTH, HEIGHT, ROOM, SYMBOL = 320, 200, 10, 11
#: Pixels by which a drawn line may leave the true one.
TOLERANCE = 0.3
#: Square pixels of the smallest island.
ISLET = 1.5


def thumbnail(rows: LayoutRows) -> str:
    """The picture as an SVG document."""
    ground = ground_shapes(rows.ground)
    place = _Frame(ground.extent)
    drawn = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{symbols.BACKGROUND}"/>',
        *(place.path(one, stroke=symbols.FAINT) for one in ground.around),
        *(place.path(one, fill=symbols.WATER) for one in ground.water),
        *(place.path(one, fill=symbols.LAND, stroke=symbols.BOUNDARY) for one in ground.land),
        *(place.path(one, stroke=symbols.GREY, stroke_width=1.5) for one in ground.outline),
        *_elements(rows, place),
        *_members(rows, place),
    ]
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(drawn)}</svg>'


class _Frame:
    """Degrees into pixels: the extent in the middle, true to its shape."""

    def __init__(self, extent: Box) -> None:
        west, south, east, north = extent
        narrow = cos(radians((south + north) / 2))
        scale = min((WIDTH - 2 * ROOM) / ((east - west) * narrow), (HEIGHT - 2 * ROOM) / (north - south))
        x, y = (west + east) / 2 * narrow * scale, (south + north) / 2 * scale
        self._matrix = [narrow * scale, 0, 0, -scale, WIDTH / 2 - x, HEIGHT / 2 + y]

    def put(self, shape: BaseGeometry) -> BaseGeometry:
        return affinity.affine_transform(shape, self._matrix)

    def path(self, shape: BaseGeometry, **style: Any) -> str:
        """An SVG path of what of a shape is inside the picture; ``style`` are its presentation attributes."""
        seen = shapely.clip_by_rect(self.put(shape).simplify(TOLERANCE), -5, -5, WIDTH + 5, HEIGHT + 5)
        data = "".join(_line(line) for line in _lines(seen))
        attributes = "".join(
            f' {name.replace("_", "-")}="{value}"' for name, value in {"fill": "none", **style}.items()
        )
        return f'<path d="{data}"{attributes}/>' if data else ""


def _lines(shape: BaseGeometry) -> Iterable[Any]:
    """Rings and lines; islands that would be smaller than a dot are left out."""
    for part in shapely.get_parts(shape):
        if part.geom_type != "Polygon":
            yield part
        elif part.area > ISLET:
            yield from (part.exterior, *part.interiors)


def _line(line: Any) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in line.coords)
    return f"M{points}{'Z' if line.is_closed else ''}"


def _elements(rows: LayoutRows, place: _Frame) -> Iterable[str]:
    """Bands, areas and axes, in the one grammar of all maps."""
    drawn = [row for row in rows.elements if row["geometry"] and row["shape"] in ("band", "hull", "circle")]
    for row in drawn:
        symbol = symbols.element_symbol(row["role"])
        yield place.path(geometry(row["geometry"]), **_style(symbol, schematic=row["schematic"]))
    for row in drawn:
        if row["axis"] and symbols.element_symbol(row["role"]) is symbols.CORRIDOR:
            yield place.path(geometry(row["axis"]), **_style(symbols.AXIS, schematic=row["schematic"]))


def _style(symbol: symbols.Symbol, *, schematic: bool) -> Mapping[str, Any]:
    """Leaflet's path options as SVG has them, for a small picture."""
    given = symbols.path_style(symbol, schematic=schematic)
    return {
        "fill": "none" if given.get("fill") is False else given["color"],
        "fill_opacity": given.get("fillOpacity", 1),
        "stroke": given["color"],
        "stroke_width": given["weight"] * 0.7,
        "stroke_opacity": given.get("opacity", 1),
        **({"stroke_dasharray": "4 2.5"} if "dashArray" in given else {}),
    }


def _members(rows: LayoutRows, place: _Frame) -> Iterable[str]:
    """The symbols of member platforms; of one place the first in the plan's order is on top."""
    order = member_order(rows.elements)
    members = sorted((row for row in rows.platforms if row["id"] in order), key=lambda row: -order[row["id"]])
    for row in members:
        at = place.put(geometry(row["position"]))
        hollow = row["geometry_method"] in symbols.HOLLOW
        drawn = symbols.icon(symbols.platform_symbol(row["kind"]), hollow=hollow, size=SYMBOL)
        inner = drawn[drawn.index(">") + 1 : -len("</svg>")]
        yield f'<g transform="translate({at.x:.1f} {at.y:.1f})">{inner}</g>'
