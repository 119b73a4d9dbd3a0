"""What is asked about: layers of more and more points, made as an import makes them, and outlines of more and more
vertices.

Points come from SQL instead of a file; from there on an import's own code finds their counties and makes the table, its
indexes and triggers.
"""

import math
import time

import sqlalchemy as sa

from app.db.migrate import upgrade
from app.imports import layers
from app.imports.report import Report
from app.imports.staging import Stage
from app.ingest.load import load_if_changed
from app.settings import ROOT, Settings
from benchmarks.peers.data import BOX, TRADES, definition, layer

POINTS = """
INSERT INTO import_stage (row_no, id, name, trade, address_line, staff, turnover, founded,
                          geometry_method, position_accuracy_m, position_source, geom)
SELECT n, 'e-' || lpad(n::text, 8, '0'), '嘉兴测试企业' || n || '有限公司',
       (CAST(:trades AS text[]))[1 + floor(random() * :kinds)::int],
       '示例路' || floor(random() * 2000)::int || '号', 1 + floor(random() * 3000)::int,
       round((10 + random() * 90000)::numeric, 2), '20' || lpad((n % 25)::text, 2, '0') || '-0' || n % 9 + 1 || '-15',
       'point', 50, 'made up',
       ST_SetSRID(ST_MakePoint(:west + random() * (:east - :west), :south + random() * (:north - :south)), 4326)
FROM generate_series(0, :count - 1) AS n
"""
#: A ragged ring around the middle of the points, of the size of a county.
RING = """
SELECT ST_SetSRID(ST_MakePolygon(ST_MakeLine(ARRAY(
    SELECT ST_MakePoint(:lon + :radius * (1 + 0.1 * sin(61 * turn) + 0.02 * sin(1009 * turn)) * cos(turn),
                        :lat + :radius * (1 + 0.1 * sin(61 * turn) + 0.02 * sin(1009 * turn)) * sin(turn))
    FROM (SELECT 2 * pi() * (n % :vertices) / :vertices AS turn FROM generate_series(0, :vertices) AS n) AS turns
))), 4326)
"""
OUTLINE = f"""
INSERT INTO platform (id, kind, name, name_en, name_en_source, geometry_method, position, position_source,
                      position_accuracy_m, geom)
SELECT 'outline-' || :vertices, 'incubator', '测试轮廓', 'Made-up outline', 'own translation', 'traced',
       ST_PointOnSurface(ring), 'made up', 10, ring
FROM ({RING}) AS made (ring)
ON CONFLICT (id) DO NOTHING
"""  # noqa: S608 - text of this file
MIDDLE = ((BOX[0] + BOX[2]) / 2, (BOX[1] + BOX[3]) / 2)
RADIUS = 0.15
#: Metres of a degree of latitude.
DEGREE_M = 111_000


def prepare(url: sa.URL, counts: list[int], vertices: list[int]) -> None:
    """Migrate, load, and make whatever layers and outlines are not there yet."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    made = []
    with engine.connect() as connection:
        upgrade(connection)
        load_if_changed(connection, ROOT / "geodata", Settings().county_outlines)
        connection.rollback()
        for count in counts:
            if layers.known(connection, layer(count)) is None:
                began = time.monotonic()
                _points(connection, count)
                made.append(f"imported_{layer(count)}")
                print(f"{count:,} points made in {time.monotonic() - began:.0f} s", flush=True)
            connection.rollback()
        for count in vertices:
            connection.execute(sa.text(OUTLINE), ring(count))
        connection.commit()
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in (*made, "platform"):
            connection.execute(sa.text(f"VACUUM ANALYZE {table}"))


def _points(connection: sa.Connection, count: int) -> None:
    described = definition(count)
    west, south, east, north = BOX
    connection.execute(sa.text("SELECT setseed(0.25)"))
    stage = Stage(connection, described)
    values = {"trades": list(TRADES), "kinds": len(TRADES), "count": count}
    connection.execute(sa.text(POINTS), values | {"west": west, "south": south, "east": east, "north": north})
    stage.place()
    layers.write(connection, stage, described, None, False, Report("", "", "", described.id))
    connection.commit()


def ring(vertices: int) -> dict[str, float]:
    """The values of ``RING``."""
    return {"vertices": vertices, "lon": MIDDLE[0], "lat": MIDDLE[1], "radius": RADIUS}


def box(count: int, wanted: int) -> tuple[float, ...]:
    """A box in the middle that holds about so many of a layer's points."""
    share = math.sqrt(min(1.0, wanted / count))
    west, south, east, north = BOX
    x, y = (east - west) / 2 * share, (north - south) / 2 * share
    return tuple(round(one, 6) for one in (MIDDLE[0] - x, MIDDLE[1] - y, MIDDLE[0] + x, MIDDLE[1] + y))


def radius(count: int, wanted: int) -> float:
    """Metres around the middle within which about so many of a layer's points lie."""
    west, south, east, north = BOX
    area = (east - west) * DEGREE_M * math.cos(math.radians(MIDDLE[1])) * (north - south) * DEGREE_M
    return math.sqrt(area * min(1.0, wanted / count) / math.pi)
