"""Load ``geodata/`` into the database: all of it or nothing, and a second time without effect.

Platforms can be edited in the database. Each keeps the row that the files last gave (``plan``), so that a load can
tell an edit from the plan's word: a field that was edited is kept and reported, any other follows the files. A
platform or region that is gone from the files is retired, not deleted, since its id may be cited.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from app.db import tables as t
from app.db.records import LOAD_LOCK, signed
from app.ingest import search
from app.ingest.files import FILE_TABLES, DataSet, Fault, FileTable, Row, checksum, read_tables
from app.ingest.outlines import read_outlines
from app.ingest.provenance import comparable, edited_fields, marks, plan_of, stored_platforms
from app.ingest.rules import check

#: Who made a change, in the history.
WHO = "innomap load"
RETIRABLE = {t.region.name, t.platform.name}


class DataFaults(ValueError):
    """The files break a rule; ``faults`` lists file, line, field and rule of each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"数据文件有 {len(faults)} 处错误，未装入任何数据。 {len(faults)} faults; nothing was loaded.")
        self.faults = faults


@dataclass
class Report:
    """What a load did: rows inserted, updated, removed (or retired) by table, and edits it kept."""

    changed: dict[str, Counter[str]] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(sum(counter.values()) for counter in self.changed.values())


def read(folder: Path, counties: str = "amap") -> DataSet:
    """Read and check all data files. Raises ``DataFaults`` with every fault found."""
    data = read_tables(folder)
    read_outlines(folder, counties, data)
    faults = check(data)
    if faults:
        raise DataFaults(faults)
    return data


def load_if_changed(connection: Connection, folder: Path, counties: str = "amap") -> Report | None:
    """Load when the files (or the chosen outlines) differ from what was loaded last; else ``None``."""
    if connection.scalar(sa.select(t.load_state.c.checksum)) == fingerprint(folder, counties):
        connection.rollback()
        return None
    connection.rollback()
    return load(connection, folder, counties)


def load(connection: Connection, folder: Path, counties: str = "amap") -> Report:
    """Check and load everything in one transaction.

    Raises ``DataFaults`` before the database is touched.
    """
    # before reading: a file that changes meanwhile differs from what was loaded, and is loaded next time
    checked = fingerprint(folder, counties)
    data = read(folder, counties)
    report = Report()
    with connection.begin():
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOAD_LOCK})
        signed(connection, WHO)
        for spec in FILE_TABLES:
            rows = table_rows(spec, data)
            if spec.table is t.platform:
                rows = _merge_platforms(connection, spec, rows, report)
            write = _replace if "row_id" in spec.table.c else _upsert
            report.changed[spec.table.name] = write(connection, spec, rows)
        if report.changed["region"].total():
            # outlines decide county and position of platforms; unchanged rows stay untouched by trigger
            connection.execute(sa.update(t.platform).values(id=t.platform.c.id))
            connection.execute(sa.text("SELECT refresh_imported_layers()"))
        connection.execute(sa.text("SELECT refresh_layout_geometry()"))
        report.changed["search_entry"] = Counter(changed=search.refresh(connection))
        if report.total:
            # else the first questions are planned blindly, until autovacuum comes round
            every = ", ".join(f'"{table.name}"' for table in t.metadata.sorted_tables)
            connection.execute(sa.text(f"ANALYZE {every}"))
        stamp = insert(t.load_state).values(singleton=True, checksum=checked)
        connection.execute(
            stamp.on_conflict_do_update(
                index_elements=["singleton"], set_={"checksum": stamp.excluded.checksum, "loaded_at": sa.func.now()}
            )
        )
    return report


def fingerprint(folder: Path, counties: str) -> str:
    """What tells one state of the data files from another, for one choice of outlines."""
    return f"{counties}:{checksum(folder)}"


def table_rows(spec: FileTable, data: DataSet) -> list[Row]:
    """The rows of the files as the database shall hold them, outlines and normalised values added."""
    rows = data.values(spec.name)
    if spec.table is t.region:
        empty = {"geom": None, "land_geom": None, "outline_source": None}
        return [row | data.outlines.get(row["adcode"], empty) | {"retired": False} for row in rows]
    if spec.table is t.indicator_value:
        return _normalised(rows, data)
    return rows


