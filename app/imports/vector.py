"""GeoJSON, GeoPackage, Shapefile and KML, read by GDAL some rows at a time."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pyogrio
import shapely
from pyarrow.lib import ArrowException
from pyogrio.errors import DataSourceError
from pyogrio.raw import open_arrow
from pyproj import CRS
from pyproj.exceptions import CRSError

from app.imports.errors import Unreadable
from app.imports.source import Batch, Source

#: GDAL's names of the drivers that may open a file of a kind; whatever else claims it is refused.
DRIVERS = {"GeoJSON": ("GeoJSON",), "GeoPackage": ("GPKG",), "Shapefile": ("ESRI Shapefile",), "KML": ("LIBKML", "KML")}
#: A GeoJSON's coordinates are in WGS 84 by its standard, and in GCJ-02 as often: it must be said.
UNDECLARED = ("GeoJSON", "KML")
BATCH = 5000
MOST_NOTES = 20
#: Largest single feature of a GeoJSON, in MB; GDAL refuses larger ones.
LARGEST_FEATURE = "100"


@contextmanager
def _noting(source: Source) -> Iterator[None]:
    """Warnings of GDAL become notes, each once."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield
    for one in said:
        text = _said(str(one.message)).replace(str(source.path), source.path.name)
        if text not in source.notes and len(source.notes) < MOST_NOTES:
            source.notes.append(text)


def describe(source: Source, layer: str | None) -> str:
    """Choose the layer, and fill in what the file says of itself; gives the layer's name."""
    pyogrio.set_gdal_config_options({"OGR_GEOJSON_MAX_OBJ_SIZE": LARGEST_FEATURE})
    with _noting(source):
        return _describe(source, layer)


def _describe(source: Source, layer: str | None) -> str:
    try:
        found = pyogrio.list_layers(source.path)
        drawn = [str(name) for name, kind in found if kind is not None] or [str(name) for name, _ in found]
        source.layers = drawn
        if layer is None and len(drawn) != 1 and source.kind != "KML":
            names = "、".join(drawn)
            raise Unreadable(
                f"文件有多个图层，请以 --table 指明：{names}。 Several layers: name one by --table: {names}."
            )
        chosen = layer or drawn[0]
        if chosen not in drawn:
            raise Unreadable(f"没有图层 {chosen!r}。 No layer {chosen!r}: {'、'.join(drawn)}.")
        options = {"encoding": source.encoding} if source.kind == "Shapefile" else {}
        told = pyogrio.read_info(source.path, layer=chosen, **options)
    except (DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError, IndexError) as error:
        raise Unreadable(f"无法读取（{_said(error)}）。 Cannot be read ({_said(error)}).") from None
    if told["driver"] not in DRIVERS[source.kind]:
        raise Unreadable(f"不是 {source.kind}。 Not a {source.kind}.")
    if len(told["fields"]) > source.limits.columns:
        raise Unreadable(f"超过 {source.limits.columns} 列。 More than {source.limits.columns} columns.")
    if source.kind not in UNDECLARED or _has_crs_member(source):
        source.declared_crs = _code(told["crs"])
    source.total = told["features"] if told["features"] >= 0 else None
    return chosen


def _has_crs_member(source: Source) -> bool:
    if source.kind != "GeoJSON":
        return False
    with source.path.open("rb") as file:
        return b'"crs"' in file.read(4096)


def _code(crs: str | None) -> str | None:
    if crs is None:
        return None
    try:
        code = CRS.from_user_input(crs).to_epsg(min_confidence=25)
    except CRSError:
        return None
    return f"EPSG:{code}" if code else None


def _said(error: Exception | str) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__


def batches(source: Source, layer: str) -> Iterator[Batch]:
    """The rows of a layer, of a KML those of all its folders."""
    names = source.layers if source.kind == "KML" else [layer]
    start = 1
    with _noting(source):
        for name in names:
            for batch in _layer(source, name, start):
                start = batch.rows[-1] + 1
                yield batch


def _layer(source: Source, name: str, start: int) -> Iterator[Batch]:
    options: dict[str, Any] = {"encoding": source.encoding} if source.kind == "Shapefile" else {}
    try:
        with open_arrow(source.path, layer=name, batch_size=BATCH, use_pyarrow=True, **options) as (told, reader):
            drawn = told["geometry_name"] or "wkb_geometry"
            for batch in reader:
                if not batch.num_rows:
                    continue
                values = {one: batch.column(one).to_pylist() for one in batch.schema.names if one != drawn}
                shapes = np.full(batch.num_rows, None, dtype=object)
                if drawn in batch.schema.names:
                    wkb = np.array([bytes(one) if one else None for one in batch.column(drawn).to_pylist()], object)
                    # what no library can read becomes nothing, and is refused as such
                    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
                yield Batch(range(start, start + batch.num_rows), values, shapes)
                start += batch.num_rows
    except (DataSourceError, pyogrio.errors.DataLayerError, UnicodeDecodeError, OSError, ArrowException) as error:
        raise Unreadable(f"读到第 {start} 行为止（{_said(error)}）。 Read up to row {start}: {_said(error)}.") from None
