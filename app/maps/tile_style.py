"""A MapLibre style for one collection's vector tiles, in the colours of every other map.

Nothing but the tiles is fetched: there is no sprite, so points are circles told apart by colour, size and filling, and
no glyphs either, so that MapLibre draws the labels with the reader's own fonts.
"""

from collections.abc import Sequence
from typing import Any, Literal

from app.catalog import Collection
from app.maps import symbols
from app.maps.symbols import Symbol
from app.queries.thinned import is_thinned

Expression = list[Any]
Layer = dict[str, Any]

FONTS = ("Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei", "sans-serif")
#: Radius in pixels of a point by its symbol's shape; the marks of places that hold others are larger.
RADII = {"ring": 8, "square": 7, "hexagon": 7}
RADIUS = 5
#: Dashes in multiples of the line's width, as MapLibre counts them.
DASHES = [3, 2]
SCHEMATIC: Expression = ["==", ["get", "schematic"], True]
HOLLOW: Expression = ["in", ["get", "geometry_method"], ["literal", list(symbols.HOLLOW)]]
LINES: Expression = ["==", ["geometry-type"], "LineString"]
AREAS: Expression = ["==", ["geometry-type"], "Polygon"]
POINTS: Expression = ["==", ["geometry-type"], "Point"]
#: How many points a feature stands for: one, but in thinned tiles (``queries.thinned``).
STANDS_FOR: Expression = ["coalesce", ["get", "point_count"], 1]
SEVERAL: Expression = [">", STANDS_FOR, 1]
#: Radius in pixels by the number's order of magnitude: a cell of a thinned tile is 16 pixels wide, or up to 32.
RADIUS_OF_SEVERAL: Expression = ["interpolate", ["linear"], ["log10", STANDS_FOR], 0, 3.5, 1, 5, 2, 7.5, 4, 10]
#: Radius of a single point by zoom where there may be many: thinned tiles and those beside them draw it alike.
RADIUS_OF_ONE = {11: 3.5, 14: RADIUS}
#: The number as it fits in: 240, 2.4k, 24k.
SHORT: Expression = [
    "case", ["<", STANDS_FOR, 1000], ["to-string", STANDS_FOR],
    ["concat", ["case", ["<", STANDS_FOR, 9950], ["/", ["round", ["/", STANDS_FOR, 100]], 10],
                ["round", ["/", STANDS_FOR, 1000]]], "k"],
]  # fmt: skip


def tile_style(collection: Collection, source: dict[str, Any], lang: Literal["zh", "en"]) -> dict[str, Any]:
    """The style as a document of the MapLibre Style Specification, version 8; ``source`` is its one source."""
    name = collection.title if lang == "zh" else collection.title_en
    return {
        "version": 8,
        "name": name,
        "sources": {collection.id: source},
        "layers": [
            {"id": "background", "type": "background", "paint": {"background-color": symbols.BACKGROUND}},
            *({**layer, "source": collection.id, "source-layer": collection.id} for layer in _layers(collection, lang)),
        ],
    }


def _layers(collection: Collection, lang: str) -> Sequence[Layer]:
    if collection.field("adcode") is not None:
        return [*_ground(), _labels(collection, lang, symbols.NAME)]
    if collection.field("role") is not None:
        colour = _by("role", symbols.SYMBOL_OF_ROLE, symbols.ZONE)
    elif collection.field("kind") is not None:
        colour = _by("kind", symbols.SYMBOL_OF_KIND, symbols.OTHER)
    else:
        colour = symbols.GREY
    layers = [*_areas_and_lines(colour), _circles(collection, colour), _labels(collection, lang, symbols.INK)]
    return [*layers, _numbers()] if is_thinned(collection) else layers


def _by(field: str, known: dict[str, Symbol], other: Symbol, what: str = "colour") -> Expression | str:
    cases: dict[str, list[str]] = {}
    for value, symbol in known.items():
        cases.setdefault(getattr(symbol, what), []).append(value)
    pairs = [part for result, values in cases.items() for part in (values, result)]
    return ["match", ["get", field], *pairs, getattr(other, what)]


def _ground() -> Sequence[Layer]:
    return [
        {"id": "areas", "type": "fill", "paint": {"fill-color": symbols.LAND}},
        {"id": "outlines", "type": "line", "paint": {"line-color": symbols.BOUNDARY, "line-width": 1}},
    ]


def _areas_and_lines(colour: Expression | str) -> Sequence[Layer]:
    """Areas at 12 %, lines solid where known and dashed where they are only a drawing."""
    drawn: Expression = ["any", AREAS, LINES]
    width = ["case", LINES, 3, 2]
    return [
        {"id": "areas", "type": "fill", "filter": AREAS, "paint": {"fill-color": colour, "fill-opacity": 0.12}},
        {
            "id": "outlines",
            "type": "line",
            "filter": ["all", drawn, ["!", SCHEMATIC]],
            "paint": {"line-color": colour, "line-width": width},
        },
        {
            "id": "outlines-schematic",
            "type": "line",
            "filter": ["all", drawn, SCHEMATIC],
            "paint": {"line-color": colour, "line-width": width, "line-dasharray": DASHES},
        },
    ]


def _circles(collection: Collection, colour: Expression | str) -> Layer:
    """Points, hollow where only the county or city is known."""
    thinned = is_thinned(collection)
    radius: Expression | int = RADIUS
    if collection.field("kind") is not None:
        sizes = [(kind, RADII[one.shape]) for kind, one in symbols.SYMBOL_OF_KIND.items() if one.shape in RADII]
        radius = ["match", ["get", "kind"], *(part for pair in sizes for part in pair), RADIUS]
        radius = ["case", SEVERAL, RADIUS_OF_SEVERAL, radius] if thinned else radius
    elif thinned:
        by_zoom = ([zoom, ["case", SEVERAL, RADIUS_OF_SEVERAL, one]] for zoom, one in RADIUS_OF_ONE.items())
        radius = ["interpolate", ["linear"], ["zoom"], *(part for pair in by_zoom for part in pair)]
    hollow = ["all", ["!", SEVERAL], HOLLOW] if thinned else HOLLOW
    return {
        "id": "points",
        "type": "circle",
        "filter": POINTS,
        "paint": {
            "circle-radius": radius,
            "circle-color": ["case", hollow, symbols.PAPER, colour],
            "circle-stroke-color": ["case", hollow, colour, symbols.PAPER],
            "circle-stroke-width": ["case", hollow, 2, 1],
        },
    }


def _numbers() -> Layer:
    """How many points a circle stands for, in it."""
    return {
        "id": "numbers",
        "type": "symbol",
        "filter": SEVERAL,
        "layout": {
            "text-field": SHORT,
            "text-font": list(FONTS),
            "text-size": 8.5,
            "text-padding": 0,
            "symbol-sort-key": ["-", STANDS_FOR],
        },
        "paint": {"text-color": symbols.PAPER},
    }


def _labels(collection: Collection, lang: str, colour: str) -> Layer:
    field = "name_en" if lang == "en" and collection.field("name_en") else "name"
    return {
        "id": "labels",
        "type": "symbol",
        # a feature that stands for several has the name of one of them
        **({"filter": ["!", SEVERAL]} if is_thinned(collection) else {}),
        "layout": {
            "text-field": ["get", field],
            "text-font": list(FONTS),
            "text-size": 12,
            "text-variable-anchor": ["top", "bottom", "left", "right"],
            "text-radial-offset": 0.8,
        },
        "paint": {"text-color": colour, "text-halo-color": symbols.PAPER, "text-halo-width": 1.5},
    }
