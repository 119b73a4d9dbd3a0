"""Platforms as a layer that can be written: which properties, how they are placed, whose word they are then."""

from collections.abc import Iterator
from typing import Any

import shapely
import sqlalchemy as sa
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from app.catalog import COLLECTIONS
from app.db import tables as t
from app.edits.layer import Edit, Fault, Layer, Refused, Row, Wanted, ewkt
from app.ingest import search
from app.ingest.files import FILE_TABLES
from app.ingest.placing import PLACED_BY_LOAD, homes, placing
from app.ingest.provenance import OUTLINED, PROPERTY, marks
from app.queries import codes

SPEC = next(one for one in FILE_TABLES if one.table is t.platform)
_COLUMN = {property: column for column, property in PROPERTY.items()}
#: Methods by which the place itself is not known: what is drawn is a symbol or a circle.
DRAWN = ("schematic", *PLACED_BY_LOAD)
#: One edit at a time redraws the layouts, so that none misses a member that another moved.
LAYOUT_LOCK = 7_304_022


class Platforms(Layer):
    """See ``app.edits.layer.Layer``."""

    def place(self, connection: Connection, wanted: Wanted) -> dict[str, Any]:
        faults = list(_geometry_faults(wanted))
        columns = {} if faults else _shapes(wanted)
        row = wanted.row | columns
        if row["geometry_method"] in PLACED_BY_LOAD:
            # the database finds both; what is stored may come back, nothing else may be said
            row["position"] = None
            if wanted.stored is not None and row["position_accuracy_m"] == wanted.stored["position_accuracy_m"]:
                row["position_accuracy_m"] = None
        r = t.region.c
        regions = connection.execute(sa.select(r.id, r.level, r.geom.is_not(None)).where(~r.retired)).all()
        level_of = {id: level for id, level, _ in regions}
        outlined = {id for id, _, outline in regions if outline}
        for level, rule in homes(row, level_of):
            allowed = tuple(codes.unknown(connection, level, row[level]).candidates)
            faults.append(Fault(PROPERTY.get(level, level), rule, allowed))
        faults += [Fault(PROPERTY.get(name, name), rule) for name, rule in placing(row, outlined)]
        if faults:
            # one fault a property: the first says it best
            raise Refused(*reversed({one.property: one for one in reversed(faults)}.values()))
        return columns

    def mark(self, row: Row, changed: frozenset[str], edit: Edit, at: str) -> dict[str, Any]:
        who = {"by": edit.who, "at": at, "reason": edit.why}
        if "geom" in changed:
            changed |= {"position"}
        return {"edited": marks(row, SPEC, row.get("edited"), who, changed)}

    def hidden(self, hide: bool) -> dict[str, Any]:
        return {"retired": hide, "deleted": hide}

    def follow(self, connection: Connection, item: str, moved: bool) -> None:
        search.refresh(connection, item)
        if moved:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LAYOUT_LOCK)))
            connection.execute(sa.select(sa.func.refresh_layout_geometry()))

    def published(self, row: Row) -> tuple[dict[str, Any], Any]:
        properties, _ = super().published(row)
        where = {"county": row.get("position_county"), "city": row.get("position_city")}
        return properties | where, row.get("geom")


def _geometry_faults(wanted: Wanted) -> Iterator[Fault]:
    """Whether what was sent can be the geometry of a place known in this way."""
    method, geometry, stored = wanted.row["geometry_method"], wanted.geometry, wanted.stored
    known = stored["geometry_method"] if stored else None
    if not wanted.moved:
        if known in PLACED_BY_LOAD and method not in (*PLACED_BY_LOAD, "none"):
            yield Fault("geometry", f"{known} 只是符号，须给出位置。 {known} is a symbol only: give a geometry")
        elif method in OUTLINED and known not in OUTLINED:
            yield Fault("geometry", f"{method} 须给出轮廓。 geometry_method {method} needs an outline")
        return
    if stored is not None and (known in DRAWN or method == "schematic"):
        for name in ("geometry_method", "position_source"):
            if name not in wanted.named:
                rule = f"改动示意图形须同时给出 {name}。 Moving a schematic geometry takes {name} as well"
                yield Fault(name, rule)
    if geometry is None:
        if method not in (*PLACED_BY_LOAD, "none"):
            yield Fault("geometry", f"{method} 须有几何。 geometry_method {method} needs a geometry")
    elif method in (*PLACED_BY_LOAD, "none"):
        yield Fault("geometry", f"{method} 不带几何。 geometry_method {method} takes no geometry")
    elif method in OUTLINED and geometry.geom_type not in ("Polygon", "MultiPolygon"):
        yield Fault("geometry", f"{method} 须为面。 geometry_method {method} takes a Polygon or MultiPolygon")
    elif method in ("point", "schematic") and geometry.geom_type != "Point":
        yield Fault("geometry", f"{method} 须为点。 geometry_method {method} takes a Point, the anchor")


def _shapes(wanted: Wanted) -> dict[str, Any]:
    """Anchor point and outline; the database draws what is no outline."""
    row, geometry, stored = wanted.row, wanted.geometry, wanted.stored
    method = row["geometry_method"]
    if method in (*PLACED_BY_LOAD, "none"):
        where = ("geometry_method", PLACED_BY_LOAD.get(method, "geometry_method"))
        if stored is not None and all(row[name] == stored[name] for name in where):
            return {}
        return {"position": None, "geom": None, "position_accuracy_m": None}
    if not wanted.moved or geometry is None:
        return {}
    if method not in OUTLINED:
        return {"position": ewkt(geometry)}
    if stored is not None and _anchored(geometry, stored):
        return {"geom": ewkt(geometry)}
    return {"geom": ewkt(geometry), "position": ewkt(geometry.representative_point())}


def _anchored(outline: BaseGeometry, stored: sa.RowMapping) -> bool:
    """Whether the anchor point that is stored is known for itself and lies in the new outline."""
    if stored["position"] is None or stored["geometry_method"] in PLACED_BY_LOAD:
        return False
    return bool(outline.covers(shapely.from_wkt(stored["position"].split(";", 1)[1])))


_COLLECTION = COLLECTIONS["platforms"]
PLATFORMS = Platforms(
    _COLLECTION, t.platform, {name: _COLUMN.get(name, name) for name in _COLLECTION.writable}, ("position", "geom")
)
