"""GCJ-02 and BD-09: magnitude near Jiaxing, round trips, and what is left alone."""

from collections.abc import Callable

import numpy as np
import pytest
from pyproj import Geod

from app.gcj02 import (
    Pair,
    bd09_to_gcj02,
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)  # fmt: skip

PAIRS = [(wgs84_to_gcj02, gcj02_to_wgs84), (gcj02_to_bd09, bd09_to_gcj02), (wgs84_to_bd09, bd09_to_wgs84)]


def test_offset_near_jiaxing() -> None:
    """About 410 m east and 260 m south, which is what a layer drawn in the wrong datum is off by."""
    longitude, latitude = wgs84_to_gcj02(120.75, 30.75)
    geod = Geod(ellps="WGS84")
    _, _, east = geod.inv(120.75, 30.75, longitude, 30.75)
    _, _, south = geod.inv(120.75, 30.75, 120.75, latitude)
    assert longitude > 120.75
    assert latitude < 30.75
    assert east == pytest.approx(410, abs=20)
    assert south == pytest.approx(260, abs=20)


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_vectors_of_eviltransform(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    """The pairs its tests hold in every language: Shanghai, Shenzhen, Beijing (go/transform_test.go)."""
    assert wgs84_to_gcj02(*wgs84) == pytest.approx(gcj02, rel=0, abs=1e-6)
    assert gcj02_to_wgs84(*gcj02) == pytest.approx(wgs84, rel=0, abs=1e-6)


def test_vectors_of_coordtransform() -> None:
    """The pairs of its test/app.js; its inverse is a single step, so that only half a metre is compared."""
    point = 116.404, 39.915
    assert wgs84_to_gcj02(*point) == pytest.approx((116.41024449916938, 39.91640428150164), rel=0, abs=1e-12)
    assert gcj02_to_bd09(*point) == pytest.approx((116.41036949371029, 39.92133699351021), rel=0, abs=1e-12)
    assert bd09_to_gcj02(*point) == pytest.approx((116.39762729119315, 39.90865673957631), rel=0, abs=5e-6)


@pytest.mark.parametrize(("there", "back"), PAIRS)
def test_round_trip(there: Callable[..., Pair], back: Callable[..., Pair]) -> None:
    chance = np.random.default_rng(1)
    longitude, latitude = chance.uniform(74, 135, 5000), chance.uniform(4, 53, 5000)
    returned = back(*there(longitude, latitude))
    assert np.max(np.abs(returned[0] - longitude)) < 1e-7
    assert np.max(np.abs(returned[1] - latitude)) < 1e-7
    assert np.max(np.abs(there(longitude, latitude)[0] - longitude)) > 1e-3


@pytest.mark.parametrize("function", [function for pair in PAIRS for function in pair])
def test_outside_china_nothing_moves(function: Callable[..., Pair]) -> None:
    longitude, latitude = np.array([-0.1276, 151.2, -58.4, 105.0]), np.array([51.5072, -33.9, -34.6, 60.0])
    moved = function(longitude, latitude)
    assert np.array_equal(moved[0], longitude)
    assert np.array_equal(moved[1], latitude)


def test_numbers_and_arrays_agree() -> None:
    longitude, latitude = np.array([[120.1, 120.9], [121.0, 119.0]]), np.array([[30.1, 30.9], [31.0, 29.0]])
    whole = wgs84_to_bd09(longitude, latitude)
    assert whole[0].shape == whole[1].shape == (2, 2)
    for index in np.ndindex(2, 2):
        one = wgs84_to_bd09(longitude[index], latitude[index])
        assert (float(one[0]), float(one[1])) == (whole[0][index], whole[1][index])


def test_arrays_given_are_left_as_they_were() -> None:
    longitude, latitude = np.array([120.75]), np.array([30.75])
    gcj02_to_wgs84(longitude, latitude)
    assert (longitude[0], latitude[0]) == (120.75, 30.75)
