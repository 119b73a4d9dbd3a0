"""GeoPackage and FlatGeobuf, written by GDAL from a spool."""

import os
from pathlib import Path
from typing import Any

from app.encode.layer import Layer
from app.encode.spool import GEOMETRY, Spool

FLATGEOBUF = "application/vnd.flatgeobuf"


def write_arrow(*given: Any, **options: Any) -> None:
    """GDAL's writer; it is loaded with the first file, for it brings pandas, which no start should wait for."""
    from pyogrio.raw import write_arrow as write

    write(*given, **options)


def geometry_type(spool: Spool) -> str:
    """The one type of all geometries, else ``Unknown``; GDAL wants it beforehand."""
    return next(iter(spool.types)) if len(spool.types) == 1 else "Unknown"


def flatgeobuf(spool: Spool, path: Path) -> None:
    """Write a FlatGeobuf; the metadata stand in its header's description.

    It has a spatial index where every row has a geometry: the format knows no index of rows without.
    """
    layer = spool.layer
    options = {"TITLE": titled(layer), "DESCRIPTION": layer.about_json, "TEMPORARY_DIR": str(path.parent)}
    options["SPATIAL_INDEX"] = "YES" if spool.whole else "NO"
    write_arrow(
        spool.reader(), os.fspath(path), layer=layer.name, driver="FlatGeobuf", geometry_name=GEOMETRY,
        geometry_type=geometry_type(spool), crs=layer.srs, layer_options=options,
    )  # fmt: skip


def titled(layer: Layer) -> str:
    return f"{layer.title} {layer.title_en}"
