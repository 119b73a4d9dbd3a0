"""What a file of any format says: its columns, its reference system, and where its content comes from."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.catalog import Field
from app.crs import CRS84, Crs

#: One item: ``id``, a value by field, ``geometry`` as WKB with east first (or ``None``).
Row = Mapping[str, Any]
ID = Field("id", "代码", "Id")
#: The anchor point, east before north whatever the reference system's authority says.
DEGREES = (
    Field("lon", "定位点经度", "Longitude of the anchor point", "number", "°"),
    Field("lat", "定位点纬度", "Latitude of the anchor point", "number", "°"),
)
METRES = (
    Field("x", "定位点东坐标", "Easting of the anchor point", "number", "m"),
    Field("y", "定位点北坐标", "Northing of the anchor point", "number", "m"),
)
AXES = {"degree": "longitude, latitude 经度, 纬度", "metre": "easting, northing 东坐标, 北坐标"}


@dataclass(frozen=True)
class Style:
    """A style for one dimension of geometry (0 points, 1 lines, 2 areas), as QGIS and as GeoServer read it."""

    dimension: int
    qml: str
    sld: str


@dataclass(frozen=True)
class Layer:
    """A layer as a file holds it.

    ``fields`` are the properties, ``about`` the metadata every format carries; ``anchored`` says that the anchor point
    stands in columns of its own, ``wkt`` that tables have the geometry as text.
    """

    name: str
    title: str
    title_en: str
    fields: tuple[Field, ...]
    about: Mapping[str, Any]
    crs: Crs = CRS84
    anchored: bool = False
    wkt: bool = True
    styles: Sequence[Style] = field(default=())

    @property
    def anchor(self) -> tuple[Field, ...]:
        if not self.anchored:
            return ()
        return DEGREES if self.crs.unit == "degree" else METRES

    @property
    def columns(self) -> tuple[Field, ...]:
        """Every column beside the geometry."""
        return (ID, *self.fields, *self.anchor)

    @property
    def srs(self) -> str:
        """The reference system as GDAL takes it; a file's axes run east, then north."""
        return f"EPSG:{self.crs.srid}"

    @property
    def about_json(self) -> str:
        return json.dumps(self.about, ensure_ascii=False)

    def about_lines(self) -> Iterator[tuple[str, str]]:
        """The metadata as pairs of texts, for people; fields are left to those who list columns."""
        for name, value in self.about.items():
            if name == "fields":
                continue
            if isinstance(value, list) and all(isinstance(one, str) for one in value):
                value = "\n".join(value)
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
