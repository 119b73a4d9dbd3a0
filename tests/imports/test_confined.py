"""Imports in a process of their own: killed, too slow, too large, they change nothing and end in a sentence."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import geopandas
import pyogrio
import pytest
import shapely
import sqlalchemy as sa
import yaml

from app.imports import confined
from app.imports.errors import Unreadable
from app.settings import Settings
from tests.conftest import connect
from tests.imports.conftest import STATIONS, definition, job
from tests.imports.test_rules import GOOD, state, written

WAITING = sa.text(
    "SELECT pid FROM pg_stat_activity WHERE application_name = 'innomap import' AND wait_event_type = 'Lock'"
)


@pytest.mark.parametrize(("killed", "waiting_for"), [("reader", "change"), ("starter", "region")])
def test_interrupted_nothing_has_changed(database_url: sa.URL, tmp_path: Path, killed: str, waiting_for: str) -> None:
    """Killed: the process that reads, when all is written but the history; or its starter, after the reading."""
    path = written(tmp_path / "in.csv", *([f"A-{n}", f"站 {n}", "5", "国网", 120.5, 30.7] for n in range(9)))
    (tmp_path / "layer.yaml").write_text(yaml.safe_dump({**STATIONS, "crs": "EPSG:4326"}, allow_unicode=True), "utf-8")
    command = [Path(sys.executable).with_name("innomap"), "import", path, "--layer", tmp_path / "layer.yaml", "--apply"]
    environment = {**os.environ, "DATABASE_URL": database_url.render_as_string(hide_password=False)}
    with connect(database_url).connect() as connection, connect(database_url).connect() as lock:
        before = state(connection)
        connection.rollback()
        lock.execute(sa.text(f"LOCK TABLE {waiting_for} IN ACCESS EXCLUSIVE MODE"))
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
            while (pid := connection.scalar(WAITING)) is None:
                connection.rollback()
                time.sleep(0.01)
            os.kill(child_of(running.pid) if killed == "reader" else running.pid, signal.SIGKILL)
            lock.rollback()
            output = running.communicate()[0].decode()
        if killed == "reader":
            assert running.returncode == 1, output
            assert "Error: " in output
        while connection.scalar(sa.text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid"), {"pid": pid}):
            connection.rollback()
            time.sleep(0.01)
        assert state(connection) == before


def child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def test_an_import_takes_no_longer_than_it_may(database_url: sa.URL, tmp_path: Path) -> None:
    doing = job(written(tmp_path / "in.csv", GOOD), crs="EPSG:4326", settings=Settings(import_seconds=4))
    with connect(database_url).connect() as lock:
        lock.execute(sa.text("LOCK TABLE region IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Unreadable, match="limit of 4 seconds") as caught:
            confined.run(doing, database_url)
    assert caught.value.reason == "time"


def test_an_import_takes_no_more_memory_than_it_may(database_url: sa.URL, tmp_path: Path) -> None:
    """One feature with a gigabyte of text, in a GeoPackage of a few kilobytes."""
    path = tmp_path / "in.gpkg"
    table = geopandas.GeoDataFrame({"a": ["x"]}, geometry=[shapely.Point(120.7, 30.7)], crs=4326)
    pyogrio.write_dataframe(table, path, layer="kept", SPATIAL_INDEX="NO")
    with closing(sqlite3.connect(path)) as database:
        # what a table holds may be computed when it is read
        database.executescript(
            "ALTER TABLE kept RENAME TO really; CREATE VIEW kept AS"
            " SELECT fid, geom, CAST(hex(zeroblob(500000000)) AS TEXT) AS a FROM really"
        )
    with pytest.raises(Unreadable, match=r"memory|Cannot be read|Read up to"):
        confined.run(job(path, layer=definition(key="a", name="a", fields=[])), database_url)
