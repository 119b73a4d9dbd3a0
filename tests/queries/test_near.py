"""Distances: what the service answers against pyproj on the points and axes that it tells, and found by index."""

import csv
from pathlib import Path
from typing import Any

import httpx
import pytest
import shapely
import sqlalchemy as sa
from pyproj import Geod, Transformer
from sqlalchemy.dialects import postgresql

from app.db import tables as t
from app.queries.relations import point, within_distance
from tests.conftest import connect
from tests.queries.test_inside import ask, ids

HERE = (120.72, 30.66)
GEOD = Geod(ellps="WGS84")
Points = dict[str, tuple[float, float, bool]]


@pytest.fixture(scope="module")
def points(loaded_url: sa.URL) -> Points:
    """Anchor points by id, and whether they say more than a county or city."""
    known = "SELECT id, ST_X(position) AS x, ST_Y(position) AS y, geometry_method NOT IN ('county_only', 'city_only')"
    with connect(loaded_url).connect() as connection:
        rows = connection.execute(sa.text(f"{known} FROM platform WHERE position IS NOT NULL"))
        return {row[0]: (row[1], row[2], row[3]) for row in rows}


def metres(points: Points, *, uncertain: bool = False) -> dict[str, float]:
    """How far each is from here."""
    return {
        id: GEOD.inv(*HERE, x, y)[2] for id, (x, y, certain) in points.items() if certain or uncertain
    }  # fmt: skip


def told(answer: dict[str, Any]) -> dict[str, float]:
    return {feature["id"]: feature["properties"]["distance_m"] for feature in answer["features"]}


@pytest.mark.parametrize("uncertain", ["exclude", "include"])
@pytest.mark.parametrize("distance", [12_000, 30_000])
def test_near(client: httpx.Client, points: Points, distance: int, uncertain: str) -> None:
    expected = {
        id: far for id, far in metres(points, uncertain=uncertain == "include").items() if far <= distance
    }  # fmt: skip
    assert expected
    asked = {"near": f"{HERE[0]},{HERE[1]}", "distance": str(distance)}
    answer = ask(client, **asked, uncertain=uncertain)
    assert told(answer) == pytest.approx(expected, abs=0.06)
    assert answer["uncertain"] == uncertain
    if uncertain == "exclude":
        assert ids(ask(client, **asked)) == set(expected)


@pytest.mark.parametrize("uncertain", ["exclude", "include"])
def test_nearest(client: httpx.Client, points: Points, uncertain: str) -> None:
    """By distance and then by id, whoever stands at one and the same place."""
    far = metres(points, uncertain=uncertain == "include")
    expected = sorted(far, key=lambda id: (round(far[id], 3), id))
    for k in (1, 5, 60):
        answer = ask(client, nearest=f"{HERE[0]},{HERE[1]}", k=str(k), uncertain=uncertain)
        assert ids(answer) == set(expected[:k])
        assert list(told(answer).values()) == sorted(told(answer).values())


def test_nearest_within_less_than_distances_are_told_by(client: httpx.Client, points: Points) -> None:
    x, y, _ = points["jiaxing-hightech-park"]
    answer = ask(client, nearest=f"{x + 5e-9},{y}", k="1")
    assert told(answer) == {"jiaxing-hightech-park": 0}


def test_along(client: httpx.Client, points: Points, geodata: Path) -> None:
    """Within so many metres of the axis that the file has, in the plane of the zone."""
    with (geodata / "jiaxing-sti-14fyp" / "layout_axes.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["element"] == "jx-corridor"]
    plane = Transformer.from_crs(4326, 4549, always_xy=True).transform
    axis = shapely.LineString([plane(float(row["lon"]), float(row["lat"])) for row in rows])
    far = {id: shapely.Point(plane(x, y)).distance(axis) for id, (x, y, certain) in points.items() if certain}
    for distance in (1_500, 6_000):
        found = ids(ask(client, along="corridors/jx-corridor", distance=str(distance)))
        assert ids(ask(client, along="嘉兴G60科创走廊", distance=str(distance))) == found
        # the plane stretches by a few in ten thousand
        sure = {id for id, metres in far.items() if metres < 0.995 * distance}
        maybe = {id for id, metres in far.items() if metres < 1.005 * distance}
        assert sure <= found <= maybe
        assert sure != set(far)


def test_distances_go_with_everything_else(client: httpx.Client, points: Points) -> None:
    near = {"near": f"{HERE[0]},{HERE[1]}", "distance": "25000"}
    box = (120.6, 30.5, 120.8, 30.7)
    boxed = {id for id, (x, y, _) in points.items() if box[0] <= x <= box[2] and box[1] <= y <= box[3]}
    both = ids(ask(client, **near, bbox=",".join(map(str, box)), within="海宁"))
    # an area may reach into the box from beside it
    assert both >= ids(ask(client, **near)) & ids(ask(client, within="海宁")) & boxed
    assert both == ids(ask(client, **near)) & ids(ask(client, within="海宁")) & ids(
        ask(client, bbox=",".join(map(str, box)))
    )
    assert 0 < len(both) < len(ids(ask(client, **near)))


def test_what_is_near_is_found_by_index(loaded_url: sa.URL) -> None:
    columns = {"position": t.platform.c.position}
    asked = sa.select(t.platform.c.id).where(within_distance(point(120.7, 30.7), 3000, columns))
    text = asked.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    with connect(loaded_url).connect() as connection:
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {text}").scalars())
    assert "Index Cond" in plan
    assert "ix_platform_position_geography" in plan
