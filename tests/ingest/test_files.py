"""Cells become typed values, and each that does not is named by file, line and field."""

from decimal import Decimal
from pathlib import Path

import pytest

from app.ingest.files import FILE_TABLES, Fault, checksum, data_files, read_tables
from app.settings import ROOT
from tests.ingest.dataset import DataFiles

PLATFORMS = "plan/platforms.csv"


def only_fault(files: DataFiles) -> Fault:
    faults = read_tables(files.folder).faults
    assert len(faults) == 1, faults
    return faults[0]


def test_faultless(files: DataFiles) -> None:
    data = read_tables(files.folder)
    assert data.faults == []
    assert {name: len(data.rows[name]) for name in files.rows} == {n: len(rows) for n, rows in files.rows.items()}


def test_types(files: DataFiles) -> None:
    files.change("platforms", 1, area_km2="042.70", name=" 湖 区 ")
    files.change("tasks", 0, departments="市科技局；市发改委；", ord="7")
    data = read_tables(files.folder)
    lake = data.values("platforms")[1]
    assert lake["area_km2"] == Decimal("42.7")
    assert lake["position_accuracy_m"] == 2500.0
    assert lake["position"] == "SRID=4326;POINT(120.912 30.932)"
    assert lake["name"] == "湖 区"
    assert lake["builder"] is None
    assert data.values("platforms")[2]["position"] is None
    assert data.values("mentions")[0]["printed"] == {"名称": "园"}
    assert data.values("tasks")[0]["departments"] == ["市科技局", "市发改委"]
    assert data.values("tasks")[0]["ord"] == 7


@pytest.mark.parametrize(
    ("table", "cells", "field", "rule"),
    [
        ("platforms", {"name": ""}, "name", "is required"),
        ("platforms", {"name": "  "}, "name", "is required"),
        ("platforms", {"level": "global"}, "level", "'global' is not one of national"),
        ("platforms", {"name_en_source": "guess"}, "name_en_source", "is not one of printed"),
        ("platforms", {"geometry_method": "guess"}, "geometry_method", "is not one of administrative"),
        ("platforms", {"position_accuracy_m": "近"}, "position_accuracy_m", "not a plain decimal number"),
        ("platforms", {"area_km2": "1_000"}, "area_km2", "not a plain decimal number"),
        ("platforms", {"area_km2": "1e3"}, "area_km2", "not a plain decimal number"),
        ("platforms", {"area_km2": "12,8"}, "area_km2", "not a plain decimal number"),
        ("platforms", {"area_km2": "NaN"}, "area_km2", "not a plain decimal number"),
        ("platforms", {"area_km2": "Infinity"}, "area_km2", "not a plain decimal number"),
        ("platforms", {"area_km2": "１２"}, "area_km2", "not a plain decimal number"),
        ("platforms", {"lon": "180.1"}, "lon", "not a WGS-84 degree"),
        ("platforms", {"lat": "-90.5"}, "lat", "not a WGS-84 degree"),
        ("platforms", {"lon": ""}, "lon", "lon and lat, or neither"),
        ("platforms", {"lat": ""}, "lat", "lon and lat, or neither"),
        ("platforms", {"lon": "120°42'"}, "lon", "not a WGS-84 degree"),
        ("platforms", {"lon": "1e2"}, "lon", "not a WGS-84 degree"),
        ("platforms", {"note": "a\x00b"}, "note", "NUL"),
        ("mentions", {"line_start": "10a"}, "line_start", "not a whole number"),
        ("mentions", {"line_start": "10.5"}, "line_start", "not a whole number"),
        ("mentions", {"line_start": "10000000000"}, "line_start", "not a whole number"),
        ("mentions", {"line_end": ""}, "line_end", "is required"),
        ("mentions", {"printed": "{名称}"}, "printed", "not JSON"),
        ("mentions", {"printed": '["名称"]'}, "printed", "must be a JSON object"),
        ("mentions", {"printed": '{"面积": NaN}'}, "printed", "not JSON"),
        ("mentions", {"printed": '{"面积": "\\u0000"}'}, "printed", "NUL"),
        ("layout_axes", {"lon": "", "lat": ""}, "lon", "is required"),
        ("indicator_values", {"kind": "dream"}, "kind", "is not one of actual"),
        ("indicator_values", {"operator": "=>"}, "operator", "is not one of exact"),
        ("industry_relations", {"relation": "wider"}, "relation", "is not one of narrower"),
    ],
)
def test_a_bad_cell(files: DataFiles, table: str, cells: dict[str, str], field: str, rule: str) -> None:
    files.change(table, 0, **cells)
    fault = only_fault(files)
    assert (fault.file, fault.line, fault.field) == (f"plan/{table}.csv", 2, field)
    assert rule in fault.rule
    assert str(fault).startswith(f"plan/{table}.csv:2: {field}: ")


