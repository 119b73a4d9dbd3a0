"""The data files, read plainly: what tests compare answers with."""

import csv
from pathlib import Path


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of one table, whichever folder of the data they are in."""
    rows: list[dict[str, str]] = []
    for path in sorted(folder.glob(f"*/{name}.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows
