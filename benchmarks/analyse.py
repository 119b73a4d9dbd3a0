"""How long counts of many points by county take: `innomap analyse` on both engines, and PostGIS on the same rows.

    python benchmarks/analyse.py [--rows 10000000] [--workers 2] [--folder DIR]

Makes partitions of 100,000 made-up enterprises as GeoParquet, a private cluster with the repository's data, counts on
each engine, loads the same rows into PostGIS and counts there, and removes everything. Ends non-zero when the answers
differ. Memory is that of the largest process of an engine.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import psycopg
import pyarrow.parquet as pq
import shapely
import sqlalchemy as sa

from app.db.embedded import cluster
from app.db.migrate import upgrade
from app.ingest.load import load
from app.settings import ROOT

PART = 100_000
#: West, south, east, north around the seven counties.
AROUND = (120.2, 30.3, 121.4, 31.05)
COUNT = """
SELECT county, count(*) FROM (
    SELECT (SELECT min(id COLLATE "C") FROM region WHERE level = 'county' AND ST_Covers(region.geom, place)) AS county
    FROM enterprise) AS found GROUP BY county
"""


def make(folder: Path, rows: int) -> None:
    """Partitions one by one, so that memory does not grow with their number."""
    random = np.random.default_rng(1)
    for part in range(-(-rows // PART)):
        number = min(PART, rows - part * PART)
        places = shapely.points(
            random.uniform(AROUND[0], AROUND[2], number), random.uniform(AROUND[1], AROUND[3], number)
        )
        names = [f"企业 {part * PART + row}" for row in range(number)]
        gpd.GeoDataFrame({"name": names}, geometry=places, crs="EPSG:4326").to_parquet(folder / f"{part:05}.parquet")


def analysed(folder: Path, url: str, *more: str) -> dict[str, int]:
    """Counts by `innomap analyse`; tells time and memory."""
    with tempfile.TemporaryDirectory() as beside:
        out = Path(beside) / "counties.json"
        command = [str(Path(sys.executable).with_name("innomap")), "analyse", str(folder), "--out", str(out), *more]
        began = time.perf_counter()
        subprocess.run(command, env={**os.environ, "DATABASE_URL": url}, check=True)  # noqa: S603
        took = time.perf_counter() - began
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"{' '.join(more)}: {took:.1f} s, at most {most} MiB in one process so far", flush=True)
        found = json.loads(out.read_text("utf-8"))
    return {one["region"]: one["count"] for one in found["groups"]} | {"": found["unassigned"]}


def loaded(folder: Path, url: sa.URL) -> dict[str, int]:
    """Counts by PostGIS; tells the times to load and to count."""
    began = time.perf_counter()
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute("CREATE UNLOGGED TABLE enterprise (place geometry(Point, 4326))")
        with connection.cursor().copy("COPY enterprise FROM STDIN") as copy:
            for part in sorted(folder.iterdir()):
                for shape in pq.read_table(part, columns=["geometry"])["geometry"]:
                    copy.write_row((f"SRID=4326;{shapely.from_wkb(shape.as_py()).wkt}",))
        connection.commit()
        connection.execute("ANALYZE enterprise")
        print(f"load into PostGIS: {time.perf_counter() - began:.1f} s", flush=True)
        began = time.perf_counter()
        found = {county or "": number for county, number in connection.execute(COUNT)}
        print(f"count in PostGIS: {time.perf_counter() - began:.1f} s", flush=True)
    return found


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument(
        "--folder", type=Path, default=None, help="where the rows are made (default: in a passing folder)"
    )
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="innomap-analyse-", dir=given.folder) as base:
        os.chmod(base, 0o755)  # noqa: S103
        points = Path(base) / "enterprises"
        points.mkdir()
        began = time.perf_counter()
        make(points, given.rows)
        size = sum(one.stat().st_size for one in points.iterdir()) // 1_000_000
        print(f"{given.rows} rows in {len(list(points.iterdir()))} partitions, {size} MB: "
              f"{time.perf_counter() - began:.1f} s", flush=True)  # fmt: skip
        with cluster(Path(base) / "database", fast=True) as running:
            url = running.url()
            with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
                upgrade(connection)
                load(connection, ROOT / "geodata")
            address = url.render_as_string(hide_password=False)
            answers = [
                analysed(points, address, "--engine", "local"),
                analysed(points, address, "--engine", "dask", "--workers", str(given.workers)),
                loaded(points, url),
            ]
    print(answers[0])
    if not answers[0] == answers[1] == answers[2]:
        sys.exit("the answers differ")


if __name__ == "__main__":
    main()
