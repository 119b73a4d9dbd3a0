"""What docs/data.md counts is what the files hold."""

import re
from collections import Counter
from pathlib import Path

from app.ingest.files import read_tables
from app.settings import ROOT


def test_the_documented_numbers_of_positions_are_those_of_the_files(geodata: Path) -> None:
    text = (ROOT / "docs/data.md").read_text(encoding="utf-8")
    documented = {method: int(number) for method, number in re.findall(r"^\| `(\w+)` \|.*\| (\d+) \|$", text, re.M)}
    held = Counter(row["geometry_method"] for row in read_tables(geodata).values("platforms"))
    assert documented == held
    assert f"when this was written ({held.total()})" in text
