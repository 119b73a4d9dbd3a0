"""Which items a question asks for: the parsed request, and the SQL conditions it becomes.

Values arrive typed and names checked; every value is bound.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.catalog import Collection, Field
from app.db import tables as t
from app.db.columns import SRID
from app.queries import relations
from app.queries.places import Place
from app.queries.relations import Columns, Relation

#: More than distances are rounded by, in metres.
ROUNDED_M = 0.001
Box = tuple[float, float, float, float]
Condition = Callable[[Columns], sa.ColumnElement[bool]]


@dataclass(frozen=True)
class Near:
    """A point in degrees, and either a distance in metres or how many of the nearest are wanted."""

    lon: float
    lat: float
    metres: float | None = None
    nearest: int | None = None


@dataclass(frozen=True)
class Along:
    """A corridor and the distance in metres from its axis."""

    corridor: Place
    metres: float


@dataclass(frozen=True)
class Selection:
    """Items of one collection. Lists mean OR, different members mean AND.

    ``industries`` are printed terms or codes, ``industry_parts`` parts of printed terms. ``where`` is a compiled
    filter that reads the properties ``reads``, ``intersects`` a geometry as EWKT. ``asked`` is the question in words,
    where it has such: in one state of the data the same words mean the same items.
    """

    collection: Collection
    bbox: Box | None = None
    filters: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    industries: Sequence[str] = ()
    industry_parts: Sequence[str] = ()
    layout_elements: Sequence[str] = ()
    within: Sequence[Place] = ()
    relation: Relation = "position"
    near: Near | None = None
    along: Along | None = None
    uncertain: bool = False
    intersects: str | None = None
    where: Condition | None = None
    reads: Set[str] = frozenset()
    asked: str | None = None

    @property
    def schematic(self) -> bool:
        """Whether the answer depends on a shape that is only a drawing."""
        shapes = [*self.within, *([self.along.corridor] if self.along else [])]
        return any(place.schematic for place in shapes)

    def distance(self, columns: Columns) -> sa.ColumnElement[float] | None:
        """Metres from the point or corridor asked about, where there is one."""
        target = self.target()
        return None if target is None else sa.func.ST_Distance(relations.on_ellipsoid(columns), target)

    @property
    def by_shape(self) -> bool:
        """Whether nothing of an item but its shape decides."""
        others = (self.filters, self.industries, self.industry_parts, self.layout_elements, self.within)
        return not any(others) and self.near is None and self.along is None and self.reads <= {"geometry"}

    @property
    def nearest(self) -> int | None:
        """How many of the nearest are asked for."""
        return self.near.nearest if self.near else None

    def target(self) -> sa.ColumnElement[Any] | None:
        """The point or axis asked about."""
        if self.near is not None:
            return relations.point(self.near.lon, self.near.lat)
        return relations.axis(self.along.corridor) if self.along else None


@dataclass(frozen=True)
class Form:
    """What the commonest questions have in common with all that differ from them in values alone: a collection, whether
    there is a box, and how many values of which properties are looked for."""

    collection: Collection
    box: bool
    filters: tuple[tuple[str, int], ...]

    @property
    def selection(self) -> Selection:
        """The question with names in the place of its values, which are of ``form``."""
        box = [sa.bindparam(edge, type_=sa.Double) for edge in EDGES]
        columns = self.collection.columns
        wanted: dict[str, Any] = {
            name: [sa.bindparam(f"is_{name}_{n}", type_=columns[name].type) for n in range(count)]
            for name, count in self.filters
        }
        return Selection(self.collection, bbox=tuple(box) if self.box else None, filters=wanted)  # type: ignore[arg-type]


#: Values of a box in a statement.
EDGES = ("west", "south", "east", "north")


def form(selection: Selection) -> tuple[Form, dict[str, Any]] | None:
    """The form of a question, and its values; ``None`` for one that asks for more than a form can have."""
    one, box, filters = selection, selection.bbox, selection.filters
    chosen = (one.industries, one.industry_parts, one.layout_elements, one.within, one.near, one.along)
    listed = any(_described(one, name).type == "array" for name in filters)
    if any(chosen) or one.intersects or one.where or listed or (box and box[0] > box[2]):
        return None
    values = {f"is_{name}_{n}": value for name, found in filters.items() for n, value in enumerate(found)}
    counts = tuple((name, len(found)) for name, found in filters.items())
    return Form(one.collection, box is not None, counts), values | dict(zip(EDGES, box or (), strict=False))


def conditions(selection: Selection, columns: Columns) -> list[sa.ColumnElement[bool]]:
    """The WHERE clause of a selection over the collection's columns."""
    if selection.nearest is None:
        return _conditions(selection, columns)
    return [columns["id"].in_(_nearest(selection, selection.nearest))]


