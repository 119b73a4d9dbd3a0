"""Every rule between the rows: broken in one place, it names that place and says what would be right."""

import pytest
import sqlalchemy as sa

from app.ingest import rules
from app.ingest.files import FILE_TABLES, Fault, read_tables
from app.ingest.rules import check
from tests.ingest.dataset import ROWS, DataFiles, tables

PLATFORM, ELEMENT, VALUE = "platforms", "layout_elements", "indicator_values"
FAR = {"lon": "120.7", "lat": "30.7"}
NOWHERE = {"lon": "", "lat": ""}


def test_faultless(files: DataFiles) -> None:
    assert check(tables(files)) == []


#: table, row, cells, then the field and words of the one fault
BROKEN = [
    # references
    (PLATFORM, 0, {"kind": "castle"}, "kind", "no kind 'castle'"),
    (PLATFORM, 0, {"county": "999999"}, "county", "no region '999999'"),
    (PLATFORM, 0, {"town": "nowhere"}, "town", "no region 'nowhere'"),
    ("documents", 0, {"parent": "atlas"}, "parent", "no document 'atlas'"),
    ("aliases", 0, {"document": "rumour"}, "document", "no document 'rumour'"),
    ("layouts", 1, {"region": "mars"}, "region", "no region 'mars'"),
    ("layout_members", 0, {"platform": "ghost"}, "platform", "no platform 'ghost'"),
    ("industries", 1, {"parent": "ghost"}, "parent", "no industry 'ghost'"),
    ("industry_links", 0, {"industry": "ghost"}, "industry", "no industry 'ghost'"),
    ("tasks", 0, {"layout_element": "ghost"}, "layout_element", "no layout_element 'ghost'"),
    ("indicator_labels", 0, {"indicator": "ghost"}, "indicator", "no indicator 'ghost'"),
    ("disagreement_sides", 0, {"disagreement": "ghost"}, "disagreement", "no disagreement 'ghost'"),
    # subjects
    ("aliases", 0, {"region": "330411"}, "platform", "exactly one of platform, region"),
    ("aliases", 0, {"platform": ""}, "platform", "exactly one of platform, region"),
    ("layout_members", 0, {"region": "330411"}, "platform", "exactly one of platform, region"),
    (VALUE, 0, {"platform": "park"}, "region", "exactly one of region, platform"),
    (VALUE, 0, {"region": ""}, "region", "exactly one of region, platform"),
    # citations
    ("mentions", 0, {"line_start": "13"}, "line_end", "do not run forward"),
    ("mentions", 0, {"line_start": "0"}, "line_end", "do not run forward"),
    ("mentions", 0, {"line_end": "101"}, "line_start", "outside the document (1–100)"),
    (VALUE, 0, {"line_end": "101"}, "line_start", "outside the document (1–100)"),
    # slugs and other patterns, sources, pairs
    ("tasks", 0, {"id": "Task-1"}, "id", "a-z0-9"),
    ("layout_elements", 2, {"id": "ring_1"}, "id", "a-z0-9"),
    ("layouts", 1, {"id": "-layout-b"}, "id", "a-z0-9"),
    ("aliases", 0, {"document": "", "line_start": ""}, "reason", "document or a reason"),
    ("industry_relations", 0, {"a": "chips"}, "b", "two different"),
    ("not_comparable", 0, {"a": "share"}, "b", "two different"),
    # platforms
    (PLATFORM, 0, {"geometry_method": "none"}, "lon", "takes no position"),
    (PLATFORM, 0, {"position_source": ""}, "position_source", "needs its source"),
    (PLATFORM, 2, {"position_source": ""}, "position_source", "needs its source"),
    (PLATFORM, 2, FAR, "lon", "found by the load"),
    (PLATFORM, 2, {"position_accuracy_m": "100"}, "lon", "found by the load"),
    (PLATFORM, 2, {"county": ""}, "county", "county_only needs a county with an outline"),
    (PLATFORM, 0, {"county": "nanhu-daqiao"}, "county", "is a town, not a county"),
    (PLATFORM, 0, {"city": "330411"}, "city", "is a county, not a city"),
    (PLATFORM, 0, {"town": "330411"}, "town", "is a county, not a town"),
    (PLATFORM, 0, {"zone": "330411"}, "zone", "is a county, not a zone"),
    (PLATFORM, 2, {"geometry_method": "city_only"}, "city", "city_only needs a city with an outline"),
    (PLATFORM, 0, NOWHERE, "lon", "point needs lon and lat"),
    (PLATFORM, 1, NOWHERE, "lon", "schematic needs lon and lat"),
    (PLATFORM, 0, {"position_accuracy_m": ""}, "position_accuracy_m", "needs it"),
    (PLATFORM, 1, {"area_km2": ""}, "area_km2", "circle of its published area"),
    (PLATFORM, 0, {"geometry_method": "administrative"}, "geometry_method", "come by import"),
    (PLATFORM, 0, {"geometry_method": "traced"}, "geometry_method", "come by import"),
    (PLATFORM, 0, {"area_km2": "0"}, "area_km2", "must be above 0"),
    (PLATFORM, 0, {"position_accuracy_m": "-1"}, "position_accuracy_m", "must not be below 0"),
    # layouts
    (ELEMENT, 0, {"band_m": ""}, "band_m", "goes with shape band"),
    (ELEMENT, 0, {"radius_m": "10"}, "radius_m", "goes with shape circle"),
    (ELEMENT, 1, {"buffer_m": ""}, "buffer_m", "goes with shape hull"),
    (ELEMENT, 2, NOWHERE, "lon", "goes with shape circle or point"),
    (ELEMENT, 1, FAR, "lon", "goes with shape circle or point"),
    (ELEMENT, 2, {"drawing_note": ""}, "drawing_note", "not in the plan"),
    (ELEMENT, 0, {"position_source": ""}, "position_source", "needs its source"),
    (ELEMENT, 2, {"layout": "layout-b"}, "parent", "another layout"),
    # values
    (VALUE, 0, {"number": ""}, "number", "operator ge"),
    (VALUE, 1, {"number": "5", "printed": "5", "unit_printed": "%"}, "number", "operator missing"),
    (VALUE, 0, {"unit_corrected": "亿元"}, "correction_reason", "goes with unit_corrected"),
    (VALUE, 0, {"correction_reason": "误"}, "correction_reason", "goes with unit_corrected"),
    (VALUE, 0, {"number": "12900"}, "number", "not among the digits printed"),
    (VALUE, 0, {"unit_printed": "斤"}, "unit_printed", "no factor from '斤' to '亿元'"),
    (VALUE, 0, {"year_from": "2025"}, "year_from", "must be before year"),
]


