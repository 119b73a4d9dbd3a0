"""How pages write the values of indicators: in tables of indicators by year, each value with its source."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.maps import wording

Row = Mapping[str, Any]
#: Operators of values that are numbers, with or without a bound.
NUMERIC = ("exact", "ge", "gt", "le", "lt", "approx")
#: Order of what is said of one year: what was, then what was aimed at.
KINDS = ("actual", "flash", "target")


@dataclass(frozen=True)
class Column:
    """Values of one year and kind."""

    year: int
    kind: str


@dataclass
class Line:
    """An indicator: its values by column, in the order of documents."""

    indicator: str
    unit: str | None
    cells: dict[Column, list[Row]] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Indicators down, years across. ``documents`` are those cited, in the order of their letters."""

    columns: Sequence[Column]
    lines: Sequence[Line]
    documents: Sequence[str]


def same(one: Row, other: Row) -> bool:
    """Whether a document prints the same value twice: once is enough on a page."""
    parts = ("value", "operator", "year_from", "year", "kind", "document")
    alike = all(one[name] == other[name] for name in parts)
    return alike and (one["printed"] == other["printed"] or not in_words(one))


def figure(row: Row, lang: str) -> str:
    """A value of the register of values: sign, number and unit, or the printed text where it is no number."""
    if in_words(row):
        return str(row["printed"])
    return wording.after(wording.with_sign(row), wording.say(wording.unit(row["unit"] or ""), lang))


def in_words(row: Row) -> bool:
    """Whether a value is no number to compare with others."""
    return row["value"] is None or row["operator"] not in NUMERIC


def table(rows: Iterable[Row]) -> Table:
    """Rows of the register of values as a table: those of most years first, then by theme."""
    lines: dict[str, Line] = {}
    columns: set[Column] = set()
    documents: set[str] = set()
    for row in sorted(rows, key=lambda one: (one["theme"] or "", one["indicator"], one["document"], one["line_start"])):
        line = lines.setdefault(row["indicator"], Line(row["indicator"], row["unit"]))
        column = Column(row["year"], row["kind"])
        cell = line.cells.setdefault(column, [])
        if not any(same(row, one) for one in cell):
            cell.append(row)
        columns.add(column)
        documents.add(row["document"])
    ordered = sorted(columns, key=lambda one: (one.year, KINDS.index(one.kind)))
    return Table(ordered, sorted(lines.values(), key=lambda one: -len(one.cells)), sorted(documents))


@dataclass(frozen=True)
class Aim:
    """A target beside the newest actual; ``share`` is actual over target, where more is better."""

    value: Decimal
    year: int
    actual_year: int
    share: float | None
    met: bool | None


def aims(rows: Iterable[Row]) -> dict[str, list[Aim]]:
    """Rows of the register of progress by indicator, those that have an actual."""
    found: dict[str, list[Aim]] = {}
    for row in rows:
        target, actual = row["target_value"], row["actual_value"]
        if actual is None:
            continue
        share = float(actual / target) if target and row["better"] == "higher" else None
        made = Aim(target, row["target_year"], row["actual_year"], share, row["met"])
        of_indicator = found.setdefault(row["indicator"], [])
        # printed in several places of a plan, it is one target
        if made not in of_indicator:
            of_indicator.append(made)
    return found


def letters(documents: Sequence[str]) -> dict[str, str]:
    """A letter for each document, for notes beside the values: a, b, …, after z numbers."""
    return {one: chr(97 + place) if place < 26 else str(place + 1) for place, one in enumerate(documents)}
