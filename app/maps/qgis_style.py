"""Styles that a GeoPackage carries for QGIS (QML) and GeoServer (SLD): the symbols of the maps, as simple rules.

Rules go by how a geometry is known (dashed where it is only a drawing, hollow where only a county is known), and by
kind or role where the layer has one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from app.catalog import Collection
from app.encode.layer import Style
from app.maps import symbols
from app.maps.symbols import Symbol

#: Opacity of areas, as on the maps.
FILL = 0.12
#: QGIS draws these shapes by their names; SLD knows them by others.
MARKERS = {"ring": "circle", "square": "square", "diamond": "diamond", "triangle": "triangle", "hexagon": "hexagon"}
WELL_KNOWN = {"square": "square", "triangle": "triangle", "diamond": "shape://diamond", "hexagon": "circle"}


@dataclass(frozen=True)
class Rule:
    """Items of some kinds (all others where ``values`` is empty) drawn with a symbol, solid or not."""

    symbol: Symbol
    field: str
    values: Sequence[str]
    known: bool | None

    def title(self) -> str:
        """What the legend says."""
        doubt = "" if self.known is not False else "（示意或不确定） (schematic or uncertain)"
        return f"{self.symbol.name} {self.symbol.name_en}{doubt}"


def styles(collection: Collection) -> tuple[Style, ...]:
    """The styles for points, lines and areas."""
    return tuple(_style(collection, dimension) for dimension in (0, 1, 2))


def _style(collection: Collection, dimension: int) -> Style:
    rules = list(_rules(collection, dimension))
    return Style(dimension, _qml(rules, dimension), _sld(collection, rules, dimension))


def _rules(collection: Collection, dimension: int) -> Sequence[Rule]:
    field, known, other = "", {}, symbols.OTHER
    if collection.field("role") is not None:
        field, known, other = "role", symbols.SYMBOL_OF_ROLE, symbols.ZONE
    elif collection.field("kind") is not None and collection.field("geometry_method") is not None:
        field, known, other = "kind", symbols.SYMBOL_OF_KIND, symbols.OTHER
    by_symbol: dict[Symbol, list[str]] = {}
    for value, symbol in known.items():
        by_symbol.setdefault(symbol, []).append(value)
    pairs = [*by_symbol.items(), (other, [])]
    flagged = collection.field("geometry_method") is not None
    made = []
    for symbol, values in pairs:
        for known_well in (True, False) if flagged else (None,):
            made.append(Rule(symbol, field, values, known_well))
    return made


def _condition(dimension: int) -> tuple[str, tuple[str, ...]]:
    """What makes an item doubtful: a drawn line or area, a point known by its county only."""
    return ("geometry_method", symbols.HOLLOW) if dimension == 0 else ("geometry_method", ("schematic",))


def _filter(rule: Rule, rules: Sequence[Rule], dimension: int) -> str:
    """The rule's condition as QGIS writes it."""
    listed = sorted({value for one in rules for value in one.values})
    parts = []
    if rule.values:
        parts.append(f'"{rule.field}" IN ({_quoted(rule.values)})')
    elif listed:
        parts.append(f"coalesce(\"{rule.field}\", '') NOT IN ({_quoted(listed)})")
    if rule.known is not None:
        name, values = _condition(dimension)
        parts.append(f"coalesce(\"{name}\", '') {'NOT IN' if rule.known else 'IN'} ({_quoted(values)})")
    return " AND ".join(parts)


def _quoted(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _rgba(colour: str, opacity: float = 1) -> str:
    return ",".join([*(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5)), str(round(opacity * 255))])


def _qml(rules: Sequence[Rule], dimension: int) -> str:
    entries, drawn = [], []
    for number, rule in enumerate(rules):
        condition = _filter(rule, rules, dimension)
        chosen = f" filter={quoteattr(condition)}" if condition else ""
        entries.append(f'<rule key="r{number}" symbol="{number}" label={quoteattr(rule.title())}{chosen}/>')
        drawn.append(_qgis_symbol(rule, number, dimension))
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        f'<qgis version="3.22" styleCategories="Symbology"><renderer-v2 type="RuleRenderer" symbollevels="0"'
        f' forceraster="0"><rules key="rules">{"".join(entries)}</rules><symbols>{"".join(drawn)}</symbols>'
        "</renderer-v2><blendMode>0</blendMode></qgis>"
    )


def _qgis_symbol(rule: Rule, number: int, dimension: int) -> str:
    colour = rule.symbol.colour
    kind, layer, options = "marker", "SimpleMarker", {}
    if dimension == 0:
        hollow = rule.known is False
        options = {
            "name": MARKERS.get(rule.symbol.shape, "circle"), "size": "3",
            "color": _rgba(symbols.PAPER if hollow else colour),
            "outline_color": _rgba(colour if hollow else symbols.PAPER),
            "outline_width": "0.6" if hollow else "0.2",
        }  # fmt: skip
    elif dimension == 1:
        kind, layer = "line", "SimpleLine"
        options = {"line_color": _rgba(colour), "line_width": "0.8", "line_style": _dash(rule)}
    else:
        kind, layer = "fill", "SimpleFill"
        options = {
            "color": _rgba(colour, FILL), "style": "solid", "outline_color": _rgba(colour), "outline_width": "0.5",
            "outline_style": _dash(rule),
        }  # fmt: skip
    given = "".join(f'<Option name="{name}" type="QString" value={quoteattr(v)}/>' for name, v in options.items())
    return (
        f'<symbol type="{kind}" name="{number}" alpha="1" clip_to_extent="1" force_rhr="0"><layer class="{layer}"'
        f' enabled="1" locked="0" pass="0"><Option type="Map">{given}</Option></layer></symbol>'
    )


def _dash(rule: Rule) -> str:
    return "dash" if rule.known is False else "solid"


def _sld(collection: Collection, rules: Sequence[Rule], dimension: int) -> str:
    drawn = "".join(
        f"<se:Rule><se:Name>{escape(rule.title())}</se:Name>{_ogc_filter(rule, rules, dimension)}"
        f"{_sld_symbol(rule, dimension)}</se:Rule>"
        for rule in rules
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><StyledLayerDescriptor xmlns="http://www.opengis.net/sld"'
        ' xmlns:se="http://www.opengis.net/se" xmlns:ogc="http://www.opengis.net/ogc" version="1.1.0"><NamedLayer>'
        f"<se:Name>{collection.id}</se:Name><UserStyle><se:Name>{collection.id}</se:Name><se:FeatureTypeStyle>{drawn}"
        "</se:FeatureTypeStyle></UserStyle></NamedLayer></StyledLayerDescriptor>"
    )


def _ogc_filter(rule: Rule, rules: Sequence[Rule], dimension: int) -> str:
    listed = sorted({value for one in rules for value in one.values})
    parts = []
    if rule.values:
        parts.append(_any(rule.field, rule.values))
    elif listed:
        parts.append(f"<ogc:Not>{_any(rule.field, listed)}</ogc:Not>")
    if rule.known is not None:
        doubtful = _any(*_condition(dimension))
        parts.append(f"<ogc:Not>{doubtful}</ogc:Not>" if rule.known else doubtful)
    if not parts:
        return ""
    both = f"<ogc:And>{''.join(parts)}</ogc:And>" if len(parts) > 1 else parts[0]
    return f"<ogc:Filter>{both}</ogc:Filter>"


def _any(field: str, values: Sequence[str]) -> str:
    parts = "".join(
        f"<ogc:PropertyIsEqualTo><ogc:PropertyName>{field}</ogc:PropertyName><ogc:Literal>{value}</ogc:Literal>"
        "</ogc:PropertyIsEqualTo>"
        for value in values
    )
    return f"<ogc:Or>{parts}</ogc:Or>" if len(values) > 1 else parts


def _sld_symbol(rule: Rule, dimension: int) -> str:
    colour = rule.symbol.colour
    if dimension == 0:
        fill, stroke = (symbols.PAPER, colour) if rule.known is False else (colour, symbols.PAPER)
        return (
            "<se:PointSymbolizer><se:Graphic><se:Mark><se:WellKnownName>"
            f"{WELL_KNOWN.get(rule.symbol.shape, 'circle')}</se:WellKnownName>{_fill(fill, 1)}{_stroke(stroke, 1)}"
            "</se:Mark><se:Size>10</se:Size></se:Graphic></se:PointSymbolizer>"
        )
    dashes = symbols.DASHED if rule.known is False else ""
    if dimension == 1:
        return f"<se:LineSymbolizer>{_stroke(colour, 3, dashes)}</se:LineSymbolizer>"
    return f"<se:PolygonSymbolizer>{_fill(colour, FILL)}{_stroke(colour, 2, dashes)}</se:PolygonSymbolizer>"


def _fill(colour: str, opacity: float) -> str:
    return (
        f'<se:Fill><se:SvgParameter name="fill">{colour}</se:SvgParameter><se:SvgParameter name="fill-opacity">'
        f"{opacity}</se:SvgParameter></se:Fill>"
    )


def _stroke(colour: str, width: float, dashes: str = "") -> str:
    dash = f'<se:SvgParameter name="stroke-dasharray">{dashes}</se:SvgParameter>' if dashes else ""
    return (
        f'<se:Stroke><se:SvgParameter name="stroke">{colour}</se:SvgParameter><se:SvgParameter name="stroke-width">'
        f"{width}</se:SvgParameter>{dash}</se:Stroke>"
    )
