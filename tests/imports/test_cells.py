"""Values of files as fields have them: what people and programs write, and what is refused with its rule."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from app.catalog.imported import FieldDefinition
from app.imports.cells import Wrong, column, degrees
from app.imports.errors import Unreadable
from app.imports.limits import limits
from app.settings import Settings
from tests.imports.conftest import Import, definition

#: Cells and what a field of a type makes of them; a text that begins with ! is part of the rule that is broken.
READ: dict[str, dict[Any, Any]] = {
    "text": {" 一 ": "一", "": None, None: None, 5.0: "5", 2.5: "2.5", True: "true", b"x": "!Is binary",
             "字" * 10_001: "!Longer than 10000", "a\0b": "!NUL"},
    "number": {"1,200": 1200, "１，２００．５": Decimal("1200.5"), "1,5": "!Is not a number", "１２": 12,
               "-5e2": -500, ".5": Decimal("0.5"),
               "1e9999": "!Is not a number", "9" * 51: "!Is not a number", "": None, 7: 7, "many": "!Is not a number"},
    "integer": {"12": 12, " 12 ": 12, "12.0": 12, "12.5": "!Is not a whole number", "1e30": "!Is not a whole number",
                "": None, 3.0: 3},
    "boolean": {"是": True, "Yes": True, "0": False, False: False, "": None, "也许": "!Must be yes or no"},
    "date": {"2025-06-01": "2025-06-01", "2025年6月1日": "2025-06-01", "2025/6/1 08:30": "2025-06-01", "": None,
             "2025-02-30": "!Is not a date", "六月": "!Is not a date", "20250601": "2025-06-01",
             "2025-W23-7": "!Is not a date", "２０２５年６月１日": "2025-06-01"},
    "list": {"甲；乙、丙": ["甲", "乙", "丙"], "": [], ("甲", " ", "乙"): ["甲", "乙"]},
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("beside", [[], [""], ["\0"]], ids=["alone", "plain", "odd"])
def test_cells(kind: str, beside: list[Any]) -> None:
    """The same whatever stands beside them: a column of plain cells is read at once, any other one by one."""
    read = column(FieldDefinition(name="one", title="x", title_en="x", type=kind), limits(Settings()))
    for cell, wanted in READ[kind].items():
        values, faults = read([*beside, cell])
        if isinstance(wanted, str) and wanted.startswith("!"):
            assert wanted[1:] in faults[len(beside)], cell
        else:
            assert (values[-1], faults.get(len(beside))) == (wanted, None), cell


@pytest.mark.parametrize(
    ("cell", "part", "wanted"),
    [
        ("120°45′36″E", "lon", "120.76"), ("东经120度45分36秒", "lon", "120.76"), ("30°45'", "lat", "30.75"),
        ("n 30.75", "lat", "30.75"), ("30° 45' 36''", "lat", "30.76"), ("１２０．７５", "lon", "120.75"),
        ("30.75N", "lon", "!swapped"), ("120°60′", "lon", "!below 60"), ("120°75", "lon", "!Is not a number"),
        ("W120.75", "lon", "!Is not a number"), ("120,75", "lon", "!Is not a number"),
    ],
)  # fmt: skip
def test_degrees(cell: str, part: str, wanted: str) -> None:
    """Coordinates as surveyors write them."""
    if wanted.startswith("!"):
        with pytest.raises(Wrong, match=wanted[1:]):
            degrees(cell, part, limits(Settings()))
    else:
        assert degrees(cell, part, limits(Settings())) == Decimal(wanted)


def test_values_that_a_field_may_have() -> None:
    field = FieldDefinition(name="one", title="x", title_en="x", type="list", values=("甲", "乙"), required=True)
    values, faults = column(field, limits(Settings()))(["甲、乙", "甲、丙", ""])
    assert values[0] == ["甲", "乙"]
    assert "one of these" in faults[1]
    assert "not be empty" in faults[2]


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a workbook of two sheets; the second has the rows."""

    def made(*rows: list[Any]) -> Path:
        book = openpyxl.Workbook()
        sheet = book.create_sheet("站点")
        for row in rows:
            sheet.append(row)
        book.save(tmp_path / "in.xlsx")
        return tmp_path / "in.xlsx"

    return made


def test_cells_of_a_workbook(importing: Import, workbook: Callable[..., Path]) -> None:
    """Dates, formulas and errors; the sheet is named, or told which there are."""
    head = ["code", "名称", "建成", "时刻", "lon", "lat", None]
    path = workbook(
        ["站点一览表"],
        [],
        head,
        ["A-1", "一号站", datetime(2025, 6, 1), time(8, 30), 120.7, 30.7],
        [None] * 6,
        ["A-2", "二号站", date(2025, 6, 2), "#N/A", 120.71, 30.71],
        ["A-3", "三号站", "=TODAY()", None, 120.72, 30.72],
        ["A-4", datetime(2025, 6, 3, 12), None, None, 120.73, 30.73],
    )
    fields = [{"name": "built", "title": "建成", "title_en": "Built", "type": "date", "column": "建成"},
              {"name": "at", "title": "时刻", "title_en": "At", "column": "时刻"}]  # fmt: skip
    given = {"layer": definition(fields=fields), "crs": "EPSG:4326"}
    report = importing(path, table="站点", **given)
    assert (report["read"], report["accepted"], report["refused"]) == (4, 3, 1)
    (refused,) = report["refusals"]
    assert (refused["row"], refused["field"]) == (7, "built")
    assert "Is a formula" in refused["rule"]
    with pytest.raises(Unreadable, match="No sheet '厂': Sheet、站点"):
        importing(path, table="厂", **given)
    for row, words in ((["code", "code"], "Two columns"), ([None, " "], "must name the columns")):
        with pytest.raises(Unreadable, match=words):
            importing(workbook(row), table="站点", **given)
