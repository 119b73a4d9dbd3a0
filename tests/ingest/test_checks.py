"""Each check passes on what is right, and names the row of what is wrong."""

import copy
import csv
import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from shapely import coverage_simplify, union_all
from shapely.geometry import mapping, shape

from app.cli import main
from app.db import tables as t
from app.ingest import checks
from app.ingest.checks import Result, report, run
from app.ingest.checks.citations import PlanText, citations, in_order
from app.ingest.checks.counts import EXPECTED, counts
from app.ingest.checks.database import database
from app.ingest.checks.duplicates import duplicates
from app.ingest.checks.figures import ranges, sums, units
from app.ingest.checks.geometry import geometry
from app.ingest.checks.result import Accepted
from app.ingest.files import DataSet, Row, Source, read_tables
from app.ingest.load import load
from app.ingest.outlines import read_outlines
from app.settings import ROOT, get_settings
from tests.conftest import connect
from tests.ingest.dataset import DataFiles, tables

PLAN_WORDS = "产值 园区 园 湖42.7 院 布局 另一布局 12800以上 - 集成电路 目标 科技、生态 甲高新园 乙科创湖 丙研究院"
PLAN_LINES = ["第一章", *[""] * 7, "一", f"2020年 2025年 {PLAN_WORDS[:24]}", PLAN_WORDS[24:], "末行"]
PLAN_LINES += ["甲厅", "乙厅", *["其余"] * 86]
PLAN = "\n".join(PLAN_LINES)
EMPTY = Path("/nowhere")


def result_of(results: list[Result], name_en: str) -> Result:
    return next(result for result in results if result.name_en == name_en)


@pytest.fixture(scope="module")
def real(geodata: Path) -> DataSet:
    """The repository's data files and outlines."""
    data = read_tables(geodata)
    read_outlines(geodata, "amap", data)
    return data


@pytest.fixture
def data(real: DataSet) -> DataSet:
    """A copy of the repository's data to break."""
    return copy.deepcopy(real)


