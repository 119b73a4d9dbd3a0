"""The data files, read plainly: what tests compare answers with."""

import csv
from pathlib import Path

from app.db import tables as t


def table(folder: Path, name: str) -> list[dict[str, str]]:
    """The rows of one table, whichever folder of the data they are in."""
    rows: list[dict[str, str]] = []
    for path in sorted(folder.glob(f"*/{name}.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows


#: Tables of data; the others are the program's own records.
RECORDS = (
    "layer_version", "load_state", "installation", "change", "api_key", "ready_layer", "ready_feature", "ready_tile",
    "layer_definition", "import_run",
)  # fmt: skip
DATA_TABLES = [one for one in t.metadata.sorted_tables if one.name not in RECORDS]
