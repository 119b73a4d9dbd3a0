"""KML 2.2 for Google Earth and Ovital: longitude first, WGS 84, every property with its title."""

from collections.abc import AsyncIterator, Iterator, Sequence
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import shapely
from shapely.geometry.base import BaseGeometry

from app.encode.layer import Layer, Row
from app.encode.values import legible, printable

MEDIA_TYPE = "application/vnd.google-earth.kml+xml"
TYPES = {"number": "double", "integer": "int", "boolean": "bool"}
#: An outline that lets the ground be seen; the schematic one is thinner, for KML knows no dashes. Colours: aabbggrr.
STYLES = """<Style id="known"><LineStyle><color>ff8a5c1f</color><width>2</width></LineStyle>\
<PolyStyle><color>26738a1f</color></PolyStyle></Style>
<Style id="schematic"><LineStyle><color>b3808080</color><width>1</width></LineStyle>\
<PolyStyle><color>1a808080</color></PolyStyle></Style>
"""


async def kml_stream(layer: Layer, batches: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    """The document piece by piece."""
    about = "\n".join(f"{name}: {value}" for name, value in layer.about_lines())
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document>\n'
        f"<name>{_text(f'{layer.title} {layer.title_en}')}</name>\n<description>{_text(about)}</description>\n"
        f"{STYLES}{_schema(layer)}"
    ).encode()
    async for rows in batches:
        yield "".join(_placemark(layer, row) for row in rows).encode()
    yield b"</Document></kml>\n"


def _text(value: str) -> str:
    return escape(printable(value))


def _schema(layer: Layer) -> str:
    fields = "".join(
        f"<SimpleField name={quoteattr(one.name)} type={quoteattr(TYPES.get(one.type, 'string'))}>"
        f"<displayName>{_text(f'{one.title} {one.title_en}')}</displayName></SimpleField>\n"
        for one in layer.columns
    )
    return f'<Schema id="{layer.name}" name="{layer.name}">\n{fields}</Schema>\n'


def _placemark(layer: Layer, row: Row) -> str:
    data = "".join(
        f"<SimpleData name={quoteattr(one.name)}>{_text(_plain(row[one.name]))}</SimpleData>"
        for one in layer.columns
        if row[one.name] is not None
    )
    name = row.get("name") or row["id"]
    style = "schematic" if row.get("schematic") else "known"
    drawn = "" if row["geometry"] is None else "".join(_geometry(shapely.from_wkb(row["geometry"])))
    # an XML id begins with a letter or underscore
    return (
        f"<Placemark id={quoteattr(printable('_' + row['id']))}><name>{_text(str(name))}</name>"
        f"<styleUrl>#{style}</styleUrl>"
        f'<ExtendedData><SchemaData schemaUrl="#{layer.name}">{data}</SchemaData></ExtendedData>{drawn}</Placemark>\n'
    )


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(legible(value))


def _geometry(shape: BaseGeometry) -> Iterator[str]:
    if shape.geom_type == "Point":
        yield f"<Point>{_coordinates(shape)}</Point>"
    elif shape.geom_type in ("LineString", "LinearRing"):
        yield f"<LineString><tessellate>1</tessellate>{_coordinates(shape)}</LineString>"
    elif shape.geom_type == "Polygon":
        yield f"<Polygon><outerBoundaryIs>{_ring(shape.exterior)}</outerBoundaryIs>"
        for inner in shape.interiors:
            yield f"<innerBoundaryIs>{_ring(inner)}</innerBoundaryIs>"
        yield "</Polygon>"
    else:
        yield "<MultiGeometry>"
        for part in shape.geoms:
            yield from _geometry(part)
        yield "</MultiGeometry>"


def _ring(ring: BaseGeometry) -> str:
    return f"<LinearRing>{_coordinates(ring)}</LinearRing>"


def _coordinates(shape: BaseGeometry) -> str:
    pairs = " ".join(f"{x:.7f},{y:.7f}" for x, y in shapely.get_coordinates(shape))
    return f"<coordinates>{pairs}</coordinates>"
