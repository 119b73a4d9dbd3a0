"""The small forms of the benchmarks run: data are made, servers start, answers are compared. No time is judged."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from app.settings import ROOT
from tests.conftest import PATIENCE_S


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Of one cluster for all, whose server may run as an account that cannot enter pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="innomap-benchmarks-") as made:
        yield Path(made)


def run(module: str, folder: Path, results: Path, options: Sequence[str]) -> None:
    command = [sys.executable, "-m", module, "--workers", "1", "--folder", str(folder), "--results", str(results)]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_comparison_runs_and_writes_its_results(folder: Path, tmp_path: Path) -> None:
    options = ["--size", "small", "--rounds", "1", "--seconds", "1", "--only", "counties", "tile-14"]
    run("benchmarks.peers", folder, tmp_path, options)
    rows = {one["name"]: one for one in json.loads((tmp_path / "results.json").read_text())["rows"]}
    assert list(rows) == ["counties", "tile-14"]
    assert rows["counties"]["agreed"] == "7 items"
    assert all(rate["median"] > 0 for row in rows.values() for rate in row["rates"].values())
    assert "| seven full counties |" in (tmp_path / "results.md").read_text()


def test_growth_runs_and_is_drawn(folder: Path, tmp_path: Path) -> None:
    options = ["--features", "100", "1e3", "--vertices", "100", "--clients", "2", "--among", "1e3", "--seconds", "0"]
    run("benchmarks.growth", folder, tmp_path, options)
    found = json.loads((tmp_path / "growth.json").read_text())
    assert [list(one) for one in found["features"].values()] == [["100", "1000"]] * 8
    assert not any(one["refused"] for by in found["features"].values() for one in by.values())
    assert found["vertices"].keys() == {"covers", "meets", "wkt", "posted"}
    assert all(one["2"]["rate"] > 0 and not one["2"]["errors"] for one in found["clients"].values())
    assert "| one item |" in (tmp_path / "growth.md").read_text()
    assert "requests per second" in (tmp_path / "growth.svg").read_text()
