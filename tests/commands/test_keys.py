"""``innomap keys``: a key is shown once, listed without its secret, and closed for good."""

import sqlalchemy as sa

from app.edits import keys
from tests.commands.conftest import Innomap
from tests.conftest import connect


def test_a_key_from_its_making_to_its_end(innomap: Innomap, database_url: sa.URL) -> None:
    assert "There are no keys" in innomap(database_url, "keys", "list").stderr
    made = innomap(database_url, "keys", "create", "测绘科", "--collection", "platforms", "--allow-unconditional")
    assert made.exit_code == 0, made.output
    assert "cannot be shown again" in made.stderr
    text = made.stdout.strip()
    with connect(database_url).connect() as connection:
        found = keys.find(connection, text)
    assert found is not None
    assert (found.name, found.role, found.collections) == ("测绘科", "editor", ["platforms"])
    (line,) = innomap(database_url, "keys", "list").stdout.splitlines()
    assert line.startswith("测绘科\teditor\tplatforms\tunconditional\t")
    assert not any(part in line for part in text.split("_")[1:])
    assert innomap(database_url, "keys", "revoke", "测绘科").exit_code == 0
    with connect(database_url).connect() as connection:
        assert keys.find(connection, text) is None
    assert "已作废 revoked" in innomap(database_url, "keys", "list").stdout


def test_what_cannot_be_made_or_closed_is_a_sentence(innomap: Innomap, database_url: sa.URL) -> None:
    assert innomap(database_url, "keys", "create", "甲", "--role", "reader").exit_code == 0
    for arguments, words in (
        (("create", "甲", "--role", "admin"), "has been used"),
        (("create", "乙"), "An editor needs collections"),
        (("create", "乙", "--collection", "counties"), "'counties': platforms"),
        (("revoke", "乙"), "There is no open key '乙'"),
    ):
        done = innomap(database_url, "keys", *arguments)
        assert done.exit_code != 0
        assert done.stdout == ""
        assert words in done.stderr
