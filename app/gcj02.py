"""WGS 84, GCJ-02 (Gaode, Tencent) and BD-09 (Baidu), for display and for input that declares its datum.

GCJ-02 is never stored or served as data. Neither formula is published by its authority. The offset of sines is the one
known from eviltransform (https://github.com/googollee/eviltransform), here on the Krasovsky 1940 ellipsoid as in
coordtransform (https://github.com/wandergis/coordtransform), whose formula is that of BD-09 too; the two agree on
GCJ-02 to a centimetre. Outside mainland China's box nothing is shifted.

Every function takes numbers or arrays of degrees, longitude first, and returns a pair of float arrays of their common
shape (0-d for numbers).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Degrees = npt.NDArray[np.float64]
Pair = tuple[Degrees, Degrees]

#: Krasovsky 1940: semi-major axis in metres, first eccentricity squared.
AXIS = 6378245.0
ECCENTRICITY = 0.00669342162296594323
#: West, south, east, north of the box inside which GCJ-02 is defined.
BOX = (72.004, 0.8293, 137.8347, 55.8271)
#: BD-09 bends GCJ-02 by this angular frequency (per degree).
BAIDU = np.pi * 3000.0 / 180.0
#: The inverse stops when no coordinate moves by more than this (degrees; 1e-9 is 0.1 mm).
TOLERANCE = 1e-9
STEPS = 20


def wgs84_to_gcj02(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Pair:
    """WGS 84 to GCJ-02."""
    lon, lat = _degrees(longitude, latitude)
    east, north = _shift(lon, lat)
    return lon + east, lat + north


def gcj02_to_wgs84(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Pair:
    """GCJ-02 to WGS 84 by iteration, to better than 1e-7 degrees (a centimetre)."""
    return _invert(wgs84_to_gcj02, *_degrees(longitude, latitude))


def gcj02_to_bd09(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Pair:
    """GCJ-02 to BD-09."""
    lon, lat = _degrees(longitude, latitude)
    radius = np.hypot(lon, lat) + 2e-5 * np.sin(lat * BAIDU)
    angle = np.arctan2(lat, lon) + 3e-6 * np.cos(lon * BAIDU)
    inside = _inside(lon, lat)
    return (
        np.where(inside, radius * np.cos(angle) + 0.0065, lon),
        np.where(inside, radius * np.sin(angle) + 0.006, lat),
    )


def bd09_to_gcj02(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Pair:
    """BD-09 to GCJ-02 by iteration."""
    return _invert(gcj02_to_bd09, *_degrees(longitude, latitude))


def wgs84_to_bd09(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Pair:
    """WGS 84 to BD-09."""
    return gcj02_to_bd09(*wgs84_to_gcj02(longitude, latitude))


def bd09_to_wgs84(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Pair:
    """BD-09 to WGS 84."""
    return gcj02_to_wgs84(*bd09_to_gcj02(longitude, latitude))


def _degrees(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Pair:
    lon, lat = np.broadcast_arrays(np.asarray(longitude, float), np.asarray(latitude, float))
    return lon, lat


def _inside(lon: Degrees, lat: Degrees) -> npt.NDArray[np.bool_]:
    west, south, east, north = BOX
    inside: npt.NDArray[np.bool_] = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    return inside


def _shift(lon: Degrees, lat: Degrees) -> Pair:
    """Degrees east and north from WGS 84 to GCJ-02; zero outside the box."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = 20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (common + _waves(y, (20.0, 1.0), (40.0, 3.0), (160.0, 12.0), (320.0, 30.0))) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (common + _waves(x, (20.0, 1.0), (40.0, 3.0), (150.0, 12.0), (300.0, 30.0))) * 2.0 / 3.0
    radians = np.radians(lat)
    bulge = 1.0 - ECCENTRICITY * np.sin(radians) ** 2
    meridian = AXIS * (1.0 - ECCENTRICITY) / bulge**1.5
    parallel = AXIS / np.sqrt(bulge) * np.cos(radians)
    inside = _inside(lon, lat)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (
            np.where(inside, np.degrees(east / parallel), 0.0),
            np.where(inside, np.degrees(north / meridian), 0.0),
        )


def _waves(value: Degrees, *terms: tuple[float, float]) -> Degrees:
    """Sum of ``height * sin(value * pi / divisor)``."""
    total = np.zeros_like(value)
    for height, divisor in terms:
        total += height * np.sin(value * np.pi / divisor)
    return total


def _invert(forward: Callable[[npt.ArrayLike, npt.ArrayLike], Pair], lon: Degrees, lat: Degrees) -> Pair:
    """The point that ``forward`` carries to the one given: fixed-point iteration on what is missing."""
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(STEPS):
        there_lon, there_lat = forward(guess_lon, guess_lat)
        missing_lon, missing_lat = lon - there_lon, lat - there_lat
        guess_lon, guess_lat = guess_lon + missing_lon, guess_lat + missing_lat
        if max(np.max(np.abs(missing_lon), initial=0.0), np.max(np.abs(missing_lat), initial=0.0)) < TOLERANCE:
            break
    return guess_lon, guess_lat
