"""What a thematic map says of values that are not plain numbers, and how its charts are drawn."""

import re
from decimal import Decimal
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest
from shapely.geometry import box

from app.maps.charts import Scale, ticks
from app.maps.charts_progress import chart, progress
from app.maps.charts_ranking import ranking
from app.maps.classes import Class
from app.maps.print_sheet import MARGIN
from app.maps.thematic import Theme, class_text, printed_theme
from app.maps.thematic_drawing import GREATEST, LEAST, dark, drawing, legend, radius
from app.maps.thematic_print import print_thematic
from app.maps.wording import is_ratio, number
from app.queries.thematic import Regions, Time

HOSTILE = "</text><script>alert(1)</script>&\"'"
INDICATOR = {"id": "x", "name": "份额", "name_en": "Share", "unit": "%", "better": "higher"}
AT = Time(2020, "actual")


def region(id: str, **more: Any) -> dict[str, Any]:
    about = {"name": f"{id}镇", "name_en": f"{id} Town", "level": "area", "land_area_km2": None, "outlined": False}
    return {"id": id, "lon": 120.5, "lat": 30.5, **about, **more}


def row(subject: str, value: str | None, **more: Any) -> dict[str, Any]:
    told = {
        "subject": subject, "region": subject, "platform": None, "year_from": None, "year": 2020, "kind": "actual",
        "operator": "exact", "printed": value or "/", "value": None if value is None else Decimal(value), "note": None,
        "unit_corrected": None, "correction_reason": None, "document": "doc", "title": "规划", "title_en": "Plan",
        "section": None, "line_start": 7, "line_end": 7, "name": subject, "name_en": subject,
    }  # fmt: skip
    return {**told, **more}


def theme(rows: list[dict[str, Any]], since: Time | None = None, at: Time = AT, names: str = "abcdef") -> Theme:
    compared = Regions(region("whole", level="county"), [region(one) for one in names])
    return printed_theme(INDICATOR, "haining-areas", compared, rows, at, since, "jenks")


def test_nothing_printed_a_mark_and_words_are_three_things() -> None:
    made = theme(
        [
            row("a", "3"), row("b", None, operator="missing"), row("c", None, operator="text", printed="实现倍增"),
            row("e", "0"),
        ],
        names="abcde",
    )  # fmt: skip
    assert [(one.state, one.label, one.number) for one in made.items] == [
        ("number", "3", 1), ("mark", "/", None), ("text", "", None), ("none", "", None), ("number", "0", 0),
    ]  # fmt: skip
    assert [one.count for one in made.classes] == [1, 1]
    compared = Regions(region("whole"), [region(one) for one in "abcde"])
    assert [one.text for one in legend(made, compared, "en")] == [
        "3%", "0%", "printed as “/”, “—”: no number", "words only, no number", "not printed",
    ]  # fmt: skip


def test_a_bound_stays_with_its_number_and_a_final_figure_comes_first() -> None:
    made = theme(
        [
            row("a", "4", operator="ge", printed="4以上"), row("b", "2.50", operator="approx"), row("c", "1"),
            row("c", "1.1", document="other"), row("d", "5", kind="flash"),
        ]
    )  # fmt: skip
    assert [one.label for one in made.items[:4]] == ["≥4", "≈2.5", "1", "5"]
    notes = " ".join(zh for zh, _ in made.notes)
    assert "2 个数值原文带限定词" in notes
    assert "1 个为快报数" in notes
    assert "另印有不同数值，见表：c镇" in notes
    assert made.title[0] == "whole镇各片区份额（%），2020年实际，《规划》"


