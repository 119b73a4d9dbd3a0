"""Whose word a platform's fields are: the plan's, as the files last gave it, or that of an edit since."""

import json
import re
from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from app.db import tables as t
from app.ingest.files import FileTable, is_geometry
from app.ingest.placing import PLACED_BY_LOAD

#: Published names of the columns that have another.
PROPERTY = {"county": "declared_county", "city": "declared_city", "position": "geometry"}
#: Stands for the whole of an item that no plan names.
EVERYTHING = "*"
#: Methods of an outline drawn by hand.
OUTLINED = ("administrative", "traced")

Mark = dict[str, Any]
#: Who made a change of which the program knows nothing.
NOBODY: Mark = {"by": None, "at": None, "reason": None}


def comparable(row: Any, columns: Sequence[str]) -> str:
    """A text that is equal for equal rows, numbers compared by value."""
    return json.dumps([_plain(row[name]) for name in columns], ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    return format(value.normalize(), "f") if isinstance(value, Decimal) else value


def stored_platforms(spec: FileTable) -> sa.Select[Any]:
    """Platforms with the columns of their file, geometry as EWKT, and the row that the files last gave."""
    columns: list[Any] = [t.platform.c[column.name] for column in spec.columns]
    ewkt = [sa.func.ST_AsEWKT(t.platform.c[name]).label(name) for name in ("position", "geom")]
    more = (t.platform.c[name] for name in ("plan", "edited", "retired", "deleted", "version"))
    return sa.select(*columns, *ewkt, *more)


def plan_of(row: Any, spec: FileTable) -> dict[str, Any]:
    """A platform's file columns as JSON; what the load derives (a symbol's place) is no word of the plan."""
    placed = row["geometry_method"] in PLACED_BY_LOAD
    plan = {column.name: _plain(row[column.name]) for column in spec.columns}
    plan["position"] = None if placed else row["position"]
    if placed:
        plan["position_accuracy_m"] = None
    return plan


def edited_fields(known: Any, spec: FileTable) -> list[str]:
    """Fields of a stored platform that no longer say what the files last said."""
    before = known["plan"]
    now = plan_of(known, spec)
    return [name for name in now if before is None or before.get(name) != now[name]]


def marks(
    row: Any, spec: FileTable, previous: Sequence[Mark] | None, edit: Mark | None = None, changed: Collection[str] = ()
) -> list[Mark] | None:
    """Each property of ``row`` that an edit took from the plan's word: the plan's, and ``by`` whom, ``at``, ``reason``.

    ``previous`` are the marks before; ``edit`` is who edits now the columns ``changed``. A change that came neither by
    this program's edits nor by a load is nobody's. A row that no plan names is marked as a whole.
    """
    told = {one["property"]: one for one in previous or ()}
    whole = told.get(EVERYTHING) or edit or NOBODY
    plan = row["plan"]
    if plan is None:
        return [{"property": EVERYTHING, "plan": None, **_signature(whole)}]
    fields = edited_fields(row, spec)
    if row["geometry_method"] in OUTLINED and "position" not in fields:
        fields.append("position")
    found = []
    for name in fields:
        property = PROPERTY.get(name, name)
        mark = edit if edit and name in changed else told.get(property) or told.get(EVERYTHING) or NOBODY
        found.append({"property": property, "plan": _said(spec.table.c[name], plan.get(name)), **_signature(mark)})
    return found or None


def _signature(mark: Mark) -> Mark:
    return {name: mark[name] for name in NOBODY}


def _said(column: sa.Column[Any], value: Any) -> Any:
    """A value of the plan as it is published."""
    if value is not None and is_geometry(column):
        point = re.fullmatch(r"SRID=\d+;POINT\((\S+) (\S+)\)", value)
        return {"type": "Point", "coordinates": [float(one) for one in point.groups()]} if point else None
    if value is not None and isinstance(column.type, sa.Numeric) and isinstance(value, str):
        return float(value)
    return value
