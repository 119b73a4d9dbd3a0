"""Items as table rows, and CSV for spreadsheets: UTF-8 with a byte order mark, which Excel needs to tell it from the
local code page."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import shapely

from app.catalog import Field
from app.encode.layer import Layer, Row
from app.encode.values import legible

MEDIA_TYPE = "text/csv; charset=utf-8"
#: A cell that begins so is taken for a formula by spreadsheets.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
WKT = Field("wkt", "图形（WKT）", "Geometry (WKT)")
#: A table has no head for them: what every row carries, in the last columns.
CARRIED = (
    Field("crs", "坐标参考系（东坐标在前）", "Reference system, east first"),
    Field("data_version", "数据版本", "Version of the data"),
    Field("attribution", "来源与许可", "Sources and licences"),
)
#: Decimals of coordinates in texts, as in GeoJSON.
DECIMALS = {"degree": 6, "metre": 2}


def table_columns(layer: Layer) -> tuple[Field, ...]:
    """The columns of the layer as a table."""
    return (*layer.columns, *([WKT] if layer.wkt else []), *CARRIED)


def record(layer: Layer, row: Row) -> list[Any]:
    """An item's cells; lists are joined, numbers and truth values stay what they are."""
    cells = [legible(row[one.name]) for one in layer.columns]
    if layer.wkt:
        cells.append(_wkt(row["geometry"], layer))
    about = layer.about
    return [*cells, layer.crs.code, about.get("data_version"), " ".join(about.get("attribution", ()))]


def _wkt(shape: bytes | None, layer: Layer) -> str | None:
    if shape is None:
        return None
    text: str = shapely.to_wkt(shapely.from_wkb(shape), rounding_precision=DECIMALS[layer.crs.unit])
    return text


async def csv_stream(layer: Layer, batches: AsyncIterator[Sequence[Row]]) -> AsyncIterator[bytes]:
    """A header and one line a row, piece by piece."""
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([one.name for one in table_columns(layer)])
    async for rows in batches:
        writer.writerows([cell(value) for value in record(layer, row)] for row in rows)
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def cell(value: Any) -> Any:
    """A value as CSV shows it; a text is never a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    # an apostrophe in front keeps it text, in Excel and in LibreOffice
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
