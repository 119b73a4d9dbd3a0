"""Random filters over a collection as it is: every queryable, with values that stand in its rows."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from app.catalog import Collection
from app.filters.compile import GEOMETRIES, property_types
from tests.filters.generate import RELATIONS, Tree

COMPARISONS = ("=", "<>", "<", ">", "<=", ">=")
#: Degrees of the boxes and triangles that are asked about: from a street to half a province.
SIZES = (0.002, 0.02, 0.2, 1.0)


@dataclass(frozen=True)
class Data:
    """A collection's rows as Python has them; geometries as shapely's. ``types`` are those of CQL2 by property."""

    rows: Sequence[Mapping[str, Any]]
    types: Mapping[str, str]

    @classmethod
    def of(cls, connection: sa.Connection, collection: Collection, read: Callable[[bytes], Any]) -> "Data":
        """Everything of a collection; ``read`` makes a geometry of WKB."""
        columns = collection.relation.c
        types = property_types(collection.fields, columns)
        asked = [sa.func.ST_AsBinary(columns[one]).label(one) if one in GEOMETRIES else columns[one] for one in types]
        found = connection.execute(sa.select(*asked).order_by(columns["id"])).mappings().all()
        rows = [
            {
                name: read(bytes(value)) if name in GEOMETRIES and value is not None else value
                for name, value in row.items()
            }
            for row in found
        ]
        return cls(rows, types)

    def named(self, kind: str) -> list[str]:
        return [name for name, one in self.types.items() if one == kind]

    @cached_property
    def known(self) -> Mapping[str, Sequence[Any]]:
        """The values of each property, one for each row that has one."""
        return {name: [row[name] for row in self.rows if row[name] is not None] for name in self.types}

    def value(self, chance: random.Random, name: str) -> Any:
        """A value of a property, of any row that has one."""
        return chance.choice(self.known[name])

    def leaf(self, chance: random.Random) -> Tree:
        """A predicate on one of the properties, each as likely."""
        name = chance.choice(list(self.types))
        property = {"property": name}
        if not self.known[name] or chance.random() < 0.1:
            return {"op": "isNull", "args": [property]}
        value = self.value(chance, name)
        made = {
            "string": self._string, "number": self._number, "boolean": self._boolean, "string[]": self._array,
            "geometry": self._geometry,
        }  # fmt: skip
        return made[self.types[name]](chance, property, value)

    def _string(self, chance: random.Random, property: Tree, value: str) -> Tree:
        others = [self.value(chance, property["property"]) for _ in range(chance.randint(1, 4))]
        kind = chance.choice(("compare", "like", "in", "fold"))
        if kind == "like":
            start, end = sorted(chance.choices(range(len(value) + 1), k=2))
            part = "".join(f"\\{one}" if one in "%_\\" else one for one in value[start:end])
            return {"op": "like", "args": [property, chance.choice(("%{}%", "{}%", "%{}", "_{}%")).format(part)]}
        if kind == "in":
            return {"op": "in", "args": [property, others]}
        other = chance.choice((value, others[0], {"property": chance.choice(self.named("string"))}))
        if kind == "fold":
            if isinstance(other, str):
                other = chance.choice((other.upper(), other.lower()))
            op = chance.choice(("casei", "accenti"))
            return {"op": chance.choice(COMPARISONS), "args": [{"op": op, "args": [one]} for one in (property, other)]}
        return {"op": chance.choice(COMPARISONS), "args": chance.choice(([property, other], [other, property]))}

    def _number(self, chance: random.Random, property: Tree, value: Any) -> Tree:
        near = [float(self.value(chance, property["property"])) + chance.choice((-1, 0, 0, 0.5)) for _ in range(3)]
        if chance.random() < 0.25:
            return {"op": "between", "args": [property, *sorted(near[:2])]}
        if chance.random() < 0.25:
            return {"op": "in", "args": [property, near]}
        other: Tree = chance.choice((float(value), near[0], {"property": chance.choice(self.named("number"))}))
        if chance.random() < 0.3:
            other = {"op": chance.choice("+-*"), "args": [other, chance.choice((0, 1, 2, 0.5))]}
        return {"op": chance.choice(COMPARISONS), "args": chance.choice(([property, other], [other, property]))}

    def _boolean(self, chance: random.Random, property: Tree, value: bool) -> Tree:
        return chance.choice((property, {"op": chance.choice(("=", "<>")), "args": [property, value]}))

    def _array(self, chance: random.Random, property: Tree, value: list[str]) -> Tree:
        # what an item has, a part of it, and what another has
        listed = value[: chance.randint(0, 2)] + self.value(chance, property["property"])[: chance.randint(0, 2)]
        other = chance.choice((value, listed, {"property": chance.choice(self.named("string[]"))}))
        return {
            "op": chance.choice(("a_contains", "a_containedBy", "a_equals", "a_overlaps")),
            "args": [property, other],
        }

    def _geometry(self, chance: random.Random, property: Tree, value: Any) -> Tree:
        point = value.representative_point()
        x, y, size = round(point.x, 4), round(point.y, 4), chance.choice(SIZES)
        others: list[Tree] = [
            {"bbox": [x - size, y - size, x + size, y + size]},
            {"type": "Polygon", "coordinates": [[[x, y - size], [x + size, y + size], [x - size, y], [x, y - size]]]},
            {"type": "LineString", "coordinates": [[x - size, y], [x + size, y + size / 3]]},
            # to what answers are given with; of text the parser reads some 15 digits
            {"type": "Point", "coordinates": [round(point.x, 9), round(point.y, 9)]},
            {"property": chance.choice(self.named("geometry"))},
        ]
        sides = [property, chance.choice(others)]
        chance.shuffle(sides)
        return {"op": f"s_{chance.choice(RELATIONS)}", "args": sides}
