"""Loading: all or nothing, twice without effect, and edits in the database stand beside corrections of the files."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.db import tables as t
from app.ingest import load as loading
from app.ingest.files import DataSet
from app.ingest.load import DataFaults, Report, load, load_if_changed
from app.settings import ROOT
from tests.conftest import connect
from tests.ingest.dataset import DataFiles
from tests.tables import DATA_TABLES

PARK = t.platform.c.id == "park"


@pytest.fixture
def opened(migrated_url: sa.URL) -> Iterator[sa.Connection]:
    """A connection to a migrated database without data."""
    with connect(migrated_url).connect() as connection:
        yield connection


@contextmanager
def reading(connection: sa.Connection) -> Iterator[sa.Connection]:
    """Look into the database between loads, which want a connection without a transaction."""
    with connection.begin():
        yield connection


def state(connection: sa.Connection) -> dict[str, list[str]]:
    """Every row of every table of data, with versions."""
    with reading(connection):
        rows = {
            table.name: sorted(connection.scalars(sa.text(f"SELECT {table.name}::text FROM {table.name}")))  # noqa: S608
            for table in [*DATA_TABLES, t.layer_version, t.change]
        }
    return rows


def counts(connection: sa.Connection) -> dict[str, int]:
    with reading(connection):
        return {
            table.name: connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in DATA_TABLES
        }


def platform(connection: sa.Connection, id: str = "park") -> sa.RowMapping:
    with reading(connection):
        return connection.execute(sa.select(t.platform).where(t.platform.c.id == id)).mappings().one()


def edit(connection: sa.Connection, id: str = "park", **values: object) -> None:
    with connection.begin():
        connection.execute(sa.update(t.platform).where(t.platform.c.id == id).values(values))


def changed(report: Report | None) -> dict[str, dict[str, int]]:
    """What a report says was changed, without its zeros and without what the search is built from."""
    assert report is not None
    told = {table: {what: n for what, n in counter.items() if n} for table, counter in report.changed.items()}
    return {table: counter for table, counter in told.items() if counter and table != "search_entry"}


# ------------------------------------------------------------------------------------------------- all, and only once


def test_everything_arrives(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    found = counts(opened)
    names = {spec.table.name: spec.name for spec in loading.FILE_TABLES}
    data = loading.read(files.folder)
    assert {names[table]: found[table] for table in names} == {
        name: len(data.rows.get(name, [])) for name in names.values()
    }
    with reading(opened):
        value = opened.scalar(sa.select(t.indicator_value.c.value).where(t.indicator_value.c.printed == "12800以上"))
    assert value is not None
    assert float(value) == 1.28  # 12 800 万元 in the indicator's 亿元


def test_the_planner_knows_what_was_loaded(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    known = "SELECT reltuples FROM pg_class WHERE oid = CAST(:name AS regclass)"
    for table in ("platform", "search_entry", "change"):
        assert opened.scalar(sa.text(known), {"name": table}) > 0, table
    opened.rollback()


def test_twice_changes_nothing(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    before = state(opened)
    report = load(opened, files.folder)
    assert report.total == 0
    assert report.kept == []
    assert state(opened) == before


def test_the_repository_twice(database_url: sa.URL, geodata: Path) -> None:
    """The same with the real data, whose numbers and positions are of every kind."""
    with connect(database_url).connect() as connection:
        before = state(connection)
        assert load(connection, geodata).total == 0
        assert state(connection) == before


def test_loads_only_what_changed(opened: sa.Connection, files: DataFiles) -> None:
    assert load_if_changed(opened, files.folder) is not None
    assert load_if_changed(opened, files.folder) is None
    files.change("layouts", 1, name="改名")
    assert changed(load_if_changed(opened, files.folder)) == {"layout": {"updated": 1}}
    assert load_if_changed(opened, files.folder) is None


def test_other_outlines_are_a_change(opened: sa.Connection, files: DataFiles) -> None:
    load_if_changed(opened, files.folder)
    assert changed(load_if_changed(opened, files.folder, "tianditu"))["region"] == {"updated": 7}
    assert load_if_changed(opened, files.folder, "tianditu") is None


def test_a_file_saved_during_the_load_is_loaded_next_time(
    opened: sa.Connection, files: DataFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = loading.read

    def read_then_save(folder: Path, counties: str = "amap") -> DataSet:
        data = read(folder, counties)
        files.change("layouts", 1, name="后来的名称")
        return data

    monkeypatch.setattr(loading, "read", read_then_save)
    load(opened, files.folder)
    monkeypatch.undo()
    assert changed(load_if_changed(opened, files.folder)) == {"layout": {"updated": 1}}


def test_tables_follow_their_files(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    files.change("tasks", 0, text="另一目标")
    files.change("mentions", 0, quote="另一处")
    files.rows["indicator_labels"].clear()
    files.rows["disagreement_sides"].clear()
    files.rows["disagreements"].clear()
    files.add("industries", **files.rows["industries"][0] | {"id": "new"})
    assert changed(load(opened, files.folder)) == {
        "task": {"updated": 1},
        "mention": {"inserted": 1, "removed": 1},
        "indicator_label": {"removed": 1},
        "disagreement": {"removed": 1},
        "industry": {"inserted": 1},
    }


def test_layer_versions_tell_what_changed(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    read = sa.select(t.layer_version.c.layer, t.layer_version.c.version)
    with reading(opened):
        before = dict(opened.execute(read).all())
    files.change("tasks", 0, title="题目")
    load(opened, files.folder)
    with reading(opened):
        after = dict(opened.execute(read).all())
    assert {layer for layer in after if after[layer] != before[layer]} - {"search_entry"} == {"task"}


# ----------------------------------------------------------------------------------------------------- faults, crashes


@pytest.mark.parametrize(
    ("table", "cells"),
    [
        ("platforms", {"area_km2": "groß"}),
        ("platforms", {"county": "999999"}),
        ("mentions", {"line_end": "101"}),
    ],
)
def test_a_fault_loads_nothing(opened: sa.Connection, files: DataFiles, table: str, cells: dict[str, str]) -> None:
    load(opened, files.folder)
    before = state(opened)
    files.change("layouts", 0, name="好的改动")
    files.change(table, 0, **cells)
    with pytest.raises(DataFaults) as caught:
        load(opened, files.folder)
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [(f"plan/{table}.csv", 2)]
    assert state(opened) == before


@pytest.mark.parametrize(
    ("text", "rule"),
    [("{", "cannot be read as GeoJSON"), ('{"features": [{}]}', "cannot be read"), (None, "cannot be")],
)
def test_a_bad_outline_loads_nothing(opened: sa.Connection, files: DataFiles, text: str | None, rule: str) -> None:
    real = (files.folder / "boundaries").resolve()
    (files.folder / "boundaries").unlink()
    (files.folder / "boundaries").mkdir()
    for path in real.iterdir():
        (files.folder / "boundaries" / path.name).symlink_to(path)
    broken = files.folder / "boundaries" / "counties_land.geojson"
    broken.unlink()
    if text is not None:
        broken.write_text(text, encoding="utf-8")
    with pytest.raises(DataFaults) as caught:
        load(opened, files.folder)
    assert caught.value.faults[0].file == "boundaries/counties_land.geojson"
    assert rule in caught.value.faults[0].rule
    assert sum(counts(opened).values()) == 0


@pytest.fixture
def load_process(
    migrated_url: sa.URL, opened: sa.Connection, files: DataFiles
) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """A function that starts a load of the small data set as a program of its own."""
    program = """
