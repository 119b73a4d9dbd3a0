"""Geometries from outside: what is refused, what is repaired and how."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from shapely.errors import GEOSException

from app.imports.coordinates import IDENTITY, Convert
from app.imports.limits import Limits

#: What a layer takes by its declared type.
TAKEN = {
    "Point": ("Point", "MultiPoint"), "LineString": ("LineString", "MultiLineString"),
    "Polygon": ("Polygon", "MultiPolygon"),
}  # fmt: skip
MISSING = "没有几何。 There is no geometry"
NOT_FINITE = "坐标不是有限的数。 A coordinate is not a finite number"
OUTSIDE = "坐标落在 {} 以外，坐标系或轴序有误？ Lies outside {}: another reference system, or the axes swapped?"


@dataclass(frozen=True)
class Checked:
    """Geometries that can be stored (``None`` where refused), with row index and reason of each refusal and repair."""

    shapes: np.ndarray
    refused: list[tuple[int, str]]
    repaired: list[tuple[int, str]]


def checked(given: np.ndarray, convert: Convert, kind: str, limits: Limits) -> Checked:
    """Check geometries, many at a time, and convert them to WGS 84."""
    high = shapely.has_z(given)
    # a conversion is of the plane: heights end here
    shapes = given.copy() if convert is IDENTITY and not high.any() else shapely.transform(given, convert)
    refused: dict[int, str] = {}
    repaired: dict[int, str] = {}

    def refuse(where: np.ndarray, rule: str) -> None:
        for index in np.flatnonzero(where):
            refused.setdefault(int(index), rule)
        shapes[where] = None

    refuse(shapely.is_missing(shapes) | shapely.is_empty(shapes), MISSING)
    for index in np.flatnonzero(high):
        repaired[int(index)] = "去掉高程。 Heights were dropped"
    refuse(
        shapely.get_num_coordinates(shapes) > limits.vertices,
        f"顶点超过 {limits.vertices} 个。 More than {limits.vertices} vertices",
    )
    refuse(~_finite(shapes), NOT_FINITE)
    west, south, east, north = limits.area
    bounds = shapely.bounds(shapes)
    with np.errstate(invalid="ignore"):
        outside = (bounds[:, 0] < west) | (bounds[:, 1] < south) | (bounds[:, 2] > east) | (bounds[:, 3] > north)
    refuse(outside, OUTSIDE.format(*[f"{west:g}–{east:g}°E, {south:g}–{north:g}°N"] * 2))
    for at, shape, how in list(_repairs(shapes)):
        shapes[at] = shape
        (repaired if shape is not None else refused)[at] = how
    if kind in TAKEN:
        names = np.array([one.geom_type if one is not None else "" for one in shapes])
        wrong = ~np.isin(names, TAKEN[kind]) & (names != "")
        refuse(wrong, f"本图层只收 {kind}。 This layer takes {kind} only")
    return Checked(shapes, sorted(refused.items()), sorted((i, how) for i, how in repaired.items() if i not in refused))


def _finite(shapes: np.ndarray) -> np.ndarray:
    """Whether every coordinate of each geometry is a finite number (true of none)."""
    pairs, owners = shapely.get_coordinates(shapes, return_index=True)
    wrong = owners[~np.isfinite(pairs).all(axis=1)]
    finite = np.ones(len(shapes), dtype=bool)
    finite[wrong] = False
    return finite


def _repairs(shapes: np.ndarray) -> Iterator[tuple[int, object, str]]:
    """Geometries that cross themselves and the like: mended where that leaves the same dimension, else refused."""
    wrong = ~shapely.is_valid(shapes) & ~shapely.is_missing(shapes)
    for index in np.flatnonzero(wrong):
        shape = shapes[index]
        reason = str(shapely.is_valid_reason(shape))
        try:
            made = shapely.make_valid(shape)
        except GEOSException:
            made = None
        kept = None if made is None else _of_dimension(made, shapely.get_dimensions(shape))
        if kept is None:
            yield int(index), None, f"几何无效且无法修复（{reason}）。 Invalid and beyond repair ({reason})"
        else:
            yield int(index), kept, f"几何无效，已修复（{reason}）。 Invalid, repaired ({reason})"


def _of_dimension(shape: object, dimension: int) -> object:
    """The parts of a geometry that have a dimension, as one geometry."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    parts = parts[(shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)]
    if not len(parts):
        return None
    if len(parts) == 1:
        return parts[0]
    make = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)[dimension]
    return make(parts)