@pytest.fixture(scope="module")
def coarse(boundaries: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coarse outlines that fit together: counties of shared edges, and the city as their union."""
    folder = Path(shutil.copytree(boundaries, tmp_path_factory.mktemp("coarse") / "boundaries"))
    counties = json.loads((folder / "counties.geojson").read_text(encoding="utf-8"))
    real = json.loads((ROOT / "geodata/boundaries/counties.geojson").read_text(encoding="utf-8"))
    parts = coverage_simplify([shape(feature["geometry"]) for feature in real["features"]], 0.001)
    for feature, part in zip(counties["features"], parts, strict=True):
        feature["geometry"] = mapping(part)
    for name in ("counties", "counties_land"):
        (folder / f"{name}.geojson").write_text(json.dumps(counties), encoding="utf-8")
    city = json.loads((folder / "city.geojson").read_text(encoding="utf-8"))
    city["features"][0]["geometry"] = mapping(union_all(parts))
    (folder / "city.geojson").write_text(json.dumps(city), encoding="utf-8")
    return folder


def quoting(folder: Path, geodata: Path, coarse: Path) -> tuple[DataFiles, Path]:
    """The small data set, and beside it a folder with the text of its plan, which it quotes rightly."""
    files = DataFiles(folder / "geodata", geodata, coarse)
    for number, name in enumerate(("甲高新园", "乙科创湖", "丙研究院")):
        files.change("platforms", number, name=name)
    plans = folder / "plans"
    plans.mkdir()
    (plans / "000_plan.txt").write_text(PLAN, encoding="utf-8")
    files.change("documents", 0, sha256=hashlib.sha256(PLAN.encode()).hexdigest())
    return files, plans


@pytest.fixture
def both(tmp_path: Path, geodata: Path, coarse: Path) -> tuple[DataFiles, Path]:
    return quoting(tmp_path, geodata, coarse)


@pytest.fixture
def files(both: tuple[DataFiles, Path]) -> DataFiles:
    """A small data set to break."""
    return both[0]


@pytest.fixture
def plan(both: tuple[DataFiles, Path]) -> Path:
    """The folder of its plan's text."""
    return both[1]


@pytest.fixture(scope="module")
def small_url(
    make_database: Callable[..., sa.URL],
    schema_url: sa.URL,
    geodata: Path,
    coarse: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> sa.URL:
    """A database that holds the small data set and no more; nobody changes it for good."""
    files, _ = quoting(tmp_path_factory.mktemp("small"), geodata, coarse)
    url = make_database(schema_url.database)
    with connect(url).connect() as connection:
        load(connection, files.folder)
    return url


@pytest.fixture
def small(small_url: sa.URL) -> Iterator[sa.Connection]:
    with connect(small_url).connect() as connection:
        yield connection


def changed(connection: sa.Connection, *statements: str) -> None:
    """Change data past the triggers that keep it right; the connection's end takes it back."""
    # a table with references still to be checked cannot be altered
    connection.execute(sa.text("SET CONSTRAINTS ALL IMMEDIATE"))
    for table in ("platform", "region", "layout_element"):
        connection.execute(sa.text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    for statement in statements:
        connection.execute(sa.text(statement))


# the whole


def test_the_repository_has_no_fault_and_nothing_unexplained(loaded_url: sa.URL, geodata: Path) -> None:
    with connect(loaded_url).connect() as connection:
        results = run(connection, geodata, "amap", None)
    assert [row for result in results for row in result.failing + result.warnings] == []
    not_run = {result.name_en for result in results if result.not_run}
    assert not_run == {
        "Plan texts",
        "Quotations within their lines",
        "Numbers in the order of their row",
        "Numbers under their indicator and year",
    }
    assert {result.name_en for result in results if not result.checked} == not_run
    assert result_of(results, "Counts the documents state").checked == len(EXPECTED)


def test_a_check_changes_nothing(small: sa.Connection, files: DataFiles) -> None:
    run(small, files.folder, "amap", None)
    with small.begin(), pytest.raises(sa.exc.InternalError, match="read-only"):
        small.execute(sa.delete(t.platform))


def test_faulty_files_are_compared_with_nothing(small: sa.Connection, files: DataFiles) -> None:
    files.change("platforms", 0, kind="castle")
    results = run(small, files.folder, "amap", None)
    assert "no kind 'castle'" in result_of(results, "Data files: references").failing[0]
    assert results[-1].not_run is not None


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[int, str]]]:
    def call(url: sa.URL, *arguments: object) -> tuple[int, str]:
        monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
        get_settings.cache_clear()
        outcome = CliRunner().invoke(main, ["check", *map(str, arguments)])
        return outcome.exit_code, outcome.output

    yield call
    get_settings.cache_clear()


def test_the_command_tells_by_its_exit(
    command: Callable[..., tuple[int, str]], small_url: sa.URL, files: DataFiles, plan: Path
) -> None:
    arguments = ("--geodata", files.folder, "--plans", plan)
    code, output = command(small_url, *arguments)
    assert code == 0, output
    assert "引文在所引行内 Quotations within their lines" in output
    assert "不合格" not in output
    files.change("tasks", 0, text="末行")
    code, output = command(small_url, *arguments)
    assert code == 1
    assert "tasks: 数据库缺 not in the database" in output
    assert "末行" in output


def test_without_plans_the_quotations_are_no_pass(
    command: Callable[..., tuple[int, str]], small_url: sa.URL, files: DataFiles
) -> None:
    code, output = command(small_url, "--geodata", files.folder)
    assert code == 0
    line = next(line for line in output.splitlines() if line.startswith("引文在所引行内"))
    assert line.endswith("未查 not run")
    assert "合格" not in line


def test_an_empty_database_is_told_to_load(command: Callable[..., tuple[int, str]], empty_url: sa.URL) -> None:
    code, output = command(empty_url)
    assert code == 1
    assert "innomap load" in output


def test_the_report_is_a_table_and_a_capped_list() -> None:
    failed = Result("甲", "A", 3, [f"row {number}" for number in range(5)])
    lines = list(report([failed, Result("乙", "B", 2), Result("丙", "C", not_run="why")], shown=2))
    assert lines[2].split() == ["甲", "A", "3", "5", "0", "0", "不合格", "FAIL"]
    assert lines[3].split()[-2:] == ["合格", "pass"]
    assert lines[4].split()[-3:] == ["未查", "not", "run"]
    assert [line for line in lines if "row" in line] == ["  row 0", "  row 1"]
    assert lines[-2:] == ["  …… 另有 and 3 行 more", "\n丙 C: why"]


# counts and figures


def remove(data: DataSet, table: str, chosen: Callable[[Row], bool]) -> None:
    data.rows[table].remove(next(source for source in data.rows[table] if chosen(source.row)))


def test_counts_see_a_missing_row_and_a_gap_in_the_numbers(data: DataSet) -> None:
    remove(data, "mentions", lambda row: (row["table_name"] or "").startswith("表3") and row["row_no"] == "8")
    remove(data, "indicator_values", lambda row: row["region"] == "haining-area-xucun" and row["table_name"])
    remove(data, "tasks", lambda row: row["list"] == "reform")
    for source in data.rows["mentions"]:
        if source.row["table_name"] == "“十四五”高新区建设任务清单" and source.row["row_no"] == "8":
            source.row["row_no"] = "9"
    failing = counts(data).failing
    assert [line.split(" (")[0].rsplit(": ", 1)[1] for line in failing] == ["7 / 8", "0 / 8", "6 / 7", "167 / 168"]


def test_counts_of_more_than_the_document_says(data: DataSet) -> None:
    (source,) = [one for one in data.rows["industries"] if one.row["parent"] == "hn-142-2"][:1]
    data.rows["industries"].append(copy.deepcopy(source))
    (failing,) = counts(data).failing
    assert ": 3 / 2 (" in failing


def test_counts_leave_out_documents_that_are_not_there(data: DataSet) -> None:
    data.rows["documents"] = [s for s in data.rows["documents"] if s.row["id"] == "jiashan-sti-2035"]
    result = counts(data)
    assert (result.checked, result.failing) == (5, [])


def value(data: DataSet, **wanted: object) -> Source:
    return next(
        source
        for source in data.rows["indicator_values"]
        if all(source.row[name] == expected for name, expected in wanted.items())
    )


def annex(data: DataSet, region: str, indicator: str) -> Source:
    return value(data, region=region, indicator=indicator, year=2025, table_name=checks.figures.AREAS_TABLE)


def test_sums_compare_the_areas_with_the_total(data: DataSet) -> None:
    annex(data, "haining-area-yanguan", "tech-enterprises-with-hightech").row["number"] = Decimal(151)
    # 丁桥镇 prints “/” here, which may explain a difference
    annex(data, "haining-area-yanguan", "incubators-municipal").row["number"] = Decimal(0)
    annex(data, "330481", "rd-gdp-share").row["number"] = Decimal("9.9")
    result = sums(data, Accepted(EMPTY))
    assert result.checked == 12
    assert result.warnings == [
        "incubators-municipal 2025: 各地 areas 17，全市 total 18，差 difference 1，无数 cells without a number 4"
    ]
    assert [line.split(": ")[0] for line in result.failing] == [
        "rd-gdp-share 2025",
        "tech-enterprises-with-hightech 2025",
    ]
    assert "difference -1" in result.failing[1]


def test_an_accepted_difference_is_noted_with_its_reason(data: DataSet, tmp_path: Path) -> None:
    annex(data, "haining-area-yanguan", "invention-patents").row["number"] = Decimal(501)
    (tmp_path / "accepted.csv").write_text(
        "check,a,b,reason\nsums,invention-patents,2025,印错\nsums,rd-gdp-share,2020,\nsums,gone,2020,不再有\n",
        encoding="utf-8",
    )
    accepted = Accepted(tmp_path / "accepted.csv")
    result = sums(data, accepted)
    assert (result.failing, len(result.notes)) == ([], 1)
    assert result.notes[0].endswith("— 印错")
    assert accepted.result().failing == ["accepted.csv: sums rd-gdp-share 2020: has no reason"]
    assert accepted.result().warnings == ["accepted.csv: sums gone 2020: is no longer found, remove the row"]


def test_accepted_has_its_columns(tmp_path: Path) -> None:
    for columns in ("check,why", "a,b"):
        (tmp_path / "accepted.csv").write_text(f"{columns}\n", encoding="utf-8")
        with pytest.raises(ValueError, match="check,a,b,reason"):
            Accepted(tmp_path / "accepted.csv")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"number": Decimal("100.1"), "printed": "100.1"}, "share 100.1 % is not in 0–100"),
        ({"year": 1999}, "year 1999 is not in 2000–2050"),
        ({"year_from": 1990}, "year_from 1990 is not in 2000–2050"),
        ({"kind": "actual", "year": 2025}, "actual of 2025 in a plan that runs to 2025"),
        ({"printed": "13.75"}, "3.75 is only a part of a printed number: '13.75'"),
    ],
)
def test_ranges_of_a_share(data: DataSet, change: Row, fault: str) -> None:
    share = value(data, indicator="rd-gdp-share", document="jiaxing-sti-14fyp", line_start=165)
    share.row.update(change)
    assert ranges(data).failing == [f"{share.file}:{share.line}: {fault}"]


