"""The ground of a map: land, outline and names, pale enough for everything that stands on it."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import folium
import shapely
from markupsafe import Markup
from shapely import affinity
from shapely.geometry import MultiPoint, box, mapping
from shapely.geometry.base import BaseGeometry

from app.maps import symbols

Row = Mapping[str, Any]
Point = tuple[float, float]
#: West, south, east, north in degrees.
Box = tuple[float, float, float, float]

#: Outlines are simplified to this share of the map's width, half a pixel of a screen that shows the whole.
TOLERANCE = 1 / 1500
#: Width of a symbol and of a name's half line, as shares of the map's width while the whole is shown.
SYMBOL = 1 / 40
#: Drawn outlines keep as many decimals as this share of the map's width needs: 10 m for a city, 100 m for a province.
GRID = 1 / 4000
GROUND_PANE, NAMES_PANE = "ground", "names"


def geometry(text: str) -> BaseGeometry:
    """A shape from GeoJSON text."""
    return shapely.from_geojson(text)


def feature(drawn: BaseGeometry, key: str) -> dict[str, Any]:
    """A GeoJSON Feature that carries no more than its key."""
    return {"type": "Feature", "id": key, "properties": {}, "geometry": mapping(drawn)}


def layer(
    features: Sequence[dict[str, Any]], style: dict[str, Any] | Callable[[Any], dict[str, Any]], **options: Any
) -> folium.GeoJson:
    """Features in one style or each in its own, out of the layer control."""
    collection = {"type": "FeatureCollection", "features": list(features)}
    styled = style if callable(style) else lambda _: style
    return folium.GeoJson(collection, style_function=styled, control=False, name="shapes", smooth_factor=0.3, **options)


def labels(texts: Sequence[tuple[str, Point, float]], css: str, pane: str) -> folium.GeoJson:
    """Words on the map, each centred on a point and turned by degrees; they cannot be clicked."""
    html = {
        str(number): Markup('<span style="rotate: {}deg">{}</span>').format(f"{turn:.0f}", text)
        for number, (text, _, turn) in enumerate(texts)
    }
    icon = folium.DivIcon(icon_size=(0, 0), class_name=f"label {css}")
    marker = folium.Marker(icon=icon, interactive=False, keyboard=False, pane=pane)
    points = [
        feature(shapely.Point(round(x, 4), round(y, 4)), str(number)) for number, (_, (x, y), _) in enumerate(texts)
    ]
    return layer(points, lambda one: {"html": str(html[one["id"]])}, marker=marker)


def widest_place(area: BaseGeometry, taken: BaseGeometry, tolerance: float) -> Point:
    """Where a name, twice as wide as high, is farthest from the area's boundary and from what is ``taken``."""
    # a buffer of nothing keeps the areas alone of what a difference may leave
    free = area.difference(taken).buffer(0)
    squeezed = affinity.scale(area if free.is_empty else free, xfact=0.5, origin=(0, 0))
    x, y = shapely.maximum_inscribed_circle(squeezed, tolerance=tolerance).coords[0]
    return 2 * x, y


def around_symbols(points: Iterable[Point], extent: Box) -> BaseGeometry:
    """The ground that symbols cover while the whole map is shown."""
    return MultiPoint(list(points)).buffer((extent[2] - extent[0]) * SYMBOL)


def ground_extent(rows: Sequence[Row]) -> Box:
    """West, south, east, north of what the map is about."""
    shown = parts(rows, "frame") or parts(rows, "unit")
    west, south, east, north = shapely.total_bounds([geometry(row["geometry"]) for row in shown])
    return float(west), float(south), float(east), float(north)


@dataclass(frozen=True)
class GroundShapes:
    """The ground simplified for its map, in degrees: land and neighbours in the order of their rows."""

    extent: Box
    land: Sequence[BaseGeometry]
    around: Sequence[BaseGeometry]
    water: Sequence[BaseGeometry]
    #: The region's own outline: as published, else that of its land.
    outline: Sequence[BaseGeometry]


def parts(rows: Sequence[Row], part: str) -> list[Row]:
    """The rows of one part of the ground: ``unit``, ``frame`` or ``around``."""
    return [row for row in rows if row["part"] == part]


def ground_shapes(rows: Sequence[Row]) -> GroundShapes:
    """What a map draws of the rows of ``queries.layouts.ground``."""
    extent = ground_extent(rows)
    width = extent[2] - extent[0]
    land, around, frame = (
        _simplified(parts(rows, part), width * coarse) for part, coarse in (("unit", 1), ("around", 4), ("frame", 1))
    )
    return GroundShapes(extent, land, around, _water(frame, land), frame or [shapely.union_all(land)])


def add_ground(canvas: folium.Map, rows: Sequence[Row], taken: BaseGeometry, lang: str) -> None:
    """Draw the ground onto ``canvas``, with names beside what symbols have ``taken``."""
    shapes = ground_shapes(rows)
    width = shapes.extent[2] - shapes.extent[0]
    folium.map.CustomPane(GROUND_PANE, z_index=300).add_to(canvas)
    folium.map.CustomPane(NAMES_PANE, z_index=350).add_to(canvas)
    for drawn, style in (
        (shapes.around, {"color": symbols.FAINT, "weight": 0.75, "fill": False}),
        (shapes.water, {"stroke": False, "fillColor": symbols.WATER, "fillOpacity": 1}),
        (shapes.land, {"color": symbols.BOUNDARY, "weight": 1, "fillColor": symbols.LAND, "fillOpacity": 1}),
        (shapes.outline, {"color": symbols.GREY, "weight": 2, "fill": False}),
    ):
        features = [feature(one, str(number)) for number, one in enumerate(drawn)]
        if features:
            layer(features, style, pane=GROUND_PANE, interactive=False).add_to(canvas)
    view = box(*shapes.extent)
    around = zip(parts(rows, "around"), shapes.around, strict=True)
    seen = [(place_name(row, lang), one.intersection(view)) for row, one in around]
    units = zip(parts(rows, "unit"), shapes.land, strict=True)
    for named, css in (
        ([(text, area) for text, area in seen if area.area > (width * SYMBOL * 4) ** 2], "around"),
        ([(place_name(row, lang), one) for row, one in units], "ground"),
    ):
        if named:
            labels([(text, widest_place(area, taken, width / 400), 0) for text, area in named], css, NAMES_PANE).add_to(
                canvas
            )


def place_name(row: Row, lang: str) -> str:
    """A division's name as maps write it: in English without its rank."""
    return re.sub(r" (City|County|District)$", "", row["name_en"]) if lang == "en" else str(row["name"])


def _water(frame: Sequence[BaseGeometry], land: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    """What a region's outline encloses beside land, without the slivers of two simplifications."""
    rest = shapely.union_all(frame).difference(shapely.union_all(land).buffer(0)) if frame else shapely.Polygon()
    return [part for part in shapely.get_parts(rest) if part.area > (part.length / 40) ** 2]


def _simplified(rows: Sequence[Row], width: float) -> list[BaseGeometry]:
    """Outlines simplified for a map ``width`` degrees wide; neighbours keep one common boundary.

    Islets that would be smaller than a dot are left out.
    """
    if not rows:
        return []
    tolerance, grid = width * TOLERANCE, 10.0 ** floor(log10(width * GRID))
    whole = (shapely.get_parts(geometry(row["geometry"])) for row in rows)
    islands = [shapely.multipolygons([part for part in parts if part.area > 4 * tolerance**2]) for parts in whole]
    return list(shapely.set_precision(shapely.coverage_simplify(islands, tolerance), grid))
