"""A file from outside, opened by what it is, not by what it is called."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from app.imports.archives import entries, opened, pieces, root_of, unpack
from app.imports.encodings import of_table, of_text
from app.imports.errors import Unreadable
from app.imports.limits import Limits

Values = Mapping[str, Sequence[Any]]
#: Parts of a shapefile that are read; an archive may hold others, which stay where they are.
SHAPEFILE = (".shp", ".shx", ".dbf", ".prj", ".cpg")
#: Files of these kinds hold XML, which is looked at before anything else reads it.
XML_IN_XLSX = (".xml", ".rels")
UTF16 = (b"\xff\xfe", b"\xfe\xff")
KINDS = ("GeoJSON", "GeoPackage", "Shapefile", "KML", "CSV", "XLSX")


@dataclass(frozen=True)
class Batch:
    """Some rows: their numbers in the file, values by column, and geometries (``None`` of a file that has no such)."""

    rows: Sequence[int]
    values: Values
    shapes: np.ndarray | None


@dataclass
class Source:
    """A file that can be read: its kind, how its text is encoded, the reference system it declares (``EPSG:n``).

    ``notes`` are warnings of the library that reads it.
    """

    kind: str
    path: Path
    limits: Limits
    encoding: str | None = None
    declared_crs: str | None = None
    total: int | None = None
    layers: Sequence[str] = field(default=())
    notes: list[str] = field(default_factory=list)


def kind_of(path: Path) -> str:
    """What a file is, by its content. Raises ``Unreadable`` for anything that is not imported."""
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(b"SQLite format 3\0"):
        if start[68:72] in (b"GPKG", b"GP10", b"GP11"):
            return "GeoPackage"
    elif start.startswith(b"PK\x03\x04"):
        with opened(path) as archive:
            names = archive.namelist()
        if "[Content_Types].xml" in names and any(one.startswith("xl/") for one in names):
            return "XLSX"
        if any(one.lower().endswith((".shp", ".dbf")) for one in names):
            return "Shapefile"
    else:
        text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
        if text.startswith(b"{"):
            return "GeoJSON"
        if text.startswith(b"<"):
            if root_of(pieces(path)).rpartition(" ")[2] == "kml":
                return "KML"
        elif text and (b"\0" not in start or start[:2] in UTF16):
            return "CSV"
    raise Unreadable(
        f"不是可导入的文件；可导入：{'、'.join(KINDS)}（Shapefile 须打包为 zip）。"
        f" Not a file that can be imported: {', '.join(KINDS)} (a Shapefile as zip)."
    )


@contextmanager
def source(path: Path, limits: Limits, encoding: str | None = None) -> Iterator[Source]:
    """A file ready to be read, taken out of its archive where it is in one."""
    if path.stat().st_size > limits.file:
        raise Unreadable(f"文件超过 {limits.file >> 20} MiB。 The file is larger than {limits.file >> 20} MiB.")
    kind = kind_of(path)
    if kind == "Shapefile":
        with TemporaryDirectory(prefix="innomap-import-") as folder:
            yield _shapefile(path, Path(folder), limits, encoding)
        return
    found = Source(kind, path, limits)
    if kind == "CSV":
        found.encoding = of_text(path, encoding)
    elif kind == "XLSX":
        _check_workbook(path, limits)
    yield found


def _shapefile(path: Path, folder: Path, limits: Limits, encoding: str | None) -> Source:
    with opened(path) as archive:
        wanted = [one for one in entries(archive, limits) if Path(one.filename).suffix.lower() in SHAPEFILE]
        unpacked = list(unpack(archive, wanted, folder, limits))
    for one in unpacked:
        # endings as GDAL looks for them
        one.rename(one.with_suffix(one.suffix.lower()))
    tables = sorted(folder.glob("*.dbf"))
    shapes = sorted(folder.glob("*.shp"))
    if len(shapes) != 1:
        names = "、".join(one.name for one in shapes) or "0"
        raise Unreadable(f"压缩包须恰有一个 .shp，此处：{names}。 The archive must hold exactly one .shp: {names}.")
    table = shapes[0].with_suffix(".dbf")
    if table not in tables:
        raise Unreadable(f"缺 {table.name}。 {table.name} is missing.")
    cpg = shapes[0].with_suffix(".cpg")
    found = Source("Shapefile", shapes[0], limits)
    found.encoding = of_table(table, cpg if cpg.exists() else None, encoding)
    return found


def _check_workbook(path: Path, limits: Limits) -> None:
    with opened(path) as archive:
        for one in entries(archive, limits):
            if one.filename.lower().endswith(XML_IN_XLSX):
                with archive.open(one) as part:
                    root_of(iter(lambda: part.read(1 << 16), b""))