def test_growth_may_exceed_a_hundred(data: DataSet) -> None:
    share = value(data, indicator="rd-gdp-share", document="jiaxing-sti-14fyp", line_start=165)
    share.row.update(number=Decimal(609), printed="609%", year_from=2020)
    assert ranges(data).failing == []


def test_ranges_of_counts_places_and_periods(data: DataSet) -> None:
    firms = value(data, indicator="hightech-enterprises", document="jiaxing-integration-2027", year=2027)
    firms.row.update(number=Decimal("0.50001"), printed="0.50001")
    platform, document = data.rows["platforms"][0], data.rows["documents"][0]
    platform.row.update(position_accuracy_m=0.0, area_km2=Decimal(10_000))
    other, ended = data.rows["platforms"][1], data.rows["documents"][1]
    other.row.update(area_km2=Decimal(0))
    # what stands right at an end is within
    wide = data.rows["platforms"][3]
    wide.row.update(position_accuracy_m=300_001.0)
    data.rows["platforms"][2].row.update(position_accuracy_m=300_000.0, area_km2=Decimal("0.01"))
    value(data, indicator="hightech-enterprises", kind="target").row.update(year=2050, year_from=2000)
    document.row.update(period_start=2030)
    ended.row.update(period_end=2051)
    result = ranges(data)
    named = ("indicator_values", "platforms", "regions", "layout_elements", "layout_axes", "documents")
    assert result.checked == sum(len(data.rows.get(name, [])) for name in named)
    assert result.failing == [
        f"{firms.file}:{firms.line}: 5000.10000 家 is not a whole number",
        f"{platform.file}:{platform.line}: position_accuracy_m 0.0 is not in (0, 300000]",
        f"{platform.file}:{platform.line}: area_km2 10000 is not in (0, 10000)",
        f"{other.file}:{other.line}: area_km2 0 is not in (0, 10000)",
        f"{wide.file}:{wide.line}: position_accuracy_m 300001.0 is not in (0, 300000]",
        f"{document.file}:{document.line}: period 2030–2025",
        f"{ended.file}:{ended.line}: period {ended.row['period_start']}–2051",
    ]


