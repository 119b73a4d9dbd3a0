"""Writing items: each function is one change in the caller's transaction, checked, signed and kept in the history.

Functions raise ``NotThere``, ``Unmet``, ``Unconditional``, ``Taken``, ``Overtaken`` and ``Refused``; nothing is
written then.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace as copy
from decimal import Decimal
from typing import Any

import shapely
import sqlalchemy as sa
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from app.db.records import LOAD_LOCK, signed
from app.edits.history import Change, current
from app.edits.layer import Edit, Fault, Layer, Refused, Wanted, ewkt
from app.edits.values import properties_of, required
from app.filters.errors import FilterError
from app.filters.geometries import literal
from app.pinyin import syllables
from app.queries.features import DECIMALS, View
from app.queries.items import single

#: RFC 7396 keeps what is not named; a GeoJSON geometry is one value and never mixed with the one before.
WHOLE = ("geometry",)
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_ID = 100


class NotThere(LookupError):
    """There is no such item (any more), or no such change."""


class Unmet(ValueError):
    """The item is at another version than the condition names: ``version``."""

    def __init__(self, version: int) -> None:
        super().__init__(f"现为版本 {version}。 It is at version {version} now.")
        self.version = version


class Unconditional(ValueError):
    """No condition was given by somebody who must give one."""


class Taken(ValueError):
    """The id is in use, or was."""


class Overtaken(ValueError):
    """A change cannot be undone: something that it wrote was written again."""


class Condition:
    """Versions at which an item may be written; ``None`` stands for any."""

    def __init__(self, versions: frozenset[int] | None) -> None:
        self.versions = versions

    def holds(self, version: int) -> bool:
        return self.versions is None or version in self.versions


def create(connection: Connection, layer: Layer, feature: Mapping[str, Any], edit: Edit) -> str:
    """Add an item and give its id: the one sent, else one made of its English name."""
    _begin(connection, edit)
    properties = properties_of(layer, feature, {}, None)
    item = _new_id(connection, layer, feature.get("id"), properties)
    row: dict[str, Any] = {column.name: None for column in layer.table.c} | {"id": item} | properties
    wanted = Wanted(item, row, _geometry(feature, edit), True, frozenset(feature["properties"] or ()), None)
    row |= _checked(connection, layer, wanted)
    row |= layer.mark(row, frozenset(), edit, _now(connection))
    kept = {name: value for name, value in row.items() if value is not None}
    connection.execute(sa.insert(layer.table).values(kept))
    layer.follow(connection, item, True)
    return item


def replace(
    connection: Connection, layer: Layer, item: str, feature: Mapping[str, Any], condition: Condition | None, edit: Edit
) -> None:
    """Make an item what is sent; a property that is not sent becomes empty."""
    stored, shown = _found(connection, layer, item, condition, edit)
    _same_id(feature, item)
    _write(connection, layer, stored, shown, feature, frozenset(feature["properties"] or ()), edit)


def update(
    connection: Connection, layer: Layer, item: str, patch: Mapping[str, Any], condition: Condition | None, edit: Edit
) -> None:
    """Change the parts of an item that a JSON Merge Patch (RFC 7396) names."""
    stored, shown = _found(connection, layer, item, condition, edit)
    _same_id(patch, item)
    merged = _merge(shown, {name: value for name, value in patch.items() if name in ("properties", "geometry")})
    _write(connection, layer, stored, shown, merged, frozenset(patch.get("properties") or ()), edit)


def delete(connection: Connection, layer: Layer, item: str, condition: Condition | None, edit: Edit) -> None:
    """Take an item away. Its row stays, hidden: its id may be cited, and its history is kept."""
    _found(connection, layer, item, condition, edit)
    _hide(connection, layer, item, True)


def undo(
    connection: Connection, layer: Layer, item: str, change: Change, condition: Condition | None, edit: Edit
) -> None:
    """Set back what a change set, by a change of its own. Raises ``Overtaken`` where it was set again since."""
    stored = _locked(connection, layer, item, condition, copy(edit, undoes=change.id), hidden=True)
    now = current(connection, layer, item)
    if change.action in ("create", "restore", "delete"):
        hide = change.action != "delete"
        if stored["retired"] == hide:
            raise Overtaken("已如此。 It is so already.")
        _hide(connection, layer, item, hide)
        return
    columns = _written(layer)
    before, after = change.before or {}, change.after or {}
    changed = [name for name in columns if before.get(name) != after.get(name)]
    overtaken = [name for name in changed if now.get(name) != after.get(name)]
    if overtaken:
        raise Overtaken(f"此后又改过：{', '.join(overtaken)}。 Written again since: {', '.join(overtaken)}.")
    values = {name: _stored(layer, name, before.get(name)) for name in changed}
    _set(connection, layer, stored, dict(stored) | values, edit)


def _stored(layer: Layer, column: str, value: Any) -> Any:
    """A value of the history as its column takes it."""
    if column in layer.shapes and value is not None:
        return ewkt(shapely.from_geojson(json.dumps(value)))
    if isinstance(layer.table.c[column].type, sa.Numeric) and value is not None:
        return float(value) if isinstance(layer.table.c[column].type, sa.Float) else Decimal(str(value))
    return value


def _begin(connection: Connection, edit: Edit) -> None:
    """Sign the transaction, and stand back while a load runs: it reads rows, then writes what it made of them."""
    connection.execute(sa.text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": LOAD_LOCK})
    signed(connection, edit.who, edit.why, unconditional=edit.unconditional, undoes=edit.undoes)


def _locked(
    connection: Connection, layer: Layer, item: str, condition: Condition | None, edit: Edit, *, hidden: bool = False
) -> sa.RowMapping:
    """The row of an item, kept from others until the transaction ends, if the condition holds."""
    _begin(connection, edit)
    table = layer.table.c
    found = layer.read(table.id == item).with_for_update()
    if not hidden:
        found = found.where(~table.retired)
    stored = connection.execute(found).mappings().one_or_none()
    if stored is None:
        raise NotThere(item)
    if condition is None and not edit.unconditional:
        raise Unconditional(item)
    if condition is not None and not condition.holds(stored["version"]):
        raise Unmet(stored["version"])
    return stored


def _found(
    connection: Connection, layer: Layer, item: str, condition: Condition | None, edit: Edit
) -> tuple[sa.RowMapping, dict[str, Any]]:
    """The row of an item, locked, and the item as it is shown in the request's reference system."""
    stored = _locked(connection, layer, item, condition, edit)
    shown = connection.scalar(single(layer.collection, item, View(edit.crs)))
    return stored, json.loads(str(shown), parse_float=Decimal)


