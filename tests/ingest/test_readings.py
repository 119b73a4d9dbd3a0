"""A figure whose columns say something else than its printed words is found."""

import copy
import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.ingest.checks.citations import citations
from app.ingest.checks.readings import bound_fault, readings, unit_fault, year_fault
from app.ingest.checks.result import Accepted
from app.ingest.files import Row, read_tables
from tests.ingest.dataset import DataFiles

NOTHING_ACCEPTED = Accepted(Path("/nowhere"))


def figure(printed: str, number: str | None, unit: str | None = None, **columns: Any) -> Row:
    return {
        "printed": printed,
        "number": None if number is None else Decimal(number),
        "unit_printed": unit,
        "operator": "exact",
        "year": 2025,
        "year_from": None,
    } | columns


@pytest.mark.parametrize(
    ("printed", "number", "unit", "operator"),
    [
        ("达到2416家", "2416", "家", "exact"),
        ("3000以上", "3000", "家", "ge"),
        ("培育不少于3家", "3", "家", "ge"),
        ("建设国家级科研平台3个以上", "3", "个", "ge"),
        ("建设10-15家", "10", "家", "ge"),
        ("力争突破5,000家", "5000", "家", "gt"),
        ("合作对接400余次", "400", "次", "gt"),
        ("73左右", "73", "%", "approx"),
        ("直接经费近60亿元", "60", "亿元", "approx"),
        ("列全省第5位", "5", "位", "rank"),
        ("54", "54", None, "rank"),
        ("前50", "50", None, "le"),
        ("保持基本稳定", None, None, "text"),
        ("仅有1家省级以上孵化器", "1", "家", "exact"),
    ],
)
def test_a_bound_is_the_one_its_words_say(printed: str, number: str | None, unit: str | None, operator: str) -> None:
    assert bound_fault(figure(printed, number, unit, operator=operator)) is None
    wrong = "lt" if number else "exact"
    assert bound_fault(figure(printed, number, unit, operator=wrong)) is not None


def test_a_unit_follows_its_number() -> None:
    for printed in ("达到15亿元", "80余亿元", "15", "15（24年数据未出）", "44.5左右"):
        assert unit_fault(figure(printed, "15", "亿元")) is None
    assert unit_fault(figure("达到15亿元", "15", "万元")) is not None


def test_a_year_is_one_of_those_printed() -> None:
    assert year_fault(figure("从2015年的7家增至2020年的17家", "17", year=2020)) is None
    assert year_fault(figure("2016-2019年年均增加24.4%", "24.4", year=2019, year_from=2016)) is None
    assert year_fault(figure("达到17家", "17", year=2031)) is None
    assert year_fault(figure("2020年的17家", "17", year=2021)) is not None


def test_the_figures_of_the_repository_read_as_printed_and_a_slip_is_named(geodata: Path) -> None:
    data = copy.deepcopy(read_tables(geodata))
    result = readings(data, Accepted(geodata / "accepted.csv"))
    assert (result.failing, result.checked) == ([], len(data.rows["indicator_values"]))
    cell = next(s for s in data.rows["indicator_values"] if s.row["region"] == "haining-area-yanguan")
    cell.row["year"] = 2026
    failing = readings(data, Accepted(geodata / "accepted.csv")).failing
    assert failing == [f"{cell.file}:{cell.line}: no other row of the table has a {cell.row['kind']} of 2026"]


def test_what_a_person_accepted_is_a_note(files: DataFiles, tmp_path: Path) -> None:
    files.change("indicator_values", 0, operator="exact")
    data = read_tables(files.folder)
    assert "'12800以上' says ['ge']" in readings(data, NOTHING_ACCEPTED).failing[0]
    (tmp_path / "accepted.csv").write_text("check,a,b,reason\nreadings,output,2025,看过\n", encoding="utf-8")
    result = readings(data, Accepted(tmp_path / "accepted.csv"))
    assert (result.failing, len(result.notes)) == ([], 1)