def test_units_are_known_and_their_factors_right(data: DataSet) -> None:
    factor = next(source for source in data.rows["units"] if source.row["printed"] == "万亿元")
    factor.row["factor"] = Decimal(1000)
    shown = value(data, indicator="rd-gdp-share", document="jiaxing-sti-14fyp", line_start=165)
    shown.row["unit_printed"] = "斤"
    assert units(data).failing == [
        f"{factor.file}:{factor.line}: 1 万亿元 is 10000 亿元, not 1000",
        f"{shown.file}:{shown.line}: unit '斤' is not known for '%'",
    ]


# duplicates


def suspects(files: DataFiles, accepted: Path = EMPTY) -> Result:
    return duplicates(read_tables(files.folder), Accepted(accepted))


def test_a_shared_name_or_alias_is_suspected(files: DataFiles, plan: Path) -> None:
    assert suspects(files).warnings == []
    files.add("aliases", platform="lake", name="（甲）高新园", kind="alias", reason="试")
    assert suspects(files).warnings == ["lake = park? 同名 both are called 甲高新园"]


def test_near_names_are_suspected_and_sooner_at_one_place(files: DataFiles) -> None:
    files.change("platforms", 0, name="嘉兴高新技术产业园区")
    files.change("platforms", 1, name="嘉兴南湖高新技术产业园区")
    files.change("platforms", 2, name="某学院")
    assert len(suspects(files).warnings) == 1
    files.change("platforms", 1, name="嘉兴新技术中心区")
    assert suspects(files).warnings == []
    files.change("platforms", 1, lon="120.7002", lat="30.75")
    assert "相距 50 米以内" in suspects(files).warnings[0]
    files.change("platforms", 1, lon="120.7008", lat="30.75")
    assert suspects(files).warnings == []


def test_an_explained_pair_is_noted(files: DataFiles, plan: Path, tmp_path: Path) -> None:
    files.add("aliases", platform="lake", name="甲高新园", kind="alias", reason="试")
    accepted = tmp_path / "accepted.csv"
    accepted.write_text("check,a,b,reason\nduplicates,lake,park,同名两地\n", encoding="utf-8")
    result = suspects(files, accepted)
    assert (result.warnings, len(result.notes)) == ([], 1)


# citations


def quoted(files: DataFiles, plan: Path) -> list[str]:
    """Faults, while each table begins with a row that cites a text which is not there, and with one that cites none."""
    data = read_tables(files.folder)
    for sources in data.rows.values():
        first = sources[0].row if sources else {}
        if "document" in first:
            sources.insert(0, Source("other.csv", 2, first | {"document": "other"}))
    data.rows["aliases"].insert(0, Source("other.csv", 3, data.rows["aliases"][0].row | {"line_start": None}))
    return [row for result in citations(data, plan) for row in result.failing]


def test_right_quotations_are_counted(files: DataFiles, plan: Path) -> None:
    texts, quotes, cells, names = citations(read_tables(files.folder), plan)
    assert (texts.failing, quotes.failing, cells.failing, names.failing) == ([], [], [], [])
    assert texts.checked == 1
    assert (quotes.checked, cells.checked, names.checked) == (36, 0, 2)