def _nearest(selection: Selection, count: int) -> sa.Select[Any]:
    """Ids of the nearest.

    What the index can sort by is a distance on the sphere, up to half a percent off, and by nothing beside it. So its
    first give a distance within which there are enough; among all within it the distance on the ellipsoid decides,
    then the id.
    """
    rows = selection.collection.relation.alias("near")
    columns: Columns = dict(rows.c.items())
    wanted, target = _conditions(selection, columns), selection.target()
    place = relations.on_ellipsoid(columns)
    distance = sa.func.ST_Distance(place, target)
    first = sa.select(distance.label("distance")).where(*wanted).order_by(place.op("<->")(target)).limit(count)
    enough = sa.select(sa.func.max(first.subquery("first").c.distance) + ROUNDED_M).scalar_subquery()
    inside = sa.func.ST_DWithin(place, target, enough)
    return sa.select(rows.c.id).where(*wanted, inside).order_by(distance, sa.collate(rows.c.id, "C")).limit(count)


def _conditions(selection: Selection, columns: Columns) -> list[sa.ColumnElement[bool]]:
    found = [_equals(columns[name], _described(selection, name), values) for name, values in selection.filters.items()]
    if selection.bbox:
        found.append(sa.or_(*(sa.func.ST_Intersects(columns["geometry"], box) for box in _boxes(selection.bbox))))
    if selection.intersects:
        shape = sa.select(sa.func.ST_GeomFromEWKT(selection.intersects)).scalar_subquery()
        found.append(sa.func.ST_Intersects(columns["geometry"], shape))
    if selection.industries or selection.industry_parts:
        found.append(_industries(selection, columns))
    if selection.layout_elements:
        member = t.layout_member.c
        named = sa.select(member.platform).where(
            member.element.in_(selection.layout_elements), member.platform.is_not(None)
        )
        found.append(columns["id"].in_(named))
    if selection.within:
        found.append(sa.or_(*(relations.inside(place, selection.relation, columns) for place in selection.within)))
    found += _distances(selection, columns)
    if selection.where is not None:
        found.append(selection.where(columns))
    return found


def _described(selection: Selection, name: str) -> Field:
    described = selection.collection.field(name)
    if described is None:
        raise KeyError(name)
    return described


def _distances(selection: Selection, columns: Columns) -> list[sa.ColumnElement[bool]]:
    if selection.near is None and selection.along is None:
        return []
    found = [] if selection.uncertain else [relations.certain(columns)]
    if selection.near is not None:
        if selection.near.metres is None:
            found.append(columns["position"].is_not(None))
        else:
            target = relations.point(selection.near.lon, selection.near.lat)
            found.append(relations.within_distance(target, selection.near.metres, columns))
    if selection.along is not None:
        target = relations.axis(selection.along.corridor)
        found.append(relations.within_distance(target, selection.along.metres, columns))
    return found


def _industries(selection: Selection, columns: Columns) -> sa.ColumnElement[bool]:
    link = t.industry_link.c
    either: list[sa.ColumnElement[bool]] = [
        link.words.contains(part, autoescape=True) for part in selection.industry_parts
    ]
    if selection.industries:
        either += [link.words.in_(selection.industries), link.industry.in_(selection.industries)]
    return columns["id"].in_(sa.select(link.platform).where(sa.or_(*either)))


def _equals(column: sa.ColumnElement[Any], described: Field, values: Sequence[Any]) -> sa.ColumnElement[bool]:
    if described.type == "array":
        return column.op("&&", is_comparison=True)(sa.cast(list(values), sa.ARRAY(sa.Text)))
    return column.in_(values)


def _boxes(box: Box) -> list[sa.ColumnElement[Any]]:
    """One envelope, or two for a box across the antimeridian (west greater than east)."""
    west, south, east, north = box
    # the edges of a form are in order
    ordered = isinstance(west, sa.BindParameter) or west <= east
    spans = [(west, east)] if ordered else [(west, 180.0), (-180.0, east)]
    return [sa.func.ST_MakeEnvelope(left, south, right, north, SRID) for left, right in spans]
