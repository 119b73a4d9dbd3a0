"""Quoted words stand within their cited lines of the plan's text; white space is ignored."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.ingest.checks.result import Result
from app.ingest.files import DataSet, Row, Source

#: Verbatim columns of rows that cite lines from … to.
VERBATIM = {
    "mentions": ("quote",),
    "layouts": ("definition",),
    "layout_elements": ("definition",),
    "layout_members": ("name_printed",),
    "industries": ("text",),
    "industry_links": ("words",),
    "tasks": ("text",),
    "indicator_values": ("printed",),
    "disagreement_sides": ("quote",),
}
#: Verbatim columns of rows that cite one line, in which the words begin.
BEGINNING = {"indicator_labels": "label", "aliases": "name"}
#: Columns of a platform that repeat words of one of its mentions; several phrases are joined by ``；``.
REPEATED = ("category", "positioning", "concept", "builder", "department")
#: A label printed over several lines of a narrow table cell is not longer than this many lines.
LABEL_LINES = 12
#: A row that prints several figures in a cell (“12800/7721”, “4（2）”) has no more indicators than this.
NAMES_IN_ROW = 2
#: The departments responsible for a value are printed in the cell behind those of its row, so many lines below.
DEPARTMENT_LINES = 2
#: The year of a figure in running text, or the five-year period that it ends, is printed this few lines before it.
YEAR_LINES = 8
PERIODS = {2015: "十二五", 2020: "十三五", 2025: "十四五"}
#: A table cell that is a plain number or the mark of a missing one.
BARE = re.compile(r"[0-9]+(\.[0-9]+)?|[-—/]")


@dataclass(frozen=True)
class PlanText:
    """A plan's text by lines, from 1 as the citations count them; only a line feed ends a line.

    ``printed`` are the lines as they are, ``lines`` those without white space.
    """

    sha256: str
    printed: tuple[str, ...]
    lines: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> "PlanText":
        content = path.read_bytes()
        printed = tuple(content.decode("utf-8").split("\n"))
        return cls(hashlib.sha256(content).hexdigest(), printed, tuple(map(squeeze, printed)))

    def between(self, first: int, last: int) -> str:
        return "".join(self.lines[max(first, 1) - 1 : last])

    def begins(self, words: str, line: int) -> bool:
        """Whether the words begin in this line; they may run on into the next ones."""
        if not 1 <= line <= len(self.lines):
            return False
        return 0 <= self.between(line, line + LABEL_LINES).find(squeeze(words)) < len(self.lines[line - 1])

    def heading(self, words: str, line: int) -> bool:
        """Whether the words stand anywhere from the beginning to this line, or begin in it."""
        return squeeze(words) in self.between(1, line) or self.begins(words, line)


def squeeze(text: str) -> str:
    """The text without white space."""
    return "".join(text.split())


def citations(data: DataSet, plans: Path | None) -> list[Result]:
    """What needs the plans: the texts are the ones cited, every quotation is found, no columns are swapped."""
    files = Result("规划文本", "Plan texts")
    quotes = Result("引文在所引行内", "Quotations within their lines")
    cells = Result("数值按表格次序", "Numbers in the order of their row")
    names = Result("数值在其指标名、年份下", "Numbers under their indicator and year")
    if plans is None:
        for result in (files, quotes, cells, names):
            result.not_run = "未给出 --plans，未核对。 Not compared: no --plans were given."
        return [files, quotes, cells, names]
    texts: dict[str, PlanText] = {}
    for source in data.rows.get("documents", []):
        files.checked += 1
        try:
            texts[source.row["id"]] = _text(source.row, plans)
        except FileNotFoundError as error:
            files.warnings.append(_at(source, f"{error}，未核对 not compared"))
        except (OSError, ValueError) as error:
            files.failing.append(_at(source, str(error)))
    if not texts:
        files.failing += files.warnings
        files.warnings = []
    quotes.failing += _faults(data, texts, quotes)
    cells.failing += _order(data, texts, cells)
    names.failing += [*_names(data, texts, names), *_years(data, texts, names)]
    return [files, quotes, cells, names]


def _text(document: Row, plans: Path) -> PlanText:
    """Raises ``FileNotFoundError`` if no text begins with the document's number, ``ValueError`` if several do or its
    checksum is another.
    """
    found = sorted(plans.glob(f"{document['file']}*.txt"))
    if not found:
        raise FileNotFoundError(f"0 texts {document['file']}*.txt")
    if len(found) > 1:
        raise ValueError(f"{len(found)} texts {document['file']}*.txt, one is needed")
    text = PlanText.read(found[0])
    if text.sha256 != document["sha256"]:
        raise ValueError(f"{found[0].name} has sha256 {text.sha256}, not {document['sha256']}")
    return text


def _faults(data: DataSet, texts: dict[str, PlanText], result: Result) -> Iterator[str]:
    """Quotations that are not found; counts what was compared in ``result``."""
    for source, column, words in _quotations(data):
        row = source.row
        if row["document"] not in texts:
            continue
        result.checked += 1
        if squeeze(words) not in texts[row["document"]].between(row["line_start"], row["line_end"]):
            lines = f"{row['document']} {row['line_start']}–{row['line_end']}"
            yield _at(source, f"{column}: {words!r} is not in {lines}")
    yield from _beginnings(data, texts, result)
    yield from _departments(data, texts, result)
    yield from _sections(data, texts, result)
    yield from _platforms(data, texts, result)


def _quotations(data: DataSet) -> Iterator[tuple[Source, str, str]]:
    """Row, column and words of everything that is quoted."""
    for name, columns in VERBATIM.items():
        for source in data.rows.get(name, []):
            for column in columns:
                if source.row[column] is not None:
                    yield source, column, source.row[column]
    for source in data.rows.get("mentions", []):
        for key, words in (source.row["printed"] or {}).items():
            yield source, f"printed {key}", words
    for source in data.rows.get("tasks", []):
        for words in source.row["departments"]:
            yield source, "departments", words


def _beginnings(data: DataSet, texts: dict[str, PlanText], result: Result) -> Iterator[str]:
    """Labels, and aliases that no reason explains, begin in the line they cite."""
    for name, column in BEGINNING.items():
        for source in data.rows.get(name, []):
            row = source.row
            if row["document"] not in texts or row["line_start"] is None:
                continue
            result.checked += 1
            if not texts[row["document"]].begins(row[column], row["line_start"]) and not row.get("reason"):
                line = f"{row['document']} {row['line_start']}"
                yield _at(source, f"{column}: {row[column]!r} does not begin in {line}")


def _departments(data: DataSet, texts: dict[str, PlanText], result: Result) -> Iterator[str]:
    """Who is responsible for a value stands in the same row of its table."""
    for source in data.rows.get("indicator_values", []):
        row = source.row
        for words in row["departments"] if row["document"] in texts else ():
            result.checked += 1
            if words not in texts[row["document"]].between(row["line_start"], row["line_end"] + DEPARTMENT_LINES):
                yield _at(source, f"departments: {words!r} does not stand behind {row['document']} {row['line_start']}")


def _sections(data: DataSet, texts: dict[str, PlanText], result: Result) -> Iterator[str]:
    """A section is a heading printed before the cited lines, or several joined by ``：``."""
    for sources in data.rows.values():
        for source in sources:
            section, text = source.row.get("section"), texts.get(source.row.get("document", ""))
            if section is None or text is None:
                continue
            result.checked += 1
            last = source.row["line_end"]
            if not text.heading(section, last) and not all(text.heading(part, last) for part in section.split("：")):
                yield _at(source, f"section: {section!r} is no heading before line {last}")


def _platforms(data: DataSet, texts: dict[str, PlanText], result: Result) -> Iterator[str]:
    """What a platform's row says in a plan's words stands in the lines of its mentions."""
    passages: dict[str, list[str]] = defaultdict(list)
    for row in data.values("mentions"):
        if row["document"] in texts:
            passages[row["platform"]].append(texts[row["document"]].between(row["line_start"], row["line_end"]))
    for source in data.rows.get("platforms", []):
        row, cited = source.row, passages[source.row["id"]]
        if not cited:
            continue
        result.checked += 1
        if not any(in_order(squeeze(row["name"]), passage) for passage in cited):
            yield _at(source, f"name: {row['name']!r} is in none of its mentions")
        for column in REPEATED:
            for phrase in filter(None, (row[column] or "").split("；")):
                result.checked += 1
                if not any(squeeze(phrase) in passage for passage in cited):
                    yield _at(source, f"{column}: {phrase!r} is in none of its mentions")
        if row["area_km2"] is not None:
            result.checked += 1
            area = re.compile(rf"(?<![\d.]){re.escape(str(row['area_km2']))}(?![\d.]*\d)")
            if not any(area.search(passage) for passage in cited):
                yield _at(source, f"area_km2: {row['area_km2']} is in none of its mentions")


def _order(data: DataSet, texts: dict[str, PlanText], result: Result) -> Iterator[str]:
    """Plain numbers of one table row stand in it as whole words, in the order of the file."""
    rows: dict[tuple[str, int, int], list[Source]] = defaultdict(list)
    for source in data.rows.get("indicator_values", []):
        row = source.row
        if row["table_name"] and row["document"] in texts and BARE.fullmatch(row["printed"]):
            rows[row["document"], row["line_start"], row["line_end"]].append(source)
    for (document, first, last), sources in rows.items():
        result.checked += len(sources)
        words = iter(" ".join(texts[document].printed[first - 1 : last]).split())
        missed = next((source for source in sources if source.row["printed"] not in words), None)
        if missed:
            yield _at(missed, f"printed: {missed.row['printed']!r} is not the next number in {document} {first}–{last}")


def _names(data: DataSet, texts: dict[str, PlanText], result: Result) -> Iterator[str]:
    """A label of the indicator, and the unit printed, stand in the table row of the value.

    The row begins after the one before. Tables whose names stand in the head, and lists of platforms, are left out.
    """
    labels: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in data.values("indicator_labels"):
        labels[row["document"], row["indicator"]].append(squeeze(row["label"]))
    tables: dict[tuple[str, str], dict[int, list[Source]]] = defaultdict(lambda: defaultdict(list))
    for source in data.rows.get("indicator_values", []):
        row = source.row
        if row["table_name"] and row["row_no"] and row["region"] and row["document"] in texts:
            tables[row["document"], row["table_name"]][int(row["row_no"])].append(source)
    for (document, _), rows in tables.items():
        ends = {number: max(source.row["line_end"] for source in sources) for number, sources in rows.items()}
        for number, sources in rows.items():
            if len({source.row["indicator"] for source in sources}) > NAMES_IN_ROW:
                continue
            first = min(source.row["line_start"] for source in sources)
            passage = texts[document].between(ends.get(number - 1, first - LABEL_LINES) + 1, ends[number])
            for source in sources:
                result.checked += 1
                row = source.row
                if not any(label in passage for label in labels[document, row["indicator"]]):
                    yield _at(source, f"indicator: no label of {row['indicator']!r} stands in row {number}")
                elif row["unit_printed"] and squeeze(row["unit_printed"]) not in passage:
                    yield _at(source, f"unit_printed: {row['unit_printed']!r} does not stand in row {number}")


def _years(data: DataSet, texts: dict[str, PlanText], result: Result) -> Iterator[str]:
    """The year of a figure in running text is printed in or shortly before its lines, unless a note says whence."""
    for source in data.rows.get("indicator_values", []):
        row = source.row
        if row["table_name"] or row["note"] or row["document"] not in texts:
            continue
        result.checked += 1
        year, first = row["year"], max(1, row["line_start"] - YEAR_LINES)
        passage = texts[row["document"]].between(first, row["line_end"])
        if str(year) not in passage and PERIODS.get(year, str(year)) not in passage:
            yield _at(source, f"year: {year} is not printed in lines {first}–{row['line_end']}, and no note")


def in_order(name: str, passage: str) -> bool:
    """Whether the characters stand in the passage in this order: a list may print the common part of names once."""
    rest = iter(passage)
    return all(character in rest for character in name)


def _at(source: Source, fault: str) -> str:
    return f"{source.file}:{source.line}: {fault}"