def test_a_change_of_bounded_values_is_about_and_a_missing_end_leaves_none() -> None:
    target = {"year": 2025, "kind": "target"}
    rows = [
        row("a", "3.31"), row("a", "4.50", **target), row("b", "2"), row("b", "1.5", operator="ge", **target),
        row("c", "1"), row("d", None, operator="missing"), row("d", "3", **target), row("e", "2"),
        row("e", "2", **target),
    ]  # fmt: skip
    made = theme(rows, AT, Time(2025, "target"))
    assert [(one.value, one.label) for one in made.items[:5]] == [
        (Decimal("1.19"), "+1.19"), (Decimal("-0.5"), "≈−0.5"), (None, ""), (None, ""), (Decimal(0), "0"),
    ]  # fmt: skip
    assert [(one.low, one.high) for one in made.classes] == [(-0.5, -0.5), (0, 0), (1.19, 1.19)]
    assert made.unit == ("百分点", "pp")
    assert made.title[1].startswith("whole Town, areas: Share (percentage points), change from actual of 2020")


def test_class_bounds_are_printed_as_they_are_used() -> None:
    assert class_text(Class(0.86, 3.2, 1, "#fff", includes_low=True), "%") == "0.86 – 3.2%"
    assert class_text(Class(3.2, 4.7, 1, "#fff"), "亿元") == "> 3.2 – 4.7 亿元"
    assert class_text(Class(-2.0, -0.5, 1, "#fff", includes_low=True, includes_high=False), "") == "−2 – < −0.5"
    assert number(Decimal("12300.50")) == "12,300.5"
    assert [is_ratio(one) for one in ("%", "件/万人", "家", "亿元/年")] == [True, True, False, False]


def test_symbols_grow_with_the_value_by_area() -> None:
    made = theme([row("a", "16"), row("b", "4"), row("c", "0")])
    reach = [radius(made, one) for one in made.items]
    assert reach[:3] == [GREATEST, GREATEST / 2, LEAST]
    assert [dark(one) for one in ("#ffffcc", "#41b6c4", "#2c7fb8", "#253494")] == [False, False, True, True]


def test_names_are_text_in_every_drawing() -> None:
    rows = [row("a", "3", name=HOSTILE, title=HOSTILE, note=HOSTILE), row("a", "4", year=2025, kind="target")]
    compared = Regions(region("whole"), [region("a", name=HOSTILE)])
    made = printed_theme(INDICATOR, "haining-areas", compared, rows, AT, None, "jenks")
    told = progress(rows)
    for drawn in (ranking(made, "zh"), chart(told, HOSTILE, "%", "zh")):
        assert "<script" not in drawn
        wide, narrow = ElementTree.fromstring(f"<div>{drawn}</div>")  # noqa: S314 - our own text
        assert [one.tag for one in (wide[0], narrow[0])] == ["svg", "svg"]
        assert HOSTILE in "".join(wide.itertext())


@pytest.mark.parametrize("width", ["wide-chart", "narrow-chart"])
def test_a_chart_says_in_words_what_it_draws(width: str) -> None:
    rows = [
        row("a", "2.73", year=2015), row("a", "3.31"), row("a", "3.31"), row("a", "3.2", kind="target"),
        row("a", "3.55", year=2024, document="new"), row("a", "3.75", year=2025, kind="target"),
        row("a", "3.7", year=2027, kind="target", operator="ge", document="new"),
        row("a", None, operator="text", year=2035),
    ]  # fmt: skip
    told = progress(rows)
    assert len(told.points) == 6
    whole = ElementTree.fromstring(f"<div>{chart(told, '份额', '%', 'zh')}</div>")  # noqa: S314 - our own text
    svg = next(one for one in whole if one.get("class") == width)[0]
    assert svg.get("role") == "img"
    said = {one.tag: one.text or "" for one in svg if one.tag in ("title", "desc")}
    assert said["desc"].split("; ") == [
        "2015 实际 2.73", "2020 实际 3.31", "2020 目标 3.2", "2024 实际 3.55", "2025 目标 3.75", "2027 目标 ≥3.7",
    ]  # fmt: skip
    # actuals are discs, targets hollow diamonds
    assert len(svg.findall("circle")) == 3
    assert len(svg.findall("polygon[@fill='#FFFFFF']")) == 3
    # one way through the actuals, and one to each target: from 2015 to 2020, from 2020 to 2025, from 2024 to 2027
    dashed = [one.get("points", "").split() for one in svg.findall("polyline") if one.get("stroke-dasharray")]
    solid = next(one.get("points", "").split() for one in svg.findall("polyline") if not one.get("stroke-dasharray"))
    assert [one[0] for one in dashed] == [solid[0], solid[1], solid[2]]
    wide, high = float(svg.get("width", 0)), float(svg.get("height", 0))
    for one in svg.findall("text"):
        assert 0 <= float(one.get("x", 0)) <= wide
        assert 0 < float(one.get("y", 0)) <= high


