"""The database keeps every change of a platform, and keeps it for good."""

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.db import tables as t
from app.db.records import signed

NEW = {
    "id": "a-place", "kind": "hightech_park", "name": "一处", "name_en": "A place", "geometry_method": "point",
    "name_en_source": "own translation", "position_source": "a test", "position": "SRID=4326;POINT(120.7 30.123456789)",
}  # fmt: skip


def changes(connection: sa.Connection, item: str) -> list[sa.RowMapping]:
    c = t.change.c
    found = sa.select(t.change).where(c.layer == "platforms", c.item == item).order_by(c.id)
    return list(connection.execute(found).mappings())


def test_the_load_is_the_first_change(connection: sa.Connection) -> None:
    platforms = connection.scalar(sa.select(sa.func.count()).select_from(t.platform))
    assert connection.execute(
        sa.select(t.change.c.who, t.change.c.action, sa.func.count()).group_by(t.change.c.who, t.change.c.action)
    ).all() == [("innomap load", "create", platforms)]


def test_before_and_after(connection: sa.Connection) -> None:
    connection.execute(sa.insert(t.platform).values(NEW))
    mine = t.platform.c.id == NEW["id"]
    with connection.engine.connect().execution_options(isolation_level="READ COMMITTED") as other, other.begin():
        signed(other, "测绘科", "实地核对", unconditional=True)
        other.execute(sa.update(t.platform).where(mine).values(position="SRID=4326;POINT(120.71 30.1)"))
        other.execute(sa.update(t.platform).where(mine).values(position="SRID=4326;POINT(120.71 30.1)"))
    connection.execute(sa.update(t.platform).where(mine).values(retired=True))
    connection.execute(sa.update(t.platform).where(mine).values(retired=False))
    connection.execute(sa.delete(t.platform).where(mine))

    made, moved, *rest = changes(connection, "a-place")
    role = connection.scalar(sa.text("SELECT session_user"))
    assert (made["action"], made["before"], made["who"], made["why"]) == ("create", None, role, None)
    # as it was given: every digit
    assert made["after"]["position"] == {"type": "Point", "coordinates": [120.7, 30.123456789]}
    assert (moved["action"], moved["before"]) == ("update", made["after"])
    assert moved["after"]["geom"]["coordinates"] == [120.71, 30.1]
    assert (moved["who"], moved["why"], moved["unconditional"]) == ("测绘科", "实地核对", True)
    assert moved["at"] > made["at"]
    # the signature ends with its transaction
    assert [(one["action"], one["who"]) for one in rest] == [("delete", role), ("restore", role), ("delete", role)]
    assert rest[-1]["after"] is None


@pytest.mark.parametrize(
    "statement", [sa.update(t.change).values(who="niemand"), sa.delete(t.change), sa.text("TRUNCATE change")]
)
def test_only_grows(connection: sa.Connection, statement: sa.Executable) -> None:
    with pytest.raises(IntegrityError, match="the history only grows"):
        connection.execute(statement)


def test_rolled_back_with_its_change(connection: sa.Connection) -> None:
    with connection.engine.connect().execution_options(isolation_level="READ COMMITTED") as other:
        other.execute(sa.insert(t.platform).values(NEW))
        other.rollback()
    assert changes(connection, "a-place") == []
