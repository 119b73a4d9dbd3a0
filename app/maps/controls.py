"""What stands on every map for the hand: full screen, the overview, and the start of the page's own script."""

from collections.abc import Mapping
from math import cos, log2, radians
from typing import Any

import folium
from branca.element import MacroElement
from folium.plugins import Fullscreen, MiniMap
from folium.template import Template
from folium.utilities import JsCode

from app.maps import symbols
from app.maps.ground import Box

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
        innomap.start({{ this._parent.get_name() }}, {
            {% for name, layer in this.layers.items() %}{{ name|tojson }}: {{ layer.get_name() }}, {% endfor %}
        });
        {% endmacro %}
        """
    )

    def __init__(self, layers: Mapping[str, folium.map.Layer]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Start"
        self.layers = layers


def add_controls(canvas: folium.Map, land: folium.GeoJson, extent: Box, lang: str) -> None:
    """Full screen, with the panel beside the map, and the overview."""
    english = lang == "en"
    Fullscreen(
        title="Full screen" if english else "全屏",
        title_cancel="Leave full screen" if english else "退出全屏",
        fullscreen_element=JsCode("document.querySelector('main')"),
    ).add_to(canvas)
    Overview(land, extent).add_to(canvas)
