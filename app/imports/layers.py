"""The table of an imported layer: made with its first rows, and brought up to date by later imports."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable, DropConstraint

from app.catalog.imported import Definition, table
from app.db import tables as t
from app.imports.errors import Unreadable
from app.imports.report import LISTED, Report
from app.imports.staging import Stage

#: Written by an import; the others follow from these.
OWN = ("name", "geometry_method", "position_accuracy_m", "position_source", "geom")


def known(connection: Connection, layer: str) -> Definition | None:
    """The definition of a layer that is there."""
    found = connection.scalar(sa.select(t.layer_definition.c.definition).where(t.layer_definition.c.id == layer))
    return None if found is None else Definition.model_validate(found)


def check_fields(before: Definition, now: Definition) -> None:
    """Fields may be added, and keep their type. Raises ``Unreadable``."""
    types = {one.name: one.type for one in now.fields}
    for one in before.fields:
        if one.name not in types:
            raise Unreadable(
                f"字段 {one.name} 已有数据，定义中不可缺。 The field {one.name} has data: the definition must keep it."
            )
        if types[one.name] != one.type:
            raise Unreadable(
                f"字段 {one.name} 的类型是 {one.type}，不可改。 The field {one.name} is of type {one.type} for good."
            )


def compare(connection: Connection, stage: Stage, before: Definition | None, replace: bool, report: Report) -> None:
    """Say in the report what writing the rows would change."""
    rows = stage.rows
    if before is None:
        report.changes = {"added": report.accepted}
        return
    there = table(before)
    columns = [*OWN, *(one.name for one in before.fields)]
    differs = [_differs(there.c[name], rows.c[name]) for name in columns]
    joined = sa.join(rows, there, there.c.id == rows.c.id)
    changed = sa.select(rows.c.id, *(one.label(n) for one, n in zip(differs, columns, strict=True)))
    changed = changed.select_from(joined).where(sa.or_(there.c.retired, *differs))
    total = sa.select(sa.func.count()).select_from(changed.subquery())
    both = sa.select(sa.func.count()).select_from(joined)
    number, matched = connection.scalar(total) or 0, connection.scalar(both) or 0
    report.changes = {"added": report.accepted - matched, "changed": number, "unchanged": matched - number}
    if replace:
        gone = sa.select(sa.func.count()).select_from(there).where(_gone(there, rows))
        report.changes["removed"] = connection.scalar(gone) or 0
    for row in connection.execute(changed.order_by(rows.c.id).limit(LISTED)).mappings():
        report.changed.append({"id": row["id"], "fields": [name for name in columns if row[name]] or ["retired"]})


def _differs(old: sa.ColumnElement[Any], new: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    if isinstance(old.type, Geometry):
        # byte for byte: equal extents are equal to PostGIS
        return sa.cast(old, sa.LargeBinary).is_distinct_from(sa.cast(new, sa.LargeBinary))
    return old.is_distinct_from(new)


def _gone(there: sa.Table, rows: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(~there.c.retired, ~sa.exists().where(rows.c.id == there.c.id))


def write(
    connection: Connection, stage: Stage, now: Definition, before: Definition | None, replace: bool, report: Report
) -> None:
    """Write the rows; a first import makes the layer."""
    there = table(now)
    stored = now.model_dump(mode="json")
    definition = insert(t.layer_definition).values(id=now.id, definition=stored)
    connection.execute(
        definition.on_conflict_do_update(
            index_elements=["id"],
            set_={"definition": definition.excluded.definition},
            where=t.layer_definition.c.definition != definition.excluded.definition,
        )
    )
    if before is None:
        _fill(connection, stage, there)
        return
    for one in now.fields:
        if one.name not in {field.name for field in before.fields}:
            kind = there.c[one.name].type.compile(connection.dialect)
            connection.execute(sa.text(f'ALTER TABLE "{there.name}" ADD COLUMN "{one.name}" {kind}'))
    _update(connection, stage, there, replace)


def _rows(stage: Stage, there: sa.Table) -> tuple[list[str], sa.Subquery]:
    """The columns that an import writes, and the staged rows with columns of these names."""
    placed = stage.placed().subquery("placed")
    named = {"position_county": "county", "position_city": "city"}
    names = [one.name for one in there.c if one.name not in ("retired", "version")]
    return names, sa.select(*(placed.c[named.get(name, name)].label(name) for name in names)).subquery("rows")


def _fill(connection: Connection, stage: Stage, there: sa.Table) -> None:
    """A new table, filled before it has indexes and triggers: many times as fast, and one row of history, the run's."""
    names, rows = _rows(stage, there)
    connection.execute(CreateTable(there, include_foreign_key_constraints=[]))
    connection.execute(DropConstraint(there.primary_key))
    connection.execute(sa.insert(there).from_select(names, sa.select(rows)))
    connection.execute(sa.text("SET LOCAL maintenance_work_mem = '256MB'"))
    connection.execute(AddConstraint(there.primary_key))
    for index in sorted(there.indexes, key=lambda one: str(one.name)):
        connection.execute(CreateIndex(index))
    for statement in _triggers(there.name):
        connection.execute(sa.text(statement))
    # what its triggers do from now on
    version = insert(t.layer_version).values(layer=there.name, version=1)
    bump = {"version": t.layer_version.c.version + 1, "changed_at": sa.func.now()}
    connection.execute(version.on_conflict_do_update(index_elements=["layer"], set_=bump))
    connection.execute(sa.text(f'ANALYZE "{there.name}"'))


def _triggers(name: str) -> Sequence[str]:
    layer = name.removeprefix("imported_")
    row = f'ON "{name}" FOR EACH ROW EXECUTE FUNCTION'
    made = [
        f"CREATE TRIGGER derive BEFORE INSERT OR UPDATE {row} imported_derive()",
        f"CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE {row} record_change('{layer}', 'position', 'geom')",
        # after the derivation: triggers fire by name
        f"CREATE TRIGGER unchanged BEFORE UPDATE {row} skip_unchanged()",
        f'CREATE TRIGGER forget AFTER DELETE OR TRUNCATE ON "{name}" FOR EACH STATEMENT'
        f" EXECUTE FUNCTION forget_ready('{layer}')",
    ]
    for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        made.append(
            f'CREATE TRIGGER version_{event.lower()} AFTER {event} ON "{name}" REFERENCING {rows} TABLE AS changed'
            " FOR EACH STATEMENT EXECUTE FUNCTION bump_layer_version()"
        )
    return made


def _update(connection: Connection, stage: Stage, there: sa.Table, replace: bool) -> None:
    """Insert what is new, write what differs; each row's change is kept in the history by trigger."""
    names, rows = _rows(stage, there)
    new = sa.select(rows).where(~sa.exists().where(there.c.id == rows.c.id))
    # what follows from the geometry is found by trigger
    own = [name for name in names if name not in ("id", "position", "position_county", "position_city")]
    differs = sa.or_(there.c.retired, *(_differs(there.c[name], rows.c[name]) for name in own))
    values = {**{name: rows.c[name] for name in own}, "retired": False}
    connection.execute(sa.update(there).values(values).where(there.c.id == rows.c.id, differs))
    connection.execute(sa.insert(there).from_select(names, new))
    if replace:
        connection.execute(sa.update(there).where(_gone(there, stage.rows)).values(retired=True))
