"""Rows as CSV for spreadsheets: UTF-8 with a byte order mark, which Excel needs to tell it from the local code page."""

import csv
import io
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

MEDIA_TYPE = "text/csv; charset=utf-8"
#: A cell that begins so is taken for a formula by spreadsheets.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
#: Rows encoded at a time.
CHUNK = 200


async def csv_stream(names: Sequence[str], rows: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    """A header and one line a row, piece by piece."""
    yield b"\xef\xbb\xbf"
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(names)
    held = 0
    async for row in rows:
        writer.writerow([cell(row[name]) for name in names])
        held += 1
        if held == CHUNK:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
            held = 0
    yield buffer.getvalue().encode()


def cell(value: Any) -> Any:
    """A value as a spreadsheet shows it: lists joined, objects as JSON, text never a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = "；".join(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    # an apostrophe in front keeps it text, in Excel and in LibreOffice
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
