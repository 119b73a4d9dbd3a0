"""Reference systems: their names, their axis order against the EPSG register, and PostGIS against pyproj."""

import numpy as np
import pyproj
import pytest
import shapely
import sqlalchemy as sa

from app.crs import CRS84, OFFERED, OutsideArea, UnknownCrs, find, to_wgs84, to_wgs84_bbox

#: Corners and middle of Jiaxing, with the sea, in degrees.
JIAXING = [(120.28, 30.25), (121.32, 30.25), (121.32, 31.05), (120.28, 31.05), (120.75, 30.75)]
PROJECTED = ("EPSG:3857", "EPSG:4549", "EPSG:4528")


@pytest.mark.parametrize("text", [
    "http://www.opengis.net/def/crs/EPSG/0/4549", "https://www.opengis.net/def/crs/EPSG/0/4549",
    "http://www.opengis.net/def/crs/EPSG/9.9.1/4549", "[EPSG:4549]", "EPSG:4549", "epsg:4549",
    "urn:ogc:def:crs:EPSG::4549",
])  # fmt: skip
def test_names_of_a_projected_system(text: str) -> None:
    assert find(text).code == "EPSG:4549"


@pytest.mark.parametrize("text", [
    "http://www.opengis.net/def/crs/OGC/1.3/CRS84", "[OGC:CRS84]", "OGC:CRS84", "CRS84",
    "urn:ogc:def:crs:OGC:1.3:CRS84",
])  # fmt: skip
def test_names_of_crs84(text: str) -> None:
    assert find(text) is CRS84


@pytest.mark.parametrize("text", ["", "4549", "EPSG:4550", "[EPSG:4549", "EPSG:4549]", "EPSG:CRS84", "http://x/4549"])
def test_unknown_names_come_with_those_there_are(text: str) -> None:
    with pytest.raises(UnknownCrs) as caught:
        find(text)
    assert caught.value.allowed == list(OFFERED)


def test_every_system_is_found_by_its_own_names() -> None:
    for one in OFFERED.values():
        assert find(one.uri) is find(one.curie) is find(one.code) is one


@pytest.mark.parametrize("code", [one.code for one in OFFERED.values() if one is not CRS84])
def test_axes_units_and_areas_are_those_of_the_register(code: str) -> None:
    ours, register = find(code), pyproj.CRS(code)
    assert ours.flipped == (register.axis_info[0].direction == "north")
    assert ours.unit == register.axis_info[0].unit_name
    assert ours.area == pytest.approx(register.area_of_use.bounds)
    assert ours.srid == register.to_epsg()


def test_zone_prefix() -> None:
    """4528 carries the zone in its easting, 4549 does not: 40,000 km apart on the same northing."""
    with_zone, without = find("EPSG:4528"), find("EPSG:4549")
    there = to_wgs84(shapely.Point(3_400_000, 40_570_000), with_zone)
    assert shapely.distance(there, to_wgs84(shapely.Point(3_400_000, 570_000), without)) < 1e-9


@pytest.mark.parametrize("code", [one.code for one in OFFERED.values() if one is not CRS84])
def test_geometries_return_from_the_authority_order(code: str) -> None:
    forward = pyproj.Transformer.from_crs(4326, code)
    for longitude, latitude in JIAXING:
        there = shapely.Point(*forward.transform(latitude, longitude))
        assert to_wgs84(there, find(code)).coords[0] == pytest.approx((longitude, latitude), abs=1e-9)


def test_straight_edges_stay_where_they_were_drawn() -> None:
    """The middle of a line drawn straight in the projection lies on the line that comes out."""
    crs = find("EPSG:4549")
    ends = [(3_400_000.0, 400_000.0), (3_400_000.0, 640_000.0)]
    middle = to_wgs84(shapely.Point(3_400_000, 520_000), crs)
    bent = to_wgs84(shapely.LineString(ends), crs)
    chord = shapely.LineString([to_wgs84(shapely.Point(end), crs) for end in ends])
    assert shapely.distance(bent, middle) < 1e-6 < 1e-3 < shapely.distance(chord, middle)


def test_heights_are_dropped_and_degrees_untouched() -> None:
    assert to_wgs84(shapely.Point(120.75, 30.75, 9), CRS84).wkt == "POINT (120.75 30.75)"
    assert to_wgs84(shapely.Point(30.75, 120.75), find("EPSG:4490")).wkt == "POINT (120.75 30.75)"


@pytest.mark.parametrize("code", PROJECTED)
def test_boxes_hold_all_that_was_in_them(code: str) -> None:
    crs = find(code)
    forward = pyproj.Transformer.from_crs(4326, code)
    corners = np.array([forward.transform(latitude, longitude) for longitude, latitude in JIAXING])
    low, high = corners.min(axis=0), corners.max(axis=0)
    west, south, east, north = to_wgs84_bbox((*low, *high), crs)
    edge = shapely.segmentize(shapely.box(*low, *high), 1000)
    inside = to_wgs84(edge, crs).bounds
    assert (west, south) <= (inside[0] + 1e-6, inside[1] + 1e-6)
    assert west <= inside[0] + 1e-6
    assert south <= inside[1] + 1e-6
    assert east >= inside[2] - 1e-6
    assert north >= inside[3] - 1e-6


def test_boxes_in_degrees() -> None:
    assert to_wgs84_bbox((30, 120, 31, 121), find("EPSG:4326")) == (120, 30, 121, 31)
    assert to_wgs84_bbox((170, -20, -170, -10), CRS84) == (170, -20, -170, -10)


def test_outside() -> None:
    with pytest.raises(OutsideArea):
        to_wgs84(shapely.Point(1e30, 1e30), find("EPSG:4549"))
    with pytest.raises(OutsideArea):
        to_wgs84_bbox((1e30, 1e30, 2e30, 2e30), find("EPSG:4549"))


@pytest.mark.parametrize("srid", [3857, 4490, 4549, 4528])
def test_postgis_agrees_to_the_millimetre(loaded_url: sa.URL, srid: int) -> None:
    """Over Jiaxing; PostGIS answers x = east whatever the authority's order."""
    forward = pyproj.Transformer.from_crs(4326, srid, always_xy=True)
    degrees = srid == 4490
    with sa.create_engine(loaded_url, poolclass=sa.NullPool).connect() as connection:
        for longitude, latitude in JIAXING:
            point = sa.func.ST_Transform(sa.func.ST_SetSRID(sa.func.ST_MakePoint(longitude, latitude), 4326), srid)
            there = connection.execute(sa.select(sa.func.ST_X(point), sa.func.ST_Y(point))).one()
            assert tuple(there) == pytest.approx(
                forward.transform(longitude, latitude), rel=0, abs=1e-8 if degrees else 1e-3
            )
            if degrees:
                assert tuple(there) == (longitude, latitude)
