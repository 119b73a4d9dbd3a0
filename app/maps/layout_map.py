"""The map of a spatial layout: rows into a Folium map and its legend."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import atan2, cos, degrees, radians
from typing import Any

import folium
from branca.element import Element
from folium.plugins import MarkerCluster
from markupsafe import Markup
from shapely.geometry import LineString, MultiPoint
from shapely.geometry import Point as Dot

from app.maps import symbols
from app.maps.ground import (
    Box,
    Point,
    add_ground,
    around_symbols,
    feature,
    geometry,
    ground_extent,
    labels,
    layer,
)
from app.maps.popups import Popup, element_popup, platform_popup
from app.maps.symbols import Symbol

Row = Mapping[str, Any]

MAX_ZOOM = 16
LABELS_PANE = "labels"
#: Symbols of members that are numbered, with their names in the legend.
NUMBERED = (symbols.LAKE, symbols.PARK, symbols.PLACE)
ICON_SIZE = 24
#: Degrees by which the corners of a drawn circle or band may be cut: 10 m, where it is known to a kilometre at best.
ROUNDING = 1e-4


@dataclass
class LegendEntry:
    """A symbol that occurs on the map; ``items`` are key, number and both names of what is listed under it."""

    symbol: Symbol
    swatch: Markup
    name: str
    name_en: str
    items: list[tuple[str, str, str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class LayoutMap:
    """A map ready to be put on a page."""

    canvas: folium.Map
    legend: Sequence[LegendEntry]
    #: Elements that have no place on this map, such as enclaves: both names.
    elsewhere: Sequence[tuple[str, str]]
    popups: Sequence[Popup]


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
        self.popups: list[Popup] = []
        self.legend: dict[str, LegendEntry] = {}

    def draw(self, ground: Sequence[Row]) -> LayoutMap:
        canvas = folium.Map(
            tiles=None,
            maxZoom=MAX_ZOOM,
            minZoom=6,
            zoomSnap=0.1,
            zoomDelta=0.5,
            control_scale=True,
            attribution_control=False,
        )
        extent = ground_extent(ground)
        add_ground(canvas, ground, around_symbols(self.points, extent), self.lang)
        folium.map.CustomPane(LABELS_PANE, z_index=620).add_to(canvas)
        for group in (*self._element_layers(), *self._member_layers(), *self._other_layer()):
            group.add_to(canvas)
        folium.LayerControl(collapsed=False).add_to(canvas)
        canvas.fit_bounds(_corners(extent), padding=(12, 12))
        _name_elements(canvas)
        legend = sorted(self.legend.values(), key=lambda one: _RANK[one.symbol.id])
        return LayoutMap(canvas, legend, self._elsewhere(), self.popups)

    # ------------------------------------------------------------------------------------------------------- elements

    def _element_layers(self) -> list[folium.FeatureGroup]:
        """Bands, axes and areas of the layout's own elements, one layer a role."""
        groups: dict[str, folium.FeatureGroup] = {}
        for row in self.elements:
            if row["geometry"] is None or row["shape"] not in ("band", "hull", "circle"):
                continue
            popup = element_popup(row)
            self.popups.append(popup)
            symbol = symbols.element_symbol(row["role"])
            group = groups.setdefault(symbol.id, self._group(symbol))
            self._shape(group, symbol, row["geometry"], popup, schematic=row["schematic"])
            self._listed(symbol, popup, listed=symbol is not symbols.SECTION)
            if row["axis"] and symbol is symbols.CORRIDOR:
                self._shape(group, symbols.AXIS, row["axis"], popup, schematic=row["schematic"])
                self._listed(symbols.AXIS, popup, listed=False)
            self._element_label(group, symbol, row)
        return [groups[symbol.id] for symbol in symbols.ELEMENT_SYMBOLS if symbol.id in groups]

    def _element_label(self, group: folium.FeatureGroup, symbol: Symbol, row: Row) -> None:
        """A corridor's name runs beside its axis, an area's stands outside it, where symbols leave most room."""
        name = row["name_en"] if self.lang == "en" else row["name"]
        if row["axis"]:
            place, turn = _along(geometry(row["axis"]), self.points, middle=symbol is symbols.SECTION)
        else:
            axes = [geometry(one["axis"]) for one in self.elements if one["axis"]]
            place, turn = _beside(geometry(row["geometry"]), self.points, axes), 0.0
        labels([(name, place, turn)], f"element {symbol.id}", LABELS_PANE).add_to(group)

    def _shape(self, group: folium.map.Layer, symbol: Symbol, drawn: str, popup: Popup, *, schematic: bool) -> None:
        style = symbols.path_style(symbol, schematic=schematic)
        layer([feature(geometry(drawn).simplify(ROUNDING), popup.key)], style).add_to(group)

    # ------------------------------------------------------------------------------------------------------ platforms

    def _shown(self, row: Row) -> bool:
        """Whether a platform is seen from the start: members, and every institute."""
        return row["id"] in self.order or symbols.platform_symbol(row["kind"]) is symbols.INSTITUTE

    def _member_layers(self) -> Iterable[folium.map.Layer]:
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
            listed = symbol in NUMBERED
            group = self._cluster(symbol) if symbol is symbols.INSTITUTE else self._group(symbol)
            markers = []
            for number, row in enumerate(rows, 1):
                popup = self._popup(row)
                if symbol is symbols.LAKE and row["schematic"] and row["id"] not in encircled:
                    self._shape(group, symbol, row["geometry"], popup, schematic=True)
                text = str(number) if listed and len(rows) > 1 else ""
                markers.append((symbol, row, popup, text))
                self._listed(symbol, popup, listed=listed, number=text)
            self._markers(markers).add_to(group)
            yield group

    def _other_layer(self) -> Iterable[folium.map.Layer]:
        """What else the document names, in a layer that starts hidden."""
        rows = [row for row in self.platforms.values() if not self._shown(row)]
        if rows:
            group = self._cluster(symbols.OTHER, _two("文件所列其他平台", "Other platforms of the document", self.lang))
            group.show = False
            markers = [(symbols.platform_symbol(row["kind"]), row, self._popup(row), "") for row in rows]
            for symbol, _, popup, _ in markers:
                self._listed(symbol, popup, listed=False)
            self._markers(markers).add_to(group)
            yield group

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

    # --------------------------------------------------------------------------------------------- layers and legend

    def _group(self, symbol: Symbol) -> folium.FeatureGroup:
        return folium.FeatureGroup(name=_two(symbol.name, symbol.name_en, self.lang))

    def _cluster(self, symbol: Symbol, name: str | None = None) -> MarkerCluster:
        return MarkerCluster(
            name=name or _two(symbol.name, symbol.name_en, self.lang), maxClusterRadius=36, showCoverageOnHover=False,
            icon_create_function=f"innomap.cluster('{symbol.id}')",
        )  # fmt: skip

    def _listed(self, symbol: Symbol, popup: Popup, *, listed: bool, number: str = "") -> None:
        entry = self.legend.setdefault(
            symbol.id, LegendEntry(symbol, symbols.swatch(symbol), symbol.name, symbol.name_en)
        )
        if listed:
            entry.items.append((popup.key, number, popup.name, popup.name_en))

    def _elsewhere(self) -> list[tuple[str, str]]:
        return [
            (row["name"], row["name_en"])
            for row in self.elements
            if row["role"] in ("enclave", "city") and row["geometry"] is None
        ]


