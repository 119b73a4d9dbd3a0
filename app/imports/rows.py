"""The rows of a file as those of a layer: columns found, coordinates converted, every rule kept or told."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pypinyin import lazy_pinyin
from sqlalchemy import Connection

from app.catalog.imported import Definition
from app.imports import cells, tables, vector
from app.imports.addresses import Addresses, Known, NotFound
from app.imports.cells import Wrong
from app.imports.coordinates import converter, resolve
from app.imports.errors import Unreadable
from app.imports.job import PARTS, Job
from app.imports.report import Report
from app.imports.shapes import MISSING, checked
from app.imports.source import Batch, Source

#: Columns that are taken for coordinates where nobody says otherwise, east and north.
EAST = ("lon", "lng", "long", "longitude", "x", "经度", "东坐标", "东经")
NORTH = ("lat", "latitude", "y", "纬度", "北坐标", "北纬")
WKT = ("wkt", "geometry", "geom", "the_geom")
LONGEST_ID = 100
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Row:
    """An accepted row: its number in the file, values of the fields, how its place is known, geometry as EWKB."""

    number: int
    id: str
    name: str
    values: list[Any]
    method: str
    accuracy_m: float | None
    source: str
    shape: str
    place: str | None = None

    def copied(self) -> list[Any]:
        """In the order of the temporary table's columns."""
        return [
            self.number, self.id, self.name, *self.values, self.method, self.accuracy_m, self.source, self.shape,
        ]  # fmt: skip


