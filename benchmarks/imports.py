"""How fast a million points come in: an import from CSV beside bare COPY of the same rows.

    python benchmarks/imports.py [--rows 1000000]

Makes a private cluster on disk, as it runs for users, loads geodata/, makes a CSV of points all over the prefecture and
imports it as a steward would: read, checked, counties assigned, duplicates looked for, history and report written, all
in one transaction. Beside it the rows that came out are copied into a table of the same columns and the same indexes by
COPY alone: nothing read, nothing checked, the counties there already. Removes everything at the end.
"""

import argparse
import csv
import random
import resource
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.catalog.imported import Definition
from app.db.embedded import cluster
from app.db.migrate import upgrade
from app.imports import confined
from app.imports.job import Job
from app.imports.limits import limits
from app.ingest.load import load
from app.settings import Settings

SEED = 20250101
#: West, south, east, north of the prefecture.
BOX = (120.3, 30.35, 121.3, 31.0)
LAYER = Definition.model_validate(
    {
        "id": "points", "title": "点", "title_en": "Points", "source": "made up", "licence": "CC0",
        "geometry": "Point", "geometry_method": "point", "accuracy_m": 10, "key": "code", "name": "name",
        "crs": "EPSG:4326",
        "fields": [
            {"name": "power_kw", "title": "功率", "title_en": "Power", "type": "number", "unit": "kW"},
            {"name": "operator", "title": "运营", "title_en": "Operator"},
            {"name": "opened", "title": "开通", "title_en": "Opened", "type": "date"},
        ],
    }
)  # fmt: skip
PIECE = 1 << 20


def write(path: Path, rows: int) -> None:
    chance = random.Random(SEED)  # noqa: S311 - made-up points
    west, south, east, north = BOX
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "name", "power_kw", "operator", "opened", "lon", "lat"])
        for number in range(rows):
            lon, lat = chance.uniform(west, east), chance.uniform(south, north)
            writer.writerow(
                [f"p-{number}", f"充电站 {number}", chance.randrange(7, 360), f"运营商 {number % 50}",
                 f"20{number % 25:02}-0{number % 9 + 1}-15", f"{lon:.6f}", f"{lat:.6f}"]
            )  # fmt: skip


def bring(url: sa.URL, path: Path, settings: Settings) -> float:
    """Seconds of an import, the start of its process included."""
    doing = ""

    def progress(now: str, count: int, total: int | None) -> None:
        nonlocal doing
        if now != doing:
            print(f"  {time.perf_counter() - start:6.1f} s  {now}", flush=True)
            doing = now

    job = Job(path, path.name, LAYER.id, LAYER, {}, limits(settings), "benchmark", apply=True)
    start = time.perf_counter()
    report = confined.run(job, url, progress)
    seconds = time.perf_counter() - start
    print(f"  {seconds:6.1f} s  done: {report['changes']}, refused {report['refused']}, counties {report['counties']}")
    return seconds


def copy(url: sa.URL, file: Path) -> float:
    """Seconds of a bare COPY of the same rows into a table with the same indexes."""
    engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        with file.open("wb") as target, driver.cursor().copy("COPY imported_points TO STDOUT") as out:
            for piece in out:
                target.write(piece)
        connection.execute(sa.text("CREATE TABLE bare (LIKE imported_points INCLUDING ALL)"))
        start = time.perf_counter()
        with file.open("rb") as source, driver.cursor().copy("COPY bare FROM STDIN") as into:
            while piece := source.read(PIECE):
                into.write(piece)
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="innomap-benchmark-"))
    # the database server runs as an account of its own when this runs as root
    folder.chmod(0o755)
    settings = Settings()
    try:
        path = folder / "points.csv"
        write(path, given.rows)
        print(f"{given.rows:,} rows, {path.stat().st_size / 1e6:.0f} MB of CSV")
        with cluster(folder / "data") as running:
            url = running.url()
            with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
                upgrade(connection)
                load(connection, settings.geodata_dir, settings.county_outlines)
            print("import:")
            ours = bring(url, path, settings)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            bare = copy(url, folder / "rows.copy")
            print(f"bare COPY, same indexes: {bare:.1f} s")
        pace = f"import {given.rows / ours:,.0f} rows/s, bare COPY {given.rows / bare:,.0f}"
        print(f"{pace}: {bare / ours:.2f} of its pace")
        print(f"memory of the reading process at most {peak:.0f} MiB")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
