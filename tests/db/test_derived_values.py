"""What the database decides by itself when a row is written: county, drawn shape, areas, versions."""

import math
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.db import tables as t
from tests.tables import DATA_TABLES

#: Two squares of a tenth of a degree that share the edge at 120.6° E, far from any real outline.
WEST, EAST = "330402", "330411"
SQUARES = {
    WEST: "POLYGON((120.5 5, 120.6 5, 120.6 5.1, 120.5 5.1, 120.5 5))",
    EAST: "POLYGON((120.6 5, 120.7 5, 120.7 5.1, 120.6 5.1, 120.6 5))",
}


def versions(connection: sa.Connection) -> dict[str, int]:
    return {row.layer: row.version for row in connection.execute(sa.select(t.layer_version))}


@pytest.fixture
def bumped(connection: sa.Connection) -> Callable[[sa.Executable], dict[str, int]]:
    """A function that executes a statement and gives by how much the version of each layer rose."""

    def execute(statement: sa.Executable) -> dict[str, int]:
        before = versions(connection)
        connection.execute(statement)
        return {
            layer: now - before.get(layer, 0) for layer, now in versions(connection).items() if now != before.get(layer)
        }

    return execute


@pytest.fixture
def place(connection: sa.Connection) -> Callable[..., sa.RowMapping]:
    """A function that writes a platform and gives the row as it is stored."""

    def write(**values: object) -> sa.RowMapping:
        point = values.pop("position", None)
        row = {"id": "a-place", "kind": "hightech_park", "name": "一处", "name_en": "A place"}
        row |= {"name_en_source": "own translation", "geometry_method": "point", "position_source": "a test", **values}
        if point is not None:
            row["position"] = f"SRID=4326;POINT({point[0]} {point[1]})"
        connection.execute(sa.delete(t.platform).where(t.platform.c.id == row["id"]))
        connection.execute(sa.insert(t.platform).values(row))
        return connection.execute(sa.select(t.platform).where(t.platform.c.id == row["id"])).mappings().one()

    return write


@pytest.fixture
def squares(connection: sa.Connection) -> None:
    for adcode, outline in SQUARES.items():
        connection.execute(sa.update(t.region).where(t.region.c.id == adcode).values(geom=f"SRID=4326;{outline}"))


# ------------------------------------------------------------------------------------------------- county by position


@pytest.mark.usefixtures("squares")
@pytest.mark.parametrize(
    ("longitude", "county"),
    [
        (120.55, WEST),
        (120.65, EAST),
        (120.6, WEST),  # the shared edge: the smallest adcode
        (120.5, WEST),  # an outer edge belongs to the county
        (120.7, EAST),
        (120.4999, None),
    ],
)
def test_county_by_position(place: Callable[..., sa.RowMapping], longitude: float, county: str | None) -> None:
    row = place(position=(longitude, 5.05))
    assert row["position_county"] == county
    assert row["position_city"] == ("330400" if county else None)


@pytest.mark.usefixtures("squares")
def test_county_follows_the_position(connection: sa.Connection, place: Callable[..., sa.RowMapping]) -> None:
    place(position=(120.55, 5.05))
    moved = sa.update(t.platform).where(t.platform.c.id == "a-place").values(position="SRID=4326;POINT(120.65 5.05)")
    county = connection.scalar(moved.returning(t.platform.c.position_county))
    assert county == EAST


@pytest.mark.usefixtures("squares")
def test_a_retired_county_has_no_places(connection: sa.Connection, place: Callable[..., sa.RowMapping]) -> None:
    connection.execute(sa.update(t.region).where(t.region.c.id == WEST).values(retired=True))
    assert place(position=(120.6, 5.05))["position_county"] == EAST


def test_another_city_without_counties(connection: sa.Connection, place: Callable[..., sa.RowMapping]) -> None:
    """Outside Jiaxing the city is found by its own outline."""
    seat = sa.func.ST_PointOnSurface(t.region.c.geom)
    where = t.region.c.name == "杭州市"
    x, y = connection.execute(sa.select(sa.func.ST_X(seat), sa.func.ST_Y(seat)).where(where)).one()
    row = place(position=(x, y))
    assert (row["position_county"], row["position_city"]) == (None, "330100")


# ------------------------------------------------------------------------------------------- known by its county only


