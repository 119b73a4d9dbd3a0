"""What must hold between the rows of ``geodata/`` before any of it is loaded.

Each rule is a generator over the data that yields faults; ``check`` runs them all. The rules on single cells (type,
required, allowed values) are met while reading.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from sqlalchemy import UniqueConstraint

from app.ingest import placing
from app.ingest.files import FILE_TABLES, DataSet, Fault, FileTable, Source

SUBJECTS = {
    "aliases": ("platform", "region"),
    "layout_members": ("platform", "region"),
    "indicator_values": ("region", "platform"),
}
PAIRS = ("industry_relations", "not_comparable")
SHAPE_PARAMETERS = {"band": "band_m", "hull": "buffer_m", "circle": "radius_m"}


def check(data: DataSet) -> list[Fault]:
    """All faults of the data, those found while reading included, in the order of the files."""
    faults = list(data.faults)
    for rule in RULES:
        faults.extend(rule(data))
    return sorted(set(faults))


def _fault(source: Source, field: str, rule: str) -> Fault:
    return Fault(source.file, source.line, field, rule)


def _ids(data: DataSet, name: str) -> set[str]:
    return {row["id"] for row in data.values(name) if row.get("id")}


def keys(data: DataSet) -> Iterator[Fault]:
    """No two rows have the same key, whichever files they stand in."""
    for spec in FILE_TABLES:
        columns = _key(spec)
        seen: dict[tuple[str, ...], Source] = {}
        for source in data.rows.get(spec.name, []):
            key = tuple(str(source.row.get(column)) for column in columns)
            if key in seen:
                first = seen[key]
                said = " ".join(part for part in key if part != "None")[:80]
                yield _fault(
                    source,
                    columns[0],
                    f"{said!r} 已在 {first.file}:{first.line}。 stands already in {first.file}:{first.line}",
                )
            seen[key] = source


def _key(spec: FileTable) -> tuple[str, ...]:
    """The columns that tell rows apart: the primary key, else a unique constraint, else all of them."""
    if "row_id" not in spec.table.primary_key.columns:
        return tuple(column.name for column in spec.table.primary_key.columns)
    for constraint in spec.table.constraints:
        if isinstance(constraint, UniqueConstraint):
            return tuple(column.name for column in constraint.columns)
    return tuple(column.name for column in spec.columns)


def slugs(data: DataSet) -> Iterator[Fault]:
    """An id can stand in an address; only kinds are words of the program itself."""
    for spec in FILE_TABLES:
        if "id" not in spec.header or spec.name == "kinds":
            continue
        for source in data.rows.get(spec.name, []):
            if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", source.row.get("id") or ""):
                yield _fault(
                    source,
                    "id",
                    "须由 a-z、0-9 与单个连字符组成。 must be a slug of a-z0-9 with single hyphens between",
                )


def references(data: DataSet) -> Iterator[Fault]:
    """Every reference names a row that is there."""
    tables = {spec.table.name: spec.name for spec in FILE_TABLES}
    for spec in FILE_TABLES:
        for column in spec.columns:
            for foreign in column.foreign_keys:
                known = _ids(data, tables[foreign.column.table.name])
                for source in data.rows.get(spec.name, []):
                    value = source.row.get(column.name)
                    if value is not None and value not in known:
                        table = foreign.column.table.name
                        yield _fault(source, column.name, f"没有 {table} {value!r}。 no {table} {value!r}")


def subjects(data: DataSet) -> Iterator[Fault]:
    """A row is about exactly one of the things it may be about."""
    for name, columns in SUBJECTS.items():
        for source in data.rows.get(name, []):
            if sum(source.row.get(column) is not None for column in columns) != 1:
                yield _fault(
                    source,
                    columns[0],
                    f"{'、'.join(columns)} 须恰填一项。 exactly one of {', '.join(columns)} is given",
                )


def aliases(data: DataSet) -> Iterator[Fault]:
    """Another name comes from a document or has a reason."""
    for source in data.rows.get("aliases", []):
        if source.row.get("document") is None and source.row.get("reason") is None:
            yield _fault(source, "reason", "别名须注明文件或理由。 another name needs a document or a reason")


def pairs(data: DataSet) -> Iterator[Fault]:
    """Nothing is related to itself."""
    for name in PAIRS:
        for source in data.rows.get(name, []):
            if source.row.get("a") == source.row.get("b"):
                yield _fault(source, "b", "a 与 b 不得相同。 a and b must be two different things")


def citations(data: DataSet) -> Iterator[Fault]:
    """Cited lines run forward and lie inside the document."""
    extents = {row["id"]: (row.get("line_start"), row.get("line_end")) for row in data.values("documents")}
    for spec in FILE_TABLES:
        if spec.name == "documents" or "line_end" not in spec.header:
            continue
        for source in data.rows.get(spec.name, []):
            start, end = source.row.get("line_start"), source.row.get("line_end")
            if start is None or end is None:
                continue
            if not 1 <= start <= end:
                yield _fault(source, "line_end", f"行号 {start}–{end} 倒置。 lines {start}–{end} do not run forward")
                continue
            first, last = extents.get(source.row.get("document"), (None, None))
            if first and last and not first <= start <= end <= last:
                rule = f"行号 {start}–{end} 超出文件（{first}–{last}）。"
                yield _fault(source, "line_start", f"{rule} lines are outside the document ({first}–{last})")


def regions(data: DataSet) -> Iterator[Fault]:
    """An adcode is the id of its region, and every outline belongs to a region."""
    for source in data.rows.get("regions", []):
        adcode = source.row.get("adcode")
        if adcode and adcode != source.row.get("id"):
            yield _fault(source, "adcode", "须与 id 相同。 must equal id")
        if adcode and not re.fullmatch(r"[0-9]{6}", adcode):
            yield _fault(source, "adcode", "须为六位数字（GB/T 2260）。 must be six digits (GB/T 2260)")
        if source.row.get("level") in ("city", "county") and adcode not in data.outlines:
            yield _fault(
                source, "adcode", f"boundaries/ 中没有 {adcode} 的轮廓。 no outline of {adcode} in boundaries/"
            )
        if source.row.get("seat") and not source.row.get("position_source"):
            yield _fault(source, "position_source", "位置须注明来源。 a position needs its source")
    known = _ids(data, "regions")
    for adcode in data.outlines:
        if adcode not in known:
            yield Fault("boundaries", 1, "adcode", f"没有 region {adcode!r}。 no region {adcode!r}")


def homes(data: DataSet) -> Iterator[Fault]:
    """What stands as a platform's county, city, town or zone is one."""
    level_of = {row.get("id"): row.get("level") for row in data.values("regions")}
    for source in data.rows.get("platforms", []):
        for field, rule in placing.homes(source.row, level_of):
            yield _fault(source, field, rule)


