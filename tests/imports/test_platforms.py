"""Rows of a file as platforms: created and changed under the rules of edits, each with its history."""

from pathlib import Path

import sqlalchemy as sa

from tests.conftest import connect
from tests.imports.conftest import Import
from tests.imports.test_rules import state, written

HEAD = ["编号", "名称", "英文", "类别", "县", "lon", "lat"]
MAP = {"key": "编号", "name": "名称", "name_en": "英文", "kind": "类别", "declared_county": "县"}
SET = {"name_en_source": "own translation", "position_accuracy_m": "50"}
ROWS = [
    ["quantum-lab", "长三角量子实验室", "Yangtze Delta Quantum Laboratory", "laboratory", "330402", "120.7", "30.75"],
    ["no-kind", "无此类别", "No such kind", "castle", "", "120.7", "30.75"],
    ["no-english", "无英文名", "", "laboratory", "", "120.7", "30.75"],
    ["tech-city", "嘉兴科技城", "Another", "innovation_park", "", "120.9", "30.9"],
]


def test_platforms_are_created_then_changed(importing: Import, database_url: sa.URL, tmp_path: Path) -> None:
    given = {"layer": "platforms", "mapping": MAP, "constants": SET, "crs": "EPSG:4326"}
    path = written(tmp_path / "in.csv", *ROWS, head=HEAD)
    with connect(database_url).connect() as connection:
        before = state(connection)
        tried = importing(path, **given)
        connection.rollback()
        assert state(connection) == before
    assert (tried["accepted"], tried["applied"], tried["changes"]) == (
        2,
        False,
        {"added": 2, "changed": 0, "unchanged": 0},
    )
    assert {one["row"]: one["field"] for one in tried["refusals"]} == {3: "kind", 4: "name_en"}
    assert [(one["rows"], one["what"].split(" ", 1)[1]) for one in tried["duplicates"]][-1] == (
        [5],
        "name of a platform",
    )

    importing(path, **given, apply=True, why="新名单")
    changed = ["quantum-lab", "长三角量子研究院", *ROWS[0][2:]]
    done = importing(written(tmp_path / "in.csv", changed, head=HEAD), **given, apply=True, why="改名")
    assert done["changes"] == {"added": 0, "changed": 1, "unchanged": 0}
    with connect(database_url).connect() as connection:
        row = connection.execute(
            sa.text(
                "SELECT name, position_county, county, geometry_method, plan FROM platform WHERE id = 'quantum-lab'"
            )
        ).one()
        changes = connection.execute(
            sa.text(
                "SELECT action, item, who, why FROM change WHERE layer = 'platforms' AND who = 'steward' ORDER BY id"
            )
        ).all()
    assert tuple(row) == ("长三角量子研究院", "330402", "330402", "point", None)
    assert [tuple(one) for one in changes] == [
        ("create", "quantum-lab", "steward", "新名单"), ("create", "tech-city", "steward", "新名单"),
        ("import", None, "steward", "新名单"),
        ("update", "quantum-lab", "steward", "改名"), ("import", None, "steward", "改名"),
    ]  # fmt: skip
