"""Whatever arrives, it is read or refused with a sentence; what is turned there and back is what it was."""

import contextlib
import json
from collections.abc import Callable

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from app.api import asking, params
from app.api.problems import Problem
from app.crs import OFFERED, Crs, OutsideArea, UnknownCrs, find, project, to_wgs84, to_wgs84_bbox
from app.filters.errors import FilterError
from app.filters.parse import parse
from app.gcj02 import Pair, bd09_to_wgs84, gcj02_to_wgs84, wgs84_to_bd09, wgs84_to_gcj02
from tests.conftest import examples

#: The same in every run, so that a failure is one of the change that is tested.
fuzz = settings(max_examples=examples(60), derandomize=True, deadline=None, database=None)
TEXTS = (
    "kind area_km2 name = <> < AND OR NOT ( ) , ' '' \" LIKE BETWEEN IN CASEI( ACCENTI( S_INTERSECTS( position POINT("
    " POLYGON(( BBOX( 120.7 -1e309 T_AFTER( DATE('2024-01-01') TIMESTAMP(' INTERVAL( A_CONTAINS( within('海宁') near("
    " + / ^ DIV nan \\ \x00 𠀀 ;-- % _"
)
WORDS = st.sampled_from(TEXTS.split(" "))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
OPERATIONS = st.sampled_from(
    [
        "and",
        "or",
        "not",
        "=",
        "<",
        "like",
        "between",
        "in",
        "isNull",
        "casei",
        "s_intersects",
        "t_after",
        "a_contains",
        "+",
    ]
)
TREES = st.recursive(
    SCALARS | st.builds(lambda name: {"property": name}, st.text(max_size=8) | st.just("kind")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(
            lambda op, args: {"op": op, "args": args}, OPERATIONS | st.text(max_size=4), st.lists(inner, max_size=3)
        )
        | st.dictionaries(
            st.sampled_from(["op", "args", "property", "date", "bbox", "type", "coordinates"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)
LONGITUDE, LATITUDE = st.floats(73.7, 135, width=64), st.floats(18, 53.5, width=64)
PLANAR = [one for one in OFFERED.values() if one.unit != "degree"]


@fuzz
@given(st.lists(WORDS | st.text(max_size=6), max_size=12).map(" ".join))
def test_filters_in_text(text: str) -> None:
    with contextlib.suppress(FilterError):
        parse(text, "cql2-text")


@fuzz
@given(TREES.map(lambda tree: json.dumps(tree)) | st.text(max_size=40))
def test_filters_in_json(text: str) -> None:
    with contextlib.suppress(FilterError):
        parse(text, "cql2-json")


@fuzz
@given(
    st.text(max_size=40) | st.lists(st.floats() | st.integers(), max_size=7).map(lambda all: ",".join(map(str, all)))
)
@pytest.mark.parametrize("crs", OFFERED.values(), ids=lambda crs: crs.code)
def test_boxes(crs: Crs, text: str) -> None:
    with contextlib.suppress(Problem):
        west, south, east, north = asking._bbox(text, crs)
        assert np.isfinite([west, south, east, north]).all()
        assert south <= north


@fuzz
@given(st.text(max_size=30) | st.from_regex(r"\A\d{1,6}(-\d\d(-\d\d(T\d\d:\d\d:\d\dZ)?)?)?(/(\.\.|\d{4})?)?\Z"))
def test_times(text: str) -> None:
    with contextlib.suppress(Problem):
        asking._datetime(text)


@fuzz
@given(st.text(max_size=40))
def test_page_tokens(text: str) -> None:
    with contextlib.suppress(Problem):
        assert isinstance(params._decode(text)[-1], str)


@fuzz
@given(
    st.lists(st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9), max_size=3),
    st.text(max_size=9),
)
def test_page_tokens_come_back(key: list[object], item: str) -> None:
    kept = [*key, item]
    if not any(isinstance(one, str) and "\x00" in one for one in kept):
        assert params._decode(params.cursor(kept)) == kept


@fuzz
@given(
    st.text(max_size=60)
    | st.from_regex(r"\A(\[?EPSG:|urn:ogc:def:crs:|http://www.opengis.net/def/crs/)[\w:/.\]]{0,20}\Z")
)
def test_names_of_systems(text: str) -> None:
    with contextlib.suppress(UnknownCrs):
        assert find(text) in OFFERED.values()


@fuzz
@given(LONGITUDE, LATITUDE)
@pytest.mark.parametrize(
    ("there", "back"), [(wgs84_to_gcj02, gcj02_to_wgs84), (wgs84_to_bd09, bd09_to_wgs84)], ids=["GCJ-02", "BD-09"]
)
def test_datums_there_and_back(
    there: Callable[..., Pair], back: Callable[..., Pair], longitude: float, latitude: float
) -> None:
    returned = back(*there(longitude, latitude))
    assert np.abs(np.array(returned) - (longitude, latitude)).max() < 1e-7


@fuzz
@given(st.floats(0, 1), st.floats(0, 1))
@pytest.mark.parametrize("crs", OFFERED.values(), ids=lambda crs: crs.code)
def test_systems_there_and_back(crs: Crs, across: float, up: float) -> None:
    """Inside its area of use, by the authority's axis order; a degree's ten-millionth is a centimetre."""
    west, south, east, north = crs.area
    point = west + across * (east - west), max(-85.0, min(85.0, south + up * (north - south)))
    there = point if crs.unit == "degree" else Transformer.from_crs(4326, crs.srid, always_xy=True).transform(*point)
    given_order = there[::-1] if crs.flipped else there
    returned = to_wgs84(shapely.Point(given_order), crs)
    assert (returned.x, returned.y) == pytest.approx(point, abs=1e-7)


@fuzz
@given(st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 4))
@pytest.mark.parametrize("crs", PLANAR, ids=lambda crs: crs.code)
def test_boxes_far_out(crs: Crs, box: tuple[float, float, float, float]) -> None:
    with contextlib.suppress(OutsideArea):
        to_wgs84_bbox(box, crs)
    assert project(np.array([box[:2]]), crs).shape == (1, 2)