@pytest.mark.parametrize(
    ("table", "number", "cells", "field", "words"),
    BROKEN,
    ids=lambda value: str(value) if isinstance(value, str | int) else "",
)
def test_broken(files: DataFiles, table: str, number: int, cells: dict[str, str], field: str, words: str) -> None:
    files.change(table, number, **cells)
    faults = check(tables(files))
    assert [(fault.file, fault.line, fault.field) for fault in faults] == [(f"plan/{table}.csv", number + 2, field)]
    assert words in faults[0].rule


@pytest.mark.parametrize("table", ROWS)
def test_a_row_given_twice(files: DataFiles, table: str) -> None:
    files.add(table, **files.rows[table][0])
    faults = check(tables(files))
    line = len(files.rows[table]) + 1
    assert [(fault.file, fault.line) for fault in faults] == [(f"plan/{table}.csv", line)]
    assert f"plan/{table}.csv:2" in faults[0].rule


def test_the_same_id_in_two_folders(files: DataFiles) -> None:
    (files.folder / "other").mkdir()
    (files.folder / "plan" / "indicators.csv").rename(files.folder / "other" / "indicators.csv")
    files.write()
    faults = check(tables(files))
    assert [(fault.file, fault.line) for fault in faults] == [("plan/indicators.csv", 2), ("plan/indicators.csv", 3)]
    assert "other/indicators.csv:2" in faults[0].rule