@pytest.mark.parametrize(
    ("table", "cells", "fault"),
    [
        ("mentions", {"quote": "塔"}, "quote: '塔' is not in plan 10–12"),
        ("mentions", {"quote": "其余"}, "quote: '其余' is not in plan 10–12"),
        ("mentions", {"printed": '{"名称": "塔"}'}, "printed 名称: '塔' is not in plan 10–12"),
        ("layouts", {"definition": "塔"}, "definition: '塔' is not in plan 10–12"),
        ("layout_elements", {"definition": "塔"}, "definition: '塔' is not in plan 10–12"),
        ("layout_members", {"name_printed": "塔"}, "name_printed: '塔' is not in plan 10–12"),
        ("industries", {"text": "塔"}, "text: '塔' is not in plan 10–12"),
        ("industry_links", {"words": "塔"}, "words: '塔' is not in plan 10–12"),
        ("tasks", {"text": "塔"}, "text: '塔' is not in plan 10–12"),
        ("tasks", {"departments": "园；塔"}, "departments: '塔' is not in plan 10–12"),
        ("indicator_values", {"printed": "12800件"}, "printed: '12800件' is not in plan 10–12"),
        ("indicator_values", {"departments": "园；塔"}, "departments: '塔' does not stand behind plan 10"),
        (
            "indicator_values",
            {"departments": "甲厅；乙厅", "line_end": "11"},
            "departments: '乙厅' does not stand behind plan 10",
        ),
        ("indicator_values", {"year": "2031"}, "year: 2031 is not printed in lines 2–12, and no note"),
        ("disagreement_sides", {"quote": "塔"}, "quote: '塔' is not in plan 10–12"),
        ("indicator_labels", {"label": "塔"}, "label: '塔' does not begin in plan 10"),
        ("aliases", {"name": "塔"}, "name: '塔' does not begin in plan 10"),
        ("aliases", {"line_start": "101"}, "name: '园区' does not begin in plan 101"),
        ("mentions", {"section": "二"}, "section: '二' is no heading before line 12"),
        ("platforms", {"name": "园新高甲"}, "name: '园新高甲' is in none of its mentions"),
        ("platforms", {"positioning": "园；塔"}, "positioning: '塔' is in none of its mentions"),
    ],
)
def test_a_wrong_quotation_is_named(
    files: DataFiles, plan: Path, table: str, cells: dict[str, str], fault: str
) -> None:
    files.change(table, 0, **cells)
    assert quoted(files, plan) == [f"plan/{table}.csv:2: {fault}"]


def test_a_mention_counts_by_the_words_of_its_own_platform(files: DataFiles, plan: Path) -> None:
    """An area is a number of its own, and each phrase is looked for."""
    files.change("platforms", 1, area_km2="2.7", category="湖；塔", concept="科技；生态")
    assert quoted(files, plan) == [
        "plan/platforms.csv:3: category: '塔' is in none of its mentions",
        "plan/platforms.csv:3: area_km2: 2.7 is in none of its mentions",
    ]


def test_a_platform_without_a_mention_hides_no_other(files: DataFiles, plan: Path) -> None:
    first = files.rows["platforms"][0]["id"]
    files.rows["mentions"] = [row for row in files.rows["mentions"] if row["platform"] != first]
    files.change("platforms", 1, name="湖创科乙")
    assert any("name: '湖创科乙' is in none of its mentions" in row for row in quoted(files, plan))


def test_white_space_is_ignored_and_an_alias_may_have_a_reason(files: DataFiles, plan: Path) -> None:
    files.change("mentions", 0, quote="另 一布 局", section="第一 章：一")
    files.change("aliases", 0, name="塔", reason="联合称呼")
    assert quoted(files, plan) == []


def test_a_text_that_is_another_is_not_quoted_from(files: DataFiles, plan: Path) -> None:
    (plan / "000_plan.txt").write_text(PLAN + "\n", encoding="utf-8")
    faults = quoted(files, plan)
    assert len(faults) == 1
    assert "has sha256" in faults[0]
    (plan / "000_plan.txt").unlink()
    assert "0 texts 000*.txt" in quoted(files, plan)[0]
    (plan / "000_a.txt").write_text(PLAN, encoding="utf-8")
    (plan / "000_b.txt").write_text(PLAN, encoding="utf-8")
    assert "2 texts 000*.txt" in quoted(files, plan)[0]


def test_one_text_that_is_missing_is_a_warning(files: DataFiles, plan: Path) -> None:
    other = files.rows["documents"][0] | {"id": "other", "file": "001"}
    files.add("documents", **other)
    result = citations(read_tables(files.folder), plan)[0]
    assert (result.failing, result.checked) == ([], 2)
    assert result.warnings == ["plan/documents.csv:3: 0 texts 001*.txt，未核对 not compared"]
    (plan / "000_plan.txt").unlink()
    assert len(citations(read_tables(files.folder), plan)[0].failing) == 2


def test_numbers_of_a_row_stand_in_their_order(files: DataFiles, plan: Path) -> None:
    text = PLAN.replace("\n末行", " 99\n某镇 3.20 4.00 13 /")
    (plan / "000_plan.txt").write_text(text, encoding="utf-8")
    files.change("documents", 0, sha256=hashlib.sha256(text.encode()).hexdigest())
    cell = files.rows["indicator_values"][0] | {"unit_printed": "", "operator": "exact", "table_name": "表"}
    cell |= {"line_start": "12", "line_end": "12"}
    # which is no plain number, and of which no year is printed
    files.add("indicator_values", **cell | {"printed": "4.00 13", "number": "4.00", "year": "2024"})
    for number, year in (("3.20", "2020"), ("4.00", "2025")):
        files.add("indicator_values", **cell | {"printed": number, "number": number, "year": year})
    assert quoted(files, plan) == []
    assert [result.checked for result in citations(read_tables(files.folder), plan)] == [1, 42, 2, 2]
    first = len(files.rows["indicator_values"]) - 2
    files.change("indicator_values", first, printed="4.00")
    files.change("indicator_values", first + 1, printed="3.20")
    assert quoted(files, plan) == [
        f"plan/indicator_values.csv:{first + 3}: printed: '3.20' is not the next number in plan 12–12"
    ]
    files.change("indicator_values", first, printed="3.20")
    files.change("indicator_values", first + 1, printed="3")
    assert "'3' is not the next number" in quoted(files, plan)[0]
    files.change("indicator_values", first, printed="99")
    files.change("indicator_values", first + 1, printed="4.00")
    assert any("'99' is not the next number" in row for row in quoted(files, plan))