class Rows:
    """Reads the rows of one job. What is refused or repaired goes into the report."""

    def __init__(
        self, connection: Connection, job: Job, definition: Definition, source: Source, report: Report
    ) -> None:
        self.job = job
        self.definition = definition
        self.source = source
        self.report = report
        self.columns: Sequence[str] = ()
        self.parts = {name: job.mapping.get(name) or getattr(definition, name) for name in PARTS}
        self.fields = {one.name: job.mapping.get(one.name, one.source) for one in definition.fields}
        self.convert = {one.name: cells.converter(one, job.limits) for one in definition.fields}
        self.addresses = Addresses(connection) if self.parts["address"] else None
        self._layer = ""
        for name in (*job.mapping, *job.constants):
            if name not in self.fields and not (name in PARTS and name in job.mapping):
                raise Unreadable(f"没有字段 {name!r}。 No field {name!r}. [{'、'.join((*PARTS, *self.fields))}]")
        if source.kind not in ("CSV", "XLSX"):
            self._layer = vector.describe(source, job.table)
        report.encoding = source.encoding
        if self.addresses is None or job.crs or definition.crs or source.declared_crs:
            report.crs, report.crs_known = resolve(job.crs or definition.crs, source.declared_crs)
        self._to_degrees = converter(report.crs if report.crs and self.addresses is None else "EPSG:4326")

    def read(self, progress: Callable[[int], None]) -> Iterator[list[Row]]:
        """Every accepted row, some at a time."""
        for number, batch in enumerate(self._batches()):
            if number == 0:
                self._find_columns(batch)
            self.report.read += len(batch.rows)
            if self.report.read > self.job.limits.rows:
                most = self.job.limits.rows
                raise Unreadable(f"超过 {most} 行。 More than {most} rows.")
            accepted = list(self._accepted(batch))
            if accepted:
                yield accepted
            progress(self.report.read)

    def _batches(self) -> Iterator[Batch]:
        if self.source.kind == "CSV":
            return tables.csv_batches(self.source)
        if self.source.kind == "XLSX":
            return tables.xlsx_batches(self.source, self.job.table)
        return vector.batches(self.source, self._layer)

    def _find_columns(self, batch: Batch) -> None:
        """Every column that is spoken of must be there; coordinates are looked for by their usual names."""
        self.columns = list(batch.values)
        lower = {name.lower(): name for name in self.columns}
        if batch.shapes is None and self.addresses is None and not (self.parts["wkt"] or self.parts["lon"]):
            east, north = _first(lower, EAST), _first(lower, NORTH)
            self.parts |= {"lon": east, "lat": north} if east and north else {"wkt": _first(lower, WKT)}
            if not (self.parts["lon"] or self.parts["wkt"]):
                raise Unreadable(
                    "没有坐标列：请以 --map lon=…、lat=…，或 wkt=…、address=… 指明。"
                    f" No columns of coordinates: name them by --map lon=…, lat=…, or wkt=…, address=…. {self._there()}"
                )
        wanted = [*(one for one in self.parts.values() if one), *self._needed()]
        for name in wanted:
            if name not in batch.values:
                raise Unreadable(f"没有列 {name!r}。 No column {name!r}. {self._there()}")
        for name, column in self.fields.items():
            if column not in batch.values and name not in self.job.constants:
                self.report.notes.append(
                    f"字段 {name} 无列 {column!r}，留空。 {name}: no column {column!r}, left empty."
                )

    def _there(self) -> str:
        return f"[{'、'.join(self.columns)[:300]}]"

    def _needed(self) -> list[str]:
        """Columns that the steward names for fields, or that fields cannot do without."""
        named = [column for name, column in self.fields.items() if name in self.job.mapping]
        required = [one.name for one in self.definition.fields if one.required and one.name not in self.job.constants]
        return [*named, *(self.fields[name] for name in required)]

    def _accepted(self, batch: Batch) -> Iterator[Row]:
        placed = self._placed(batch)
        get = batch.values.get
        none: Sequence[Any] = [None] * len(batch.rows)
        names = get(self.parts["name"] or "", none)
        keys = get(self.parts["key"] or "", none)
        fields = [(name, self.convert[name], self._column(name, column, batch)) for name, column in self.fields.items()]
        method, accuracy = self.definition.geometry_method, self.definition.accuracy_m
        limits, report, keyed = self.job.limits, self.report, bool(self.parts["key"])
        shapes, hexes = placed.shapes, placed.hexes
        source = f"{report.file}：{self.definition.source}"
        for index, row in enumerate(batch.rows):
            if shapes[index] is None:
                continue
            at, value = "name", names[index]
            try:
                name = cells.text(value, limits) or self.definition.title
                made = []
                for field, convert, column in fields:
                    at, value = field, column[index]
                    made.append(convert(value))
                at, value = "key", keys[index]
                item = slug(cells.text(value, limits)) if keyed else content_id(name, hexes[index])
            except Wrong as error:
                report.refuse(row, at, str(error), value)
                continue
            by_address = placed.known.get(index)
            if by_address is None:
                yield Row(row, item, name, made, method, accuracy, source, hexes[index])
            else:
                told = f"地址匹配：{by_address.name}（{by_address.id}）。 Address matched to {by_address.id}."
                accurate = by_address.accuracy_m
                yield Row(row, item, name, made, by_address.method, accurate, told, hexes[index], by_address.id)

    def _column(self, name: str, column: str, batch: Batch) -> Sequence[Any]:
        """The cells of a field: the same for all rows where the steward gives it a value."""
        if name in self.job.constants:
            return [self.job.constants[name]] * len(batch.rows)
        return batch.values.get(column) or [None] * len(batch.rows)

    def _placed(self, batch: Batch) -> "_Placed":
        known: dict[int, Known] = {}
        shapes = self._by_address(batch, self.addresses, known) if self.addresses is not None else self._shapes(batch)
        found = checked(shapes, self._to_degrees, self.definition.geometry, self.job.limits)
        told = self.report
        for index, rule in found.refused:
            # what said itself why it has no geometry said it better
            if not (rule == MISSING and index in self._said):
                told.refuse(batch.rows[index], "geometry", rule)
        for index, how in found.repaired:
            told.repair(batch.rows[index], how)
        # without a reference system it gets that of its column
        hexes = shapely.to_wkb(found.shapes, hex=True)
        return _Placed(found.shapes, hexes, known)

    _said: frozenset[int] = frozenset()

    def _shapes(self, batch: Batch) -> np.ndarray:
        """Geometries in the file's reference system."""
        self._said = frozenset()
        if batch.shapes is not None:
            return batch.shapes
        if self.parts["wkt"]:
            texts = np.array([one or None for one in batch.values[self.parts["wkt"]]], dtype=object)
            shapes: np.ndarray = shapely.from_wkt(texts, on_invalid="ignore")
            return shapes
        said: set[int] = set()
        pairs = np.full((len(batch.rows), 2), np.nan)
        for axis, part in enumerate(("lon", "lat")):
            column = batch.values[self.parts[part] or ""]
            try:
                pairs[:, axis] = np.asarray(column, dtype=float)
            except (TypeError, ValueError):
                self._numbers(batch, column, part, pairs[:, axis], said)
        made: np.ndarray = shapely.points(pairs)
        made[np.isnan(pairs).any(axis=1)] = None
        self._said = frozenset(said)
        return made

    def _numbers(self, batch: Batch, column: Sequence[Any], part: str, into: np.ndarray, said: set[int]) -> None:
        """A column of coordinates that numpy does not read at once, cell by cell."""
        for index, value in enumerate(column):
            try:
                number = cells.number(value, self.job.limits)
            except Wrong as error:
                if index not in said:
                    self.report.refuse(batch.rows[index], part, str(error), value)
                    said.add(index)
                continue
            if number is not None:
                into[index] = float(number)

    def _by_address(self, batch: Batch, addresses: Addresses, known: dict[int, Known]) -> np.ndarray:
        shapes = np.full(len(batch.rows), None, dtype=object)
        said: set[int] = set()
        for index, value in enumerate(batch.values[self.parts["address"] or ""]):
            try:
                address = cells.text(value, self.job.limits)
                if address is None:
                    continue
                place = addresses.find(address)
            except (Wrong, NotFound) as error:
                self.report.refuse(batch.rows[index], "address", str(error), value)
                said.add(index)
                continue
            shapes[index] = shapely.Point(place.lon, place.lat)
            known[index] = place
        self._said = frozenset(said)
        return shapes


class _Placed:
    """Geometries of a batch, as they are and as EWKB; ``known`` says how those from addresses are known."""

    def __init__(self, shapes: np.ndarray, hexes: np.ndarray, known: dict[int, Known]) -> None:
        self.shapes = shapes
        self.hexes = hexes
        self.known = known


def _first(columns: dict[str, str], usual: Sequence[str]) -> str | None:
    return next((columns[one] for one in usual if one in columns), None)


def slug(key: str | None) -> str:
    """A key as an id: lower case, ASCII, single hyphens. Raises ``Wrong``."""
    words = key or ""
    if SLUG.fullmatch(words) and len(words) <= LONGEST_ID:
        return words
    if not words.isascii():
        words = " ".join(lazy_pinyin(words))
    made = "-".join(re.findall(r"[a-z0-9]+", words.lower()))
    if not made or len(made) > LONGEST_ID:
        raise Wrong(f"键须为 1 至 {LONGEST_ID} 个字符。 A key has 1 to {LONGEST_ID} characters")
    return made


def content_id(name: str, wkb: str) -> str:
    """An id made of name and geometry: the same for the same thing, in whatever file it comes again."""
    return "x" + hashlib.blake2b(f"{name} {wkb}".encode(), digest_size=8).hexdigest()
