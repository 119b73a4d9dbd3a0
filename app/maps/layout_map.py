"""The map of a spatial layout: rows into a Folium map, its layers with their legend, and its structure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import folium
import shapely
from folium.plugins import MarkerCluster
from markupsafe import Markup
from shapely.geometry.base import BaseGeometry

from app.maps import label_places, symbols
from app.maps.controls import Start, add_controls, new_map, number_elements, show_box
from app.maps.ground import Point, around_symbols, feature, geometry, ground_extent
from app.maps.ground_layer import add_ground, labels, layer
from app.maps.popups import ROLES, Popup, element_popup, platform_popup
from app.maps.symbols import Symbol
from app.queries.layouts import member_order

Row = Mapping[str, Any]

LABELS_PANE = "labels"
ICON_SIZE = 24
#: Degrees by which the corners of a drawn circle or band may be cut: 10 m, where it is known to a kilometre at best.
ROUNDING = 1e-4
#: Degrees within which two edges are one.
SAME = 1e-4
#: Roles of elements that lie outside every map of a region, where they have no shape.
AWAY = ("enclave", "city")


@dataclass(frozen=True)
class Sample:
    """A symbol of a layer, for the legend."""

    swatch: Markup
    name: str
    name_en: str


@dataclass
class Layer:
    """What can be switched on the map, and what it looks like; ``items`` are key, number and both names."""

    id: str
    group: Literal["layout", "platforms"]
    name: str
    name_en: str
    drawn: folium.map.Layer
    samples: dict[str, Sample] = field(default_factory=dict)
    items: list[tuple[str, str, str, str]] = field(default_factory=list)
    shown: bool = True


@dataclass(frozen=True)
class Part:
    """An element in the structure of the layout, with those below it; ``away``: it lies outside of the map."""

    key: str
    name: str
    name_en: str
    role: tuple[str, str]
    away: bool
    parts: Sequence["Part"]


@dataclass(frozen=True)
class LayoutMap:
    """A map ready to be put on a page."""

    canvas: folium.Map
    layers: Sequence[Layer]
    structure: Sequence[Part]
    popups: Sequence[Popup]
    core: bool


def layout_map(
    ground: Sequence[Row], elements: Sequence[Row], platforms: Sequence[Row], kinds: Sequence[Row], lang: str
) -> LayoutMap:
    """Draw a layout from the rows of ``queries.layouts``. ``lang`` (zh, en) decides the names on the map."""
    return _Drawing(elements, platforms, kinds, lang).draw(ground)


class _Drawing:
    """One map while it is drawn."""

    def __init__(self, elements: Sequence[Row], platforms: Sequence[Row], kinds: Sequence[Row], lang: str) -> None:
        self.lang = lang
        self.elements = elements
        self.platforms = {row["id"]: row for row in platforms}
        self.kinds = {row["id"]: row for row in kinds}
        self.order = member_order(elements)
        self.document = elements[0]["sources"][0]["document"] if elements else ""
        self.core = {
            one["platform"]
            for row in elements
            if row["role"] == "core"
            for one in row["members"] or ()
            if "platform" in one
        }
        self.points = [_point(row) for row in platforms if self._shown(row)]
        bands = [geometry(row["geometry"]) for row in elements if row["shape"] == "band" and row["role"] == "corridor"]
        self.edges = shapely.union_all([one.boundary for one in bands])
        self.axes = [geometry(row["axis"]) for row in elements if row["axis"]]
        self.popups = [element_popup(row, self.platforms, self.kinds, lang) for row in elements]
        self.layers: list[Layer] = []

    def draw(self, ground: Sequence[Row]) -> LayoutMap:
        canvas = new_map(min_zoom=6)
        extent = ground_extent(ground)
        drawn = add_ground(canvas, ground, around_symbols(self.points, self.axes, extent), self.lang)
        folium.map.CustomPane(LABELS_PANE, z_index=620).add_to(canvas)
        self._element_layers()
        self._member_layers()
        self._other_layer()
        for one in self.layers:
            one.drawn.add_to(canvas)
        add_controls(canvas, drawn.land, extent, self.lang)
        show_box(canvas, extent)
        Start({**{one.id: one.drawn for one in self.layers}, "names": drawn.names}).add_to(canvas)
        number_elements(canvas)
        return LayoutMap(canvas, self.layers, self._structure(None), self.popups, bool(self.core))

    # ------------------------------------------------------------------------------------------------------- elements

    def _element_layers(self) -> None:
        """Bands, axes and areas of the layout's own elements, one layer a role."""
        drawn = [row for row in self.elements if row["geometry"] and row["shape"] in ("band", "hull", "circle")]
        for symbol in symbols.ELEMENT_SYMBOLS:
            rows = [row for row in drawn if symbols.element_symbol(row["role"]) is symbol]
            if not rows:
                continue
            entry = self._layer("layout", symbol, folium.FeatureGroup())
            for row in rows:
                style = symbols.path_style(symbol, schematic=row["schematic"])
                area, key = geometry(row["geometry"]), f"layout_elements/{row['id']}"
                if symbol is symbols.SECTION:
                    layer([feature(self._dividing(area), key)], style).add_to(entry.drawn)
                    style = {**style, "stroke": False, "fill": True}
                layer([feature(area.simplify(ROUNDING), key)], style).add_to(entry.drawn)
                if row["axis"] and symbol is symbols.CORRIDOR:
                    style = symbols.path_style(symbols.AXIS, schematic=row["schematic"])
                    layer([feature(geometry(row["axis"]), key)], style).add_to(entry.drawn)
                    entry.samples[symbols.AXIS.id] = _sample(symbols.AXIS)
                self._element_label(entry.drawn, symbol, row)

    def _dividing(self, part: BaseGeometry) -> BaseGeometry:
        """The edges of a corridor's part that are not drawn yet: two dashed lines in one place would look solid."""
        edges = part.boundary.difference(self.edges.buffer(SAME))
        self.edges = self.edges.union(edges)
        return edges

    def _element_label(self, group: folium.map.Layer, symbol: Symbol, row: Row) -> None:
        """A corridor's name runs beside its axis, a section's stands in its band, an area's outside."""
        area = geometry(row["geometry"])
        if not row["axis"]:
            places = label_places.around(area, self.points, self.axes)
        elif symbol is symbols.SECTION:
            places = label_places.inside(area, geometry(row["axis"]))
        else:
            places = label_places.along(geometry(row["axis"]), area, self.points)
        labels([(self._name(row), places)], f"element {symbol.id}", LABELS_PANE).add_to(group)

    def _structure(self, parent: str | None) -> list[Part]:
        return [
            Part(
                f"layout_elements/{row['id']}", row["name"], row["name_en"], ROLES[row["role"]],
                row["role"] in AWAY and row["geometry"] is None, self._structure(row["id"]),
            )
            for row in self.elements
            if row["parent"] == parent
        ]  # fmt: skip

    # ------------------------------------------------------------------------------------------------------ platforms

    def _shown(self, row: Row) -> bool:
        """Whether a platform is seen from the start: members, and every institute."""
        return row["id"] in self.order or symbols.platform_symbol(row["kind"]) is symbols.INSTITUTE

    def _member_layers(self) -> None:
        """What is shown from the start, a layer a symbol: numbered where the legend lists it, institutes clustered."""
        encircled = {
            (row["members"] or [{}])[0].get("platform") for row in self.elements if row["shape"] == "circle"
        }  # fmt: skip
        shown = sorted(
            filter(self._shown, self.platforms.values()), key=lambda row: self.order.get(row["id"], len(self.order))
        )
        for symbol in symbols.PLATFORM_SYMBOLS:
            rows = [row for row in shown if symbols.platform_symbol(row["kind"]) is symbol]
            if not rows:
                continue
            clustered = symbol is symbols.INSTITUTE
            entry = self._layer("platforms", symbol, _cluster(symbol) if clustered else folium.FeatureGroup())
            markers = []
            for number, row in enumerate(rows, 1):
                popup = self._popup(row)
                if symbol is symbols.LAKE and row["schematic"] and row["id"] not in encircled:
                    circle = geometry(row["geometry"]).simplify(ROUNDING)
                    layer([feature(circle, popup.key)], symbols.path_style(symbol, schematic=True)).add_to(entry.drawn)
                text = str(number) if symbol in symbols.NUMBERED and len(rows) > 1 else ""
                markers.append((symbol, row, popup, text))
                if symbol in symbols.NUMBERED:
                    entry.items.append((popup.key, text, popup.name, popup.name_en))
            self._markers(markers).add_to(entry.drawn)

    def _other_layer(self) -> None:
        """What else the document names, in a layer that starts hidden."""
        rows = [row for row in self.platforms.values() if not self._shown(row)]
        if not rows:
            return
        entry = self._layer("platforms", symbols.OTHERS, _cluster(symbols.OTHERS, shown=False))
        entry.shown = False
        markers = [(symbols.platform_symbol(row["kind"]), row, self._popup(row), "") for row in rows]
        found = {symbol for symbol, *_ in markers}
        entry.samples = {one.id: _sample(one) for one in symbols.PLATFORM_SYMBOLS if one in found}
        self._markers(markers).add_to(entry.drawn)

    def _popup(self, row: Row) -> Popup:
        popup = platform_popup(row, self.kinds.get(row["kind"]), _point(row), self.document)
        self.popups.append(popup)
        return popup

    def _markers(self, markers: Sequence[tuple[Symbol, Row, Popup, str]]) -> folium.GeoJson:
        """Point symbols, each with its row, popup and number."""
        styles = {}
        for symbol, row, popup, number in markers:
            hollow = row["geometry_method"] in symbols.HOLLOW
            html = symbols.icon(symbol, number, hollow=hollow, ringed=row["id"] in self.core, size=ICON_SIZE)
            styles[popup.key] = {"html": str(html), "className": "symbol hollow" if hollow else "symbol"}
        points = [feature(geometry(row["position"]), popup.key) for _, row, popup, _ in markers]
        icon = folium.DivIcon(icon_size=(ICON_SIZE, ICON_SIZE))
        return layer(points, lambda one: styles[one["id"]], marker=folium.Marker(icon=icon, riseOnHover=True))

    # --------------------------------------------------------------------------------------------------------- layers

    def _layer(self, group: Literal["layout", "platforms"], symbol: Symbol, drawn: folium.map.Layer) -> Layer:
        entry = Layer(symbol.id, group, symbol.name, symbol.name_en, drawn, {symbol.id: _sample(symbol)})
        self.layers.append(entry)
        return entry

    def _name(self, row: Row) -> str:
        return str(row["name_en"] if self.lang == "en" else row["name"])


def _sample(symbol: Symbol) -> Sample:
    return Sample(symbols.swatch(symbol), symbol.name, symbol.name_en)


def _cluster(symbol: Symbol, *, shown: bool = True) -> MarkerCluster:
    return MarkerCluster(
        show=shown, maxClusterRadius=36, showCoverageOnHover=False,
        icon_create_function=f"innomap.cluster('{symbol.id}')",
    )  # fmt: skip


def _point(row: Row) -> Point:
    dot = geometry(row["position"])
    return dot.x, dot.y