@pytest.mark.parametrize(
    ("method", "where", "region"), [("county_only", "county", "330424"), ("city_only", "city", "330100")]
)
def test_placed_on_land(
    connection: sa.Connection, place: Callable[..., sa.RowMapping], method: str, where: str, region: str
) -> None:
    """The symbol stands on the land surface, as exact as the farthest boundary point, measured on the ellipsoid."""
    row = place(geometry_method=method, **{where: region})
    found = connection.execute(
        sa.text(
            "SELECT ST_Covers(land, position) AS on_land, ST_Equals(geom, position) AS drawn_there,"
            " (SELECT max(ST_Distance(corner.geom::geography, position::geography))"
            "  FROM ST_DumpPoints(land) AS corner) AS farthest"
            " FROM (SELECT p.position, p.geom, coalesce(r.land_geom, r.geom) AS land"
            "       FROM platform p, region r WHERE p.id = 'a-place' AND r.id = :region) AS rows"
        ),
        {"region": region},
    ).one()
    assert (found.on_land, found.drawn_there) == (True, True)
    assert row["position_accuracy_m"] == pytest.approx(found.farthest, rel=1e-3)


def test_county_only_needs_an_outline(place: Callable[..., sa.RowMapping]) -> None:
    with pytest.raises(IntegrityError, match="county_only needs a county with an outline"):
        place(geometry_method="county_only")


def test_a_place_known_by_city_has_no_county(place: Callable[..., sa.RowMapping]) -> None:
    """Its symbol stands in some county, which says nothing."""
    row = place(geometry_method="city_only", city="330400")
    assert (row["position_county"], row["position_city"]) == (None, "330400")


def test_outside_the_map(place: Callable[..., sa.RowMapping]) -> None:
    row = place(geometry_method="none", position=(120.7, 30.7))
    assert (row["position"], row["geom"], row["position_county"]) == (None, None, None)


# ------------------------------------------------------------------------------------------------------- drawn shapes


def test_circle_of_the_published_area(connection: sa.Connection, place: Callable[..., sa.RowMapping]) -> None:
    place(geometry_method="schematic", position=(120.7, 30.7), area_km2=37.5)
    area, centre = connection.execute(
        sa.text(
            "SELECT ST_Area(geom::geography) / 1e6, ST_Distance(ST_Centroid(geom)::geography, position::geography)"
            " FROM platform WHERE id = 'a-place'"
        )
    ).one()
    assert area == pytest.approx(37.5, rel=0.002)
    assert centre < 5


def test_every_loaded_circle(connection: sa.Connection) -> None:
    rows = connection.execute(
        sa.text(
            "SELECT id, area_km2::float8, ST_Area(geom::geography) / 1e6 AS measured FROM platform"
            " WHERE geometry_method = 'schematic'"
        )
    ).all()
    assert len(rows) >= 8
    assert {row.id for row in rows if not math.isclose(row.area_km2, row.measured, rel_tol=0.002)} == set()


def test_region_areas_are_measured(connection: sa.Connection) -> None:
    """In EPSG:4549; the ellipsoid's own area is the independent measure."""
    rows = connection.execute(
        sa.text(
            "SELECT id, area_km2, ST_Area(geom::geography) / 1e6 AS full_area, land_area_km2,"
            " ST_Area(land_geom::geography) / 1e6 AS land FROM region WHERE level = 'county'"
        )
    ).all()
    assert len(rows) == 7
    for row in rows:
        assert row.area_km2 == pytest.approx(row.full_area, rel=5e-4)
        assert row.land_area_km2 == pytest.approx(row.land, rel=5e-4)
        assert row.land_area_km2 <= row.area_km2


# ----------------------------------------------------------------------------------------------------------- versions


def test_a_change_raises_its_layer_alone(bumped: Callable[[sa.Executable], dict[str, int]]) -> None:
    one = t.platform.c.id == "juanhu-science-city"
    assert bumped(sa.update(t.platform).where(one).values(note="新")) == {"platform": 1}
    assert bumped(sa.update(t.document).values(issuer="某单位")) == {"document": 1}


def test_insert_delete_and_truncate_raise(bumped: Callable[[sa.Executable], dict[str, int]]) -> None:
    row = {"id": "new", "name": "新类", "name_en": "New", "ord": 99}
    assert bumped(sa.insert(t.kind).values(row)) == {"kind": 1}
    assert bumped(sa.delete(t.kind).where(t.kind.c.id == "new")) == {"kind": 1}
    assert bumped(sa.text("TRUNCATE not_comparable")) == {"not_comparable": 1}


