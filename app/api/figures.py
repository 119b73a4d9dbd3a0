"""How pages write the values of indicators: in tables of indicators by year, each value with its source."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

Row = Mapping[str, Any]
SIGNS = {"exact": "", "ge": "≥", "gt": ">", "le": "≤", "lt": "<", "approx": "≈"}
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
    parts = ("year_from", "year", "kind", "document")
    return figure(one) == figure(other) and all(one[name] == other[name] for name in parts)


def figure(row: Row) -> str:
    """A value of the register of values: sign, number and unit, or the printed text where it is no number."""
    if in_words(row):
        return str(row["printed"])
    return f"{SIGNS[row['operator']]}{number(row['value'])} {row['unit'] or ''}".rstrip()


def in_words(row: Row) -> bool:
    """Whether a value is no number to compare with others."""
    return row["value"] is None or row["operator"] not in SIGNS


def number(value: Decimal | float) -> str:
    """A number with its thousands apart and without zeros at its end."""
    text = f"{Decimal(value):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


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

    year: int
    target: str
    actual_year: int | None
    actual: str | None
    share: float | None
    met: bool | None


def aims(rows: Iterable[Row]) -> dict[str, list[Aim]]:
    """Rows of the register of progress by indicator."""
    found: dict[str, list[Aim]] = {}
    for row in rows:
        unit = f" {row['unit']}" if row["unit"] else ""
        target, actual = row["target_value"], row["actual_value"]
        share = float(actual / target) if actual is not None and target and row["better"] == "higher" else None
        made = Aim(
            row["target_year"], f"{SIGNS.get(row['target_operator'], '')}{number(target)}{unit}", row["actual_year"],
            None if actual is None else f"{number(actual)}{unit}", share, row["met"],
        )  # fmt: skip
        of_indicator = found.setdefault(row["indicator"], [])
        # printed in several places of a plan, it is one target
        if made not in of_indicator:
            of_indicator.append(made)
    return found


def letters(documents: Sequence[str]) -> dict[str, str]:
    """A letter for each document, for notes beside the values: a, b, …, after z numbers."""
    return {one: chr(97 + place) if place < 26 else str(place + 1) for place, one in enumerate(documents)}
