"""``innomap export``: the file is whole or not there, and its checksum stands beside it."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyogrio
import sqlalchemy as sa

from tests.commands.conftest import Innomap


def test_a_whole_file_and_its_checksum(innomap: Innomap, loaded_url: sa.URL, tmp_path: Path) -> None:
    target = tmp_path / "海宁.gpkg"
    done = innomap(
        loaded_url, "export", "platforms.gpkg", "--out", str(target), "--within", "海宁", "--crs", "EPSG:4549"
    )
    assert done.exit_code == 0, done.output
    assert pyogrio.read_info(target, layer="platforms")["features"] > 10
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    assert (tmp_path / "海宁.gpkg.sha256").read_text("utf-8") == f"{digest}  海宁.gpkg\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["海宁.gpkg", "海宁.gpkg.sha256"]


def test_a_failure_is_a_sentence_and_leaves_what_was_there(
    innomap: Innomap, loaded_url: sa.URL, tmp_path: Path
) -> None:
    target = tmp_path / "platforms.kml"
    target.write_text("before")
    wrong = [["platforms.kml", "--crs", "EPSG:4549"], ["platforms.doc"], ["platforms.kml", "-p", "no=1"]]
    for arguments in wrong:
        done = innomap(loaded_url, "export", *arguments, "--out", str(target))
        assert done.exit_code == 1
        told = done.stderr.strip().splitlines()[-1]
        assert told.startswith("Error: ")
        assert " one of: " in told
    assert [one.name for one in tmp_path.iterdir()] == ["platforms.kml"]
    assert target.read_text() == "before"


def test_a_killed_export_leaves_no_half_file(loaded_url: sa.URL, tmp_path: Path) -> None:
    target = tmp_path / "region_indicators.xlsx"
    command = [Path(sys.executable).with_name("innomap"), "export", target.name, "--out", str(target)]
    environment = {**os.environ, "DATABASE_URL": loaded_url.render_as_string(hide_password=False)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as running:
        while not any(one.stat().st_size for one in tmp_path.glob(".*/*")):
            assert running.poll() is None
            time.sleep(0.001)
        running.send_signal(signal.SIGKILL)
    assert not target.exists()
    assert not target.with_name(f"{target.name}.sha256").exists()