@pytest.mark.parametrize(
    "table",
    [table for table in DATA_TABLES if table is not t.search_entry],
    ids=str,
)
def test_nothing_changed_nothing_raised(bumped: Callable[[sa.Executable], dict[str, int]], table: sa.Table) -> None:
    """A statement that finds no row, or writes what is there, is no change."""
    column = next(column for column in table.columns if column.name != "row_id")
    unchanged = sa.update(table).values({column.name: column})
    assert bumped(unchanged) == {}
    assert bumped(unchanged.where(sa.false())) == {}
    assert bumped(sa.delete(table).where(sa.false())) == {}


@pytest.mark.parametrize("table", [table.name for table in DATA_TABLES])
def test_every_table_has_a_version(connection: sa.Connection, table: str) -> None:
    """No table of data was forgotten when the triggers were made."""
    found = connection.scalars(
        sa.text("SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND tgname LIKE 'version%'"),
        {"table": table},
    ).all()
    assert set(found) == {"version_insert", "version_update", "version_delete", "version_truncate"}


def test_a_rolled_back_change_raises_nothing(connection: sa.Connection, database_url: sa.URL) -> None:
    before = versions(connection)
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.connect() as other:
        other.execute(sa.update(t.platform).values(note="verworfen"))
        other.rollback()
    assert versions(connection) == before


def test_row_version(connection: sa.Connection, place: Callable[..., sa.RowMapping]) -> None:
    """Counts the changes of its row, and only changes."""
    assert place(position=(120.7, 30.7))["version"] == 1
    mine = sa.update(t.platform).where(t.platform.c.id == "a-place")
    read = sa.select(t.platform.c.version).where(t.platform.c.id == "a-place")
    connection.execute(mine.values(note="改"))
    assert connection.scalar(read) == 2
    connection.execute(mine.values(note="改"))
    assert connection.scalar(read) == 2
    connection.execute(mine.values(note="再改"))
    assert connection.scalar(read) == 3


# -------------------------------------------------------------------------------------------------- layout geometries


def test_band_is_its_half_width_either_side(connection: sa.Connection) -> None:
    rows = connection.execute(
        sa.text(
            "SELECT id, band_m, ST_Distance(ST_Boundary(geom)::geography,"
            " ST_LineInterpolatePoint(axis, 0.5)::geography) AS half,"
            " ST_Length(ST_Difference(axis, geom)::geography) AS outside"
            " FROM layout_element WHERE shape = 'band'"
        )
    ).all()
    assert rows
    for row in rows:
        assert row.half == pytest.approx(row.band_m, rel=0.02), row.id
        assert row.outside < 10, row.id


def test_hull_covers_the_anchors_of_its_members(connection: sa.Connection) -> None:
    rows = connection.execute(
        sa.text(
            "SELECT e.id, p.id AS member FROM layout_element e JOIN layout_member m ON m.element = e.id"
            " JOIN platform p ON p.id = m.platform"
            " WHERE e.shape = 'hull' AND NOT ST_Covers(e.geom, p.position)"
        )
    ).all()
    assert rows == []
    assert connection.scalar(sa.text("SELECT count(*) FROM layout_element WHERE shape = 'hull' AND geom IS NOT NULL"))


def test_refresh_without_change_touches_nothing(bumped: Callable[[sa.Executable], dict[str, int]]) -> None:
    assert bumped(sa.text("SELECT refresh_layout_geometry()")) == {}


def test_refresh_follows_a_member(connection: sa.Connection, bumped: Callable[[sa.Executable], dict[str, int]]) -> None:
    element, member = connection.execute(
        sa.text(
            "SELECT e.id, m.platform FROM layout_element e JOIN layout_member m ON m.element = e.id"
            " JOIN platform p ON p.id = m.platform WHERE e.shape = 'hull' AND p.geometry_method = 'point' LIMIT 1"
        )
    ).one()
    moved = sa.update(t.platform).where(t.platform.c.id == member).values(position="SRID=4326;POINT(121.0 30.9)")
    connection.execute(moved)
    assert bumped(sa.text("SELECT refresh_layout_geometry()")) == {"layout_element": 1}
    covers = sa.select(sa.func.ST_Covers(t.layout_element.c.geom, sa.text("'SRID=4326;POINT(121.0 30.9)'::geometry")))
    assert connection.scalar(covers.where(t.layout_element.c.id == element)) is True
