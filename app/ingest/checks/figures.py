"""Numbers that can be checked without the plans: sums, ranges, units."""

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from app.ingest.checks.result import Accepted, Result
from app.ingest.files import DataSet, Row, Source

#: Table whose last row is the total of the others (haining-sti-14fyp, lines 1768–1839), and the region of that row.
AREAS_TABLE, AREAS_TOTAL = "附件 1 海宁市科技创新发展“十四五”规划重点指标分解表", "330481"
#: Units of things that are counted one by one.
WHOLE = frozenset({"家", "个", "人", "件", "项", "所", "条", "位", "篇", "次", "场"})
#: Chinese multipliers a unit may begin with, longest first.
MULTIPLIERS = (("万亿", 10**12), ("亿", 10**8), ("万", 10**4))
FIRST_YEAR, LAST_YEAR = 2000, 2050
#: A place known no better than this is not known at all: Zhejiang is about 450 km across.
WORST_ACCURACY_M = 300_000


def sums(data: DataSet, accepted: Accepted) -> Result:
    """Areas add up to the printed total; a share of the whole lies between the areas' shares."""
    result = Result("附件1各地与全市", "Areas of annex 1 against the total")
    cells: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for row in data.values("indicator_values"):
        if row["table_name"] == AREAS_TABLE:
            cells[row["indicator"], row["year"]].append(row)
    unit_of = {row["id"]: row["unit"] for row in data.values("indicators")}
    for (indicator, year), rows in sorted(cells.items()):
        areas = [row for row in rows if row["region"] != AREAS_TOTAL]
        numbers = [row["number"] for row in areas if row["number"] is not None]
        total = next((row["number"] for row in rows if row["region"] == AREAS_TOTAL), None)
        result.checked += 1
        name, gaps = f"{indicator} {year}", len(areas) - len(numbers)
        if total is None or not numbers:
            result.failing.append(f"{name}: no total, or no areas, to compare")
        elif unit_of[indicator] == "%":
            if not min(numbers) <= total <= max(numbers):
                result.failing.append(f"{name}: {total} is outside the areas’ {min(numbers)}–{max(numbers)}")
        elif sum(numbers) != total:
            line = f"{name}: 各地 areas {sum(numbers)}，全市 total {total}，差 difference {total - sum(numbers)}"
            line += f"，无数 cells without a number {gaps}"
            reason = accepted.reason("sums", indicator, str(year))
            if reason:
                result.notes.append(f"{line} — {reason}")
            else:
                # only a cell without a number can hide a part of the total
                (result.warnings if gaps and sum(numbers) < total else result.failing).append(line)
    return result


def ranges(data: DataSet) -> Result:
    """Shares, years, counts, accuracies and areas are possible ones."""
    result = Result("数值范围", "Ranges")
    unit_of = {row["id"]: row["unit"] for row in data.values("indicators")}
    ends = {row["id"]: row["period_end"] for row in data.values("documents")}
    factors = _factors(data)
    for source in data.rows.get("indicator_values", []):
        result.checked += 1
        result.failing += [_at(source, fault) for fault in _value_faults(source.row, unit_of, ends, factors)]
    for name in ("platforms", "regions", "layout_elements", "layout_axes"):
        for source in data.rows.get(name, []):
            result.checked += 1
            accuracy, area = source.row.get("position_accuracy_m"), source.row.get("area_km2")
            if accuracy is not None and not 0 < accuracy <= WORST_ACCURACY_M:
                result.failing.append(_at(source, f"position_accuracy_m {accuracy} is not in (0, {WORST_ACCURACY_M}]"))
            if area is not None and not 0 < area < 10_000:
                result.failing.append(_at(source, f"area_km2 {area} is not in (0, 10000)"))
    for source in data.rows.get("documents", []):
        result.checked += 1
        start, end = source.row["period_start"], source.row["period_end"]
        if start is not None and end is not None and not FIRST_YEAR <= start <= end <= LAST_YEAR:
            result.failing.append(_at(source, f"period {start}–{end}"))
    return result


def _value_faults(
    row: Row, unit_of: dict[str, str], ends: dict[str, int | None], factors: dict[tuple[str, str], Decimal]
) -> Iterator[str]:
    unit, number, end = unit_of[row["indicator"]], row["number"], ends[row["document"]]
    for name in ("year", "year_from"):
        if row[name] is not None and not FIRST_YEAR <= row[name] <= LAST_YEAR:
            yield f"{name} {row[name]} is not in {FIRST_YEAR}–{LAST_YEAR}"
    if row["kind"] != "target" and end is not None and row["year"] >= end:
        yield f"{row['kind']} of {row['year']} in a plan that runs to {end}"
    if number is None:
        return
    if unit == "%" and row["year_from"] is None and not 0 <= number <= 100:
        yield f"share {number} % is not in 0–100"
    given = row["unit_corrected"] or row["unit_printed"] or unit
    value = number * (Decimal(1) if given == unit else factors[given, unit])
    if unit in WHOLE and value % 1:
        yield f"{value} {unit} is not a whole number"
    printed = re.findall(r"\d+(?:\.\d+)?", re.sub(r"[,，\s]", "", row["printed"]))
    if printed and abs(number) not in map(Decimal, printed):
        yield f"{number} is only a part of a printed number: {row['printed']!r}"


def units(data: DataSet) -> Result:
    """Each unit used is known, and each factor is what the Chinese multipliers of both sides say."""
    result = Result("单位", "Units")
    unit_of = {row["id"]: row["unit"] for row in data.values("indicators")}
    factors = _factors(data)
    for source in data.rows.get("units", []):
        result.checked += 1
        printed, unit, factor = (source.row[name] for name in ("printed", "unit", "factor"))
        wanted = Decimal(_multiplier(printed)) / Decimal(_multiplier(unit))
        if factor != wanted:
            result.failing.append(_at(source, f"1 {printed} is {wanted} {unit}, not {factor}"))
    for source in data.rows.get("indicator_values", []):
        unit = unit_of[source.row["indicator"]]
        result.checked += 1
        given = source.row["unit_corrected"] or source.row["unit_printed"] or unit
        if given != unit and (given, unit) not in factors:
            result.failing.append(_at(source, f"unit {given!r} is not known for {unit!r}"))
    return result


def _multiplier(unit: str) -> int:
    return next((factor for prefix, factor in MULTIPLIERS if unit.startswith(prefix)), 1)


def _factors(data: DataSet) -> dict[tuple[str, str], Decimal]:
    return {(row["printed"], row["unit"]): row["factor"] for row in data.values("units")}


def _at(source: Source, fault: str) -> str:
    return f"{source.file}:{source.line}: {fault}"
