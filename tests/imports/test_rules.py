"""What the report says: rows refused and why, geometry repaired, duplicates suspected, what would change."""

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
import yaml
from sqlalchemy import Connection

from app.imports.errors import Unreadable
from app.imports.job import definition_of
from app.imports.report import lines
from tests.commands.conftest import innomap as innomap
from tests.conftest import connect
from tests.imports.conftest import STATIONS, Import, definition

HEAD = ["code", "名称", "功率", "运营", "lon", "lat"]
GOOD = ["A-1", "一号站", "60", "国网", "120.755", "30.746"]


def written(path: Path, *rows: list[Any], head: list[str] | None = None) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head or HEAD, *rows])
    return path


def state(connection: Connection) -> tuple[Any, ...]:
    """Everything that an import may change."""
    tables = ("layer_definition", "import_run", "change", "layer_version")
    found = [connection.execute(sa.text(f"SELECT * FROM {one} ORDER BY 1")).all() for one in tables]  # noqa: S608
    return (sa.inspect(connection).get_table_names(), *found)


def test_rows_are_refused_one_by_one_with_field_and_rule(importing: Import, tmp_path: Path) -> None:
    path = written(
        tmp_path / "in.csv",
        GOOD,
        ["A-2", "二号站", "many", "国网", "120.7", "30.7"],
        ["A-3", "三号站", "", "国网", "30.7", "120.7"],
        ["A-4", "四号站", "1,200", "国网", "nan", "30.7"],
        ["A-5", "五号站", "7", "国网", "", ""],
        ["A 1", "六号站", "7", "国网", "120.7", "30.71"],
        ["", "七号站", "7", "国网", "120.7", "30.7"],
        ["A-8", "字" * 10_001, "7", "国网", "120.7", "30.7"],
        ["A-9", "九号站", "-5e2", "国网", "120.7", "30.7"],
    )
    report = importing(path, crs="EPSG:4326")
    assert (report["read"], report["accepted"], report["refused"]) == (9, 2, 7)
    told = {one["row"]: (one["field"], one["rule"]) for one in report["refusals"]}
    assert {row: field for row, (field, _) in told.items()} == {
        3: "power_kw", 4: "geometry", 5: "lon", 6: "geometry", 7: "key", 8: "key", 9: "name",
    }  # fmt: skip
    assert "Is not a number" in told[3][1]
    assert "Lies outside" in told[4][1]
    assert "no geometry" in told[6][1]
    assert "earlier row" in told[7][1]
    assert report["changes"] == {"added": 2}
    assert report["applied"] is False
    text = "\n".join(lines(report))
    assert "第 3 行" in text
    assert "would: added 2" in text


def test_geometry_is_repaired_and_the_report_says_how(importing: Import, tmp_path: Path) -> None:
    shapes = [
        "POLYGON((120.7 30.7, 120.8 30.8, 120.8 30.7, 120.7 30.8, 120.7 30.7))",
        "POLYGON Z((120.7 30.7 5, 120.8 30.7 5, 120.8 30.8 5, 120.7 30.7 5))",
        "POLYGON((120.7 30.7, 120.8 30.7, 120.7 30.7))",
        "POINT(120.7 30.7)",
        "POLYGON EMPTY",
        "nonsense",
    ]
    path = written(
        tmp_path / "in.csv", *([f"P-{n}", f"地块 {n}", s] for n, s in enumerate(shapes)), head=["code", "名称", "wkt"]
    )
    report = importing(path, layer=definition(geometry="Polygon"), crs="EPSG:4326", apply=True)
    assert {one["row"]: one["how"].split("(")[0] for one in report["repairs"]} == {
        2: "几何无效，已修复（Self-intersection[120.75 30.75]）。 Invalid, repaired ",
        3: "去掉高程。 Heights were dropped",
    }
    refused = {one["row"]: one["rule"] for one in report["refusals"]}
    assert sorted(refused) == [4, 5, 6, 7]
    assert "beyond repair" in refused[4]
    assert "Polygon only" in refused[5]


