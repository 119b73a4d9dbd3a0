"""Where each check of figures, names and quotations begins to find fault, on rows made for it."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.ingest.checks.citations import PlanText
from app.ingest.checks.counts import EXPECTED, JIAXING, ZHEJIANG, counts
from app.ingest.checks.duplicates import duplicates
from app.ingest.checks.figures import AREAS_TABLE, AREAS_TOTAL, ranges, sums, units
from app.ingest.checks.readings import bound_fault, readings, unit_fault, year_fault
from app.ingest.checks.result import Accepted, Result
from app.ingest.files import DataSet, Row, Source
from tests.ingest.test_readings import NOTHING_ACCEPTED, figure

VALUE: Row = {
    "indicator": "firms", "document": "plan", "region": None, "table_name": None, "row_no": None, "kind": "target",
    "year": 2025, "year_from": None, "number": None, "printed": "", "unit_printed": None, "unit_corrected": None,
    "operator": "exact",
}  # fmt: skip


def data(**tables: Iterable[Row]) -> DataSet:
    """Rows by table; each table's first stands in line 2."""
    return DataSet(
        {name: [Source(f"{name}.csv", line, row) for line, row in enumerate(rows, 2)] for name, rows in tables.items()}
    )


def lines(found: list[str]) -> list[int]:
    """The lines that faults name."""
    return [int(fault.split(":")[1]) for fault in found]


# the result


def test_a_verdict_is_the_worst_of_what_was_found() -> None:
    assert Result("甲", "A").verdict == "无对象 nothing"
    assert Result("甲", "A", 1).verdict == "合格 pass"
    assert Result("甲", "A", 1, notes=["看过"]).verdict == "合格 pass"
    assert Result("甲", "A", 1, warnings=["可疑"]).verdict == "警告 warning"
    assert Result("甲", "A", 1, ["错"], ["可疑"]).verdict == "不合格 FAIL"
    assert Result("甲", "A", 1, ["错"], not_run="无").verdict == "未查 not run"


def test_what_was_accepted_is_counted(tmp_path: Path) -> None:
    (tmp_path / "accepted.csv").write_text("check,a,b,reason\nsums,a,b,印错\nsums,c,d,印错\n", encoding="utf-8")
    accepted = Accepted(tmp_path / "accepted.csv")
    assert [accepted.reason("sums", *pair) for pair in (("a", "b"), ("a", "d"), ("c", "d"))] == ["印错", None, "印错"]
    result = accepted.result()
    assert (result.checked, result.failing, result.warnings) == (2, [], [])


# figures


def test_areas_and_their_total() -> None:
    """Each indicator's areas stand on both sides of the total; a cell without a number may hide a part."""
    cases: dict[str, tuple[list[int | None], int | None]] = {
        "equal": ([1, 2, 3, 4, 5], 15),
        "hidden": ([1, 2, None, None, None], 15),
        "too-many": ([8, 9, None, None, None], 15),
        "too-few": ([1, 2, 3, 4, 4], 15),
        "no-total": ([1, 2, 3, 4, 5], None),
        "no-areas": ([None] * 5, 15),
        "share-least": ([15, 16, 17, 18, 19], 15),
        "share-most": ([11, 12, 13, 14, 15], 15),
        "share-below": ([16, 17, 18, 19, 20], 15),
        "share-above": ([10, 11, 12, 13, 14], 15),
    }
    values = []
    for indicator, (areas, total) in cases.items():
        numbers = dict(zip(("0", "1", AREAS_TOTAL, "4", "a", "b"), (*areas[:2], total, *areas[2:]), strict=True))
        for table in (AREAS_TABLE, "", "附", "龥"):
            one = VALUE | {"indicator": indicator, "table_name": table}
            values += [
                one | {"region": region, "number": None if number is None else Decimal(number)}
                for region, number in numbers.items()
                if table == AREAS_TABLE or number is None or region != AREAS_TOTAL
            ]
    indicators = [{"id": name, "unit": "%" if name.startswith("share") else "家"} for name in cases]
    result = sums(data(indicators=indicators, indicator_values=values), NOTHING_ACCEPTED)
    assert result.checked == len(cases)
    assert result.warnings == [
        "hidden 2025: 各地 areas 3，全市 total 15，差 difference 12，无数 cells without a number 3"
    ]
    assert [fault.split(" ")[0] for fault in result.failing] == [
        "no-areas", "no-total", "share-above", "share-below", "too-few", "too-many",
    ]  # fmt: skip


