"""Two editors of one item, an edit beside a load, and a program that dies in the middle."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import httpx
import pytest
import sqlalchemy as sa

from app.db import tables as t
from app.db.records import LOAD_LOCK
from app.settings import ROOT
from tests.conftest import PATIENCE_S, connect
from tests.edits.conftest import PARK, Editor

STOPPED = """
import os, signal, sys
import sqlalchemy as sa
from app.edits import write
from app.edits.layer import Edit
from app.edits.platforms import PLATFORMS

engine = sa.create_engine(sys.argv[1], poolclass=sa.NullPool)
with engine.begin() as connection:
    patch = {"geometry": {"type": "Point", "coordinates": [120.8, 30.7]}, "properties": {"note": "half"}}
    write.update(connection, PLATFORMS, sys.argv[2], patch, None, Edit("killed", unconditional=True))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_second_of_two_is_told(editor: Editor, make_key: Callable[..., str]) -> None:
    other = Editor(editor.client, make_key("another"))
    mark = editor.etag(PARK)
    assert editor.patch(PARK, {"properties": {"note": "甲"}}, if_match=mark).status_code == 200
    late = other.patch(PARK, {"properties": {"note": "乙"}}, if_match=mark)
    assert late.status_code == 412
    assert editor.item(PARK)["properties"]["note"] == "甲"


def test_many_at_once(editor: Editor) -> None:
    """Of writers that read the same state exactly one succeeds; each who reads again gets his turn."""
    mark = editor.etag(PARK)
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(
                lambda n: editor.patch(PARK, {"properties": {"note": f"第{n}"}}, if_match=mark).status_code, range(8)
            )
        )
    assert sorted(answers) == [200] + [412] * 7

    def until_done(number: int) -> None:
        while editor.patch(PARK, {"properties": {"note": f"又{number}"}}).status_code == 412:
            pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(until_done, range(4)))
    notes = [one["changed"]["note"]["after"] for one in editor.history(PARK)[:4]]
    assert sorted(notes) == ["又0", "又1", "又2", "又3"]
    # each change begins where the one before it ended
    told = editor.history(PARK)[:5]
    for later, earlier in pairwise(told):
        assert later["changed"]["note"]["before"] == earlier["changed"]["note"]["after"]
        assert later["version"] == earlier["version"] + 1


def test_an_edit_waits_for_a_load(editor: Editor, database_url: sa.URL) -> None:
    """A load that has read the rows must not write over what came between."""
    mark, done = editor.etag(PARK), threading.Event()
    answers: list[httpx.Response] = []

    def edit() -> None:
        answers.append(editor.patch(PARK, {"properties": {"note": "甲"}}, if_match=mark))
        done.set()

    with connect(database_url).begin() as loading:
        loading.execute(sa.select(sa.func.pg_advisory_xact_lock(LOAD_LOCK)))
        threading.Thread(target=edit).start()
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while not loading.scalar(waiting):
            time.sleep(0.02)
        assert not done.is_set()
    assert done.wait(PATIENCE_S)
    assert answers[0].status_code == 200


def test_killed_in_the_middle(database_url: sa.URL, connection: sa.Connection) -> None:
    """After its last statement, before its commit: nothing of it is there."""
    rows = sa.text(
        "SELECT p::text, (SELECT count(*) FROM change), (SELECT count(*) FROM search_entry) FROM platform p"
        " WHERE id = :id"
    )
    before = connection.execute(rows, {"id": PARK}).one()
    command = [sys.executable, "-c", STOPPED, database_url.render_as_string(hide_password=False), PARK]
    assert subprocess.run(command, cwd=ROOT, check=False, timeout=PATIENCE_S).returncode == -9
    # the row is free again, and as it was
    with connect(database_url).begin() as other:
        other.execute(sa.select(t.platform).where(t.platform.c.id == PARK).with_for_update())
    assert connection.execute(rows, {"id": PARK}).one() == before


def test_a_database_that_refuses_late(editor: Editor, connection: sa.Connection) -> None:
    """What another transaction took away between check and commit is a conflict, not a failure of the service."""
    connection.execute(sa.text("""
        CREATE FUNCTION elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'gone' USING ERRCODE = 'foreign_key_violation'; END $$"""))  # fmt: skip
    connection.execute(sa.text("CREATE TRIGGER a BEFORE UPDATE ON platform FOR EACH ROW EXECUTE FUNCTION elsewhere()"))
    answer = editor.patch(PARK, {"properties": {"note": "甲"}})
    assert (answer.status_code, answer.headers["content-type"]) == (409, "application/problem+json")


@pytest.mark.parametrize("state", ["lock_not_available", "deadlock_detected"])
def test_a_lock_that_is_not_had(editor: Editor, connection: sa.Connection, state: str) -> None:
    connection.execute(sa.text(f"""
        CREATE FUNCTION held() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'held' USING ERRCODE = '{state}'; END $$"""))  # fmt: skip
    connection.execute(sa.text("CREATE TRIGGER a BEFORE UPDATE ON platform FOR EACH ROW EXECUTE FUNCTION held()"))
    answer = editor.patch(PARK, {"properties": {"note": "甲"}})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
