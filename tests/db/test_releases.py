"""A database that an earlier release made comes up to date, and nothing of it is lost."""

import gzip
import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.db.backup import restore
from app.db.migrate import upgrade
from tests.conftest import connect
from tests.releases import make

KEPT = sorted(make.FOLDER.glob("*.innomap"))


def test_each_release_is_kept() -> None:
    assert KEPT


@pytest.mark.parametrize("path", KEPT, ids=lambda one: one.stem)
def test_a_release_comes_up_to_date(path: Path, empty_url: sa.URL) -> None:
    restore(empty_url, path)
    with connect(empty_url).connect() as connection:
        # nothing is left to do
        assert upgrade(connection) is False
    before = json.loads(gzip.decompress(path.with_suffix(".json.gz").read_bytes()))
    now = make.told(empty_url)
    assert now["geometries"] == before["geometries"]
    assert now["history"] == before["history"]
    for collection, items in before["properties"].items():
        assert now["properties"][collection].keys() == items.keys()
        for item, properties in items.items():
            # a later release may tell more of an item, never less or something else
            told = now["properties"][collection][item]
            assert {name: told.get(name) for name in properties} == properties