def of_figures(values: list[Row], **more: Iterable[Row]) -> DataSet:
    """Figures of a plan that runs to 2025."""
    return data(
        documents=[{"id": "plan", "period_start": 2021, "period_end": 2025}, {"id": "open", "period_start": None}
                   | {"period_end": None}],
        indicators=[{"id": "firms", "unit": "家"}, {"id": "share", "unit": "%"}, {"id": "money", "unit": "亿元"},
                    {"id": "sites", "unit": "个"}],
        units=[{"printed": "万家", "unit": "家", "factor": Decimal(10_000)},
               {"printed": "万元", "unit": "亿元", "factor": Decimal("0.0001")},
               {"printed": "亿个", "unit": "个", "factor": Decimal(10**8)}],
        indicator_values=[VALUE | value for value in values], **more,
    )  # fmt: skip


def test_what_a_figure_may_be() -> None:
    share = {"indicator": "share"}
    right: list[Row] = [
        {"number": Decimal(7), "printed": "7家"},
        {"number": Decimal("0.7"), "printed": "0.7万家", "unit_printed": "万家"},
        {"number": Decimal("0.7"), "printed": "0.7亿个", "unit_printed": "亿个", "indicator": "sites"},
        {"number": Decimal("0.7"), "printed": "0.7", "unit_printed": "家", "unit_corrected": "万家"},
        # in words
        {"number": Decimal(3), "printed": "三家"},
        {"number": Decimal("1.5"), "indicator": "money", "printed": "1.5"},
        {"number": Decimal(-5000), "printed": "减少5,000 家"},
        {"kind": "actual", "year": 2024},
        {"kind": "flash", "year": 2030, "document": "open"},
        *(share | {"number": Decimal(one), "printed": one} for one in ("0", "0.5", "99.5", "100")),
        share | {"number": Decimal(-3), "printed": "-3", "year_from": 2020},
    ]
    wrong: list[Row] = [
        {"number": Decimal("0.5"), "printed": "0.5家"},
        {"number": Decimal("1.5"), "printed": "1.5家"},
        {"number": Decimal("0.7"), "printed": "0.7万家", "unit_printed": "万家", "unit_corrected": "家"},
        {"number": Decimal(7), "printed": "17家"},
        {"kind": "actual", "year": 2025},
        {"kind": "flash", "year": 2026},
        *(share | {"number": Decimal(one), "printed": one.strip("-")} for one in ("-0.5", "100.5")),
    ]
    assert lines(ranges(of_figures(right + wrong)).failing) == [*range(2 + len(right), 2 + len(right + wrong))]


def test_what_a_place_and_a_period_may_be() -> None:
    place: Row = {"position_accuracy_m": None, "area_km2": None}
    places = [
        place,
        *(place | {"position_accuracy_m": one} for one in (0.5, 300_000.0)),
        *(place | {"area_km2": Decimal(one)} for one in ("0.5", "9999.5")),
        *(place | {"position_accuracy_m": one} for one in (0.0, -0.5, 300_000.5)),
        *(place | {"area_km2": Decimal(one)} for one in ("0", "-0.5", "10000", "10001")),
    ]
    found = ranges(data(platforms=places, regions=places))
    assert (found.checked, lines(found.failing)) == (24, [7, 8, 9, 10, 11, 12, 13] * 2)
    periods = [(2000, 2050), (2025, 2025), (None, 1999), (2051, None), (1999, 2020), (2026, 2025), (2000, 2051)]
    documents = [{"id": str(n), "period_start": a, "period_end": b} for n, (a, b) in enumerate(periods)]
    found = ranges(data(documents=documents))
    assert (found.checked, lines(found.failing)) == (7, [6, 7, 8])


