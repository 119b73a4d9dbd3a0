"""Administrative outlines of ``geodata/boundaries/`` as columns of their regions."""

import json
from pathlib import Path
from typing import Any

from shapely.geometry import MultiPolygon, shape
from shapely.geometry.base import BaseGeometry

from app.db.columns import SRID
from app.ingest.files import DataSet, Fault

#: File of the full outlines of each level, by the setting that chooses the source of the counties.
COUNTIES = {"amap": "counties", "tianditu": "counties_tianditu"}


def read_outlines(folder: Path, counties: str, data: DataSet) -> None:
    """Add outlines by adcode: ``geom`` (full), ``land_geom`` (without sea) and ``outline_source``.

    The Tianditu outlines end at the shore: they are their own land outline.
    """
    files = [("city", "geom"), ("cities", "geom"), (COUNTIES[counties], "geom")]
    files.append(("counties_land" if counties == "amap" else COUNTIES[counties], "land_geom"))
    for name, column in files:
        path = folder / "boundaries" / f"{name}.geojson"
        label = str(path.relative_to(folder))
        try:
            collection = json.loads(path.read_text(encoding="utf-8"))
            for number, feature in enumerate(collection["features"], 1):
                _add(feature, column, collection.get("metadata", {}), data)
                if not shape(feature["geometry"]).is_valid:
                    data.faults.append(Fault(label, number, "geometry", "不是有效的面。 is not a valid polygon"))
        except (OSError, ValueError, KeyError, TypeError) as error:
            data.faults.append(Fault(label, 1, "file", f"不能读作 GeoJSON。 cannot be read as GeoJSON: {error}"))


def _add(feature: dict[str, Any], column: str, metadata: dict[str, Any], data: DataSet) -> None:
    properties = feature["properties"]
    outline = data.outlines.setdefault(properties["adcode"], {"geom": None, "land_geom": None, "outline_source": None})
    # the finer outline of Jiaxing itself (city.geojson) comes first and stays
    if outline[column] is None:
        outline[column] = _ewkt(shape(feature["geometry"]))
        outline["outline_source"] = outline["outline_source"] or properties.get("source") or metadata.get("source")


def _ewkt(geometry: BaseGeometry) -> str:
    """One geometry type for all outlines, as GIS programs expect of a layer."""
    multi = geometry if isinstance(geometry, MultiPolygon) else MultiPolygon([geometry])
    return f"SRID={SRID};{multi.wkt}"
