"""An edited attribute says that it is not the plan's word any more, keeps the plan's, and a load respects it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.edits import keys
from app.ingest import checks
from app.ingest.load import load, load_if_changed
from tests.conftest import connect, http, served, settings_for
from tests.edits.conftest import ITEMS, NEW, Editor
from tests.ingest.dataset import DataFiles, boundaries, files

__all__ = ["boundaries", "files"]

Loaded = Callable[[], list[str]]


@pytest.fixture
def loads(migrated_url: sa.URL, files: DataFiles) -> Loaded:
    """A function that does what a start of the program does: load when the files changed; it gives what was kept."""

    def run() -> list[str]:
        with connect(migrated_url).connect() as connection:
            report = load_if_changed(connection, files.folder)
        return report.kept if report else ["nothing to load"]

    return run


@pytest.fixture
def small(migrated_url: sa.URL, loads: Loaded) -> Iterator[Editor]:
    """An editor of three platforms."""
    loads()
    with connect(migrated_url).begin() as connection:
        key = keys.create(connection, "测绘科", "editor", ["platforms"])
    with served(settings_for(migrated_url)) as address, http(address) as client:
        yield Editor(client, key)


def marks(editor: Editor, item: str) -> dict[str, tuple[object, ...]]:
    edited = editor.item(item)["properties"]["edited"] or []
    return {one["property"]: (one["plan"], one["by"], one["reason"]) for one in edited}


def test_edit_restart_correct_load(small: Editor, loads: Loaded, files: DataFiles) -> None:
    small.patch("park", {"properties": {"note": "编辑所写"}}, innomap_reason="visited").raise_for_status()
    small.patch("lake", {"properties": {"area_km2": 40}}).raise_for_status()
    assert marks(small, "park") == {"note": ("原注", "测绘科", "visited")}
    assert marks(small, "lake") == {"area_km2": (42.7, "测绘科", None)}
    assert loads() == ["nothing to load"]  # started again

    files.change("platforms", 0, concept="文件更正")
    files.change("platforms", 1, area_km2="42.8")
    assert loads() == ["lake.area_km2: plan changed, edit kept"]
    park, lake = small.item("park")["properties"], small.item("lake")["properties"]
    assert (park["note"], park["concept"], lake["area_km2"]) == ("编辑所写", "文件更正", 40)
    # who edited stays said, beside the plan's newest word
    assert marks(small, "park") == {"note": ("原注", "测绘科", "visited")}
    assert marks(small, "lake") == {"area_km2": (42.8, "测绘科", None)}
    assert [one["who"] for one in small.history("park")] == ["innomap load", "测绘科", "innomap load"]

    files.change("platforms", 0, note="编辑所写")
    assert loads() == []
    assert marks(small, "park") == {}  # the plan says it now


def test_a_move_keeps_the_plans_point(small: Editor) -> None:
    small.patch("park", {"geometry": {"type": "Point", "coordinates": [120.71, 30.76]}}).raise_for_status()
    plan = {"type": "Point", "coordinates": [120.7, 30.75]}
    assert marks(small, "park") == {"geometry": (plan, "测绘科", None)}
    small.set("park", declared_county="330411")
    assert marks(small, "park")["declared_county"] == ("330402", "测绘科", None)
    small.patch("park", {"geometry": plan}).raise_for_status()
    assert set(marks(small, "park")) == {"declared_county"}


def test_an_outline_keeps_the_plans_point(small: Editor) -> None:
    ring = [[120.69, 30.74], [120.71, 30.74], [120.71, 30.76], [120.69, 30.76], [120.69, 30.74]]
    outline = {"type": "Polygon", "coordinates": [ring]}
    small.patch("park", {"geometry": outline, "properties": {"geometry_method": "traced"}}).raise_for_status()
    plan = {"type": "Point", "coordinates": [120.7, 30.75]}
    assert marks(small, "park") == {"geometry_method": ("point", "测绘科", None), "geometry": (plan, "测绘科", None)}


def test_taken_away_stays_away(small: Editor, loads: Loaded, files: DataFiles) -> None:
    small.delete("park").raise_for_status()
    files.change("platforms", 0, concept="文件更正")
    loads()
    assert small.client.get(f"{ITEMS}/park").status_code == 404
    small.undo("park", small.history("park")[1]["id"], "*").raise_for_status()
    assert small.item("park")["properties"]["concept"] == "文件更正"


def test_made_here_then_in_the_files(small: Editor, loads: Loaded, files: DataFiles) -> None:
    small.create({**NEW, "id": "quantum"}).raise_for_status()
    assert marks(small, "quantum") == {"*": (None, "测绘科", None)}
    row = files.rows["platforms"][0] | {"id": "quantum", "name": "量子院"}
    files.rows["mentions"].append(files.rows["mentions"][0] | {"platform": "quantum", "printed": ""})
    files.add("platforms", **row)
    loads()
    told = marks(small, "quantum")
    assert told["name"] == ("量子院", "测绘科", None)
    assert small.item("quantum")["properties"]["name"] == NEW["properties"]["name"]


def test_changed_by_other_means(small: Editor, migrated_url: sa.URL, loads: Loaded, files: DataFiles) -> None:
    """Of a change in the database the program knows no author, and keeps it all the same."""
    with connect(migrated_url).begin() as connection:
        connection.execute(sa.text("UPDATE platform SET note = '改' WHERE id = 'park'"))
    files.change("platforms", 0, concept="文件更正")
    loads()
    assert marks(small, "park") == {"note": ("原注", None, None)}


def test_check_lists_edits(small: Editor, migrated_url: sa.URL, files: DataFiles, tmp_path: Path) -> None:
    small.set("park", note="编辑所写")
    small.delete("lake").raise_for_status()
    with connect(migrated_url).connect() as connection:
        results = checks.run(connection, files.folder, "amap", None)
    equal = next(one for one in results if one.name_en == "The database equals the files")
    assert equal.failing == []
    edits = next(one for one in results if one.name_en == "Edits made in the database")
    assert len(edits.notes) == 2
    assert load(connect(migrated_url).connect(), files.folder).total == 0