def _same_id(feature: Mapping[str, Any], item: str) -> None:
    """/req/features/update-json-merge-patch B, /req/features/geojson-create-replace A: an id is for good."""
    if feature.get("id", item) != item:
        raise Refused(Fault("id", f"代号不可更改，此处为 {item!r}。 An id cannot change: it is {item!r} here"))


def _write(
    connection: Connection,
    layer: Layer,
    stored: sa.RowMapping,
    shown: Mapping[str, Any],
    feature: Mapping[str, Any],
    named: frozenset[str],
    edit: Edit,
) -> None:
    item = stored["id"]
    row = dict(stored) | properties_of(layer, feature, shown["properties"], stored)
    geometry, moved = None, False
    if not _equal(feature.get("geometry"), shown["geometry"], 1.5 * 10 ** -DECIMALS[edit.crs.unit]):
        geometry, moved = _geometry(feature, edit), True
    row |= _checked(connection, layer, Wanted(item, row, geometry, moved, named, stored))
    _set(connection, layer, stored, row, edit)


def _set(connection: Connection, layer: Layer, stored: sa.RowMapping, row: dict[str, Any], edit: Edit) -> None:
    """Write what differs from what is stored; nothing where nothing does."""
    changed = frozenset(name for name in _written(layer) if row[name] != stored[name])
    if not changed:
        return
    values = {name: row[name] for name in changed} | layer.mark(row, changed, edit, _now(connection))
    connection.execute(sa.update(layer.table).where(layer.table.c.id == stored["id"]).values(values))
    layer.follow(connection, stored["id"], bool(changed.intersection(layer.shapes)) or "geometry_method" in changed)


