"""The benchmark's small form runs: the data are made, the servers start, the answers are compared. No time is judged."""

import json
import subprocess
import sys
from pathlib import Path

from app.settings import ROOT


def test_the_small_form_runs_and_writes_its_results(tmp_path: Path) -> None:
    folder = tmp_path / "benchmark"
    options = ["--size", "small", "--rounds", "1", "--seconds", "0.2", "--workers", "1", "--folder", str(folder)]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers", *options, "--only", "counties", "bbox", "tile-14"],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    rows = {one["name"]: one for one in json.loads((folder / "results.json").read_text())["rows"]}
    assert list(rows) == ["counties", "bbox", "bbox-cached", "tile-14"]
    assert rows["counties"]["agreed"] == "7 items"
    assert all(rate["median"] > 0 for row in rows.values() for rate in row["rates"].values())
    assert "| seven full counties |" in (folder / "results.md").read_text()
