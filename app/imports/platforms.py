"""Rows of a file as platforms: each is written as an edit would be, under the same rules and with its own history."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import shapely
import sqlalchemy as sa
from sqlalchemy import Connection

from app.catalog import BUILT_IN
from app.catalog.imported import Definition, FieldDefinition
from app.db import tables as t
from app.edits import write
from app.edits.layer import Edit, Refused
from app.edits.platforms import PLATFORMS
from app.edits.write import Condition
from app.imports.errors import Unreadable
from app.imports.job import PARTS, Job
from app.imports.report import LISTED, Report
from app.imports.rows import Row, Rows
from app.imports.source import Source

LAYER = PLATFORMS.collection.id
TYPES = {"number": "number", "integer": "integer", "boolean": "boolean", "array": "list"}
#: Metres within which a platform is suspected to be the same.
NEAR_M = 50.0
#: Whatever version an item is at: a file knows none.
ANY = Condition(None)


def definition(job: Job) -> Definition:
    """The properties that the job speaks of, as the fields of a layer. Raises ``Unreadable`` for one it may not."""
    described = BUILT_IN[LAYER]
    fields = []
    for name in dict.fromkeys((*job.mapping, *job.constants)):
        field = described.field(name)
        if name in PARTS and name in job.mapping:
            continue
        if field is None or name not in PLATFORMS.columns or name == "name":
            allowed = "、".join((*PARTS, *(one for one in PLATFORMS.columns if one != "name")))
            raise Unreadable(f"平台没有可写的属性 {name!r}。 No property {name!r} that can be written. [{allowed}]")
        kind = TYPES.get(field.type, "text")
        fields.append(
            FieldDefinition.model_construct(
                name=name, title=field.title, title_en=field.title_en, type=kind, values=field.values
            )
        )
    if "name" not in job.mapping:
        raise Unreadable("须指明名称列：--map name=…。 The column of names is needed: --map name=….")
    return Definition.model_construct(
        id=LAYER, title=described.title, title_en=described.title_en, source=job.why or job.file, licence="",
        geometry="any", geometry_method="point", fields=tuple(fields),
    )  # fmt: skip


def bring(
    connection: Connection, job: Job, source: Source, report: Report, progress: Callable[[int], None], why: str
) -> None:
    """Write every row within the caller's transaction; what breaks a rule is refused alone."""
    reader = Rows(connection, job, definition(job), source, report)
    edit = Edit(job.who, why, area=job.limits.area)
    known = _names(connection)
    seen: dict[str, int] = {}
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    for part in reader.read(progress):
        for row in part.rows():
            item = row.id if reader.parts["key"] else None
            if item is not None and item in seen:
                report.refuse(row.number, "key", "此键前面已有。 The key stands in an earlier row", item)
                continue
            try:
                with connection.begin_nested():
                    _suspect(connection, report, row, item, known)
                    done, item = _write(connection, reader, row, item, edit)
            except Refused as error:
                first = error.faults[0]
                report.refuse(row.number, first.property, first.rule)
                continue
            except write.Taken as error:
                report.refuse(row.number, "key", str(error), item)
                continue
            seen[item] = row.number
            counts[done] += 1
            if done == "changed" and len(report.changed) < LISTED:
                report.changed.append({"id": item, "fields": list(_properties(reader, row))})
    report.changes = counts


def _write(connection: Connection, reader: Rows, row: Row, item: str | None, edit: Edit) -> tuple[str, str]:
    """Create or update one platform; gives what was done and its id."""
    feature: dict[str, Any] = {"type": "Feature", "properties": _properties(reader, row), "geometry": _geometry(row)}
    version = sa.select(t.platform.c.version).where(t.platform.c.id == item, ~t.platform.c.retired)
    before = None if item is None else connection.scalar(version)
    if item is None or before is None:
        made = write.create(connection, PLATFORMS, {**feature, **({"id": item} if item else {})}, edit)
        return "added", made
    write.update(connection, PLATFORMS, item, feature, ANY, edit)
    return ("unchanged" if connection.scalar(version) == before else "changed"), item


def _properties(reader: Rows, row: Row) -> dict[str, Any]:
    """The properties that the row sets, and how its place is known where the file does not say."""
    values = dict(zip((one.name for one in reader.definition.fields), row.values, strict=True))
    given = {name: value for name, value in values.items() if value is not None}
    outline = row.shape and shapely.get_dimensions(shapely.from_wkb(row.shape)) == 2
    placed: dict[str, Any] = {"geometry_method": "traced" if outline else row.method, "position_source": row.source}
    if row.method == "county_only":
        # the database finds the point and how exact it is
        placed["declared_county"] = row.place
    elif row.accuracy_m is not None:
        placed["position_accuracy_m"] = row.accuracy_m
    return {**placed, **given, "name": row.name}


def _geometry(row: Row) -> Mapping[str, Any] | None:
    if row.method == "county_only":
        return None
    made: Mapping[str, Any] = json.loads(shapely.to_geojson(shapely.from_wkb(row.shape)))
    return made


def _names(connection: Connection) -> dict[str, str]:
    """Platforms by name and other names."""
    platform, alias = t.platform.c, t.alias.c
    named = sa.select(platform.name, platform.id).where(~platform.retired)
    other = sa.select(alias.name, alias.platform).where(alias.platform.is_not(None))
    return {row[0]: row[1] for row in connection.execute(sa.union_all(other, named))}


def _suspect(connection: Connection, report: Report, row: Row, item: str | None, known: Mapping[str, str]) -> None:
    """Tell of another platform that has the row's name, or stands where it stands."""
    same = known.get(row.name)
    if same is not None and same != item:
        report.suspect("与平台同名 name of a platform", [row.number], 1, platform=same)
    if row.method == "county_only":
        return
    platform = t.platform.c
    lon, lat = shapely.get_coordinates(shapely.point_on_surface(shapely.from_wkb(row.shape)))[0]
    spot = sa.func.geography(sa.func.ST_SetSRID(sa.func.ST_MakePoint(float(lon), float(lat)), 4326))
    near = sa.select(platform.id).where(
        ~platform.retired,
        platform.geometry_method.not_in(("county_only", "city_only")),
        sa.func.ST_DWithin(sa.func.geography(platform.position), spot, NEAR_M),
    )
    for other in connection.scalars(near.limit(3)):
        if other not in (item, same):
            report.suspect("与平台同处 place of a platform", [row.number], 1, platform=other)
