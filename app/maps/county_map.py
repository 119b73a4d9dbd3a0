"""What the map of a county's page draws: its ground, and its platforms in the grammar of all maps."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry

from app.maps import symbols
from app.maps.ground import ground_shapes, parts, place_name

Row = Mapping[str, Any]
Point = tuple[float, float]
Town = tuple[str, str, Point]

#: Pixels of a symbol.
SIZE = 22
#: Degrees by which drawn circles may be cut, 10 m.
ROUNDING = 1e-4


def ground(rows: Sequence[Row], towns: Sequence[Town], lang: str) -> dict[str, Any]:
    """Outlines with their styles from the ground up, the extent, and the names of towns and neighbours."""
    shapes = ground_shapes(rows)
    west, south, east, north = shapes.extent
    drawn: tuple[tuple[Sequence[BaseGeometry], dict[str, Any]], ...] = (
        (shapes.around, {"color": symbols.FAINT, "weight": 1, "fill": False}),
        (shapes.water, {"stroke": False, "fillColor": symbols.WATER, "fillOpacity": 1}),
        (shapes.land, {"stroke": False, "fillColor": symbols.LAND, "fillOpacity": 1}),
        (shapes.outline, {"color": symbols.GREY, "weight": 2, "fill": False}),
    )
    view = shapely.box(*shapes.extent).buffer((east - west) / 5)
    around = zip(parts(rows, "around"), shapes.around, strict=True)
    neighbours = [(place_name(row, lang), one.intersection(view)) for row, one in around]
    return {
        "bounds": [[south, west], [north, east]],
        "shapes": [{"style": style, "geometries": [mapping(one) for one in some]} for some, style in drawn],
        "towns": [{"name": _town(en) if lang == "en" else zh, "at": at} for zh, en, at in towns],
        "around": [
            {"name": name, "at": list(seen.representative_point().coords[0])}
            for name, seen in neighbours
            if not seen.is_empty
        ],
    }


def _town(name: str) -> str:
    """A town's English name as maps write it: without its rank."""
    return re.sub(r" (Town|Subdistrict)$", "", name)


def shapes(features: Sequence[Row], positions: Mapping[str, Point], lang: str) -> dict[str, Any]:
    """Platforms that have a position: symbol, name, anchor point, and the drawn area where there is one.

    ``icons`` holds each symbol's SVG once; ``features`` are GeoJSON Features of the platforms collection.
    """
    icons: dict[str, str] = {}
    drawn = []
    for feature in features:
        properties = feature["properties"]
        position = positions.get(feature["id"])
        if position is None:
            continue
        symbol = symbols.platform_symbol(properties["kind"])
        hollow = properties["geometry_method"] in symbols.HOLLOW
        key = f"{symbol.id}{'-hollow' if hollow else ''}"
        icons.setdefault(key, str(symbols.icon(symbol, hollow=hollow, size=SIZE)))
        name = properties["name_en"] if lang == "en" and properties["name_en"] else properties["name"]
        one = {"id": feature["id"], "name": name, "icon": key, "at": [round(degrees, 6) for degrees in position]}
        area = feature["geometry"]
        if area and area["type"] != "Point":
            cut = shapely.from_geojson(json.dumps(area)).simplify(ROUNDING)
            style = symbols.path_style(symbol, schematic=properties["schematic"])
            one["area"] = {"geometry": mapping(shapely.set_precision(cut, 1e-5)), "style": style}
        drawn.append(one)
    return {"icons": icons, "places": drawn}


def legend(features: Sequence[Row]) -> list[symbols.Symbol]:
    """The symbols that occur, in the order of every legend."""
    found = {symbols.platform_symbol(one["properties"]["kind"]) for one in features}
    return [one for one in symbols.PLATFORM_SYMBOLS if one in found]
