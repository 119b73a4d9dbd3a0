"""Tiles of many points are thinned, and every point is counted once: in both grids, at every level, ready or not."""

import asyncio
import csv
import random
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import shapely
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import tables as t
from app.queries import ready_tiles, thinned, tiles
from app.queries.watch import Watch
from tests.conftest import connect, http, served, settings_for
from tests.imports.conftest import definition
from tests.imports.test_collection import bring
from tests.mvt import EXTENT, Grid, decode, fetch, limits

GRIDS = {"WebMercatorQuad": (0, 2, 7, 11), "CGCS2000Quad": (1, 8, 12)}
#: Tiles of CGCS2000Quad and cells of both grids meet here.
CORNER = (120.9375, 30.9375)
COUNT = 400
LAYER = "/collections/stations/tiles"


@pytest.fixture(scope="module")
def points() -> list[tuple[float, float]]:
    chance = random.Random(7)  # noqa: S311 - made-up points
    crowd = [(chance.gauss(120.75, 0.02), chance.gauss(30.75, 0.02)) for _ in range(COUNT // 2)]
    wide = [(chance.uniform(120.3, 121.2), chance.uniform(30.4, 31.0)) for _ in range(COUNT // 2 - 40)]
    return [*crowd, *wide, *[CORNER] * 20, *[(CORNER[0], 30.5)] * 10, *[(120.5, CORNER[1])] * 10]


def written(folder: Path, points: list[tuple[float, float]], named: str = "站") -> Path:
    path = folder / "points.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "名称", "功率", "运营", "lon", "lat"])
        writer.writerows([f"p-{n:03}", f"{named}{n}", n, "甲" if n % 2 else "乙", *at] for n, at in enumerate(points))
    return path


@pytest.fixture
def client(
    database_url: sa.URL, tmp_path: Path, points: list[tuple[float, float]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """A service that never makes tiles ready by itself, over a layer of points."""

    async def never(watch: Watch) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(thinned, "THINNED_FROM", 30)
    monkeypatch.setattr(Watch, "_keep_tiles_ready", never)
    bring(database_url, written(tmp_path, points), layer=definition(geometry="Point"))
    with served(settings_for(database_url, response_cache_mb=0)) as address, http(address) as client:
        yield client


def level_of(client: httpx.Client, grid: str, level: int, **query: str) -> dict[tuple[int, int], dict[str, int]]:
    """How many points each feature stands for, tile by tile; of tiles that are whole without their margin."""
    rows, cols = limits(client, "stations", grid, level)
    found: dict[tuple[int, int], dict[str, int]] = {}
    for row in rows:
        for col in cols:
            answer = client.get(f"{LAYER}/{grid}/{level}/{row}/{col}", params=query)
            assert answer.status_code in (200, 204)
            if answer.content:
                tile = decode(answer.content)
                if "innomap-thinned" not in answer.headers:
                    assert "point_count" not in tile.columns
                    inside = (tile.geometry.x < EXTENT) & (tile.geometry.y < EXTENT)
                    tile = tile[inside & (tile.geometry.x >= 0) & (tile.geometry.y >= 0)].assign(point_count=1)
                else:
                    assert answer.headers["innomap-thinned"] == "32"
                    assert tile.geometry.x.between(0, EXTENT).all()
                    assert tile.geometry.y.between(0, EXTENT).all()
                found[row, col] = dict(zip(tile["id"], map(int, tile["point_count"]), strict=True))
    return found


def make_ready(url: sa.URL) -> None:
    async def made() -> None:
        engine = create_async_engine(url)
        await ready_tiles.refresh(engine)
        await engine.dispose()

    asyncio.run(made())


def test_every_point_is_counted_once(client: httpx.Client, database_url: sa.URL) -> None:
    computed = {(grid, level): level_of(client, grid, level) for grid, levels in GRIDS.items() for level in levels}
    for found in computed.values():
        assert sum(sum(one.values()) for one in found.values()) == COUNT
    # few features where there are many points, and all of them where there is room
    assert sum(map(len, computed["WebMercatorQuad", 7].values())) < COUNT / 4
    assert max(max(one.values(), default=0) for one in computed["CGCS2000Quad", 8].values()) > 30
    # of a choice of points likewise
    chosen = level_of(client, "WebMercatorQuad", 7, operator="甲")
    assert sum(sum(one.values()) for one in chosen.values()) == COUNT // 2

    make_ready(database_url)
    with connect(database_url).connect() as connection:
        ready = connection.scalar(sa.select(sa.func.count()).select_from(t.ready_tile))
        assert ready
        # what is ready is what was computed, and is what is given
        for (grid, level), found in computed.items():
            assert level_of(client, grid, level) == found
        connection.execute(sa.update(t.ready_tile).values(content=b""))
        connection.commit()
    assert level_of(client, "WebMercatorQuad", 7) != computed["WebMercatorQuad", 7]
    # not any more as soon as a row is another
    with connect(database_url).begin() as connection:
        connection.execute(sa.text("UPDATE imported_stations SET name = name || '？' WHERE id = 'p-000'"))
    assert level_of(client, "WebMercatorQuad", 7) == computed["WebMercatorQuad", 7]


def test_the_smallest_tiles_have_their_points(client: httpx.Client) -> None:
    """Their places are numbers that 32 bits do not hold."""
    ((col, row),) = shapely.get_coordinates(Grid(client, "WebMercatorQuad").units(shapely.Point(CORNER), 22))
    tile = fetch(client, f"{LAYER}/WebMercatorQuad/22/{int(row)}/{int(col)}")
    assert tile is not None
    assert set(tile["id"]) == {f"p-{n}" for n in range(COUNT - 40, COUNT - 20)}
    assert (abs(tile.geometry.x - col % 1 * EXTENT) <= 1).all()
    assert (abs(tile.geometry.y - row % 1 * EXTENT) <= 1).all()


def test_thinning_can_be_left_and_is_said(client: httpx.Client) -> None:
    address = f"{LAYER}/WebMercatorQuad/7/52/106"
    assert len(decode(client.get(address, params={"thin": "none"}).content)) > 300
    wrong = client.get(address, params={"thin": "some"})
    assert (wrong.status_code, wrong.json()["parameter"]) == (400, "thin")
    query = {"thin": "none", "f": "tilejson"}
    told = client.get(f"{LAYER}/WebMercatorQuad", params=query).json()
    assert "thin=none" in told["tiles"][0]
    assert "point_count" in told["vector_layers"][0]["fields"]
    (layer,) = client.get(f"{LAYER}/CGCS2000Quad").json()["layers"]
    assert layer["propertiesSchema"]["properties"]["point_count"]["type"] == "integer"
    assert "thin=none" in layer["description"]
    style = client.get("/collections/stations/style.json").json()
    paint = next(one for one in style["layers"] if one["id"] == "points")["paint"]
    assert "point_count" in str(paint)
    # the same in a thinned tile, where a point has a count of 1, and in the one beside it, where it has none
    assert "'has'" not in str(paint["circle-radius"])


def test_crowded_tiles_stand_ready_as_they_are_and_are_never_stale(
    client: httpx.Client,
    database_url: sa.URL,
    tmp_path: Path,
    points: list[tuple[float, float]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = 50
    monkeypatch.setattr(tiles, "most_features", lambda: most)
    address = f"{LAYER}/WebMercatorQuad/7/52/106?thin=none"
    kept = t.ready_tile.c
    another = b"\x1a\x07\x0a\x01x\x28\x80\x20\x78\x02"

    def given() -> dict[str, str]:
        answer = client.get(address)
        assert answer.headers["innomap-capped"] == str(most)
        assert "innomap-thinned" not in answer.headers
        tile = decode(answer.content)
        assert "point_count" not in tile.columns
        return dict(zip(tile["id"], tile["name"], strict=True))

    def made_ready() -> dict[str, str]:
        """What is given then; and what is kept is made to differ, so that it shows where it is given."""
        make_ready(database_url)
        found = given()
        assert len(found) == most
        with connect(database_url).begin() as connection:
            plain = connection.scalar(sa.select(sa.func.count()).where(~kept.thinned))
            assert plain
            assert plain <= 2 * ready_tiles.PLAIN_TILES
            connection.execute(sa.update(t.ready_tile).values(content=another).where(~kept.thinned))
        assert client.get(address).content == another
        # of a choice of points nothing is kept
        assert client.get(address, params={"thin": "none", "operator": "甲"}).content != another
        return found

    computed = given()
    first = made_ready()
    assert first.keys() == computed.keys()
    with connect(database_url).begin() as connection:
        connection.execute(sa.text("UPDATE imported_stations SET name = name || '？'"))
    assert all(name.endswith("？") for name in given().values())

    second = made_ready()
    with connect(database_url).begin() as connection:
        connection.execute(sa.text("DELETE FROM imported_stations WHERE id = ANY(:ids)"), {"ids": list(second)})
    assert not given().keys() & second.keys()

    made_ready()
    bring(database_url, written(tmp_path, points, named="新站"), layer="stations")
    assert all(name.startswith("新站") for name in given().values())

    made_ready()
    with connect(database_url).begin() as connection:
        connection.execute(sa.delete(t.layer_definition).where(t.layer_definition.c.id == "stations"))
    assert client.get(address).status_code == 404
    make_ready(database_url)
    with connect(database_url).connect() as connection:
        assert not connection.scalar(sa.select(sa.func.count()).select_from(t.ready_tile))


def test_what_is_made_ready_has_the_size_that_is_asked_for(
    database_url: sa.URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = []

    async def once(watch: Watch) -> None:
        known.append(tiles.most_features())

    monkeypatch.setattr(Watch, "_keep_tiles_ready", once)
    with served(settings_for(database_url, tile_max_features=7)) as address, http(address) as client:
        client.get("/livez")
    assert known == [7]
