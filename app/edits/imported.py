"""An imported layer as one that can be written: its own fields, and a geometry that says how it is known."""

from typing import Any

from sqlalchemy import Connection

from app.catalog.imported import METHODS, Definition, collection, table
from app.edits.layer import Fault, Layer, Refused, Row, Wanted, ewkt

#: Kinds of geometry that a layer of one kind takes.
KINDS = {
    "Point": ("Point",),
    "LineString": ("LineString", "MultiLineString"),
    "Polygon": ("Polygon", "MultiPolygon"),
}


class ImportedLayer(Layer):
    """See ``app.edits.layer.Layer``. No plan speaks of these items: the history alone says who edited what."""

    def __init__(self, definition: Definition) -> None:
        described = collection(definition)
        super().__init__(described, table(definition), {name: name for name in described.writable}, ("geom",))
        self.definition = definition

    def place(self, connection: Connection, wanted: Wanted) -> dict[str, Any]:
        row, geometry, stored = wanted.row, wanted.geometry, wanted.stored
        faults = [
            Fault(name, "必填。 Is required")
            for name in self.collection.required
            if row.get(name) is None and self.table.c[name].nullable
        ]
        methods = METHODS if stored is None else (*METHODS, stored["geometry_method"])
        if row["geometry_method"] not in methods:
            faults.append(Fault("geometry_method", f"须为 {', '.join(METHODS)}。 Must be one of these"))
        accuracy = row["position_accuracy_m"]
        if accuracy is not None and accuracy < 0:
            faults.append(Fault("position_accuracy_m", "不得小于 0。 Must not be below 0"))
        if wanted.moved:
            kinds = KINDS.get(self.definition.geometry)
            if geometry is None:
                faults.append(Fault("geometry", "须有几何。 A geometry is required"))
            elif kinds is not None and geometry.geom_type not in kinds:
                faults.append(Fault("geometry", f"须为 {', '.join(kinds)}。 Must be one of these"))
            if stored is not None and stored["geometry_method"] == "schematic":
                faults += [
                    Fault(name, f"改动示意图形须同时给出 {name}。 Moving a schematic geometry takes {name} as well")
                    for name in ("geometry_method", "position_source")
                    if name not in wanted.named
                ]
        if faults:
            raise Refused(*faults)
        return {"geom": ewkt(geometry)} if wanted.moved and geometry is not None else {}

    def published(self, row: Row) -> tuple[dict[str, Any], Any]:
        properties, geometry = super().published(row)
        return properties | {"county": row.get("position_county"), "city": row.get("position_city")}, geometry
