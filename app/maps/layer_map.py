"""The map of one layer, however large: its ground, open for the features that the page's script draws."""

from collections.abc import Mapping, Sequence
from typing import Any

import folium
import shapely

from app.maps.controls import Start, add_controls, new_map, number_elements, show_box
from app.maps.ground import Box, ground_extent
from app.maps.ground_layer import add_ground

Row = Mapping[str, Any]


def layer_map(ground: Sequence[Row], extent: Box | None, lang: str) -> folium.Map:
    """A map of the ground, open for the features that the page adds; ``extent`` is the box around these."""
    canvas = new_map(min_zoom=5)
    placed = add_ground(canvas, ground, shapely.Point(), lang)
    add_controls(canvas, placed.land, ground_extent(ground), lang)
    show_box(canvas, extent or ground_extent(ground))
    Start({"names": placed.names}, "startLayer").add_to(canvas)
    number_elements(canvas)
    return canvas
