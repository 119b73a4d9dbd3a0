"""Geometry in the database: valid, inside what it is said to be in, without gaps, and honest about itself."""

from typing import Any

import sqlalchemy as sa
from geoalchemy2 import Geography, Geometry
from sqlalchemy import Connection

from app.catalog import COLLECTIONS
from app.db import tables as t
from app.db.columns import SRID
from app.ingest.checks.result import Accepted, Result

#: Outlines are written with six decimals, and a cut land outline may pass the full one by that much (0.1 m); over the
#: 200 km of coast this is less than this area.
ROUNDING_M2 = 20_000.0
#: Circles are drawn as polygons; by how much their area may differ from the published one.
CIRCLE_TOLERANCE = 0.005
#: What may be drawn with an inside and is no sketch.
OUTLINES = ("administrative", "traced")


def geometry(connection: Connection, accepted: Accepted) -> list[Result]:
    """Validity, containment, topology of the counties, and marks of schematic shapes."""
    return [
        validity(connection),
        containment(connection, accepted),
        seats(connection),
        topology(connection),
        schematic(connection),
    ]


def validity(connection: Connection) -> Result:
    """Every stored geometry is valid, not empty, and within the degrees of EPSG:4326."""
    result = Result("几何有效", "Geometry is valid")
    for table in t.metadata.sorted_tables:
        for column in table.columns:
            if not isinstance(column.type, Geometry):
                continue
            key = next(iter(table.primary_key.columns))
            extent = sa.func.ST_MakeEnvelope(-180, -90, 180, 90, SRID)
            sound = sa.and_(
                sa.func.ST_IsValid(column), ~sa.func.ST_IsEmpty(column), sa.func.ST_CoveredBy(column, extent)
            )
            given = sa.select(key, sa.func.ST_IsValidReason(column).label("reason"), sound.label("sound"))
            for row in connection.execute(given.where(column.is_not(None))):
                result.checked += 1
                if not row.sound:
                    result.failing.append(f"{table.name}.{column.name} {row[0]}: {row.reason}")
    return result


def containment(connection: Connection, accepted: Accepted) -> Result:
    """A position lies in the county and city that the document names, or as near to it as it is exact.

    Where declared and position differ is listed; farther off than its accuracy is a fault unless accepted. The county
    and city that are stored by position are those that cover it.
    """
    result = Result("位置在所述县市内", "Positions are in the county and city declared")
    p = t.platform
    for name in ("county", "city"):
        area = t.region.alias()
        declared, found = p.c[name], p.c[f"position_{name}"]
        away = sa.func.ST_Distance(_geography(p.c.position), _geography(area.c.geom))
        inside = sa.func.ST_Covers(area.c.geom, p.c.position)
        select = (
            sa.select(p.c.id, p.c.name, declared.label("declared"), found.label("found"), inside.label("inside"),
                      away.label("away"), p.c.position_accuracy_m, p.c.note)
            .join(area, area.c.id == declared)
            .where(~p.c.retired, p.c.position.is_not(None), area.c.geom.is_not(None))
            .order_by(p.c.id)
        )  # fmt: skip
        for row in connection.execute(select):
            result.checked += 1
            if row.inside and row.found == row.declared:
                continue
            line = f"{row.id} {row.name}: 所述 declared {row.declared}，位置 position {row.found}，{row.away:.0f} m"
            reason = accepted.reason("containment", row.id, row.declared)
            if reason:
                result.notes.append(f"{line} — {reason}")
            elif row.away <= (row.position_accuracy_m or 0):
                result.warnings.append(f"{line}（精度内 within its accuracy）")
            else:
                result.failing.append(line)
        wrong = (
            sa.select(p.c.id, p.c.name, found.label("found"))
            .join(area, area.c.id == found)
            .where(~sa.func.ST_Covers(area.c.geom, p.c.position))
            .order_by(p.c.id)
        )
        result.failing += [f"{row.id} {row.name}: 位置不在 is not in {row.found}" for row in connection.execute(wrong)]
    return result


def seats(connection: Connection) -> Result:
    """The seat of a county or city is in it; that of a town, zone or area in the county it lies in."""
    result = Result("驻地在其辖区内", "Seats are in their areas")
    area, r = t.region.alias(), t.region
    holder = sa.func.coalesce(r.c.lies_in, r.c.id)
    select = (
        sa.select(r.c.id, r.c.name, area.c.name.label("holder"), sa.func.ST_Covers(area.c.geom, r.c.seat))
        .join(area, area.c.id == holder)
        .where(~r.c.retired, r.c.seat.is_not(None), area.c.geom.is_not(None))
        .order_by(r.c.id)
    )
    for id, name, holder_name, inside in connection.execute(select):
        result.checked += 1
        if not inside:
            result.failing.append(f"{id} {name}: 驻地不在 the seat is not in {holder_name}")
    return result