def test_a_year_is_printed_near_its_figure_or_explained(files: DataFiles, tmp_path: Path) -> None:
    text = "\n".join(
        ["一 2030年", "到2025年，产值12800以上", "“十二五”“十三五”“十四五”", *["其余"] * 9, "产值12800以上"]
    )
    (tmp_path / "000.txt").write_text(text, encoding="utf-8")
    files.change("documents", 0, sha256=hashlib.sha256(text.encode()).hexdigest(), line_end="13")

    def faults(line: str, **cells: str) -> list[str]:
        files.change("indicator_values", 0, line_start=line, line_end=line, **cells)
        results = citations(read_tables(files.folder), tmp_path)
        return [fault for result in results for fault in result.failing if ".csv:2: year:" in fault]

    assert faults("2") == faults("2", year="2030") == []
    assert len(faults("12", year="2015")) == 1
    assert [faults("11", year=str(end)) for end in (2015, 2020, 2025)] == [[]] * 3
    assert faults("11", year="2024") != []
    assert faults("2", year="2026") == [
        "plan/indicator_values.csv:2: year: 2026 is not printed in lines 1–2, and no note"
    ]
    assert len(faults("13", year="2025")) == 1
    assert faults("13", note="the plan's end") == []


def test_a_number_stands_under_its_name_and_an_area_in_its_mention(files: DataFiles, tmp_path: Path) -> None:
    # the first row's label stands as far above its number as it may
    text = "\n".join(
        ["一", "丙", "甲产值（亿元）", *["其余"] * 10, "5", "7", "乙比重（%）", "3", "湖 142.75平方公里", "8 9 6"]
    )
    (tmp_path / "000.txt").write_text(text, encoding="utf-8")
    files.change("documents", 0, sha256=hashlib.sha256(text.encode()).hexdigest(), line_end="19")
    cell = files.rows["indicator_values"][0] | {"section": "一", "operator": "exact", "table_name": "表", "row_no": "1"}
    # a row of three indicators is not looked at, one of two is
    rows = [("output", "9", "19", "8", "元"), ("third", "9", "19", "9", "元"), ("share", "9", "19", "6", "元")]
    rows += [("output", "1", "14", "5", "亿元"), ("output", "1", "15", "7", "亿元"), ("share", "2", "17", "3", "%")]
    files.rows["indicator_values"] = []
    for indicator, row, line, number, unit in rows:
        place = {"row_no": row, "line_start": line, "line_end": line}
        files.add("indicator_values", **cell | place | {"printed": number, "number": number, "unit_printed": unit}
                  | {"indicator": indicator})  # fmt: skip
    files.rows["indicator_labels"] = []
    for indicator, label, line in (("output", "甲产值", "3"), ("share", "乙比重", "16"), ("share", "丙", "2")):
        files.add("indicator_labels", indicator=indicator, label=label, document="plan", line_start=line)
    files.change("mentions", 1, quote="湖", line_start="18", line_end="18", section="一")

    def faults() -> list[str]:
        return [fault for result in citations(read_tables(files.folder), tmp_path) for fault in result.failing]

    assert "plan/platforms.csv:3: area_km2: 42.7 is in none of its mentions" in faults()
    files.change("platforms", 1, area_km2="142.75")
    assert not any("area_km2" in fault or "indicator:" in fault or "unit_printed:" in fault for fault in faults())
    assert citations(read_tables(files.folder), tmp_path)[3].checked == 3
    files.change("indicator_values", 4, indicator="share")
    files.change("indicator_values", 5, unit_printed="亿元")
    files.add("indicator_values", **files.rows["indicator_values"][5] | {"indicator": "output"})
    assert [fault for fault in faults() if "does not stand" in fault or "no label" in fault] == [
        "plan/indicator_values.csv:6: indicator: no label of 'share' stands in row 1",
        "plan/indicator_values.csv:7: unit_printed: '亿元' does not stand in row 2",
        "plan/indicator_values.csv:8: indicator: no label of 'output' stands in row 2",
    ]