def platforms(data: DataSet) -> Iterator[Fault]:
    """The way a position is known agrees with what is given, and some document speaks of the place."""
    mentioned = {row.get("platform") for row in data.values("mentions")}
    for source in data.rows.get("platforms", []):
        if source.row.get("id") not in mentioned:
            yield _fault(source, "id", "mentions.csv 中没有一行提到它。 no row of mentions.csv speaks of it")
        for field, rule in placing.placing(source.row, data.outlines):
            yield _fault(source, "lon" if field == "position" else field, rule)
        if source.row.get("geometry_method") in ("administrative", "traced"):
            rule = "平台的轮廓由导入得来，不在此文件。 outlines of platforms come by import, not by this file"
            yield _fault(source, "geometry_method", rule)


def layouts(data: DataSet) -> Iterator[Fault]:
    """An element has what its shape is drawn from, and its parent is of the same layout."""
    layout_of = {row.get("id"): row.get("layout") for row in data.values("layout_elements")}
    vertices: dict[str, int] = defaultdict(int)
    members: set[str] = set()
    for row in data.values("layout_axes"):
        vertices[row["element"]] += 1
    for row in data.values("layout_members"):
        members.add(row["element"])
    for source in data.rows.get("layout_elements", []):
        row = source.row
        shape, element = row.get("shape"), row.get("id", "")
        for name, parameter in SHAPE_PARAMETERS.items():
            if (shape == name) != (row.get(parameter) is not None):
                yield _fault(
                    source, parameter, f"须与图形 {name} 同填，且仅此。 goes with shape {name}, and only with it"
                )
        if shape == "band" and vertices[element] < 2:
            yield _fault(
                source,
                "shape",
                "带须在 layout_axes.csv 中有两行以上的轴线。 a band needs an axis of two or more rows there",
            )
        if shape in ("hull", "members") and element not in members:
            yield _fault(
                source, "shape", f"{shape} 须在 layout_members.csv 中有成员。 {shape} needs rows in layout_members.csv"
            )
        if (shape in ("circle", "point")) != (row.get("position") is not None):
            rule = "须与图形 circle 或 point 同填。 a position goes with shape circle or point, and only with them"
            yield _fault(source, "lon", rule)
        if shape in ("band", "hull", "circle", "point") and not row.get("drawing_note"):
            rule = "须说明图形中哪些不在规划中。 a drawn element says what of the drawing is not in the plan"
            yield _fault(source, "drawing_note", rule)
        if shape in ("band", "circle", "point") and not row.get("position_source"):
            yield _fault(source, "position_source", "位置须注明来源。 a position needs its source")
        parent = row.get("parent")
        if parent in layout_of and layout_of[parent] != row.get("layout"):
            yield _fault(source, "parent", "属于另一空间体系。 is an element of another layout")


def values(data: DataSet) -> Iterator[Fault]:
    """Numbers agree with what is printed, and their unit can be converted."""
    factors = {(row.get("printed"), row.get("unit")) for row in data.values("units")}
    unit_of = {row.get("id"): row.get("unit") for row in data.values("indicators")}
    for source in data.rows.get("indicator_values", []):
        row = source.row
        number, operator = row.get("number"), row.get("operator")
        if (number is None) != (operator in ("text", "missing")):
            rule = f"operator 为 {operator} 时数字当有则有、当无则无。"
            yield _fault(source, "number", f"{rule} operator {operator} and a number exclude or need each other")
        if (row.get("unit_corrected") is None) != (row.get("correction_reason") is None):
            yield _fault(
                source,
                "correction_reason",
                "须与 unit_corrected 同填，且仅此。 goes with unit_corrected, and only with it",
            )
        if number is not None:
            printed = (row.get("printed") or "").replace(",", "").replace("，", "").replace(" ", "")
            if format(abs(number), "f") not in printed:
                said = f"{number} 不在原文数字之中：{row.get('printed')!r}。"
                yield _fault(source, "number", f"{said} {number} is not among the digits printed")
            unit = unit_of.get(row.get("indicator"))
            pair = (row.get("unit_corrected") or row.get("unit_printed") or unit, unit)
            if unit is not None and pair[0] != unit and pair not in factors:
                said = f"units.csv 中没有 {pair[0]!r} 到 {unit!r} 的换算。"
                yield _fault(source, "unit_printed", f"{said} units.csv has no factor from {pair[0]!r} to {unit!r}")
        if row.get("year_from") and row.get("year") and row["year_from"] >= row["year"]:
            yield _fault(source, "year_from", "须早于 year。 must be before year")


RULES = (keys, slugs, references, subjects, aliases, pairs, citations, regions, homes, platforms, layouts, values)
