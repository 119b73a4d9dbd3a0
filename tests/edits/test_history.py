"""What was changed can be read, how it was at a moment too, and a change can be undone by another."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from tests.edits.conftest import ITEMS, NEW, PARK, Editor


def at(editor: Editor, item: str, moment: str) -> Any:
    return editor.client.get(f"{ITEMS}/{item}/history", params={"at": moment})


def test_changes(editor: Editor) -> None:
    before = editor.item(PARK)["properties"]
    editor.patch(PARK, {"properties": {"concept": "新理念"}}, innomap_reason="%E6%A0%B8%E5%AF%B9").raise_for_status()
    editor.patch(PARK, {"geometry": {"type": "Point", "coordinates": [120.8, 30.7]}}).raise_for_status()
    moved, edited, loaded = editor.history(PARK)
    assert (loaded["action"], loaded["who"], loaded["version"]) == ("create", "innomap load", 1)
    assert (edited["who"], edited["why"], edited["version"]) == ("测绘科", "核对", 2)
    assert edited["changed"] == {"concept": {"before": before["concept"], "after": "新理念"}}
    assert set(moved["changed"]) >= {"geometry"}
    assert moved["changed"]["geometry"]["after"]["coordinates"] == [120.8, 30.7]
    one = editor.client.get(moved["links"][0]["href"]).json()
    assert one["before"]["properties"]["concept"] == "新理念"
    assert one["after"]["geometry"] == moved["changed"]["geometry"]["after"]
    page = editor.client.get(f"{ITEMS}/{PARK}/history", params={"limit": 1}).json()
    assert [one["id"] for one in page["changes"]] == [moved["id"]]
    assert page["numberMatched"] == 3
    following = next(one["href"] for one in page["links"] if one["rel"] == "next")
    assert editor.client.get(following).json()["changes"][0]["id"] == edited["id"]


def test_page(editor: Editor) -> None:
    """Whatever stands in it is shown, not run."""
    editor.set(PARK, note="<img src=x onerror=alert(1)>")
    page = editor.client.get(f"{ITEMS}/{PARK}/history", params={"f": "html"})
    assert "&lt;img src=x" in page.text
    assert "<img src=x" not in page.text
    assert "测绘科" in page.text


def test_states(editor: Editor) -> None:
    item = editor.create().json()["id"]
    moments = [datetime.now(UTC).isoformat()]
    for note in ("甲", "乙"):
        editor.set(item, note=note)
        moments.append(datetime.now(UTC).isoformat())
    editor.delete(item).raise_for_status()
    states = [at(editor, item, moment).json() for moment in moments]
    assert [one["properties"]["note"] for one in states] == [None, "甲", "乙"]
    assert [one["version"] for one in states] == [1, 2, 3]
    assert states[0]["geometry"] == NEW["geometry"]
    assert states[0]["properties"]["county"] == "330402"
    # an offset that PostgreSQL does not take is RFC 3339's all the same
    for moment in ("2020-01-01", datetime.now(UTC).isoformat(), "2010-09-14T03:15:33-19:59"):
        answer = at(editor, item, moment)
        assert (answer.status_code, answer.json()["parameter"]) == (404, "at")
    never = at(editor, "never-there", moments[0])
    assert (never.status_code, never.json()["parameter"]) == (404, "at")
    for wrong in ("yesterday", "2020-13-01", "2020-01-01T00:00:00", "0001-01-01T00:00:00+10:00"):
        assert at(editor, item, wrong).status_code == 400


def test_before_the_history_began(editor: Editor, connection: sa.Connection) -> None:
    """A row older than its first change was as that change found it."""
    connection.execute(sa.text("ALTER TABLE change DISABLE TRIGGER append_only"))
    connection.execute(sa.text("DELETE FROM change"))
    note = editor.item(PARK)["properties"]["note"]
    assert at(editor, PARK, "2020-01-01").json()["properties"]["note"] == note
    editor.set(PARK, note="甲")
    assert at(editor, PARK, "2020-01-01").json()["properties"]["note"] == note


def test_undo(editor: Editor) -> None:
    before = editor.item(PARK)
    editor.set(PARK, concept="甲", note="甲")
    editor.set(PARK, department="乙")
    changed = editor.history(PARK)[1]
    assert (
        editor.client.post(f"{ITEMS}/{PARK}/history/{changed['id']}/undo", headers=editor.headers()).status_code == 428
    )
    assert editor.undo(PARK, changed["id"], '"1"').status_code == 412
    done = editor.undo(PARK, changed["id"], editor.etag(PARK))
    assert done.status_code == 200, done.text
    properties = done.json()["properties"]
    assert (properties["concept"], properties["note"]) == (
        before["properties"]["concept"],
        before["properties"]["note"],
    )
    assert properties["department"] == "乙"
    # they are the plan's word again
    assert [one["property"] for one in properties["edited"]] == ["department"]
    assert editor.history(PARK)[0]["undoes"] == changed["id"]
    # undoing the undoing
    again = editor.undo(PARK, editor.history(PARK)[0]["id"], editor.etag(PARK))
    assert again.json()["properties"]["concept"] == "甲"
    editor.set(PARK, concept="丙")
    late = editor.undo(PARK, changed["id"], editor.etag(PARK))
    assert late.status_code == 409
    assert "concept" in late.json()["detail"]
    assert editor.undo(PARK, 10**8, "*").status_code == 404


def test_undo_of_a_move_is_exact(editor: Editor, connection: sa.Connection) -> None:
    where = sa.text("SELECT ST_AsEWKB(position), ST_AsEWKB(geom) FROM platform WHERE id = :id")
    before = connection.execute(where, {"id": PARK}).one()
    editor.patch(PARK, {"geometry": {"type": "Point", "coordinates": [120.8, 30.7]}}).raise_for_status()
    assert connection.execute(where, {"id": PARK}).one() != before
    editor.undo(PARK, editor.history(PARK)[0]["id"], "*").raise_for_status()
    assert connection.execute(where, {"id": PARK}).one() == before
    assert editor.item(PARK)["properties"]["edited"] is None


def test_undo_of_a_deletion_and_a_creation(editor: Editor) -> None:
    editor.delete(PARK).raise_for_status()
    away = editor.client.get(f"{ITEMS}/{PARK}/history").json()
    assert away["deleted"] is True
    # the item is away, its version is in the history
    back = editor.undo(PARK, away["changes"][0]["id"], f'"{away["version"]}"')
    assert back.status_code == 200, back.text
    assert editor.item(PARK)["properties"]["edited"] is None
    assert [one["action"] for one in editor.history(PARK)] == ["restore", "delete", "create"]
    assert editor.undo(PARK, away["changes"][0]["id"], "*").status_code == 409
    item = editor.create().json()["id"]
    assert editor.undo(item, editor.history(item)[0]["id"], "*").status_code == 204
    assert editor.client.get(f"{ITEMS}/{item}").status_code == 404


def test_who_may_undo(editor: Editor, make_key: Callable[..., str]) -> None:
    number = editor.history(PARK)[0]["id"]
    editor.key = make_key("r", "reader")
    assert editor.undo(PARK, number, "*").status_code == 403


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/collections/counties/items/330402/history", "collectionId"),
        (f"{ITEMS}/nowhere/history", "featureId"),
        (f"{ITEMS}/{PARK}/history/999999", "changeId"),
    ],
)
def test_not_there(client: Any, path: str, parameter: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["parameter"]) == (404, parameter)