def test_a_sum_over_years_spans_them() -> None:
    told = progress([row("a", "30", year_from=2016), row("a", "40", year_from=2021, year=2025, kind="target")])
    drawn = chart(told, "x", "", "en")
    assert "2016–2020 actual 30; 2021–2025 target 40" in drawn
    assert len(re.findall(r'<line [^>]*stroke-width="2"', drawn)) == 4


def test_ranking_puts_the_greatest_first_and_keeps_a_negative_on_its_side() -> None:
    rows = [row("a", "1"), row("a", "3", year=2024), row("b", "5"), row("b", "1", year=2024)]
    made = theme(rows, AT, Time(2024, "actual"), names="ab")
    svg = ElementTree.fromstring(f"<div>{ranking(made, 'zh')}</div>")[0][0]  # noqa: S314 - our own text
    first, second = svg.findall("rect")
    zero = float(first.get("x", 0))
    assert float(second.get("x", 0)) + float(second.get("width", 0)) == pytest.approx(zero, abs=0.2)
    assert 2 * float(first.get("width", 0)) == pytest.approx(float(second.get("width", 0)), rel=0.01)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_sheet_hides_no_word_and_gives_the_same_bytes(lang: str) -> None:
    places = {"a": (120.3, 30.4), "b": (120.32, 30.41), "c": (120.7, 30.8), "d": (120.6, 30.5)}
    compared = Regions(
        region("whole"), [region(key, lon=lon, lat=lat, name=HOSTILE) for key, (lon, lat) in places.items()]
    )
    rows = [row("a", "1"), row("b", "30", operator="ge"), row("c", None, operator="missing"), row("d", "7")]
    made = printed_theme(INDICATOR, "haining-areas", compared, rows, AT, None, "jenks")
    ground = [{"part": "unit", "id": "whole", "name": "全", "name_en": "Whole", "geometry": SQUARE}]
    sheets = [print_thematic(made, compared, ground, ["来源 Credit"], "A4", lang) for _ in range(2)]
    first, second = (one.file("svg") for one in sheets)
    assert first == second
    assert b"<script" not in first
    words = sheets[0].words
    page = box(MARGIN, MARGIN, 297 - MARGIN, 210 - MARGIN).buffer(0.5)
    assert [text for text, covered in words if not page.covers(covered)] == []
    assert [(a[0], b[0]) for a, b in combinations(words, 2) if a[1].intersection(b[1]).area > 0.02] == []
    said = "".join(text for text, _ in words)
    name = "b Town" if lang == "en" else HOSTILE
    for part in (f"{name} ≥30", "/", "自然断点", "规划", "来源", "无审图号"):
        assert part in said


def test_scales_and_ticks() -> None:
    assert ticks(0, 7.2, 5) == [0, 2, 4, 6, 8]
    assert ticks(3.31, 3.75, 4)[0] <= 3.31
    assert ticks(5, 5, 4)[0] < 5 < ticks(5, 5, 4)[-1]
    assert Scale(0, 10, 100, 0)(2.5) == 75
    compared = Regions(region("whole"), [region("a")])
    ground = [{"part": "unit", "id": "whole", "name": "x", "name_en": "x", "geometry": SQUARE}]
    drawn = drawing(theme([row("a", "1")], names="a"), ground, compared, "en")
    assert drawn["extent"] == [[30, 120], [31, 121]]
    assert [one["at"] for one in drawn["regions"]] == [[120.5, 30.5]]


SQUARE = '{"type":"Polygon","coordinates":[[[120,30],[121,30],[121,31],[120,31],[120,30]]]}'