def test_duplicates_are_suspected_not_refused(importing: Import, tmp_path: Path) -> None:
    path = written(
        tmp_path / "in.csv",
        GOOD,
        ["A-2", "一号站", "60", "国网", "120.8", "30.7"],
        ["A-3", "三号站", "60", "国网", "120.755", "30.746"],
        ["A-4", "嘉兴科技城", "60", "国网", "120.79", "30.73"],
    )
    # nobody need say that 名称 is the name
    report = importing(path, layer=definition(name=None), crs="EPSG:4326")
    assert report["refused"] == 0
    found = {one["what"].split(" ", 1)[1]: one for one in report["duplicates"]}
    assert found["same name"]["rows"] == [2, 3]
    assert found["same place"]["rows"] == [2, 4]
    assert found["name of a platform"]["rows"] == [5]


def test_addresses_are_matched_to_known_places(importing: Import, database_url: sa.URL, tmp_path: Path) -> None:
    rows = [
        ["1", "甲", "嘉兴市南湖区嘉兴科技城亚太路"],
        ["2", "乙", "浙江省海宁市长安镇启潮路"],
        ["3", "丙", "海盐县某路 5 号"],
        ["4", "丁", "北京市朝阳区"],
        ["5", "戊", ""],
    ]
    path = written(tmp_path / "in.csv", *rows, head=["code", "名称", "地址"])
    report = importing(path, layer=definition(address="地址"), apply=True)
    assert {one["row"]: one["field"] for one in report["refusals"]} == {5: "address", 6: "geometry"}
    with connect(database_url).connect() as connection:
        found = connection.execute(
            sa.text(
                "SELECT geometry_method, position_accuracy_m, position_source, position_county FROM imported_stations"
                " ORDER BY id"
            )
        ).all()
    assert [(row[0], row[3]) for row in found] == [("point", "330402"), ("point", "330481"), ("county_only", "330424")]
    assert found[1][1] == 5000
    assert "长安镇" in found[1][2]
    assert found[2][1] > 10_000


def test_a_second_import_changes_what_differs(importing: Import, database_url: sa.URL, tmp_path: Path) -> None:
    two = ["A-2", "二号站", "7", "国网", "120.68", "30.52"]
    path = tmp_path / "in.csv"
    importing(written(path, GOOD, two), crs="EPSG:4326", apply=True)
    moved, named = [*GOOD[:4], "120.756", "30.746"], ["A-3", "三号站", "7", "国网", "120.7", "30.6"]
    path = written(path, moved, named)
    tried = importing(path, layer="stations", crs="EPSG:4326", replace=True)
    assert tried["changes"] == {"added": 1, "changed": 1, "unchanged": 0, "removed": 1}
    assert tried["changed"] == [{"id": "a-1", "fields": ["geom"]}]
    done = importing(path, layer="stations", crs="EPSG:4326", apply=True, why="新一期普查")
    assert done["changes"] == {"added": 1, "changed": 1, "unchanged": 0}
    with connect(database_url).connect() as connection:
        changes = connection.execute(
            sa.text("SELECT action, item, who, why FROM change WHERE layer = 'stations' ORDER BY id")
        ).all()
        versions = dict(connection.execute(sa.text("SELECT id, version FROM imported_stations")).all())
    # the first import is one row of the history, the second a row for each change and one for the run
    assert [row[:2] for row in changes] == [
        ("import", None), ("update", "a-1"), ("create", "a-3"), ("import", None),
    ]  # fmt: skip
    assert {(row[2], row[3]) for row in changes[1:]} == {("steward", "新一期普查")}
    assert versions == {"a-1": 2, "a-2": 1, "a-3": 1}


