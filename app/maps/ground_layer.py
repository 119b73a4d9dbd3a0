"""The ground of a map in Folium: land, outline and names, pale enough for everything that stands on it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import folium
import shapely
from branca.element import MacroElement
from folium.template import Template
from markupsafe import Markup
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from app.maps import symbols
from app.maps.ground import SYMBOL, Place, feature, free_places, ground_shapes, parts, place_name

Row = Mapping[str, Any]
EDGE_PANE, GROUND_PANE, NAMES_PANE = "edge", "ground", "names"


def layer(
    features: Sequence[dict[str, Any]], style: dict[str, Any] | Callable[[Any], dict[str, Any]], **options: Any
) -> folium.GeoJson:
    """Features in one style or each in its own, out of the layer control."""
    collection = {"type": "FeatureCollection", "features": list(features)}
    styled = style if callable(style) else lambda _: style
    return folium.GeoJson(collection, style_function=styled, control=False, name="shapes", smooth_factor=0.3, **options)


def labels(texts: Sequence[tuple[str, Sequence[Place]]], css: str, pane: str) -> folium.GeoJson:
    """Words on the map that cannot be clicked; the page puts each where it is free, the first of its places best."""
    html = {str(number): Markup("<span>{}</span>").format(text) for number, (text, _) in enumerate(texts)}
    icon = folium.DivIcon(icon_size=(0, 0), class_name=f"label {css}")
    marker = folium.Marker(icon=icon, interactive=False, keyboard=False, pane=pane)
    points = []
    for number, (_, places) in enumerate(texts):
        point = feature(shapely.Point(places[0].numbers[:2]), str(number))
        points.append({**point, "properties": {"places": [one.numbers for one in places]}})
    return layer(points, lambda one: {"html": str(html[one["id"]])}, marker=marker)


class Copy(MacroElement):
    """The shapes of a layer once more in another style, without their data a second time in the page."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        L.geoJson({{ this.of.get_name() }}.toGeoJSON(), {{ this.options|tojson }}).addTo({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self, of: folium.GeoJson, **options: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Copy"
        self.of = of
        self.options = {"interactive": False, **options}


@dataclass(frozen=True)
class Ground:
    """What the rest of a map does with its ground: the land, and the layer of the names."""

    land: folium.GeoJson
    names: folium.FeatureGroup


def add_ground(canvas: folium.Map, rows: Sequence[Row], taken: BaseGeometry, lang: str) -> Ground:
    """Draw the ground onto ``canvas``, with names beside what symbols and lines have ``taken``."""
    shapes = ground_shapes(rows)
    width = shapes.extent[2] - shapes.extent[0]
    for pane, depth in ((EDGE_PANE, 290), (GROUND_PANE, 300), (NAMES_PANE, 350)):
        folium.map.CustomPane(pane, z_index=depth).add_to(canvas)

    def add(drawn: Sequence[BaseGeometry], **style: Any) -> folium.GeoJson:
        features = [feature(one, str(number)) for number, one in enumerate(drawn)]
        drawing = layer(features, style, pane=GROUND_PANE, interactive=False)
        drawing.add_to(canvas)
        return drawing

    if shapes.around:
        add(shapes.around, color=symbols.FAINT, weight=0.75, fill=False)
    if shapes.water:
        add(shapes.water, stroke=False, fillColor=symbols.WATER, fillOpacity=1)
    land = add(shapes.land, color=symbols.BOUNDARY, weight=1, fillColor=symbols.LAND, fillOpacity=1)
    if parts(rows, "frame"):
        add(shapes.outline, color=symbols.GREY, weight=2, fill=False)
    else:
        # a line under the land, of which the outer half is seen
        Copy(land, style={"color": symbols.GREY, "weight": 3, "fill": False}, pane=EDGE_PANE).add_to(canvas)
    names = folium.FeatureGroup()
    names.add_to(canvas)
    view = box(*shapes.extent)
    around = zip(parts(rows, "around"), shapes.around, strict=True)
    seen = [(place_name(row, lang), one.intersection(view)) for row, one in around]
    units = [(place_name(row, lang), one) for row, one in zip(parts(rows, "unit"), shapes.land, strict=True)]
    for named, css in (
        (units, "ground"),
        ([(text, area) for text, area in seen if area.area > (width * SYMBOL * 4) ** 2], "around"),
    ):
        if named:
            places = [(text, free_places(area, taken, width)) for text, area in named]
            labels(places, css, NAMES_PANE).add_to(names)
    return Ground(land, names)
