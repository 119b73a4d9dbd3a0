"""A figure's columns say what its printed words say: bound, unit, year; and a table's rows have the same columns."""

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from app.ingest.checks.result import Accepted, Result
from app.ingest.files import DataSet, Row, Source

NUMBER = re.compile(r"\d+(?:\.\d+)?")
#: Words right before a number, and what they make of it.
BEFORE = (
    (re.compile(r"(不少于|不低于)$"), "ge"),
    (re.compile(r"(超过?|突破|跨越)$"), "gt"),
    (re.compile(r"(近|约|约为[^\d，、；。]*)$"), "approx"),
    (re.compile(r"前$"), "le"),
    (re.compile(r"第$"), "rank"),
)
#: Words right after a number and its unit; a range (10-15) counts as its lower end.
AFTER = ((re.compile(r"以上"), "ge"), (re.compile(r"左右"), "approx"))
MORE, RANGE = re.compile(r"[余多]"), re.compile(r"[-—]\d")
#: A year as the documents print it: 2020年, 2019年度, 2016-2019年.
YEARS = re.compile(r"(?<!\d)(20\d\d)(?:[-—](20\d\d))?年")
#: What may stand beside a bare number in a table cell: notes in brackets, marks, bounds.
BARE_REST = re.compile(r"（[^）]*）|[-—/*]|以上|左右|前")


def readings(data: DataSet, accepted: Accepted) -> Result:
    """Bounds, units and years against the printed words of each value, and the years of each table's rows."""
    result = Result("限定词、单位、年份与原文一致", "Bounds, units and years as printed")
    for source in data.rows.get("indicator_values", []):
        row = source.row
        result.checked += 1
        for fault in filter(None, (bound_fault(row), unit_fault(row), year_fault(row))):
            line = f"{source.file}:{source.line}: {fault}"
            reason = accepted.reason("readings", row["indicator"], str(row["year"]))
            if reason:
                result.notes.append(f"{line} — {reason}")
            else:
                result.failing.append(line)
    result.failing += _columns(data)
    return result


def bound_fault(row: Row) -> str | None:
    """The operator is one that the words round the number make it; a bare number may be a rank."""
    operator, number, words = row["operator"], row["number"], _words(row)
    if number is None:
        return None if operator in ("text", "missing") else f"operator {operator!r} without a number"
    bounds = {_bound(words, match, row["unit_printed"] or "") for match in _places(words, number)}
    if operator == "rank" and NUMBER.match(words):
        return None
    return None if operator in bounds else f"operator {operator!r}: {row['printed']!r} says {sorted(bounds)}"


def unit_fault(row: Row) -> str | None:
    """The printed unit follows the number, unless the number stands alone in a cell."""
    unit, number, words = row["unit_printed"], row["number"], _words(row)
    if unit is None or number is None or not BARE_REST.sub("", NUMBER.sub("", words)):
        return None
    if any(MORE.sub("", words[match.end() :], count=1).startswith(unit) for match in NUMBER.finditer(words)):
        return None
    return f"unit_printed {unit!r} does not follow a number in {row['printed']!r}"


def year_fault(row: Row) -> str | None:
    """Where the words print years, the value's own year or its first year is among them."""
    years = {int(year) for match in YEARS.finditer(_words(row)) for year in match.groups() if year}
    if not years or years & {row["year"], row["year_from"]}:
        return None
    return f"year {row['year']}: {row['printed']!r} prints {sorted(years)}"


def _words(row: Row) -> str:
    """The printed words without white space and without the comma of thousands."""
    return re.sub(r"(?<=\d)[,，](?=\d{3})", "", "".join(row["printed"].split()))


def _places(words: str, number: Decimal) -> list[re.Match[str]]:
    return [match for match in NUMBER.finditer(words) if Decimal(match.group()) == abs(number)]


def _bound(words: str, match: re.Match[str], unit: str) -> str:
    before, after = words[: match.start()], words[match.end() :]
    if MORE.match(after):
        return "gt"
    if RANGE.match(after):
        return "ge"
    for pattern, operator in AFTER:
        if pattern.match(after.removeprefix(unit)) or pattern.match(after):
            return operator
    return next((operator for pattern, operator in BEFORE if pattern.search(before)), "exact")


def _columns(data: DataSet) -> Iterator[str]:
    """The rows of one table have values of the same years, targets in the same; a cell may print its own year."""
    tables: dict[tuple[str, str], list[Source]] = defaultdict(list)
    for source in data.rows.get("indicator_values", []):
        if source.row["table_name"] and source.row["row_no"]:
            tables[source.row["document"], source.row["table_name"]].append(source)
    for sources in tables.values():
        rows: dict[tuple[int, bool], set[str]] = defaultdict(set)
        for source in sources:
            rows[_column(source.row)].add(source.row["row_no"])
        lone = {column for column, numbers in rows.items() if len(numbers) == 1}
        for source in sources:
            if len(rows) > 1 and _column(source.row) in lone and not YEARS.search(_words(source.row)):
                year, kind = source.row["year"], source.row["kind"]
                yield f"{source.file}:{source.line}: no other row of the table has a {kind} of {year}"


def _column(row: Row) -> tuple[int, bool]:
    return row["year"], row["kind"] == "target"