_RANK = {one.id: rank for rank, one in enumerate((*symbols.ELEMENT_SYMBOLS, *symbols.PLATFORM_SYMBOLS))}


def _two(name: str, name_en: str, lang: str) -> str:
    """Both languages for a layer control, which takes HTML."""
    first, second, other = (name_en, name, "zh-CN") if lang == "en" else (name, name_en, "en")
    return str(Markup('{} <span lang="{}">{}</span>').format(first, other, second))


def _corners(extent: Box) -> list[tuple[float, float]]:
    west, south, east, north = extent
    return [(south, west), (north, east)]


def _point(row: Row) -> Point:
    dot = geometry(row["position"])
    return dot.x, dot.y


def _along(axis: LineString, points: Sequence[Point], *, middle: bool) -> tuple[Point, float]:
    """A place on an axis far from ``points``, and the axis' direction there on the screen, in degrees clockwise."""
    taken = MultiPoint(points)
    shares = (0.5,) if middle else tuple(share / 20 for share in range(3, 18))
    share = max(shares, key=lambda one: axis.interpolate(one, normalized=True).distance(taken))
    here, before, after = (axis.interpolate(share + step, normalized=True) for step in (0, -0.05, 0.05))
    turn = degrees(atan2(before.y - after.y, (after.x - before.x) * cos(radians(here.y))))
    return (here.x, here.y), turn - 180 * round(turn / 180)


def _beside(area: Any, points: Sequence[Point], lines: Sequence[LineString]) -> Point:
    """A place just outside an area, far from points and lines; heights count double, for words are wide."""
    rim = area.buffer((area.bounds[2] - area.bounds[0]) * 0.12).exterior
    taken = MultiPoint(points).union(MultiPoint([xy for line in lines for xy in line.segmentize(0.01).coords]))
    dots = [Dot(rim.interpolate(share / 48, normalized=True)) for share in range(48)]
    best = max(dots, key=lambda dot: min(abs(dot.x - one.x) / 2 + abs(dot.y - one.y) for one in taken.geoms))
    return best.x, best.y


def member_order(elements: Sequence[Row]) -> dict[str, int]:
    """Rank of each member platform: zones first, for their lists are the plan's tables, then by element."""
    ranked = sorted(elements, key=lambda row: (row["role"] != "zone", row["ord"], row["id"]))
    members = (one["platform"] for row in ranked for one in row["members"] or () if "platform" in one)
    return {platform: rank for rank, platform in enumerate(dict.fromkeys(members))}


def _name_elements(canvas: folium.Map) -> None:
    """Number Folium's elements in order instead of at random, so that the same data give the same page."""
    pending: list[Element] = [canvas]
    for number, element in enumerate(pending):
        element._id = str(number)
        pending.extend(element._children.values())