def test_what_a_unit_may_be() -> None:
    given = [(None, None), ("家", None), ("万家", None), ("斤", "家"), ("斤", "万家")]
    bad = [("斤", None), ("%", None), ("龥", None), ("万家", "斤"), (None, "斤")]
    values = [{"unit_printed": printed, "unit_corrected": corrected} for printed, corrected in given + bad]
    right = [("万亿元", "亿元", 10**4), ("亿件", "万件", 10**4), ("年", "岁", 1), ("万件", "件", 10**4)]
    wrong = [("万亿元", "亿元", 10**5), ("亿件", "万件", 10**3), ("年", "岁", 2)]
    whole = of_figures(values)
    whole.rows["units"] += [
        Source("units.csv", line, {"printed": printed, "unit": unit, "factor": Decimal(factor)})
        for line, (printed, unit, factor) in enumerate([*right, *wrong], 10)
    ]
    found = units(whole)
    assert found.checked == 3 + 7 + 10
    assert lines(found.failing) == [14, 15, 16, 7, 8, 9, 10, 11]


# readings


@pytest.mark.parametrize(
    ("printed", "number", "operator", "right"),
    [
        ("从3家增至10家以上", "10", "exact", False),
        ("从3家增至10家以上", "3", "ge", False),
        ("从3家增至10家以上", "3", "exact", True),
        ("下降3家", "-3", "exact", True),
        ("54", "54", "text", False),
        ("54", "54", "ge", False),
        ("列54", "54", "rank", False),
        ("-", None, "missing", True),
        ("-", None, "rank", False),
    ],
)
def test_the_bound_of_one_number_is_not_that_of_another(
    printed: str, number: str | None, operator: str, right: bool
) -> None:
    assert (bound_fault(figure(printed, number, "家", operator=operator)) is None) is right


def test_a_unit_may_be_nowhere() -> None:
    for printed, number in (("较好", None), ("15", "15"), ("前15", "15")):
        assert unit_fault(figure(printed, number, "家")) is None
    assert unit_fault(figure("共15", "15", "家")) is not None
    assert unit_fault(figure("共15", "15")) is None
    assert year_fault(figure("2020年至2022年", None, year=2021)) is not None
    assert year_fault(figure("12020年", None, year=2021)) is None


def test_columns_of_a_table_are_those_of_its_rows() -> None:
    def table(name: str, *cells: tuple[str | None, str, int]) -> list[Row]:
        return [
            VALUE | {"operator": "missing", "table_name": name, "row_no": row, "kind": kind, "year": year}
            for row, kind, year in cells
        ]

    rows = ("1", "actual", 2020), ("1", "target", 2025), ("2", "flash", 2020), ("2", "target", 2025)
    values = [
        *table("two rows", *rows),
        *table("one column", ("1", "target", 2025)),
        *table("a row without a number", *rows, (None, "target", 2026)),
        *table("another year", *rows, ("3", "target", 2026)),
        *table("another kind", *rows, ("3", "actual", 2025)),
        *table("two rows of it", *rows, ("3", "actual", 2025), ("4", "flash", 2025)),
        *table("one row of it", ("1", "target", 2025), ("2", "target", 2025), ("2", "target", 2024)),
        *table("no common year", ("1", "target", 2025), ("2", "target", 2026)),
    ]
    values.append(values[-1] | {"row_no": "3", "year": 2027, "printed": "2027年"})
    found = readings(data(indicator_values=values), NOTHING_ACCEPTED)
    assert found.checked == len(values)
    assert [fault.split(": ")[1] for fault in found.failing] == [
        f"no other row of the table has a {column}"
        for column in ("target of 2026", "actual of 2025", "target of 2024", "target of 2025", "target of 2026")
    ]


# counts


