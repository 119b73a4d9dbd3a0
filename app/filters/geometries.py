"""Geometry literals: GeoJSON and boxes of a filter into valid WGS 84 geometries."""

import json
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from app.crs import Crs, OutsideArea, to_wgs84
from app.filters.errors import FilterError

KINDS = (
    "Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection",
)  # fmt: skip
#: Levels of brackets round the positions of each kind.
LEVELS = {"Point": 0, "LineString": 1, "MultiPoint": 1, "Polygon": 2, "MultiLineString": 2, "MultiPolygon": 3}


def literal(value: dict[str, Any], crs: Crs, *, densify: bool = True) -> BaseGeometry:
    """A GeoJSON geometry with the coordinates of ``crs``, in WGS 84. Raises ``FilterError``.

    ``densify``: a long edge keeps its way by points put in between; else its ends alone are projected.
    """
    return _placed(_shape(value), crs, densify)


def box(numbers: Any, crs: Crs) -> BaseGeometry:
    """The area of a ``BBOX``; heights are ignored, and of degrees the west may be greater than the east."""
    if not isinstance(numbers, list) or len(numbers) not in (4, 6) or not all(map(_is_number, numbers)):
        raise FilterError("BBOX 须为四个或六个数。", "BBOX takes four or six numbers.")
    first, second, third, fourth = numbers if len(numbers) == 4 else [*numbers[:2], *numbers[3:5]]
    if crs.flipped:
        first, second, third, fourth = second, first, fourth, third
    if second > fourth:
        raise FilterError("BBOX 的南大于北。", "BBOX has its south above its north.")
    if first <= third:
        area = _rectangle(first, second, third, fourth)
    elif crs.unit == "degree":
        area = shapely.union(_rectangle(first, second, 180, fourth), _rectangle(-180, second, third, fourth))
    else:
        raise FilterError("BBOX 的西大于东。", "BBOX has its west beyond its east.")
    if crs.flipped:
        area = shapely.transform(area, lambda pairs: pairs[:, ::-1])
    return _placed(area, crs)


def _rectangle(west: float, south: float, east: float, north: float) -> BaseGeometry:
    """A box, which may have shrunk to a line or a point."""
    if west == east and south == north:
        return shapely.Point(west, south)
    if west == east or south == north:
        return shapely.LineString([(west, south), (east, north)])
    return shapely.box(west, south, east, north)


def _placed(geometry: BaseGeometry, crs: Crs, densify: bool = True) -> BaseGeometry:
    try:
        placed = to_wgs84(geometry, crs, densify=densify)
    except OutsideArea as error:
        raise FilterError(str(error), "") from None
    if not shapely.is_valid(placed):
        reason = shapely.is_valid_reason(placed)
        raise FilterError("几何无效。", f"The geometry is not valid: {reason}.")
    return placed


def _shape(value: dict[str, Any]) -> BaseGeometry:
    kind = value.get("type")
    if kind not in KINDS:
        raise FilterError("没有这种几何。", "No such kind of geometry.", allowed=KINDS)
    if kind == "GeometryCollection":
        parts = value.get("geometries")
        if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
            raise FilterError("GEOMETRYCOLLECTION 须有成员。", "A GEOMETRYCOLLECTION needs members.")
        if any(part.get("type") == kind for part in parts):
            raise FilterError(
                "GEOMETRYCOLLECTION 不得含另一个。", "A GEOMETRYCOLLECTION must not hold another."
            )  # the standard's grammar has no nesting
        return shapely.GeometryCollection([_shape(part) for part in parts])
    coordinates = value.get("coordinates")
    if not _positions(coordinates, LEVELS[kind]):
        raise FilterError(f"{kind} 的坐标不成形。", f"The coordinates do not make a {kind}.")
    try:
        return shapely.from_geojson(json.dumps({"type": kind, "coordinates": coordinates}))
    except (shapely.errors.GEOSException, ValueError) as error:
        raise FilterError(f"{kind} 的坐标不成形。", f"The coordinates do not make a {kind}: {error}.") from None


def _positions(value: Any, levels: int) -> bool:
    """Whether lists nest as they should, down to positions of two or three numbers, none of them empty."""
    if not isinstance(value, list) or not value:
        return False
    if levels:
        return all(_positions(inner, levels - 1) for inner in value)
    return len(value) in (2, 3) and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
