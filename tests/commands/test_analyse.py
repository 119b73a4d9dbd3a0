"""``innomap analyse``: the counts are PostGIS's own, on every engine, whatever happens to a worker."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa
from distributed import Client

from app.db import tables as t
from tests.commands.conftest import Innomap
from tests.conftest import PATIENCE_S, connect

PARTS = 24
ROWS = 2_000


@pytest.fixture(scope="module")
def outlines(loaded_url: sa.URL) -> list[bytes]:
    region = t.region.c
    statement = sa.select(sa.func.ST_AsBinary(region.geom)).where(region.level == "county")
    with connect(loaded_url).connect() as connection:
        return [bytes(one) for one in connection.scalars(statement)]


@pytest.fixture(scope="module")
def points(outlines: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Partitions of enterprises in and around the counties, some on the very vertices of outlines; one is empty."""
    folder = tmp_path_factory.mktemp("enterprises")
    random = np.random.default_rng(7)
    vertices = shapely.get_coordinates(shapely.from_wkb(outlines))
    west, south, east, north = (*vertices.min(axis=0), *vertices.max(axis=0))
    for part in range(PARTS):
        places = shapely.points(random.uniform(west, east, ROWS), random.uniform(south, north, ROWS))
        places[:100] = shapely.points(random.choice(vertices, 100))
        places[100:103] = None
        frame = gpd.GeoDataFrame(
            {"name": [f"企业{part}-{row}" for row in range(ROWS)]}, geometry=places, crs="EPSG:4326"
        )
        frame[: 0 if part == 5 else ROWS].to_parquet(folder / f"part-{part:03}.parquet")
    return folder


@pytest.fixture(scope="module")
def expected(loaded_url: sa.URL, points: Path) -> dict[str, int]:
    """PostGIS's answer: the county that covers a point, the first by its id where several do."""
    frame = pd.concat([gpd.read_parquet(one) for one in sorted(points.iterdir())])
    shapes = [None if one is None else shapely.to_wkb(one) for one in frame.geometry]
    counted = """
        SELECT county, count(*) FROM (
            SELECT (SELECT min(id COLLATE "C") FROM region
                    WHERE level = 'county' AND ST_Covers(region.geom, place)) AS county FROM enterprise
        ) AS found GROUP BY county
    """
    with connect(loaded_url).begin() as connection:
        connection.execute(sa.text("CREATE TEMPORARY TABLE enterprise (place geometry(Point, 4326)) ON COMMIT DROP"))
        connection.execute(
            sa.text("INSERT INTO enterprise SELECT ST_SetSRID(ST_GeomFromWKB(one), 4326) FROM unnest(:shapes) AS one"),
            {"shapes": shapes},
        )
        return {county or "": number for county, number in connection.execute(sa.text(counted))}


@contextlib.contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A program of Dask's, ended at the end."""
    command = [Path(sys.executable).with_name("dask"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True) as running:
        try:
            yield running
        finally:
            running.terminate()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A scheduler and two workers on loopback, each a process; the scheduler's address."""
    told = tmp_path / "scheduler.json"
    with contextlib.ExitStack() as stack:
        common = ["--host", "127.0.0.1", "--no-dashboard"]
        stack.enter_context(program("scheduler", *common, "--port", "0", "--scheduler-file", str(told)))
        workers = [
            stack.enter_context(
                program("worker", *common, "--no-nanny", "--nthreads", "1", "--scheduler-file", str(told),
                        "--local-directory", str(tmp_path))
            )
            for _ in range(2)
        ]  # fmt: skip
        deadline = time.monotonic() + 60
        while not told.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        address = json.loads(told.read_text())["address"]
        with Client(address) as client:
            client.wait_for_workers(2, timeout=PATIENCE_S)
        yield address, workers


def counts(path: Path) -> dict[str, int]:
    table = pd.read_csv(path, dtype={"region": str}, keep_default_na=False)
    return {region: number for region, number in zip(table["region"], table["count"], strict=True) if number}


def test_this_process_counts_as_postgis_does(
    innomap: Innomap, loaded_url: sa.URL, points: Path, expected: dict[str, int], tmp_path: Path
) -> None:
    done = innomap(loaded_url, "analyse", str(points), "--out", str(tmp_path / "counties.csv"))
    assert done.exit_code == 0, done.output
    assert counts(tmp_path / "counties.csv") == expected
    assert len(expected) == 8
    assert innomap(loaded_url, "analyse", str(points), "--out", str(tmp_path / "counties.json")).exit_code == 0
    found = json.loads((tmp_path / "counties.json").read_text("utf-8"))
    assert (found["total"], found["unassigned"]) == ((PARTS - 1) * ROWS, expected[""])
    assert found["source"] == str(points)
    assert found["data_version"].startswith("region:")
    haining = next(one for one in found["groups"] if one["region"] == "330481")
    assert haining["per_km2"] == pytest.approx(haining["count"] / haining["land_area_km2"])
    assert haining["name"] == "海宁市"


def test_a_cluster_that_loses_a_worker_counts_the_same(
    innomap: Innomap,
    loaded_url: sa.URL,
    points: Path,
    expected: dict[str, int],
    cluster: tuple[str, list[subprocess.Popen[str]]],
    tmp_path: Path,
) -> None:
    address, workers = cluster
    target = tmp_path / "counties.parquet"
    asked = ["analyse", str(points), "--out", str(target), "--engine", "dask", "--scheduler", address]
    done: list[Any] = []
    running = threading.Thread(target=lambda: done.append(innomap(loaded_url, *asked)))
    with Client(address, set_as_default=False) as client:
        running.start()
        deadline = time.monotonic() + 60
        # both are at work, and much is left to do
        while sum(map(len, client.processing().values())) < 2 or not all(client.processing().values()):
            assert time.monotonic() < deadline
        os.kill(workers[0].pid, signal.SIGKILL)
        assert not done
        running.join()
        assert len(client.scheduler_info()["workers"]) == 1
    assert done[0].exit_code == 0, done[0].output
    table = pd.read_parquet(target)
    found = {region: number for region, number in zip(table["region"], table["count"], strict=True) if number}
    assert found == expected


def test_what_cannot_be_counted_is_a_sentence(
    innomap: Innomap, loaded_url: sa.URL, points: Path, tmp_path: Path
) -> None:
    target, lines, plain = tmp_path / "counties.csv", tmp_path / "lines.parquet", tmp_path / "plain.parquet"
    gpd.GeoDataFrame(geometry=[shapely.LineString([(120, 30), (121, 31)])], crs="EPSG:4326").to_parquet(lines)
    pd.DataFrame({"a": [1]}).to_parquet(plain)
    wrong = {
        (str(lines),): "Only points",
        (str(plain),): "geo",
        (str(tmp_path / "none"),): "none",
        (str(points), "--engine", "dask", "--scheduler", "tcp://127.0.0.1:9"): "Cannot count",
        (str(points), "--scheduler", "tcp://127.0.0.1:9"): "--engine dask",
    }
    for arguments, words in wrong.items():
        done = innomap(loaded_url, "analyse", *arguments, "--out", str(target))
        assert done.exit_code != 0
        assert words in done.stderr, done.stderr
        assert done.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert not target.exists()