def test_only_a_line_feed_ends_a_line_of_a_plan(tmp_path: Path) -> None:
    path = tmp_path / "plan.txt"
    path.write_bytes("甲\f乙\u2028丙\n丁戊".encode())
    text = PlanText.read(path)
    assert text.lines == ("甲乙丙", "丁戊")
    assert (text.begins("甲乙", 1), text.begins("丙丁", 1), text.begins("丁", 1), text.begins("丁", 0)) == (
        True,
        True,
        False,
        False,
    )


@pytest.mark.parametrize(("name", "found"), [("家纺综合体", True), ("综合体家纺", False), ("甲家", False)])
def test_joint_names(name: str, found: bool) -> None:
    assert in_order(name, "经编、皮革、家纺三大综合体") is found


# the database


@pytest.fixture
def compare(small: sa.Connection, files: DataFiles) -> Callable[..., list[Result]]:
    """Changes the database by statements and compares it with the files."""
    data = tables(files)

    def call(*statements: str) -> list[Result]:
        changed(small, *statements)
        return database(small, data)

    return call


def test_the_loaded_database_equals_the_files(compare: Callable[..., list[Result]]) -> None:
    equal, edits, mentioned = compare()
    assert (equal.failing, edits.notes, mentioned.failing) == ([], [], [])
    assert edits.checked == mentioned.checked == 3


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("UPDATE indicator_value SET printed = '12801以上' WHERE number IS NOT NULL", "12801以上"),
        ("UPDATE indicator_value SET value = 1 WHERE number IS NOT NULL", "indicator_values"),
        ("DELETE FROM task", "数据库缺"),
        ("INSERT INTO kind (id, name, name_en, ord) VALUES ('castle', '城堡', 'Castle', 99)", "文件缺"),
        ("UPDATE region SET seat = ST_Point(120, 30, 4326) WHERE id = '330481'", "POINT(120 30)"),
        ("UPDATE region SET geom = ST_Multi(ST_Buffer(geom, 0.001)) WHERE id = '330481'", "330481.geom"),
        ("UPDATE region SET land_geom = NULL WHERE id = '330481'", "330481.land_geom"),
        ("UPDATE platform SET plan = plan || '{\"note\": \"别的\"}' WHERE id = 'park'", "park.note"),
        ("UPDATE platform SET retired = true WHERE id = 'park'", "park: 数据库缺"),
        ("UPDATE region SET land_geom = geom WHERE id = '330400'", "330400.land_geom"),
        (
            "INSERT INTO platform (id, kind, name, name_en, name_en_source, geometry_method, plan)"
            " VALUES ('own', 'laboratory', '自建', 'Own', 'own translation', 'none', '{}')",
            "own: 文件缺",
        ),
    ],
)
def test_a_difference_is_named(compare: Callable[..., list[Result]], statement: str, fault: str) -> None:
    equal = compare(statement)[0]
    assert any(fault in row for row in equal.failing), equal.failing


def test_edits_are_listed_and_no_fault(compare: Callable[..., list[Result]]) -> None:
    equal, edits, mentioned = compare(
        "UPDATE platform SET note = '改过', position = ST_Point(120.7, 30.7, 4326) WHERE id = 'park'",
        "INSERT INTO platform (id, kind, name, name_en, name_en_source, geometry_method)"
        " VALUES ('own', 'laboratory', '自建', 'Own', 'own translation', 'none')",
    )
    assert (equal.failing, mentioned.failing) == ([], [])
    assert edits.notes == [
        "own: 在数据库中新建 made in the database",
        "park.note: 文件 file '原注'，现为 now '改过'",
        "park.position: 文件 file 'SRID=4326;POINT(120.7 30.75)'，现为 now 'SRID=4326;POINT(120.7 30.7)'",
    ]


