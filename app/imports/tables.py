"""CSV and XLSX, read row by row; the first row that is more than a title names the columns."""

import csv
import datetime
import sys
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from app.imports.errors import Unreadable
from app.imports.source import Batch, Source

BATCH = 5000
#: What our own CSV puts before a text that a spreadsheet would take for a formula.
GUARDED = ("'=", "'+", "'-", "'@", "'\t", "'\r")
DELIMITERS = ",;\t，"
#: Rows among which the names of the columns are looked for.
HEAD = 10


class Formula(str):
    """A cell that holds a formula; its value is known to nobody but a spreadsheet program."""


def csv_batches(source: Source) -> Iterator[Batch]:
    """The rows of a CSV."""
    csv.field_size_limit(min(sys.maxsize, 64 << 20))
    with source.path.open(encoding=source.encoding, newline="") as file:
        lines = (file.readline(1 << 20) for _ in range(HEAD))
        head = next((line for line in lines if any(one in line for one in DELIMITERS)), "")
        delimiter = max(DELIMITERS, key=head.count)
        file.seek(0)
        try:
            rows = csv.reader(file, delimiter=delimiter, strict=True)
            first, head_row, rest = _headed(rows)
            names = _names(head_row, source)
            for batch in _batched(names, (row if any(row) else [] for row in rest), first):
                yield Batch(batch.rows, {name: _unguarded(one) for name, one in batch.values.items()}, None)
        except csv.Error as error:
            raise Unreadable(f"不是完好的 CSV（{error}）。 Not a sound CSV ({error}).") from None


def _unguarded(column: Sequence[Any]) -> Sequence[Any]:
    """A column without the apostrophes that our own CSV sets before what looks like a formula."""
    # at a glance: hardly any column has one
    if "\0'" not in "\0".join(["", *(one or "" for one in column)]):
        return column
    return [one[1:] if one and one.startswith(GUARDED) else one for one in column]


def xlsx_batches(source: Source, sheet: str | None) -> Iterator[Batch]:
    """The rows of a workbook's first sheet, or of the one that is named."""
    try:
        # a workbook that is refused is closed like any other
        with source.path.open("rb") as file:
            book = openpyxl.load_workbook(file, read_only=True, keep_links=False)
            source.layers = book.sheetnames
            if sheet is not None and sheet not in book.sheetnames:
                names = "、".join(book.sheetnames)
                raise Unreadable(f"没有工作表 {sheet!r}。 No sheet {sheet!r}: {names}.")
            chosen: Any = book[sheet] if sheet else book.worksheets[0]
            # what the file says of its size may be anything
            chosen.reset_dimensions()
            first, head, rows = _headed(_values(row) for row in chosen.iter_rows())
            columns = _names(head, source)
            yield from _batched(columns, rows, first)
    except (BadZipFile, InvalidFileException, KeyError, IndexError, ParseError, ValueError, TypeError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"不是完好的 XLSX（{error}）。 Not a sound XLSX ({error}).") from None


def _values(row: Sequence[Any]) -> list[Any]:
    values = [_value(one) for one in row]
    return values if any(one is not None and one != "" for one in values) else []


def _value(cell: Any) -> Any:
    if cell.data_type == "f":
        return Formula(cell.value)
    if cell.data_type == "e":
        return None
    value = cell.value
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return value


def _headed(rows: Iterator[Sequence[Any]]) -> tuple[int, Sequence[Any], Iterator[Sequence[Any]]]:
    """The number of the row that names the columns, that row, and the rows below it.

    A title above a table is one cell: the first row of several is taken, of a table of one column the first of all.
    """
    looked = list(islice(rows, HEAD))
    filled = [sum(one is not None and one != "" for one in row) for row in looked]
    wide = [place for place, cells in enumerate(filled) if cells > 1]
    first = wide[0] if wide else 0
    return first + 1, looked[first] if looked else [], chain(looked[first + 1 :], rows)


def _names(head: Sequence[Any], source: Source) -> list[str]:
    names = [str(one).strip() if one is not None else "" for one in head]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise Unreadable("第一行须为列名。 The first row must name the columns.")
    if len(names) > source.limits.columns:
        raise Unreadable(f"超过 {source.limits.columns} 列。 More than {source.limits.columns} columns.")
    twice = next((one for one in names if one and names.count(one) > 1), None)
    if twice:
        raise Unreadable(f"列名 {twice[:50]!r} 重复。 Two columns are called {twice[:50]!r}.")
    return names


def _batched(names: list[str], rows: Iterator[Sequence[Any]], first: int) -> Iterator[Batch]:
    """Rows some at a time, below the row ``first``; one without any value is empty, and left out."""
    held: list[Sequence[Any]] = []
    numbers: list[int] = []
    number = first
    for number, row in enumerate(rows, first + 1):
        if not row:
            continue
        held.append(row)
        numbers.append(number)
        if len(held) == BATCH:
            yield _batch(names, numbers, held)
            held, numbers = [], []
    # of a file without rows the columns are looked at all the same
    if held or number == first:
        yield _batch(names, numbers, held)


def _batch(names: list[str], numbers: list[int], rows: list[Sequence[Any]]) -> Batch:
    width = len(names)
    if any(len(row) < width for row in rows):
        rows = [[*row, *([None] * (width - len(row)))] for row in rows]
    columns = zip(*rows, strict=False) if rows else [()] * width
    return Batch(numbers, {name: column for name, column in zip(names, columns, strict=False) if name}, None)