import sys
from pathlib import Path
from sqlalchemy import create_engine
from app.ingest.load import load
with create_engine(sys.argv[1]).connect() as connection:
    load(connection, Path(sys.argv[2]))
"""
    address = migrated_url.render_as_string(hide_password=False)
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", program, address, str(files.folder)]
        started.append(subprocess.Popen(command, cwd=ROOT))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait_for_lock(connection: sa.Connection, process: subprocess.Popen[bytes], table: str) -> None:
    """Until the load stands before a table that somebody else holds."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE relation = to_regclass(:table) AND NOT granted")
    while not connection.scalar(waiting, {"table": table}):
        assert process.poll() is None, "the load ended before it came to the table"
        time.sleep(0.02)


@pytest.mark.parametrize("table", ["document", "platform", "indicator_value", "load_state"])
def test_killed_in_the_middle(
    opened: sa.Connection, files: DataFiles, load_process: Callable[[], subprocess.Popen[bytes]], table: str
) -> None:
    """``kill -9`` at the first table, in the middle and before the last word: nothing of it is there."""
    with opened.begin():
        opened.execute(sa.text(f"LOCK TABLE {table} IN EXCLUSIVE MODE"))
        process = load_process()
        wait_for_lock(opened, process, table)
        process.kill()
        process.wait()
    assert sum(counts(opened).values()) == 0
    assert load_if_changed(opened, files.folder) is not None
    assert counts(opened)["platform"] == 3


def test_two_at_once(opened: sa.Connection, migrated_url: sa.URL, files: DataFiles) -> None:
    """The second waits for the first and finds nothing to do."""
    reports: list[Report] = []
    gate = threading.Barrier(2)

    def run() -> None:
        with connect(migrated_url).connect() as connection:
            gate.wait()
            reports.append(load(connection, files.folder))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(report.total == 0 for report in reports) == [False, True]
    assert counts(opened)["platform"] == 3


# -------------------------------------------------------------------------------------------------- edits and the files


def test_edit_restart_correct_load(opened: sa.Connection, files: DataFiles) -> None:
    """An edit stands, a correction of another field or row arrives, whatever their order."""
    load_if_changed(opened, files.folder)
    edit(opened, concept="编辑所写", position="SRID=4326;POINT(120.69 30.76)")
    assert load_if_changed(opened, files.folder) is None  # the program was started again
    # somebody loads by hand: what was changed in the database itself is marked, once
    assert changed(load(opened, files.folder)) == {"platform": {"updated": 1}}
    assert changed(load(opened, files.folder)) == {}
    assert platform(opened)["concept"] == "编辑所写"

    files.change("platforms", 0, note="更正的注")
    files.change("platforms", 1, concept="更正的理念")
    report = load_if_changed(opened, files.folder)
    assert changed(report) == {"platform": {"updated": 2}}
    assert report is not None
    assert report.kept == []
    park = platform(opened)
    assert (park["concept"], park["note"]) == ("编辑所写", "更正的注")
    assert platform(opened, "lake")["concept"] == "更正的理念"
    with reading(opened):
        where = opened.scalar(sa.select(sa.func.ST_AsText(t.platform.c.position)).where(PARK))
    assert where == "POINT(120.69 30.76)"