def change_region(files: DataFiles, id: str, column: str, value: str) -> int:
    """Change a cell of the real ``base/regions.csv``; gives its line."""
    path = files.folder / "base" / "regions.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(lines) if line.startswith(f"{id},"))
    cells = lines[number].split(",")
    cells[lines[0].split(",").index(column)] = value
    lines[number] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return number + 1


@pytest.mark.parametrize(
    ("region", "column", "value", "words"),
    [
        ("330411", "adcode", "330499", "must equal id"),
        ("330411", "adcode", "", "no outline"),
        ("nanhu-daqiao", "adcode", "nanhu-daqiao", "six digits"),
        ("nanhu-daqiao", "position_source", "", "a position needs its source"),
        ("nanhu-daqiao", "level", "county", "no outline of None"),
    ],
)
def test_broken_region(files: DataFiles, region: str, column: str, value: str, words: str) -> None:
    line = change_region(files, region, column, value)
    faults = [fault for fault in check(tables(files)) if fault.file == "base/regions.csv"]
    assert {fault.line for fault in faults} == {line}
    assert any(words in fault.rule for fault in faults)


def test_an_outline_without_region(files: DataFiles) -> None:
    data = tables(files)
    data.outlines["310000"] = data.outlines["330400"]
    assert check(data) == [Fault("boundaries", 1, "adcode", "没有 region '310000'。 no region '310000'")]


def test_a_band_without_axis(files: DataFiles) -> None:
    del files.rows["layout_axes"][1:]
    files.write()
    faults = check(tables(files))
    assert [(fault.file, fault.line, fault.field) for fault in faults] == [("plan/layout_elements.csv", 2, "shape")]


def test_a_hull_without_members(files: DataFiles) -> None:
    files.rows["layout_members"].clear()
    files.write()
    faults = check(tables(files))
    assert [(fault.file, fault.line, fault.field) for fault in faults] == [("plan/layout_elements.csv", 3, "shape")]


def test_a_place_nobody_mentions(files: DataFiles) -> None:
    del files.rows["mentions"][1]
    files.write()
    faults = check(tables(files))
    assert [(fault.file, fault.line, fault.field) for fault in faults] == [("plan/platforms.csv", 3, "id")]


def test_digits_may_be_grouped_as_printed(files: DataFiles) -> None:
    files.change(VALUE, 0, printed="12，800 以上")
    assert check(tables(files)) == []


def test_every_rule_has_its_faults(files: DataFiles) -> None:
    """The list above breaks every rule but the two on keys and regions, which have tests of their own."""
    broken = set()
    outlines = tables(files).outlines
    for table, number, cells, *_ in BROKEN:
        kept = dict(files.rows[table][number])
        files.change(table, number, **cells)
        data = read_tables(files.folder)
        data.outlines = outlines
        broken |= {rule.__name__ for rule in rules.RULES if list(rule(data))}
        files.rows[table][number] = kept
        files.write()
    assert broken == {rule.__name__ for rule in rules.RULES} - {"keys", "regions"}


#: Check constraints of the tables whose breach is among the faults above; those on allowed values are met in reading.
FORESEEN = {
    "accuracy", "adcode", "area", "correction", "lines", "number", "one_subject", "position",
    "position_source", "shape_parameters", "slug", "sourced", "two", "years",
}  # fmt: skip


def test_the_rules_leave_nothing_to_the_database() -> None:
    """A constraint that no rule foresees would end a load without naming file and line."""
    constraints = {
        str(constraint.name).removeprefix(f"ck_{spec.table.name}_")
        for spec in FILE_TABLES
        for constraint in spec.table.constraints
        if isinstance(constraint, sa.CheckConstraint)
    }
    on_values = {column.name for spec in FILE_TABLES for column in spec.table.columns if "values" in column.info}
    # a deletion is made in the database and stands in no file
    assert constraints - on_values - {"deleted"} == FORESEEN
