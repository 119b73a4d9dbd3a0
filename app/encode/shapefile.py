"""Shapefile in a zip: short ASCII names with a mapping, UTF-8 declared, one shapefile for each type of geometry.

The format holds names of 10 bytes and texts of 254; what did not fit is said in ``<layer>.fields.csv``.
"""

import csv
import io
import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pyarrow as pa
import shapely
from shapely.geometry.base import BaseGeometry

from app.encode.gdal import write_arrow
from app.encode.layer import Layer
from app.encode.spool import GEOMETRY, TYPES, Spool
from app.encode.values import legible

MEDIA_TYPE = "application/zip"
NAME_BYTES, TEXT_BYTES = 10, 254
NO_DATE = (1980, 1, 1, 0, 0, 0)
#: What GDAL calls the geometry of each kind of shapefile; the last is a table alone, of rows without any.
KINDS = {"point": "Point", "multipoint": "MultiPoint", "line": "LineString", "polygon": "Polygon", "none": None}
_KIND = {
    "Point": "point", "MultiPoint": "multipoint", "LineString": "line", "LinearRing": "line",
    "MultiLineString": "line", "Polygon": "polygon", "MultiPolygon": "polygon",
}  # fmt: skip


def shapefile(spool: Spool, path: Path) -> None:
    """Write the zip; a layer with one kind of geometry has one shapefile, named as the layer."""
    layer = spool.layer
    short = short_names([one.name for one in layer.columns])
    with TemporaryDirectory(dir=path.parent) as made:
        folder = Path(made)
        parts, cut = _sorted(spool, folder, short)
        for kind, part in parts.items():
            name = layer.name if len(parts) == 1 else f"{layer.name}_{kind}"
            _write(layer, part, folder / f"{name}.shp", kind)
            part.unlink()
        texts = {"fields.csv": _mapping(layer, short, cut), "about.txt": _about(layer)}
        for ending, text in texts.items():
            (folder / f"{layer.name}.{ending}").write_text(text, encoding="utf-8-sig", newline="")
        _zip(folder, path)


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Names of at most ten ASCII characters, no two alike: the name's beginning, numbered where it is taken."""
    taken: dict[str, str] = {}
    for name in names:
        short, number = name[:NAME_BYTES], 1
        while short in taken.values():
            number += 1
            short = f"{name[: NAME_BYTES - 1 - len(str(number))]}_{number}"
        taken[name] = short
    return taken


def fitting(text: str) -> str:
    """A text of at most 254 bytes in UTF-8, cut between two characters."""
    return text.encode()[:TEXT_BYTES].decode(errors="ignore")


def pieces(shape: BaseGeometry | None) -> Iterator[tuple[str, BaseGeometry | None]]:
    """The kinds of shapefile a geometry goes to, with what of it; a collection's parts go to those of their kinds."""
    if shape is None or shape.is_empty:
        yield "none", None
    elif shape.geom_type != "GeometryCollection":
        yield _KIND[shape.geom_type], shape
    else:
        parts = defaultdict(list)
        for one in shapely.get_parts(shape):
            for kind, piece in pieces(one):
                parts[kind].extend(shapely.get_parts(piece))
        make = {"line": shapely.multilinestrings, "polygon": shapely.multipolygons}
        for kind, found in parts.items():
            yield (kind, make[kind](found)) if kind in make else ("multipoint", shapely.multipoints(found))


def _sorted(spool: Spool, folder: Path, short: Mapping[str, str]) -> tuple[dict[str, Path], Counter[str]]:
    """The rows as Arrow files, one for each kind of shapefile, and how often each column was cut."""
    fields = [pa.field(short[one.name], TYPES.get(one.type, pa.string())) for one in spool.layer.columns]
    schema = pa.schema([*fields, pa.field(GEOMETRY, pa.binary())])
    writers: dict[str, Any] = {}
    cut: Counter[str] = Counter()
    with ExitStack() as stack:
        for rows in spool.rows():
            sorted_rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for row in rows:
                cells = {short[name]: _cell(name, row[name], cut) for name in short}
                shape = None if row[GEOMETRY] is None else shapely.from_wkb(row[GEOMETRY])
                for kind, piece in pieces(shape):
                    drawn = None if piece is None else shapely.to_wkb(piece)
                    sorted_rows[kind].append({**cells, GEOMETRY: drawn})
            for kind, some in sorted_rows.items():
                if kind not in writers:
                    file = stack.enter_context(pa.OSFile(str(folder / f"{kind}.arrow"), "wb"))
                    writers[kind] = stack.enter_context(pa.ipc.new_stream(file, schema))
                writers[kind].write_batch(pa.RecordBatch.from_pylist(some, schema=schema))
        if not writers:
            file = stack.enter_context(pa.OSFile(str(folder / "none.arrow"), "wb"))
            writers["none"] = stack.enter_context(pa.ipc.new_stream(file, schema))
    return {kind: folder / f"{kind}.arrow" for kind in KINDS if kind in writers}, cut


def _cell(name: str, value: Any, cut: Counter[str]) -> Any:
    value = legible(value)
    if not isinstance(value, str):
        return value
    text = fitting(value)
    cut[name] += text != value
    return text


def _write(layer: Layer, part: Path, path: Path, kind: str) -> None:
    options = {"DBF_DATE_LAST_UPDATE": str(layer.about.get("data_as_of", "1970-01-01"))[:10]}
    with pa.memory_map(str(part)) as file, pa.ipc.open_stream(file) as reader:
        rows = reader
        geometry: dict[str, Any] = {"geometry_name": GEOMETRY, "geometry_type": KINDS[kind], "crs": layer.srs}
        if KINDS[kind] is None:
            schema = reader.schema.remove(reader.schema.get_field_index(GEOMETRY))
            rows = pa.RecordBatchReader.from_batches(schema, (one.select(schema.names) for one in reader))
            geometry, options["SHPT"] = {}, "NULL"
        write_arrow(
            rows, os.fspath(path), layer=path.stem, driver="ESRI Shapefile", encoding="UTF-8",
            layer_options=options, **geometry,
        )  # fmt: skip


def _mapping(layer: Layer, short: Mapping[str, str], cut: Mapping[str, int]) -> str:
    """What each short name stands for, and how many of its values were cut."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(["short_name", "name", "title", "title_en", "unit", "values_cut_at_254_bytes"])
    for one in layer.columns:
        writer.writerow([short[one.name], one.name, one.title, one.title_en, one.unit or "", cut[one.name]])
    return buffer.getvalue()


def _about(layer: Layer) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in layer.about_lines())


def _zip(folder: Path, path: Path) -> None:
    """All files of a folder; the same content gives the same bytes."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for one in sorted(folder.iterdir()):
            info = ZipInfo(one.name, NO_DATE)
            info.compress_type = ZIP_DEFLATED
            with one.open("rb") as source, archive.open(info, "w") as target:
                while chunk := source.read(1 << 20):
                    target.write(chunk)
