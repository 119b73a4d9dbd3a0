"""The empty map, and what stands on each for the hand: full screen, the overview, the start of the page's script."""

from collections.abc import Mapping
from math import cos, log2, radians
from typing import Any

import folium
from branca.element import Element, MacroElement
from folium.plugins import Fullscreen, MiniMap
from folium.template import Template
from folium.utilities import JsCode

from app.maps import symbols
from app.maps.assets import use_local_assets
from app.maps.ground import Box

MAX_ZOOM = 18
#: Pixels of the overview: its width, its height at most, and the free rim within.
OVERVIEW, RIM = 150, 2


class Overview(MiniMap):
    """A small map of the whole region with the frame of the view; its shapes are those of a layer of the large map,
    where Folium's own would fetch tiles."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        new L.Control.MiniMap(
            L.geoJson({{ this.of.get_name() }}.toGeoJSON(), {{ this.style|tojson }}),
            {{ this.options|tojson }}
        ).addTo({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self, of: folium.GeoJson, extent: Box, **options: Any) -> None:
        MacroElement.__init__(self)
        self._name = "Overview"
        west, south, east, north = extent
        self.of = of
        self.style = {
            "interactive": False,
            "style": {
                "color": symbols.BOUNDARY, "weight": 0.5, "fillColor": symbols.LAND, "fillOpacity": 1,
            },
        }  # fmt: skip
        # degrees of longitude that a pixel holds decide the zoom of a Mercator map (256 pixels a round)
        tall = (north - south) / cos(radians((south + north) / 2))
        height = round(min(OVERVIEW, max(60, (OVERVIEW - 2 * RIM) * tall / (east - west) + 2 * RIM)))
        degrees_a_pixel = max((east - west) / (OVERVIEW - 2 * RIM), tall / (height - 2 * RIM))
        self.options = {
            "width": OVERVIEW,
            "height": height,
            "centerFixed": [(south + north) / 2, (west + east) / 2],
            "zoomLevelFixed": round(log2(360 / 256 / degrees_a_pixel), 2),
            "mapOptions": {"zoomSnap": 0, "keyboard": False, "attributionControl": False},
            # of no use while the whole region is in view
            "autoToggleDisplay": True,
            "aimingRectOptions": {
                "color": symbols.CORRIDOR.colour, "weight": 1.5, "fillOpacity": 0.1, "interactive": False,
            },
            "shadowRectOptions": {"stroke": False, "fill": False, "interactive": False},
            **options,
        }  # fmt: skip


class Start(MacroElement):
    """Hands the map's layers, by name, to the script of the page."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
        innomap.{{ this.function }}({{ this._parent.get_name() }}, {
            {% for name, layer in this.layers.items() %}{{ name|tojson }}: {{ layer.get_name() }}, {% endfor %}
        });
        {% endmacro %}
        """
    )

    def __init__(self, layers: Mapping[str, folium.map.Layer], function: str = "start") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Start"
        self.layers, self.function = layers, function


def add_controls(canvas: folium.Map, land: folium.GeoJson, extent: Box, lang: str) -> None:
    """Full screen, with the panel beside the map, and the overview."""
    english = lang == "en"
    Fullscreen(
        title="Full screen" if english else "全屏",
        title_cancel="Leave full screen" if english else "退出全屏",
        fullscreen_element=JsCode("document.querySelector('main')"),
    ).add_to(canvas)
    Overview(land, extent).add_to(canvas)


def new_map(min_zoom: int) -> folium.Map:
    """A map without a base map, which can be zoomed to any scale and loads nothing from elsewhere."""
    use_local_assets()
    return folium.Map(
        tiles=None,
        minZoom=min_zoom,
        maxZoom=MAX_ZOOM,
        zoomSnap=0.1,
        zoomDelta=0.5,
        control_scale=True,
        attribution_control=False,
    )


def show_box(canvas: folium.Map, box: Box) -> None:
    """Let the map open with a box in view."""
    west, south, east, north = box
    canvas.fit_bounds([(south, west), (north, east)], padding=(12, 12), max_zoom=14)


def number_elements(canvas: folium.Map) -> None:
    """Number Folium's elements in order instead of at random, so that the same data give the same page."""
    pending: list[Element] = [canvas]
    for number, element in enumerate(pending):
        element._id = str(number)
        pending.extend(element._children.values())