def test_what_no_file_gave_is_no_platform_of_a_file(compare: Callable[..., list[Result]]) -> None:
    equal, edits, mentioned = compare(
        "UPDATE platform SET plan = NULL",
        "UPDATE platform SET retired = true WHERE id = 'lake'",
        "UPDATE platform SET retired = true, deleted = true WHERE id = 'park'",
    )
    assert equal.failing == [f"platforms: {id}: 数据库缺 not in the database" for id in ("academy", "lake", "park")]
    assert edits.notes == [
        "academy: 在数据库中新建 made in the database",
        "lake: 已停用 retired",
        "park: 被编辑删除 deleted by an edit",
    ]
    assert (edits.checked, mentioned.checked, mentioned.failing) == (3, 0, [])


def test_a_platform_without_a_mention_is_named(compare: Callable[..., list[Result]]) -> None:
    mentioned = compare("DELETE FROM mention WHERE platform = 'lake'")[2]
    assert mentioned.failing == ["lake 乙科创湖: 无文件提及 no document mentions it"]


# geometry


@pytest.fixture
def shapes(small: sa.Connection, tmp_path: Path) -> Callable[..., list[Result]]:
    """Changes stored geometry and checks it."""

    def call(*statements: str) -> list[Result]:
        changed(small, *statements)
        return geometry(small, Accepted(tmp_path / "accepted.csv"))

    return call


def test_loaded_geometry_is_right(shapes: Callable[..., list[Result]]) -> None:
    results = shapes()
    assert [result.failing for result in results] == [[]] * 5
    assert [result.checked for result in results] == [130, 3, 90, 7, 6]


BOW = "ST_GeomFromText('POLYGON((120 30, 121 31, 121 30, 120 31, 120 30))', 4326)"
#: A square kilometre inside 海宁, which has no island there, and two.
HOLE = "ST_Buffer(ST_Point(120.65, 30.45, 4326)::geography, 500)::geometry"
HOLES = f"ST_Union({HOLE}, ST_Buffer(ST_Point(120.62, 30.45, 4326)::geography, 500)::geometry)"


@pytest.mark.parametrize(
    ("statement", "check", "fault"),
    [
        (
            f"UPDATE platform SET geom = {BOW} WHERE id = 'lake'",  # noqa: S608
            "Geometry is valid",
            "platform.geom lake: Self-inter",
        ),
        (
            "UPDATE region SET seat = ST_Point(220, 30, 4326) WHERE id = '330481'",
            "Geometry is valid",
            "region.seat 330481",
        ),
        (
            "UPDATE region SET seat = ST_Point(120, 90.5, 4326) WHERE id = '330481'",
            "Geometry is valid",
            "region.seat 330481",
        ),
        (
            "UPDATE platform SET position = ST_Point(120.2, 30.3, 4326) WHERE id = 'park'",
            "Positions are in the county and city declared",
            "park 甲高新园: 所述 declared 330402",
        ),
        (
            "UPDATE platform SET position_county = '330481' WHERE id = 'park'",
            "Positions are in the county and city declared",
            "park 甲高新园: 位置不在 is not in 330481",
        ),
        (
            "UPDATE region SET seat = ST_Point(121.4, 31.2, 4326) WHERE id = 'haining-xucun'",
            "Seats are in their areas",
            "haining-xucun 许村镇: 驻地不在 the seat is not in 海宁市",
        ),
        (
            f"UPDATE region SET geom = ST_Multi(ST_Difference(geom, {HOLES})) WHERE id = '330481'",  # noqa: S608
            "Topology of the counties",
            "2 处空洞",
        ),
        (
            f"UPDATE region SET geom = ST_Multi(ST_Difference(geom, {HOLE})) WHERE id = '330481'",  # noqa: S608
            "Topology of the counties",
            "the union is not the city",
        ),
        (
            "UPDATE region SET geom = ST_Multi(ST_Buffer(geom, 0.001)) WHERE id = '330411'",
            "Topology of the counties",
            "重叠 overlap",
        ),
        (
            "UPDATE region SET land_geom = ST_Multi(ST_Buffer(geom, 0.001)) WHERE id = '330424'",
            "Topology of the counties",
            "330424: 陆域超出全域",
        ),
        (
            "UPDATE platform SET area_km2 = 50 WHERE id = 'lake'",
            "Schematic shapes are marked",
            "lake: 公布 published 50",
        ),
        (
            "UPDATE platform SET area_km2 = NULL WHERE id = 'lake'",
            "Schematic shapes are marked",
            "lake: 公布 published None",
        ),
        (
            f"UPDATE platform SET geom = {HOLE} WHERE id = 'park'",  # noqa: S608
            "Schematic shapes are marked",
            "platforms/park: 未标为示意",
        ),
        (
            "UPDATE layout_element SET drawing_note = NULL WHERE id = 'band'",
            "Schematic shapes are marked",
            "band: 未说明何者不在规划中",
        ),
    ],
)
def test_wrong_geometry_is_named(shapes: Callable[..., list[Result]], statement: str, check: str, fault: str) -> None:
    # buffers of one part of the coast may cut islands out: only the named check is asked
    failing = result_of(shapes(statement), check).failing
    assert any(fault in row for row in failing), failing
    # each pair once
    pairs = [re.findall(r"\d{6}", row.partition(":")[0]) for row in failing if "重叠" in row]
    assert all(a < b for a, b in pairs)
    assert len(pairs) == len(set(map(tuple, pairs)))