def test_a_definition_may_gain_fields_and_lose_none(importing: Import, tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", [*GOOD, "是"], head=[*HEAD, "快充"])
    importing(path, crs="EPSG:4326", apply=True)
    more = [
        *STATIONS["fields"],
        {"name": "fast", "title": "快充", "title_en": "Fast", "type": "boolean", "column": "快充"},
    ]
    report = importing(path, layer=definition(fields=more), crs="EPSG:4326", apply=True)
    assert report["changed"] == []
    with pytest.raises(Unreadable, match="must keep it"):
        importing(path, layer=definition(fields=more[1:]), crs="EPSG:4326")
    with pytest.raises(Unreadable, match="of type number for good"):
        importing(path, layer=definition(fields=[{**more[0], "type": "text"}, *more[1:]]), crs="EPSG:4326")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "platforms"}, "layer of this program"),
        ({"id": "Stations"}, "a-z, 0-9"),
        ({"licence": None}, "licence"),
        ({"colour": "red"}, "colour"),
        ({"fields": [{"name": "county", "title": "县", "title_en": "County"}]}, "none of"),
        ({"fields": [{"name": "a'; DROP TABLE x", "title": "县", "title_en": "County"}]}, "a-z, 0-9"),
        ({"fields": [*STATIONS["fields"], {**STATIONS["fields"][0]}]}, "stands twice"),
        ({"lon": "lon"}, "Go together"),
    ],
)
def test_a_definition_is_checked(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        definition_of(yaml.safe_dump({**STATIONS, **changes}, allow_unicode=True))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- " * 5_000 + "a", "nested more than 16"),
        ("[" * 5_000 + "]" * 5_000, "nested more than 16"),
        ("id: &a [x]\nfields: [*a, *a]", "aliases or tags"),
        ("id: !!int ''", "aliases or tags"),
        ("id: 2025-02-30", "not sound YAML"),
        ("id: " + "9" * 5_000, "not sound YAML"),
        ("id: [", "not sound YAML"),
        ("id", "must be a mapping"),
        ("#" * 300_000, "too long"),
        (b"id: \xff", "not sound YAML"),
    ],
    ids=lambda one: repr(one[:12]),
)
def test_what_is_no_definition(text: str | bytes, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        definition_of(text)


def test_a_missing_column_is_named(importing: Import, tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", GOOD)
    with pytest.raises(Unreadable, match="No column '编号'"):
        importing(path, mapping={"key": "编号"}, crs="EPSG:4326")
    report = importing(path, mapping={"operator": "名称"}, layer=definition(key=None), crs="EPSG:4326")
    assert report["accepted"] == 1


def test_a_formula_is_no_value_and_a_text_with_a_sign_is(importing: Import, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(HEAD)
    sheet.append(["A-1", "一号站", '=HYPERLINK("http://x")', "国网", 120.7, 30.7])
    sheet.append(["A-2", "二号站", 5, "国网", 120.7, 30.7])
    sheet["D3"].value, sheet["D3"].data_type = "=1+1", "s"
    book.save(tmp_path / "in.xlsx")
    report = importing(tmp_path / "in.xlsx", crs="EPSG:4326")
    assert [(one["row"], one["field"], one["rule"].split()[-1]) for one in report["refusals"]] == [
        (2, "power_kw", "value")
    ]
    assert report["accepted"] == 1


def test_dry_run_and_failure_change_nothing(importing: Import, database_url: sa.URL, tmp_path: Path) -> None:
    with connect(database_url).connect() as connection:
        before = state(connection)
        importing(written(tmp_path / "in.csv", GOOD), crs="EPSG:4326")
        with pytest.raises(Unreadable, match="No row was accepted"):
            importing(written(tmp_path / "none.csv", [*GOOD[:4], "0", "0"]), crs="EPSG:4326", apply=True)
        connection.rollback()
        assert state(connection) == before


def test_the_command_tries_then_writes(innomap: Any, database_url: sa.URL, tmp_path: Path) -> None:
    path = written(tmp_path / "站点.csv", GOOD)
    (tmp_path / "layer.yaml").write_text(yaml.safe_dump(dict(STATIONS), allow_unicode=True), "utf-8")
    given = ["import", str(path), "--layer", str(tmp_path / "layer.yaml"), "--crs", "EPSG:4326"]
    tried = innomap(database_url, *given)
    assert tried.exit_code == 0
    assert "nothing has changed" in tried.stdout
    done = innomap(database_url, *given, "--apply", "--json", "--map", "operator=名称")
    report = json.loads(done.stdout)
    assert (report["applied"], report["changes"], report["file"]) == (True, {"added": 1}, "站点.csv")
    for wrong, said in (
        (["--layer", "none"], "No layer"),
        (["--layer", "none.yaml"], "No file"),
        (["--map", "x"], "NAME"),
    ):
        failed = innomap(database_url, "import", str(path), "--layer", "stations", *wrong)
        assert failed.exit_code != 0
        assert said in failed.stderr


def test_a_report_of_an_import_is_kept(importing: Import, database_url: sa.URL, tmp_path: Path) -> None:
    report = importing(written(tmp_path / "in.csv", GOOD), crs="EPSG:4326", apply=True)
    with connect(database_url).connect() as connection:
        kept = connection.execute(sa.text("SELECT id, layer, file, sha256, who, report FROM import_run")).one()
    assert kept[:5] == (report["run"], "stations", "in.csv", report["sha256"], "steward")
    assert kept.report["accepted"] == 1