def test_the_line_is_that_of_the_row(files: DataFiles) -> None:
    """Line ends inside quoted cells count, those of other scripts do not end a row."""
    files.change("platforms", 0, note="第一行\n第二行\n第三行")
    files.change("platforms", 1, note="行\u2028分\x85隔", position_accuracy_m="far")
    fault = only_fault(files)
    assert (fault.line, fault.field) == (5, "position_accuracy_m")


@pytest.mark.parametrize(
    ("text", "line", "field", "rule"),
    [
        ("", 1, "header", "missing"),
        ("a,b,reason,extra\n", 1, "header", "['extra']"),
        ("a,b\n", 1, "header", "missing ['reason']"),
        ("a,b,reason,reason\n", 1, "header", "['reason', 'reason']"),
        ("\ufeffa,b,reason\n", 1, "header", "missing ['a']"),
        ("a,b,reason\noutput,share\n", 2, "row", "has 2 cells, the header 3"),
        ("a,b,reason\noutput,share,x,y\n", 2, "row", "has 4 cells, the header 3"),
        ("a,b,reason\n\n", 2, "row", "has 0 cells"),
        ('a,b,reason\noutput,share,"open\n', 2, "row", "not CSV"),
        ('a,b,reason\noutput,share,"a"b\n', 2, "row", "not CSV"),
    ],
)
def test_a_bad_file(files: DataFiles, text: str, line: int, field: str, rule: str) -> None:
    (files.folder / "plan" / "not_comparable.csv").write_text(text, encoding="utf-8")
    fault = only_fault(files)
    assert (fault.file, fault.line, fault.field) == ("plan/not_comparable.csv", line, field)
    assert rule in fault.rule


def test_not_utf8(files: DataFiles) -> None:
    (files.folder / "plan" / "not_comparable.csv").write_bytes("a,b,reason\noutput,share,理由\n".encode("gb18030"))
    fault = only_fault(files)
    assert (fault.file, fault.field) == ("plan/not_comparable.csv", "file")
    assert "UTF-8" in fault.rule


def test_unknown_table(files: DataFiles) -> None:
    (files.folder / "plan" / "plattforms.csv").write_text("id\n", encoding="utf-8")
    fault = only_fault(files)
    assert (fault.file, fault.field) == ("plan/plattforms.csv", "file")
    assert "platforms" in fault.rule


def test_windows_line_ends_are_read(files: DataFiles) -> None:
    path = files.folder / PLATFORMS
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_tables(files.folder).faults == []


def test_every_fault_is_listed(files: DataFiles) -> None:
    files.change("platforms", 0, name="", area_km2="x")
    files.change("mentions", 2, line_end="")
    assert {(fault.file, fault.line, fault.field) for fault in read_tables(files.folder).faults} == {
        (PLATFORMS, 2, "name"),
        (PLATFORMS, 2, "area_km2"),
        ("plan/mentions.csv", 4, "line_end"),
    }


def test_checksum_follows_names_and_contents(files: DataFiles) -> None:
    seen = {checksum(files.folder)}
    files.write()
    assert {checksum(files.folder)} == seen
    files.change("platforms", 0, note="另注")
    seen.add(checksum(files.folder))
    (files.folder / "plan").rename(files.folder / "plan-b")
    seen.add(checksum(files.folder))
    assert len(seen) == 3
    (files.folder / "README.md").write_text("no data", encoding="utf-8")
    assert checksum(files.folder) in seen


def test_outlines_are_among_the_data_files(files: DataFiles) -> None:
    names = {path.name for path in data_files(files.folder)}
    assert {"counties.geojson", "counties_land.geojson", "cities.geojson", "city.geojson", "platforms.csv"} <= names


@pytest.mark.parametrize("spec", FILE_TABLES, ids=lambda spec: spec.name)
def test_the_readme_names_every_column(spec: object) -> None:
    """``geodata/README.md`` tells the person who edits a file which columns it has."""
    text = (ROOT / "geodata" / "README.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("|") and f"{spec.name}.csv`" in line)  # type: ignore[attr-defined]
    missing = [column for column in spec.header if column not in line]  # type: ignore[attr-defined]
    assert missing == []


def test_the_repository_has_no_fault_in_a_cell() -> None:
    assert read_tables(Path(ROOT / "geodata")).faults == []