def test_degrees_have_ends(shapes: Callable[..., list[Result]]) -> None:
    places = {"330402": "180, 90", "330411": "-180, -90", "330421": "180.5, 0", "330424": "-180.5, 0",
              "330481": "0, 90.5", "330482": "0, -90.5"}  # fmt: skip
    found = result_of(
        shapes(*(f"UPDATE region SET seat = ST_Point({at}, 4326) WHERE id = '{id}'" for id, at in places.items())),  # noqa: S608
        "Geometry is valid",
    )
    assert sorted(row.split(":")[0] for row in found.failing) == [f"region.seat {id}" for id in sorted(places)[2:]]


def test_what_is_no_sketch_or_retired_is_not_measured(shapes: Callable[..., list[Result]]) -> None:
    found = result_of(
        shapes(
            "UPDATE layout_element SET drawing_note = NULL, geometry_method = 'none' WHERE id = 'band'",
            "UPDATE layout_element SET drawing_note = NULL, geometry_method = 'traced' WHERE id = 'core'",
            f"UPDATE platform SET geom = {HOLE}, area_km2 = 9, geometry_method = 'traced' WHERE id = 'park'",  # noqa: S608
            "UPDATE platform SET area_km2 = 9, retired = true WHERE id = 'lake'",
        ),
        "Schematic shapes are marked",
    )
    assert not any("未说明" in row or "公布" in row for row in found.failing), found.failing


def test_what_is_retired_may_lie_anywhere(shapes: Callable[..., list[Result]]) -> None:
    """Of the counties two are retired, with another's land, and one is of another city, all too large."""
    wide = "geom = ST_Multi(ST_Buffer(geom, 0.001))"
    results = shapes(
        "UPDATE platform SET position = ST_Point(120.2, 30.3, 4326), position_county = NULL, position_city = NULL,"
        " retired = true WHERE id = 'park'",
        f"UPDATE region SET {wide}, land_geom = ST_Multi(ST_Buffer(geom, 0.01)), retired = true"  # noqa: S608
        " WHERE id IN ('330402', '330483')",
        f"UPDATE region SET {wide}, parent = '330100' WHERE id = '330421'",  # noqa: S608
        "UPDATE region SET seat = ST_Point(121.4, 31.2, 4326), retired = true WHERE id = 'haining-xucun'",
    )
    for check in ("Positions are in the county and city declared", "Seats are in their areas"):
        assert result_of(results, check).failing == []
    topology = result_of(results, "Topology of the counties").failing
    assert not any("重叠" in row or "陆域" in row for row in topology), topology


def test_the_county_that_is_stored_is_the_one_declared(shapes: Callable[..., list[Result]]) -> None:
    """Where it is another in either order of letters, it is noted though the position is right."""
    found = result_of(
        shapes(
            "UPDATE platform SET position_county = '330481', position_accuracy_m = NULL WHERE id = 'park'",
            "UPDATE platform SET position_county = '330402' WHERE id = 'lake'",
        ),
        "Positions are in the county and city declared",
    )
    assert [row.split(" ")[0] for row in found.warnings] == ["lake", "park"]
    assert found.failing == [
        "lake 乙科创湖: 位置不在 is not in 330402",
        "park 甲高新园: 位置不在 is not in 330481",
    ]


def test_a_position_that_is_inexact_or_explained_is_no_fault(
    shapes: Callable[..., list[Result]], tmp_path: Path
) -> None:
    outside = (
        "UPDATE platform SET position = ST_Point(120.2, 30.3, 4326), position_county = NULL, position_city = '330100',"
        " position_accuracy_m = {} WHERE id = 'park'"
    )
    result = result_of(shapes(outside.format(100_000)), "Positions are in the county and city declared")
    assert (result.failing, len(result.warnings)) == ([], 1)
    with (tmp_path / "accepted.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([Accepted.COLUMNS, ("containment", "park", "330402", "跨界")])
    result = result_of(shapes(outside.format(10)), "Positions are in the county and city declared")
    assert (result.failing, result.warnings) == ([], [])
    assert result.notes[0].endswith("— 跨界")


def test_counties_of_another_source_need_not_be_the_city(shapes: Callable[..., list[Result]]) -> None:
    for source in ("龥", ""):
        result = result_of(
            shapes(
                f"UPDATE region SET outline_source = '{source}', geom = ST_Multi(ST_Difference(geom,"  # noqa: S608
                " ST_Buffer(ST_StartPoint(ST_ExteriorRing(ST_GeometryN(geom, 1))), 0.01))) WHERE id = '330424'"
            ),
            "Topology of the counties",
        )
        assert not any("the union is not the city" in row for row in result.failing)
        assert len(result.notes) == 1
