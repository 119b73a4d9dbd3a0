"""XLSX for people: a sheet of items, and one that says what the columns mean and where they come from."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font

from app.encode.layer import Layer
from app.encode.spool import Spool
from app.encode.tabular import record, table_columns
from app.encode.values import printable

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: What a sheet and a cell hold; more rows go on to a further sheet, a longer text is cut and said.
ROWS, CHARACTERS = 1_048_576, 32_767
CUT = "…〔过长，已截断；全文见 CSV。 Cut here: the CSV has it whole.〕"
BOLD = Font(bold=True)
NO_DATE = (1980, 1, 1, 0, 0, 0)


def workbook(spool: Spool, path: Path) -> None:
    """Write the workbook row by row; texts are never formulas."""
    layer = spool.layer
    book = Workbook(write_only=True)
    columns = table_columns(layer)
    sheet: Any = None
    left = 0
    for row in (one for rows in spool.rows() for one in rows):
        if not left:
            sheet = _sheet(book, layer, [one.name for one in columns])
            left = ROWS - 1
        sheet.append([_cell(sheet, value) for value in record(layer, row)])
        left -= 1
    if sheet is None:
        _sheet(book, layer, [one.name for one in columns])
    _notes(book, layer, columns)
    book.properties.title = f"{layer.title} {layer.title_en}"
    book.properties.creator = "Jiaxing Innovation Map"
    beside = path.with_suffix(".raw")
    book.save(beside)
    _undated(beside, path)


def _sheet(book: Workbook, layer: Layer, names: Sequence[str]) -> Any:
    number = len(book.sheetnames) + 1
    sheet = book.create_sheet(layer.name[:25] if number == 1 else f"{layer.name[:25]} {number}")
    sheet.freeze_panes = "A2"
    heads = [_cell(sheet, name) for name in names]
    for head in heads:
        head.font = BOLD
    sheet.append(heads)
    return sheet


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, str):
        value = printable(value)
        if len(value) > CHARACTERS:
            value = value[: CHARACTERS - len(CUT)] + CUT
    cell = WriteOnlyCell(sheet, value)
    if isinstance(value, str):
        # whatever it begins with: a text, no formula
        cell.data_type = "s"
    return cell


def _notes(book: Workbook, layer: Layer, columns: Sequence[Any]) -> None:
    sheet = book.create_sheet("说明 Notes")
    sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 24, 60
    sheet.column_dimensions["C"].width = 60
    for name, value in layer.about_lines():
        cells = [_cell(sheet, name), _cell(sheet, value)]
        cells[1].alignment = Alignment(wrap_text=True, vertical="top")
        sheet.append(cells)
    sheet.append([])
    for one in columns:
        unit = f" ({one.unit})" if one.unit else ""
        sheet.append([_cell(sheet, text) for text in (one.name, one.title + unit, one.title_en + unit)])


def _undated(source: Path, path: Path) -> None:
    """The same workbook without the moment of its making, so that the same rows give the same bytes."""
    with ZipFile(source) as made, ZipFile(path, "w", ZIP_DEFLATED) as kept:
        for one in made.infolist():
            info = ZipInfo(one.filename, NO_DATE)
            info.compress_type = ZIP_DEFLATED
            with kept.open(info, "w") as target, made.open(one) as part:
                if one.filename == "docProps/core.xml":
                    target.write(_without_dates(part.read()))
                else:
                    while chunk := part.read(1 << 20):
                        target.write(chunk)
    source.unlink()


def _without_dates(text: bytes) -> bytes:
    head, _, rest = text.partition(b"<dcterms:created")
    if not rest:
        return text
    return head + rest.rpartition(b"</dcterms:modified>")[2]