def test_counts_are_of_a_document_and_a_table_alone() -> None:
    """What else is printed, before and behind in the order of letters, is not counted."""
    asked = {one.name: one for one in EXPECTED}

    def numbered(document: str, name: str | None, *numbers: str | None) -> list[dict[str, Any]]:
        return [{"document": document, "table_name": name, "row_no": one, "platform": one} for one in numbers]

    eight = [str(number) for number in range(1, 9)]
    mentions = [
        *numbered(JIAXING, "表 3 科创湖区", *eight, None),
        *numbered("a", "表3", "9"), *numbered("z", "表3", "9"),
        *numbered(JIAXING, None, "9"), *numbered(JIAXING, "见表3", "9"),
    ]  # fmt: skip
    count = asked["表3科创湖区"].count
    assert count(data(mentions=mentions)) == 8
    assert count(data(mentions=mentions[1:])) == 0
    assert count(data(mentions=mentions[:7])) == 7
    listed = [("reform", JIAXING), ("reform", "a"), ("reform", "z"), ("park_target", JIAXING), ("task", JIAXING)]
    tasks = [{"list": kind, "document": document} for kind, document in listed]
    assert asked["改革任务"].count(data(tasks=tasks)) == 1
    parts = [{"id": str(n), "parent": ZHEJIANG} for n in range(7)]
    documents = [{"id": ZHEJIANG, "parent": None}, *parts]
    result = counts(data(documents=documents))
    assert (result.checked, len(result.failing), result.notes) == (1, 1, [])
    result = counts(data(documents=[*documents, {"id": "7", "parent": ZHEJIANG}]))
    assert (result.failing, len(result.notes)) == ([], 1)


# duplicates


def suspected(a: tuple[str, str | None], b: tuple[str, str | None]) -> list[str]:
    platforms = [{"id": id, "name": name, "position": position and f"SRID=4326;POINT({position})"}
                 for id, (name, position) in zip("ab", (a, b), strict=True)]  # fmt: skip
    result = duplicates(data(platforms=platforms), NOTHING_ACCEPTED)
    assert result.checked == 2
    return result.warnings


@pytest.mark.parametrize(
    ("there", "together"),
    [
        ("120.7005 30.75", True), ("120.6995 30.75", True), ("120.70054 30.75", False), ("120.69946 30.75", False),
        ("120.7 30.75043", True), ("120.7 30.74957", True), ("120.7 30.75047", False), ("120.7 30.74953", False),
        ("120.7004 30.7504", False), ("120.7003 30.7503", True), ("120.7 -30.75", False), (None, False),
    ],
)  # fmt: skip
def test_one_place_is_fifty_metres_wide(there: str | None, together: bool) -> None:
    found = suspected(("甲乙丙", "120.7 30.75"), ("甲乙丙丁戊己庚", there))
    near = "a = b? 名称相近 near names 甲乙丙、甲乙丙丁戊己庚，相距 50 米以内 within 50 m"
    assert found == ([near] if together else [])


def test_names_are_near_from_a_likeness_on() -> None:
    assert suspected(("甲乙丙丁", "120.7 30.75"), ("甲乙丙丁戊己庚辛壬癸", "120.7 30.75")) == []
    # 43 of 50 characters
    assert len(suspected(("甲" * 43 + "乙" * 7, None), ("甲" * 43 + "丙" * 7, None))) == 1
    assert suspected(("甲" * 42 + "乙" * 8, None), ("甲" * 42 + "丙" * 8, None)) == []


# citations


def test_words_begin_in_their_line_and_run_on_through_a_cell() -> None:
    text = PlanText("", (), ("甲乙", "丙", *["丁"] * 11, "戊"))
    for words, line, begins in (
        ("甲乙", 1, True), ("乙丙", 1, True), ("丙", 1, False), ("乙 丙" + "丁" * 11, 1, True),
        ("乙丙" + "丁" * 11 + "戊", 1, False), ("丙" + "丁" * 11 + "戊", 2, True), ("戊", 14, True), ("戊", 15, False),
        ("戊", 0, False), ("", 0, False),
    ):  # fmt: skip
        assert text.begins(words, line) is begins, (words, line)
    assert text.heading("甲乙", 14)
    assert text.heading("丙丁", 2)
    assert not text.heading("丁丁", 2)
    # a passage may be said to begin before the text
    assert text.between(-3, 2) == text.between(1, 2) == "甲乙丙"
