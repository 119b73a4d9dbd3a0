"""The reference systems this service offers: how a request names them, their axis order, and the way to WGS 84.

OGC API – Features Part 2 has coordinates in the order of the authority: latitude first for EPSG:4326 and EPSG:4490,
northing first for EPSG:4549 and EPSG:4528. PostGIS, shapely and files keep east (longitude) first; ``flipped`` says
where the two differ.

EPSG:4490 to EPSG:4326 is an identity here, as in PROJ, which knows no better than a ballpark: CGCS2000 and the current
realisation of WGS 84 differ by centimetres to decimetres as the plate moves, so no centimetre is promised.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import shapely
from pyproj import Transformer
from pyproj.exceptions import ProjError
from shapely.geometry.base import BaseGeometry

Box = tuple[float, float, float, float]
WGS84 = 4326
#: Points put on each edge of a box before its corners are taken; a straight edge bends in another system.
EDGE_POINTS = 21
#: Parts that a geometry's extent and length are cut into, so that straight edges stay where they were drawn.
EXTENT_PARTS = 64
LENGTH_PARTS = 1000


@dataclass(frozen=True)
class Crs:
    """A reference system.

    ``code`` is ``CRS84`` or ``EPSG:n``; ``area`` the area of use in degrees (west, south, east, north), from the EPSG
    register; ``flipped`` whether the authority's first axis points north.
    """

    code: str
    uri: str
    srid: int
    name: str
    name_en: str
    unit: Literal["degree", "metre"]
    flipped: bool
    area: Box
    note: str = ""
    note_en: str = ""

    @property
    def curie(self) -> str:
        """The safe CURIE, such as ``[EPSG:4549]``."""
        return f"[{self.code}]" if ":" in self.code else f"[OGC:{self.code}]"


def _epsg(srid: int) -> tuple[str, str, int]:
    return f"EPSG:{srid}", f"http://www.opengis.net/def/crs/EPSG/0/{srid}", srid


CHINA = (73.62, 16.7, 134.77, 53.56)
ZONE_40 = (118.5, 24.43, 121.5, 53.33)
CRS84 = Crs(
    "CRS84", "http://www.opengis.net/def/crs/OGC/1.3/CRS84", WGS84,
    "WGS 84（经度在前）", "WGS 84, longitude first", "degree", False, (-180, -90, 180, 90),
)  # fmt: skip
OFFERED: dict[str, Crs] = {
    one.uri: one
    for one in (
        CRS84,
        Crs(*_epsg(4326), "WGS 84（纬度在前）", "WGS 84, latitude first", "degree", True, (-180, -90, 180, 90)),
        Crs(
            *_epsg(3857), "WGS 84 / 伪墨卡托", "WGS 84 / Pseudo-Mercator", "metre", False,
            (-180, -85.06, 180, 85.06), "长度、面积随纬度放大，不可量算。",
            "Lengths and areas grow with latitude: not for measuring.",
        ),
        Crs(
            *_epsg(4490), "2000 国家大地坐标系（纬度在前）", "China Geodetic Coordinate System 2000, latitude first",
            "degree", True, CHINA, "与 WGS 84 按恒等变换，不保证厘米级。",
            "Taken as identical with WGS 84; no centimetre is promised.",
        ),
        Crs(
            *_epsg(4549), "CGCS2000 / 三度带高斯-克吕格 中央经线 120°E", "CGCS2000 / 3-degree Gauss-Kruger CM 120E",
            "metre", True, ZONE_40, "东坐标加 500 km，不带带号。", "False easting 500 km, without zone prefix.",
        ),
        Crs(
            *_epsg(4528), "CGCS2000 / 三度带高斯-克吕格 第 40 带", "CGCS2000 / 3-degree Gauss-Kruger zone 40",
            "metre", True, ZONE_40, "东坐标带带号 40（加 40,500 km）。",
            "Easting carries the zone prefix 40 (false easting 40,500 km).",
        ),
    )
}  # fmt: skip

_NAMES = (
    r"https?://www\.opengis\.net/def/crs/(?P<authority>EPSG|OGC)/[0-9.]+/(?P<code>\w+)",
    r"urn:ogc:def:crs:(?P<authority>EPSG|OGC):[0-9.]*:(?P<code>\w+)",
    r"(?P<open>\[)?(?P<authority>EPSG|OGC):(?P<code>\w+)(?(open)\])",
    r"(?P<authority>)(?P<code>CRS84)",
)


class UnknownCrs(ValueError):
    """A reference system this service does not offer; ``allowed`` lists the URIs of those it does."""

    def __init__(self, text: str) -> None:
        self.allowed = list(OFFERED)
        super().__init__(f"没有坐标参考系 {text[:100]!r}。 No reference system {text[:100]!r}.")


class OutsideArea(ValueError):
    """Coordinates that the reference system cannot hold."""


def find(text: str) -> Crs:
    """The system that a ``crs=`` names: OGC URI, URN, safe CURIE ``[EPSG:4549]``, ``EPSG:4549`` or ``CRS84``.

    Raises ``UnknownCrs``.
    """
    for pattern in _NAMES:
        if match := re.fullmatch(pattern, text, re.IGNORECASE):
            authority = match["authority"].upper() or "OGC"
            code = match["code"].upper() if authority == "OGC" else f"EPSG:{match['code']}"
            for one in OFFERED.values():
                if one.code == code:
                    return one
    raise UnknownCrs(text)


@cache
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def to_wgs84(geometry: BaseGeometry, crs: Crs, *, densify: bool = True) -> BaseGeometry:
    """A geometry with coordinates in ``crs`` and its authority's axis order, as WGS 84 with longitude first.

    Heights are dropped. Long edges get points in between, so that a line straight in a projection stays where it was
    drawn; without ``densify`` the vertices stay those that were given.

    Raises ``OutsideArea`` where a coordinate has no place on Earth.
    """
    geometry = shapely.force_2d(geometry)
    if crs.flipped:
        geometry = shapely.transform(geometry, lambda pairs: pairs[:, ::-1])
    west, south, east, north = geometry.bounds
    if crs.unit == "degree":
        if west < -180 or east > 180 or south < -90 or north > 90:
            raise OutsideArea(f"坐标超出 {crs.code} 的范围。 Coordinates lie outside {crs.code}.")
        return geometry
    spacing = max((east - west) / EXTENT_PARTS, (north - south) / EXTENT_PARTS, geometry.length / LENGTH_PARTS)
    if densify and spacing > 0:
        geometry = shapely.segmentize(geometry, spacing)
    found = shapely.transform(geometry, lambda pairs: project(pairs, crs))
    if not np.isfinite(shapely.get_coordinates(found)).all():
        raise OutsideArea(f"坐标超出 {crs.code} 的范围。 Coordinates lie outside {crs.code}.")
    return found


def project(pairs: np.ndarray, crs: Crs) -> np.ndarray:
    """Pairs (east, north) in a reference system as longitude and latitude; not finite where they have no place."""
    return np.column_stack(_transformer(crs.srid, WGS84).transform(pairs[:, 0], pairs[:, 1]))


def to_wgs84_bbox(box: Box, crs: Crs) -> Box:
    """A box given in ``crs`` and its authority's axis order, as west, south, east, north in degrees.

    The edges are densified before they are projected, so that nothing inside the box falls out of the answer. Raises
    ``OutsideArea``.
    """
    first, second, third, fourth = box
    west, south, east, north = (second, first, fourth, third) if crs.flipped else box
    if crs.unit == "degree":
        return west, south, east, north
    try:
        found: Box = _transformer(crs.srid, WGS84).transform_bounds(west, south, east, north, densify_pts=EDGE_POINTS)
    except ProjError:
        found = (np.inf, np.inf, np.inf, np.inf)
    if not np.isfinite(found).all():
        raise OutsideArea(f"范围超出 {crs.code}。 The box lies outside {crs.code}.")
    return found
