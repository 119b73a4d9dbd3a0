"""Which files of ``geodata/`` fill which table, and how a row of text becomes typed values.

The columns of a file are the columns of its table, except what the database or the load derives, and a point, which
is written as ``lon``, ``lat``. So a new column of a table is a new column of its file, with nothing to add here.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db import tables as t
from app.db.columns import SRID

Row = dict[str, Any]


@dataclass(frozen=True)
class FileTable:
    """One kind of data file: its name, its table and how they differ."""

    name: str
    table: sa.Table
    point: str | None = None
    derived: frozenset[str] = frozenset()

    @property
    def columns(self) -> tuple[sa.Column[Any], ...]:
        """The table's columns that stand in the file under their own name."""
        return tuple(
            column
            for column in self.table.columns
            if column.name not in self.derived and column.name != "row_id" and not is_geometry(column)
        )

    @property
    def header(self) -> tuple[str, ...]:
        """The names a file's first row must have, in any order."""
        names = [column.name for column in self.columns]
        return (*names, "lon", "lat") if self.point else tuple(names)


def is_geometry(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, Geometry)


#: In the order of their references, so that a load may go through it from the top.
FILE_TABLES = (
    FileTable("documents", t.document),
    FileTable("kinds", t.kind),
    FileTable("units", t.unit),
    FileTable("regions", t.region, "seat", frozenset({"outline_source", "area_km2", "land_area_km2", "retired"})),
    FileTable(
        "platforms",
        t.platform,
        "position",
        frozenset({"position_county", "position_city", "plan", "edited", "retired", "deleted", "version"}),
    ),
    FileTable("aliases", t.alias),
    FileTable("mentions", t.mention),
    FileTable("layouts", t.layout),
    FileTable("layout_elements", t.layout_element, "position"),
    FileTable("layout_axes", t.layout_axis, "point"),
    FileTable("layout_members", t.layout_member),
    FileTable("industries", t.industry),
    FileTable("industry_links", t.industry_link),
    FileTable("industry_relations", t.industry_relation),
    FileTable("tasks", t.task),
    FileTable("indicators", t.indicator),
    FileTable("indicator_labels", t.indicator_label),
    FileTable("indicator_values", t.indicator_value, None, frozenset({"value"})),
    FileTable("not_comparable", t.not_comparable),
    FileTable("disagreements", t.disagreement),
    FileTable("disagreement_sides", t.disagreement_side),
)


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong with the data files."""

    file: str
    line: int
    field: str
    rule: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.field}: {self.rule}"


@dataclass
class Source:
    """A row as read: where it stands and its typed values (a failed value is absent, its fault is listed)."""

    file: str
    line: int
    row: Row


@dataclass
class DataSet:
    """Everything that ``geodata/`` says: rows by file table name, outlines by adcode, faults found while reading."""

    rows: dict[str, list[Source]] = field(default_factory=dict)
    outlines: dict[str, Row] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def values(self, name: str) -> list[Row]:
        return [source.row for source in self.rows.get(name, [])]


def checksum(folder: Path) -> str:
    """SHA-256 over names and contents of every data file below ``folder``."""
    digest = hashlib.sha256()
    for path in data_files(folder):
        digest.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def data_files(folder: Path) -> list[Path]:
    """The files that the load reads, in a fixed order."""
    names = {spec.name for spec in FILE_TABLES}
    tables = [path for path in folder.glob("*/*.csv") if path.stem in names]
    return sorted(tables + list((folder / "boundaries").glob("*.geojson")))


def read_tables(folder: Path) -> DataSet:
    """Read every CSV file below ``folder``; what cannot be read becomes a fault, never an exception."""
    data = DataSet()
    known = {spec.name: spec for spec in FILE_TABLES}
    for path in sorted(folder.glob("*/*.csv")):
        name = str(path.relative_to(folder))
        spec = known.get(path.stem)
        if spec is None:
            said = f"没有这个表，已知：{'、'.join(known)}。"
            data.faults.append(Fault(name, 1, "file", f"{said} no such table; known: {', '.join(known)}"))
            continue
        rows = data.rows.setdefault(spec.name, [])
        rows.extend(_read_file(path, name, spec, data.faults))
    return data


def _read_file(path: Path, name: str, spec: FileTable, faults: list[Fault]) -> Iterator[Source]:
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        where = f"({error.reason} at byte {error.start})"
        faults.append(Fault(name, 1, "file", f"须为 UTF-8。 must be UTF-8 {where}"))
        return
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        if set(header) != set(spec.header) or len(header) != len(spec.header):
            missing = set(spec.header) - set(header)
            extra = [column for column in header if header.count(column) > 1 or column not in spec.header]
            said = f"缺 {sorted(missing)}，多余或重复 {extra}。"
            faults.append(Fault(name, 1, "header", f"{said} missing {sorted(missing)}, unknown or double {extra}"))
            return
        for cells in reader:
            # the line the row ends on; a quoted cell may hold line ends
            line = reader.line_num
            if len(cells) != len(header):
                said = f"有 {len(cells)} 格，表头 {len(header)} 格。"
                faults.append(Fault(name, line, "row", f"{said} has {len(cells)} cells, the header {len(header)}"))
                continue
            yield Source(name, line, _typed(dict(zip(header, cells, strict=True)), spec, name, line, faults))
    except csv.Error as error:
        faults.append(Fault(name, reader.line_num, "row", f"不是 CSV。 not CSV: {error}"))


def _typed(cells: dict[str, str], spec: FileTable, file: str, line: int, faults: list[Fault]) -> Row:
    row: Row = {}
    for column in spec.columns:
        cell = cells[column.name].strip()
        if "\0" in cell:
            faults.append(Fault(file, line, column.name, "含 NUL 字符。 holds a NUL character"))
            continue
        try:
            row[column.name] = _convert(cell, column)
        except ValueError as error:
            faults.append(Fault(file, line, column.name, str(error)))
            continue
        if row[column.name] is None and not column.nullable:
            faults.append(Fault(file, line, column.name, "必填。 is required"))
        allowed = column.info.get("values")
        if allowed and cell and cell not in allowed:
            said = f"{cell!r} 不在取值之内。 {cell!r} is not one of {', '.join(allowed)}"
            faults.append(Fault(file, line, column.name, said))
    if spec.point:
        lon, lat = cells["lon"].strip(), cells["lat"].strip()
        row[spec.point] = _point(lon, lat, file, line, faults)
        if not (lon or lat or spec.table.c[spec.point].nullable):
            faults.append(Fault(file, line, "lon", "必填。 is required"))
    return row


def _point(lon: str, lat: str, file: str, line: int, faults: list[Fault]) -> str | None:
    """EWKT of a position, ``None`` where both cells are empty."""
    if not lon and not lat:
        return None
    for name, cell, limit in (("lon", lon, 180), ("lat", lat, 90)):
        if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]+)?", cell) or abs(float(cell)) > limit:
            said = f"{cell!r} 不是 WGS-84 度数（lon、lat 同填或同空）。"
            faults.append(Fault(file, line, name, f"{said} is not a WGS-84 degree (lon and lat, or neither)"))
            return None
    # spelt as PostGIS spells it, so that a stored point can be compared with its file
    return f"SRID={SRID};POINT({float(lon):.15g} {float(lat):.15g})"


def _integer(cell: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,9}", cell):
        raise ValueError(f"{cell!r} 不是整数。 {cell!r} is not a whole number")
    return int(cell)


def _decimal(cell: str) -> Decimal:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", cell):
        raise ValueError(f"{cell!r} 不是普通小数。 {cell!r} is not a plain decimal number")
    return Decimal(cell)


def _json(cell: str) -> Any:
    if "\\u0000" in cell:
        raise ValueError("含 NUL 字符。 holds a NUL character")
    try:
        value = json.loads(cell, parse_constant=_no_constant)
    except ValueError as error:
        raise ValueError(f"不是 JSON。 not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("须为 JSON 对象。 must be a JSON object")
    return value


def _no_constant(name: str) -> None:
    """Python reads NaN and Infinity, which JSON has not."""
    raise ValueError(f"{name} 不是值。 {name} is no value")


CONVERTERS: tuple[tuple[type, Callable[[str], Any]], ...] = (
    (sa.Integer, _integer),
    (sa.Float, lambda cell: float(_decimal(cell))),
    (sa.Numeric, _decimal),
    (JSONB, _json),
    (ARRAY, lambda cell: [part.strip() for part in cell.split("；") if part.strip()]),
    (sa.Text, str),
)


def _convert(cell: str, column: sa.Column[Any]) -> Any:
    if not cell:
        return [] if isinstance(column.type, ARRAY) else None
    for kind, convert in CONVERTERS:
        if isinstance(column.type, kind):
            return convert(cell)
    raise AssertionError(f"no converter for {column}")