def topology(connection: Connection) -> Result:
    """The counties of a city leave no gap, do not overlap, and are together the city; land is within the outline."""
    result = Result("县界拓扑", "Topology of the counties")
    counties = t.region.alias("a")
    other = t.region.alias("b")
    pairs = (
        sa.select(counties.c.id, other.c.id, _area(sa.func.ST_Intersection(counties.c.geom, other.c.geom)))
        .join(other, sa.and_(counties.c.id < other.c.id, counties.c.parent == other.c.parent))
        .where(counties.c.level == "county", other.c.level == "county", ~counties.c.retired, ~other.c.retired)
        .where(sa.func.ST_Relate(counties.c.geom, other.c.geom, "T********"))
    )
    for a, b, area in connection.execute(pairs):
        result.failing.append(f"{a} 与 and {b}: 重叠 overlap {area:.1f} m²")
    city = t.region.alias("city")
    union = sa.func.ST_Union(counties.c.geom)
    whole = (
        sa.select(city.c.id, sa.func.count(), _area(sa.func.ST_Difference(city.c.geom, union)),
                  _area(sa.func.ST_Difference(union, city.c.geom)),
                  sa.func.ST_NRings(union) - sa.func.ST_NumGeometries(union),
                  sa.func.bool_and(counties.c.outline_source == city.c.outline_source))
        .join(counties, counties.c.parent == city.c.id)
        .where(counties.c.level == "county", ~counties.c.retired, counties.c.geom.is_not(None))
        .group_by(city.c.id)
    )  # fmt: skip
    for id, number, gap, excess, holes, same_source in connection.execute(whole):
        result.checked += number
        if holes:
            result.failing.append(f"{id}: 合并后有 {holes} 处空洞 the union has {holes} holes")
        if not same_source:
            result.notes.append(f"{id}: 县界与市界来源不同 the outlines of counties and city are of different sources")
        elif gap or excess:
            result.failing.append(f"{id}: 合并与市界不同 the union is not the city: −{gap:.1f} m², +{excess:.1f} m²")
    land = sa.select(
        counties.c.id, _area(sa.func.ST_Difference(counties.c.land_geom, counties.c.geom))
    ).where(counties.c.land_geom.is_not(None), ~counties.c.retired)  # fmt: skip
    for id, excess in connection.execute(land):
        if excess > ROUNDING_M2:
            result.failing.append(f"{id}: 陆域超出全域 land outside the full outline {excess:.0f} m²")
    return result


def schematic(connection: Connection) -> Result:
    """What is drawn with an inside is an outline or says that it is a sketch; circles have the published area."""
    result = Result("示意图形已标明", "Schematic shapes are marked")
    for name, collection in COLLECTIONS.items():
        rows = collection.rows.subquery()
        method = rows.c.get("geometry_method")
        sketch = sa.func.ST_Dimension(rows.c.geometry) > 0
        if method is not None:
            sketch = sa.and_(sketch, method.not_in(OUTLINES))
            for id, marked in connection.execute(sa.select(rows.c.id, rows.c.schematic).where(sketch)):
                result.checked += 1
                if not marked:
                    result.failing.append(f"{name}/{id}: 未标为示意 is not marked as schematic")
    p = t.platform
    circles = sa.select(p.c.id, p.c.area_km2, (_area(p.c.geom) / 1e6).label("drawn")).where(
        p.c.geometry_method == "schematic", ~p.c.retired
    )
    for row in connection.execute(circles):
        if row.area_km2 is None or abs(row.drawn / float(row.area_km2) - 1) > CIRCLE_TOLERANCE:
            result.failing.append(f"{row.id}: 公布 published {row.area_km2} km²，所绘 drawn {row.drawn:.2f} km²")
    e = t.layout_element
    unsaid = sa.select(e.c.id).where(
        e.c.geometry_method == "schematic", e.c.shape.not_in(("none", "members")), e.c.drawing_note.is_(None)
    )
    result.failing += [f"{id}: 未说明何者不在规划中 no drawing_note" for id in connection.scalars(unsaid)]
    return result


def _geography(column: Any) -> Any:
    return sa.cast(column, Geography(srid=SRID))


def _area(shape: Any) -> Any:
    """Square metres on the ellipsoid."""
    return sa.func.ST_Area(_geography(shape))
