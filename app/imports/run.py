"""One import from file to report, within the transaction of the caller, who keeps it or not."""

import sqlalchemy as sa
from sqlalchemy import Connection

from app.catalog.imported import Definition
from app.db import tables as t
from app.db.records import signed
from app.imports import layers, platforms
from app.imports.errors import Unreadable
from app.imports.job import Job, Progress, checksum
from app.imports.report import Report
from app.imports.rows import Rows
from app.imports.source import Source, source
from app.imports.staging import Stage

#: One import into a layer at a time.
LOCK = 7_304_023


def run(connection: Connection, job: Job, progress: Progress) -> Report:
    """Read, check and (``job.apply``) write. ``progress`` hears what is done, rows, and how many there are if known.

    Raises ``Unreadable``.
    """
    connection.execute(
        sa.text("SELECT pg_advisory_xact_lock(:key, hashtext(:layer))"), {"key": LOCK % 2**31, "layer": job.layer}
    )
    with source(job.path, job.limits, job.encoding) as opened:
        report = Report(job.file, checksum(job.path), opened.kind, job.layer)
        if job.layer == platforms.LAYER:
            _platforms(connection, job, opened, report, progress)
            return report
        before = layers.known(connection, job.layer)
        now = _definition(job, before)
        rows = Rows(connection, job, now, opened, report)
        stage = Stage(connection, now)
        with stage.copying() as copy:
            for part in rows.read(lambda count: progress("读入 reading", count, opened.total)):
                copy(part.columns())
        report.notes += opened.notes
        keyed, named = bool(rows.parts["key"]), bool(rows.parts["name"])
    stage.refuse_doubles(report, keyed)
    report.accepted = report.read - report.refused
    progress("定县 finding counties", report.accepted, report.accepted)
    stage.place()
    if not report.read:
        report.notes.append("文件没有数据行。 The file has no rows.")
    report.counties = dict(stage.counties(report.accepted))
    progress("比对 comparing", report.accepted, report.accepted)
    stage.suspects(report, named)
    layers.compare(connection, stage, before, job.replace, report)
    if job.apply:
        if not report.accepted:
            raise Unreadable("没有可接受的行，未导入。 No row was accepted: nothing is imported.")
        progress("写入 writing", report.accepted, report.accepted)
        _write(connection, job, stage, now, before, report)
    return report


def _platforms(connection: Connection, job: Job, opened: Source, report: Report, progress: Progress) -> None:
    """Write the rows even where it is only tried: who takes the transaction back has seen what would happen."""
    why = job.why or f"导入 {job.file}。 Import of {job.file}."
    platforms.bring(connection, job, opened, report, lambda count: progress("读入 reading", count, opened.total), why)
    report.accepted = report.read - report.refused
    report.notes += opened.notes
    if job.apply:
        if not report.accepted:
            raise Unreadable("没有可接受的行，未导入。 No row was accepted: nothing is imported.")
        _record(connection, job, report)


def _definition(job: Job, before: Definition | None) -> Definition:
    """The layer as it shall be: as newly defined, else as it is known."""
    if job.definition is None:
        if before is None:
            raise Unreadable(
                f"没有图层 {job.layer!r}：请给出图层定义（YAML）。 No layer {job.layer!r}: give its definition (YAML)."
            )
        return before
    if before is not None:
        layers.check_fields(before, job.definition)
    return job.definition


def _write(
    connection: Connection, job: Job, stage: Stage, now: Definition, before: Definition | None, report: Report
) -> None:
    signed(connection, job.who, job.why or f"导入 {job.file}。 Import of {job.file}.")
    layers.write(connection, stage, now, before, job.replace, report)
    _record(connection, job, report)


def _record(connection: Connection, job: Job, report: Report) -> None:
    """Keep the report, and one row of history for the run."""
    report.applied = True
    made = sa.insert(t.import_run).values(
        layer=job.layer, file=job.file, sha256=report.sha256, who=job.who, report=report.as_dict()
    )
    report.run = connection.scalar(made.returning(t.import_run.c.id))
    after = {"file": job.file, "sha256": report.sha256, "changes": report.changes}
    connection.execute(
        sa.insert(t.change).values(
            layer=job.layer, action="import", after=after, who=job.who, why=job.why, import_run=report.run
        )
    )
