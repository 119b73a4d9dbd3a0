"""The relations of the contract as SQL over a collection's columns; URL parameters and CQL2 functions both use these.

``position``
    the anchor point is covered by the full outline; decided when a row is written, on a shared edge for the smallest
    adcode, so that counts add up;
``intersects``
    the interiors of drawn shape and outline overlap;
``declared``
    the county (city) that a document names.

Distances are geodesic metres from the anchor point. A place known only by county or city stands nowhere in particular:
questions of distance leave it out unless they ask for it.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

import sqlalchemy as sa
from geoalchemy2 import Geography, Geometry

from app.db import tables as t
from app.db.columns import SRID
from app.queries.places import Place

Relation = Literal["position", "intersects", "declared"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
Columns = Mapping[str, sa.ColumnElement[Any]]

#: Ways of knowing a position that say no more than a county or city.
UNCERTAIN = ("county_only", "city_only")


def inside(place: Place, relation: Relation, columns: Columns) -> sa.ColumnElement[bool]:
    """Whether an item is inside a place."""
    region = t.region.c
    if relation == "declared":
        if place.level == "county":
            return columns["declared_county"] == place.id
        counties = sa.select(region.id).where(region.parent == place.id, region.level == "county")
        return sa.or_(columns["declared_city"] == place.id, columns["declared_county"].in_(counties))
    outline = place.outline.scalar_subquery()
    if relation == "intersects":
        drawn = columns["geometry"]
        # of a point the same, and told by an outline that was prepared once: a hundred times as fast with many vertices
        crosses = sa.case(
            (sa.func.GeometryType(drawn) == "POINT", sa.func.ST_Contains(outline, drawn)),
            else_=~sa.func.ST_Touches(drawn, outline),
        )
        return sa.and_(sa.func.ST_Intersects(drawn, outline), crosses)
    decided = columns.get(f"position_{place.level}")
    if decided is not None:
        return decided == place.id
    return sa.func.ST_Covers(outline, columns.get("position", columns["geometry"]))


def point(lon: float, lat: float) -> sa.ColumnElement[Any]:
    """A place on the ellipsoid, parsed once for the statement."""
    made = sa.func.ST_SetSRID(sa.func.ST_MakePoint(lon, lat), SRID)
    return sa.select(sa.cast(made, Geography(srid=SRID))).scalar_subquery()


def axis(place: Place) -> sa.ColumnElement[Any]:
    """The axis of a corridor on the ellipsoid."""
    if place.axis is None:
        raise ValueError(f"{place.collection}/{place.id} has no axis")
    line = place.axis.subquery()
    return sa.select(sa.cast(line.c.axis, Geography(srid=SRID))).scalar_subquery()


def on_ellipsoid(columns: Columns) -> sa.ColumnElement[Any]:
    """The anchor point as the distance index holds it: to the letter, without type and system in the cast."""
    return sa.cast(sa.cast(columns["position"], Geometry("POINT", SRID)), Geography(None, srid=-1))


def within_distance(target: sa.ColumnElement[Any], metres: float, columns: Columns) -> sa.ColumnElement[bool]:
    """Whether the anchor point lies within so many metres of a point or line."""
    return sa.func.ST_DWithin(on_ellipsoid(columns), target, metres)


def certain(columns: Columns) -> sa.ColumnElement[bool]:
    """Whether the anchor point says more than a county."""
    return columns["geometry_method"].not_in(UNCERTAIN)