def _normalised(rows: Iterable[Row], data: DataSet) -> list[Row]:
    """Add ``value``: the number in the unit of its indicator."""
    factors = {(row["printed"], row["unit"]): row["factor"] for row in data.values("units")}
    unit_of = {row["id"]: row["unit"] for row in data.values("indicators")}
    result = []
    for row in rows:
        unit = unit_of[row["indicator"]]
        given = row["unit_corrected"] or row["unit_printed"] or unit
        factor = Decimal(1) if given == unit else factors[given, unit]
        number = row["number"]
        result.append(row | {"value": None if number is None else (number * factor).normalize()})
    return result


def _upsert(connection: Connection, spec: FileTable, rows: list[Row]) -> Counter[str]:
    """Insert and update by primary key; what the files no longer name is removed, or retired where ids are cited."""
    table = spec.table
    key = [column.name for column in table.primary_key.columns]
    counts: Counter[str] = Counter()
    if rows:
        before = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        statement = insert(table)
        changeable = [name for name in rows[0] if name not in key]
        statement = statement.on_conflict_do_update(
            index_elements=key,
            set_={name: statement.excluded[name] for name in changeable},
            where=sa.or_(*(table.c[name].is_distinct_from(statement.excluded[name]) for name in changeable)),
        )
        touched = connection.execute(statement.returning(*(table.c[name] for name in key)), rows).all()
        after = connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        counts["inserted"] = after - before
        counts["updated"] = len(touched) - counts["inserted"]
    named = sa.tuple_(*(table.c[name] for name in key)).in_([tuple(row[name] for name in key) for row in rows])
    if table.name in RETIRABLE:
        gone = sa.update(table).where(~named, ~table.c.retired).values(retired=True)
        if "plan" in table.c:
            gone = gone.where(table.c.plan.is_not(None))
        counts["retired"] = connection.execute(gone).rowcount
    else:
        counts["removed"] = connection.execute(sa.delete(table).where(~named)).rowcount
    return counts


def _replace(connection: Connection, spec: FileTable, rows: list[Row]) -> Counter[str]:
    """Make the rows of a table without public ids equal to the file's, leaving equal ones alone."""
    table = spec.table
    columns = [column.name for column in table.columns if column.name != "row_id"]
    wanted = Counter(comparable(row, columns) for row in rows)
    by_content = {comparable(row, columns): row for row in rows}
    obsolete = []
    for existing in connection.execute(sa.select(table)).mappings():
        content = comparable(existing, columns)
        if wanted[content]:
            wanted[content] -= 1
        else:
            obsolete.append(existing["row_id"])
    fresh = [by_content[content] for content in wanted.elements()]
    if obsolete:
        connection.execute(sa.delete(table).where(table.c.row_id.in_(obsolete)))
    if fresh:
        connection.execute(insert(table), fresh)
    return Counter(inserted=len(fresh), removed=len(obsolete))


def _merge_platforms(connection: Connection, spec: FileTable, rows: list[Row], report: Report) -> list[Row]:
    """What each platform row becomes: the file's word, except the fields edited since the last load."""
    current = {row["id"]: row for row in connection.execute(stored_platforms(spec)).mappings()}
    merged = []
    for row in rows:
        plan = plan_of(row, spec)
        result = row | {"plan": plan, "retired": False}
        known = current.get(row["id"])
        if known:
            # what an edit took away stays away
            result["retired"] = known["deleted"]
            edited = edited_fields(known, spec)
            before, now = known["plan"] or {}, plan_of(known, spec)
            for name in edited:
                result[name] = known[name]
                if plan[name] not in (before.get(name), now[name]):
                    report.kept.append(f"{row['id']}.{name}: plan changed, edit kept")
            if "geometry_method" in edited or "position" in edited:
                # an outline drawn by hand belongs to the edit that brought it
                result["geom"] = known["geom"]
            else:
                result["geom"] = None
            result["edited"] = marks(result, spec, known["edited"])
        merged.append({"geom": None, "edited": None} | result)
    return merged