def test_plan_changed_edit_kept(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    edit(opened, note="编辑所写")
    files.change("platforms", 0, note="文件后来所写")
    report = load(opened, files.folder)
    assert report.kept == ["park.note: plan changed, edit kept"]
    assert platform(opened)["note"] == "编辑所写"
    assert load(opened, files.folder).kept == []  # told once
    assert platform(opened)["note"] == "编辑所写"


def test_the_plan_comes_round_to_the_edit(opened: sa.Connection, files: DataFiles) -> None:
    """When the file says what the edit said, nothing differs, and the field follows the file again."""
    load(opened, files.folder)
    edit(opened, note="正确的注")
    files.change("platforms", 0, note="正确的注")
    assert load(opened, files.folder).kept == []
    files.change("platforms", 0, note="更新的注")
    assert load(opened, files.folder).kept == []
    assert platform(opened)["note"] == "更新的注"


def test_an_edit_taken_back_follows_the_file(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    edit(opened, note="改")
    edit(opened, note="原注")
    files.change("platforms", 0, note="新注")
    assert load(opened, files.folder).kept == []
    assert platform(opened)["note"] == "新注"


def test_the_file_moves_a_place(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    before = platform(opened)
    files.change("platforms", 0, lon="120.912", lat="30.932")
    load(opened, files.folder)
    park = platform(opened)
    assert (before["position_county"], park["position_county"]) == ("330402", "330421")
    assert park["version"] == before["version"] + 1
    assert park["geom"] == park["position"] != before["position"]


def test_a_symbol_moved_by_hand_stays(opened: sa.Connection, files: DataFiles) -> None:
    """A place known only by its county that somebody has located keeps its point."""
    load(opened, files.folder)
    edit(
        opened, "academy", geometry_method="point", position="SRID=4326;POINT(120.95 30.52)", position_accuracy_m=100.0,
        position_source="visited",
    )  # fmt: skip
    files.change("platforms", 2, note="新注")
    load(opened, files.folder)
    academy = platform(opened, "academy")
    assert (academy["geometry_method"], academy["position_accuracy_m"]) == ("point", 100.0)
    assert (academy["position_source"], academy["note"]) == ("visited", "新注")


def test_an_outline_drawn_by_hand_stays(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    outline = "SRID=4326;POLYGON((120.69 30.74,120.71 30.74,120.71 30.76,120.69 30.76,120.69 30.74))"
    edit(opened, geometry_method="traced", geom=outline, position_source="traced from a plan")
    files.change("platforms", 0, note="新注")
    load(opened, files.folder)
    with reading(opened):
        kept = opened.scalar(
            sa.select(sa.func.ST_Equals(t.platform.c.geom, sa.func.ST_GeomFromEWKT(outline))).where(PARK)
        )
    assert kept is True


def test_retired_and_back(opened: sa.Connection, files: DataFiles) -> None:
    """A row gone from the files keeps its id; one that comes back is the same row."""
    load(opened, files.folder)
    park = files.rows["platforms"][0]
    files.remove("park")
    report = load(opened, files.folder)
    assert changed(report)["platform"] == {"retired": 1}
    assert platform(opened)["retired"] is True
    assert load(opened, files.folder).total == 0

    files.add("platforms", **park)
    files.add("mentions", platform="park", document="plan", line_start="10", line_end="10", quote="园")
    load(opened, files.folder)
    assert platform(opened)["retired"] is False


def test_rows_of_others_are_not_retired(opened: sa.Connection, files: DataFiles) -> None:
    """A platform that came over HTTP or by import is no row of the plan, and none of the load's business."""
    load(opened, files.folder)
    with opened.begin():
        opened.execute(
            sa.insert(t.platform).values(
                id="imported", kind="laboratory", name="导入", name_en="Imported", name_en_source="own translation",
                geometry_method="point", position="SRID=4326;POINT(120.7 30.7)", position_source="import",
            )
        )  # fmt: skip
    assert changed(load(opened, files.folder)) == {}
    assert platform(opened, "imported")["retired"] is False


def test_a_region_is_retired(opened: sa.Connection, files: DataFiles) -> None:
    load(opened, files.folder)
    path = files.folder / "base" / "regions.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("nanhu-daqiao,")), encoding="utf-8")
    assert changed(load(opened, files.folder)) == {"region": {"retired": 1}}
    with reading(opened):
        retired = opened.scalar(sa.select(t.region.c.retired).where(t.region.c.id == "nanhu-daqiao"))
    assert retired is True
