"""The database holds what the files say, apart from what was edited, and nothing without its sources."""

from collections import Counter
from typing import Any

import sqlalchemy as sa
from shapely import from_wkt
from sqlalchemy import Connection

from app.db import tables as t
from app.ingest.checks.result import Result
from app.ingest.files import FILE_TABLES, DataSet, FileTable, Row
from app.ingest.load import table_rows
from app.ingest.provenance import comparable, edited_fields, plan_of, stored_platforms

OUTLINES = ("geom", "land_geom")


def database(connection: Connection, data: DataSet) -> list[Result]:
    """Equality of the stored rows and the files, the list of edits, and platforms that no document mentions."""
    return [equality(connection, data), edits(connection), mentioned(connection)]


def equality(connection: Connection, data: DataSet) -> Result:
    """Each row of the files is stored as the load stores it, and no other."""
    result = Result("数据库与文件一致", "The database equals the files")
    for spec in FILE_TABLES:
        wanted = table_rows(spec, data)
        result.checked += len(wanted)
        if spec.table is t.platform:
            _compare_platforms(connection, spec, wanted, result)
        else:
            _compare(connection, spec, wanted, result)
    return result


def _compare(connection: Connection, spec: FileTable, wanted: list[Row], result: Result) -> None:
    table = spec.table
    names = [column.name for column in spec.columns] + [name for name in ("value",) if name in table.c]
    columns: list[Any] = [table.c[name] for name in names]
    if spec.point:
        names.append(spec.point)
        columns.append(sa.func.ST_AsEWKT(table.c[spec.point]).label(spec.point))
    select = sa.select(*columns)
    if "retired" in table.c:
        select = select.where(~table.c.retired)
    stored = Counter(comparable(row, names) for row in connection.execute(select).mappings())
    files = Counter(comparable(row, names) for row in wanted)
    result.failing += [f"{spec.name}: 数据库缺 not in the database: {row[:160]}" for row in (files - stored).elements()]
    result.failing += [f"{spec.name}: 文件缺 not in the files: {row[:160]}" for row in (stored - files).elements()]
    if spec.table is t.region:
        _compare_outlines(connection, wanted, result)


def _compare_outlines(connection: Connection, wanted: list[Row], result: Result) -> None:
    stored = {row.id: row for row in connection.execute(
        sa.select(t.region.c.id, *(sa.func.ST_AsText(t.region.c[name], 15).label(name) for name in OUTLINES))
    )}  # fmt: skip
    for row in wanted:
        for name in OUTLINES:
            have, want = getattr(stored.get(row["id"]), name, None), row[name]
            same = have is None if want is None else have is not None and _same_outline(have, want)
            if not same:
                result.failing.append(f"regions: {row['id']}.{name}: 轮廓与文件不同 differs from its file")


def _same_outline(stored: str, ewkt: str) -> bool:
    return bool(from_wkt(stored).equals(from_wkt(ewkt.split(";", 1)[1])))


def _compare_platforms(connection: Connection, spec: FileTable, wanted: list[Row], result: Result) -> None:
    """The row that the files last gave, which is kept beside what was edited since."""
    stored = {
        row.id: row.plan
        for row in connection.execute(
            sa.select(t.platform.c.id, t.platform.c.plan).where(~t.platform.c.retired | t.platform.c.deleted)
        )
    }
    files = {row["id"]: plan_of(row, spec) for row in wanted}
    for id in sorted(files.keys() | {id for id, plan in stored.items() if plan is not None}):
        if id not in stored or stored[id] is None:
            result.failing.append(f"platforms: {id}: 数据库缺 not in the database")
        elif id not in files:
            result.failing.append(f"platforms: {id}: 文件缺 not in the files")
        else:
            result.failing += [
                f"platforms: {id}.{name}: 文件 file {value!r}，数据库 database {stored[id].get(name)!r}"
                for name, value in files[id].items()
                if stored[id].get(name) != value
            ]


def edits(connection: Connection) -> Result:
    """Platforms made, retired or changed in the database since they were loaded: listed, no fault."""
    result = Result("数据库中的编辑", "Edits made in the database")
    spec = next(spec for spec in FILE_TABLES if spec.table is t.platform)
    stored = stored_platforms(spec).order_by(t.platform.c.id)
    for row in connection.execute(stored).mappings():
        result.checked += 1
        if row["deleted"]:
            result.notes.append(f"{row['id']}: 被编辑删除 deleted by an edit")
        elif row["retired"]:
            result.notes.append(f"{row['id']}: 已停用 retired")
        elif row["plan"] is None:
            result.notes.append(f"{row['id']}: 在数据库中新建 made in the database")
        else:
            now = plan_of(row, spec)
            result.notes += [
                f"{row['id']}.{name}: 文件 file {row['plan'].get(name)!r}，现为 now {now[name]!r}"
                for name in edited_fields(row, spec)
            ]
    return result


def mentioned(connection: Connection) -> Result:
    """Every platform that came from the files is mentioned by a document."""
    result = Result("平台均有出处", "No platform without a mention")
    p = t.platform
    of_files = sa.select(p.c.id, p.c.name).where(~p.c.retired, p.c.plan.is_not(None))
    result.checked = connection.scalar(sa.select(sa.func.count()).select_from(of_files.subquery())) or 0
    without = of_files.where(~sa.exists().where(t.mention.c.platform == p.c.id)).order_by(p.c.id)
    result.failing = [f"{row.id} {row.name}: 无文件提及 no document mentions it" for row in connection.execute(without)]
    return result