def _written(layer: Layer) -> list[str]:
    return [*layer.columns.values(), *layer.shapes]


def _checked(connection: Connection, layer: Layer, wanted: Wanted) -> dict[str, Any]:
    """Columns of geometry of a row that keeps the rules of its layer."""
    faults = list(required(connection, layer, wanted.row, wanted.stored))
    if faults:
        raise Refused(*faults)
    return layer.place(connection, wanted)


def _hide(connection: Connection, layer: Layer, item: str, hide: bool) -> None:
    connection.execute(sa.update(layer.table).where(layer.table.c.id == item).values(layer.hidden(hide)))
    layer.follow(connection, item, True)


def _new_id(connection: Connection, layer: Layer, given: Any, properties: Mapping[str, Any]) -> str:
    """An id that never was: the one sent, or one of the name with a number where it is taken."""
    if given is not None:
        if not isinstance(given, str) or len(given) > LONGEST_ID or not SLUG.fullmatch(given):
            rule = f"须由 a-z、0-9 与单个连字符组成，至多 {LONGEST_ID} 个字符。"
            raise Refused(Fault("id", f"{rule} Must be a slug of a-z0-9 with single hyphens between"))
        if _exists(connection, layer, given):
            raise Taken(f"代号 {given!r} 已用或曾用。 The id {given!r} is in use, or was.")
        return given
    name = str(properties.get("name_en") or properties.get("name") or layer.collection.id)
    words = name if name.isascii() else " ".join(syllables(name))
    stem = "-".join(re.findall(r"[a-z0-9]+", words.lower().replace("'", "")))[:60].strip("-") or "item"
    number = 1
    while _exists(connection, layer, item := stem if number == 1 else f"{stem}-{number}"):
        number += 1
    return item


def _exists(connection: Connection, layer: Layer, item: str) -> bool:
    found = connection.scalar(sa.select(sa.literal(True)).where(sa.exists().where(layer.table.c.id == item)))
    return bool(found)


def _geometry(feature: Mapping[str, Any], edit: Edit) -> BaseGeometry | None:
    """The geometry that was sent, in WGS 84 and where it may lie."""
    value = feature.get("geometry")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Refused(Fault("geometry", "须为 GeoJSON 几何或 null。 Must be a GeoJSON geometry or null"))
    try:
        geometry = literal(_floats(value), edit.crs, densify=False)
    except FilterError as error:
        raise Refused(Fault("geometry", str(error))) from None
    if not shapely.box(*edit.area).covers(geometry):
        span = ", ".join(f"{one:g}" for one in edit.area)
        rule = f"须在合理范围内（{span} 度）；请核对轴序与 Content-Crs。"
        raise Refused(Fault("geometry", f"{rule} Must lie within {span} degrees: check the axis order and Content-Crs"))
    return geometry


def _floats(value: Any) -> Any:
    """Numbers of a geometry as the geometry library takes them."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [_floats(one) for one in value]
    return {name: _floats(one) for name, one in value.items()} if isinstance(value, dict) else value


def _equal(sent: Any, shown: Any, tolerance: float) -> bool:
    """Whether a geometry is the one that is shown: what comes back as it was read is no edit."""
    if sent is None or shown is None:
        return sent is shown
    try:
        ours, theirs = (shapely.from_geojson(json.dumps(_floats(one))) for one in (shown, sent))
    except (shapely.errors.GEOSException, TypeError, ValueError):
        return False
    return bool(shapely.equals_exact(ours, theirs, tolerance))


def _merge(target: Any, patch: Any) -> Any:
    """RFC 7396, section 2."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        result[name] = value if name in WHOLE or value is None else _merge(result.get(name), value)
    return result


def _now(connection: Connection) -> str:
    moment = connection.scalar(sa.select(sa.func.now()))
    return moment.isoformat(timespec="seconds") if moment else ""
