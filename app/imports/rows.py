"""The rows of a file as those of a layer: columns found, coordinates converted, every rule kept or told."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection

from app.catalog.imported import Definition, FieldDefinition
from app.imports import cells, tables, vector
from app.imports.addresses import Addresses, Known, NotFound
from app.imports.cells import Wrong
from app.imports.coordinates import converter, resolve
from app.imports.errors import Unreadable
from app.imports.job import PARTS, Job
from app.imports.report import Report
from app.imports.shapes import MISSING, checked
from app.imports.source import Batch, Source
from app.pinyin import syllables

#: Columns that are taken for coordinates, east and north, and for names where nobody says otherwise.
EAST = ("lon", "lng", "long", "longitude", "x", "经度", "东坐标", "东经")
NORTH = ("lat", "latitude", "y", "纬度", "北坐标", "北纬")
WKT = ("wkt", "geometry", "geom", "the_geom")
NAMES = ("name", "名称")
LONGEST_ID = 100
TEXT = FieldDefinition.model_construct(name="text", title="", title_en="", type="text")
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


@dataclass(frozen=True)
class Part:
    """Some accepted rows, column by column; ``values`` has a column for each field."""

    numbers: list[int]
    ids: list[str]
    names: list[str]
    values: list[list[Any]]
    methods: list[str]
    accuracies: list[float | None]
    sources: list[str]
    shapes: list[str]
    places: list[str | None]

    def columns(self) -> list[Sequence[Any]]:
        """In the order of the temporary table's columns."""
        how = (self.methods, self.accuracies, self.sources)
        return [self.numbers, self.ids, self.names, *self.values, *how, self.shapes]

    def rows(self) -> Iterator[Row]:
        """One by one."""
        values = zip(*self.values, strict=True) if self.values else ([] for _ in self.numbers)
        how = zip(self.methods, self.accuracies, self.sources, self.shapes, self.places, strict=True)
        for number, id, name, own, placed in zip(self.numbers, self.ids, self.names, values, how, strict=True):
            yield Row(number, id, name, list(own), *placed)


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
        self.convert = {one.name: cells.column(one, job.limits) for one in definition.fields}
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

    def read(self, progress: Callable[[int], None]) -> Iterator[Part]:
        """Every accepted row, some at a time."""
        for number, batch in enumerate(self._batches()):
            if number == 0:
                self._find_columns(batch)
            self.report.read += len(batch.rows)
            if self.report.read > self.job.limits.rows:
                most = self.job.limits.rows
                raise Unreadable(f"超过 {most} 行。 More than {most} rows.")
            accepted = self._accepted(batch)
            if accepted.numbers:
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
        self.parts["name"] = self.parts["name"] or _first(lower, NAMES)
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

    def _accepted(self, batch: Batch) -> Part:
        """The rows of a batch that keep every rule; of each other the first fault is told."""
        placed, count = self._placed(batch), len(batch.rows)
        none: Sequence[Any] = [None] * count
        shapes, hexes = placed.shapes, placed.hexes
        faults: dict[int, tuple[str, str, Any]] = {}

        def converted(name: str, convert: Callable[..., Any], given: Sequence[Any]) -> list[Any]:
            made: list[Any]
            made, wrong = convert(given)
            for place, rule in wrong.items():
                faults.setdefault(place, (name, rule, given[place]))
            return made

        names = converted("name", self._texts, batch.values.get(self.parts["name"] or "", none))
        names = [one or self.definition.title for one in names]
        values = [
            converted(name, self.convert[name], self._column(name, column, batch))
            for name, column in self.fields.items()
        ]
        if self.parts["key"]:
            ids = converted("key", self._slugs, batch.values[self.parts["key"]])
        else:
            ids = [one and content_id(name, one) for name, one in zip(names, hexes, strict=True)]
        for place in sorted(faults):
            if shapes[place] is not None:
                self.report.refuse(batch.rows[place], *faults[place])
        keep = [place for place in range(count) if shapes[place] is not None and place not in faults]
        return self._part(batch, placed, keep, names, values, ids)

    def _part(
        self,
        batch: Batch,
        placed: "_Placed",
        keep: list[int],
        names: list[str],
        values: list[list[Any]],
        ids: list[str],
    ) -> Part:
        def kept(column: Sequence[Any]) -> list[Any]:
            return list(column) if len(keep) == len(batch.rows) else [column[place] for place in keep]

        known = [placed.known.get(place) for place in keep] if placed.known else [None] * len(keep)
        method, accuracy = self.definition.geometry_method, self.definition.accuracy_m
        source = f"{self.report.file}：{self.definition.source}"
        return Part(
            kept(batch.rows), kept(ids), kept(names), [kept(one) for one in values],
            [one.method if one else method for one in known],
            [one.accuracy_m if one else accuracy for one in known],
            [f"地址匹配：{one.name}（{one.id}）。 Address matched to {one.id}." if one else source for one in known],
            kept(placed.hexes.tolist()), [one.id if one else None for one in known],
        )  # fmt: skip

    def _texts(self, given: Sequence[Any]) -> tuple[list[Any], dict[int, str]]:
        return cells.column(TEXT, self.job.limits)(given)

    def _slugs(self, keys: Sequence[Any]) -> tuple[list[Any], dict[int, str]]:
        texts, faults = self._texts(keys)
        for place, key in enumerate(texts):
            try:
                texts[place] = slug(key)
            except Wrong as error:
                faults.setdefault(place, str(error))
        return texts, faults

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
                number = cells.degrees(value, part, self.job.limits)
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
        words = " ".join(syllables(words))
    made = "-".join(re.findall(r"[a-z0-9]+", words.lower()))
    if not made or len(made) > LONGEST_ID:
        raise Wrong(f"键须为 1 至 {LONGEST_ID} 个字符。 A key has 1 to {LONGEST_ID} characters")
    return made


def content_id(name: str, wkb: str) -> str:
    """An id made of name and geometry: the same for the same thing, in whatever file it comes again."""
    return "x" + hashlib.blake2b(f"{name} {wkb}".encode(), digest_size=8).hexdigest()
