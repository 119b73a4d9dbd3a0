"""``innomap check``: what can be verified of the files, of the database, and of both against the plans' texts.

A check returns a ``Result``; this module says which there are, and prints their table.
"""

from collections.abc import Iterator
from pathlib import Path
from unicodedata import east_asian_width

from sqlalchemy import Connection

from app.ingest.checks.citations import citations
from app.ingest.checks.counts import counts
from app.ingest.checks.database import database
from app.ingest.checks.duplicates import duplicates
from app.ingest.checks.figures import ranges, sums, units
from app.ingest.checks.geometry import geometry
from app.ingest.checks.readings import readings
from app.ingest.checks.result import Accepted, Result
from app.ingest.files import DataSet, read_tables
from app.ingest.outlines import read_outlines
from app.ingest.rules import RULES

#: Rows listed under each check.
SHOWN = 40
NAME_WIDTH = 62
RULE_NAMES = {
    "keys": "键唯一",
    "slugs": "代号格式",
    "aliases": "别名",
    "pairs": "成对关系",
    "homes": "所属地区",
    "references": "引用存在",
    "subjects": "主体唯一",
    "citations": "引用行号",
    "regions": "地区",
    "platforms": "平台",
    "layouts": "布局",
    "values": "指标值",
}


def run(connection: Connection, folder: Path, outlines: str, plans: Path | None) -> list[Result]:
    """All checks of ``folder`` and of the database, whose statements see one state and change nothing.

    ``plans`` is the folder of the plans' texts; without it the quotations are reported as not compared. Files that
    break a rule are compared with nothing.
    """
    data = read_tables(folder)
    read_outlines(folder, outlines, data)
    rules = file_rules(data)
    if any(result.failing for result in rules):
        rest = Result("其余检查", "All other checks")
        rest.not_run = "先改正数据文件。 Correct the data files first."
        return [*rules, rest]
    connection.rollback()
    snapshot = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    accepted = Accepted(folder / "accepted.csv")
    with snapshot.begin():
        return [
            *rules,
            counts(data),
            sums(data, accepted),
            ranges(data),
            units(data),
            readings(data, accepted),
            duplicates(data, accepted),
            *citations(data, plans),
            *database(snapshot, data),
            *geometry(snapshot, accepted),
            accepted.result(),
        ]


def file_rules(data: DataSet) -> list[Result]:
    """The rules that every load applies, one result each, and the faults met while reading."""
    rows = sum(map(len, data.rows.values()))
    cells = Result("数据文件：格式", "Data files: cells", rows, [str(fault) for fault in sorted(data.faults)])
    results = [cells]
    for rule in RULES:
        name = rule.__name__
        faults = [str(fault) for fault in sorted(set(rule(data)))]
        results.append(Result(f"数据文件：{RULE_NAMES.get(name, name)}", f"Data files: {name}", rows, faults))
    return results


def report(results: list[Result], shown: int = SHOWN) -> Iterator[str]:
    """The table, one line a check, then the rows found, ``shown`` of each check at most."""
    yield f"{_pad('检查 Check', NAME_WIDTH)}{'已查':>6} {'错误':>5} {'警告':>5} {'说明':>5}  结论"
    yield f"{_pad('', NAME_WIDTH)}{'checked':>8}{'failing':>8}{'warning':>8}{'noted':>6}  verdict"
    for result in results:
        numbers = (len(result.failing), len(result.warnings), len(result.notes))
        cells = f"{result.checked:>8}" + "{:>8}{:>8}{:>6}".format(*numbers)
        yield f"{_pad(f'{result.name} {result.name_en}', NAME_WIDTH)}{cells}  {result.verdict}"
    for result in results:
        if result.not_run:
            yield f"\n{result.name} {result.name_en}: {result.not_run}"
        for title, rows in (
            ("错误 failing", result.failing),
            ("警告 warning", result.warnings),
            ("说明 noted", result.notes),
        ):
            if rows:
                yield f"\n{result.name} {result.name_en} – {title} {len(rows)}:"
                yield from (f"  {row}" for row in rows[:shown])
                if len(rows) > shown:
                    yield f"  …… 另有 and {len(rows) - shown} 行 more"


def _pad(text: str, width: int) -> str:
    """Filled up to ``width`` columns of a terminal, where a Chinese character takes two."""
    return text + " " * max(1, width - sum(2 if east_asian_width(character) in "WF" else 1 for character in text))
