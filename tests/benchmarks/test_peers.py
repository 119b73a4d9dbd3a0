"""The benchmark's small form runs: data are made, servers start, answers are compared. No time is judged."""

import json
import subprocess
import sys
from pathlib import Path

from app.settings import ROOT
from tests.conftest import PATIENCE_S


def test_the_small_form_runs_and_writes_its_results(tmp_path: Path) -> None:
    options = ["--size", "small", "--rounds", "1", "--seconds", "1", "--workers", "1", "--results", str(tmp_path)]
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers", *options, "--only", "counties", "tile-14"],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    rows = {one["name"]: one for one in json.loads((tmp_path / "results.json").read_text())["rows"]}
    assert list(rows) == ["counties", "tile-14"]
    assert rows["counties"]["agreed"] == "7 items"
    assert all(rate["median"] > 0 for row in rows.values() for rate in row["rates"].values())
    assert "| seven full counties |" in (tmp_path / "results.md").read_text()
