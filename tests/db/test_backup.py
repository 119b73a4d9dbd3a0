"""Backup and restore: the same answers afterwards, and a file that is not whole and ours changes nothing."""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from app.cli import main
from app.db import archive
from app.db import tables as t
from app.db.archive import BadArchive
from app.db.backup import RestoreFailed, backup, restore
from app.db.migrate import upgrade
from app.edits import keys
from app.ingest import checks
from app.settings import ROOT, get_settings
from tests.conftest import PATIENCE_S, connect, http, served, settings_for

ADDRESSES = (
    "/collections", "/collections/platforms/items?limit=1000", "/collections/layout_elements/items",
    "/collections/platforms/aggregate?group_by=county", "/indicators/values?limit=1000", "/search?q=jxkjc",
    "/collections/platforms/items/jiaxing-hightech-park/history",
)  # fmt: skip
EPOCH = sa.select(t.installation.c.epoch)


def answers(url: sa.URL) -> list[Any]:
    """What clients are told, apart from when."""
    with served(settings_for(url)) as address, http(address) as client:
        return [_plain(client.get(one).raise_for_status(), address) for one in ADDRESSES]


def _plain(answer: httpx.Response, address: str) -> Any:
    body = json.loads(answer.text.replace(address, ""))
    body.pop("timeStamp", None)
    return body


def contents(url: sa.URL) -> dict[str, list[str]]:
    """Every row of every table but the epoch's, and all that the schema holds beside tables."""
    with connect(url).connect() as connection:
        rows = {
            one: sorted(connection.scalars(sa.text(f'SELECT x::text FROM "{one}" x')))  # noqa: S608
            for one in sa.inspect(connection).get_table_names()
            if one not in ("spatial_ref_sys", "installation", "ready_layer", "ready_feature", "ready_tile")
        }
        for name, statement in {
            "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
            "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
            "constraints": "SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint",
            "sequences": "SELECT sequencename || ' ' || last_value FROM pg_sequences WHERE last_value IS NOT NULL",
        }.items():
            rows[name] = sorted(connection.scalars(sa.text(statement)))
        return rows


@pytest.fixture(scope="module")
def saved(loaded_url: sa.URL, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the session's database."""
    path = tmp_path_factory.mktemp("backup") / "one.innomap"
    backup(loaded_url, path)
    return path


def test_there_and_back(
    make_database: Callable[..., sa.URL], template_url: sa.URL, empty_url: sa.URL, tmp_path: Path, geodata: Path
) -> None:
    """Into an empty database, edits and history and keys included; and it passes the check."""
    source = make_database(template_url.database)
    with connect(source).begin() as connection:
        connection.execute(sa.update(t.platform).where(t.platform.c.id == "jiaxing-hightech-park").values(note="编辑"))
        key = keys.create(connection, "测绘科", "admin")
    path = tmp_path / "b.innomap"
    manifest = backup(source, path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o077 == 0
    assert manifest["counts"]["platform"] > 300
    # what stands ready is made anew
    assert {number for name, number in manifest["counts"].items() if name.startswith("ready_")} == {0}
    before, told = contents(source), answers(source)
    restore(empty_url, path)
    assert contents(empty_url) == before
    for now, then in zip(answers(empty_url), told, strict=True):
        assert now == then
    with connect(empty_url).connect() as connection, connect(source).connect() as original:
        # marks that were given before hold no longer
        assert connection.scalar(EPOCH) != original.scalar(EPOCH)
        assert keys.find(connection, key) is not None
        connection.rollback()
        results = checks.run(connection, geodata, "amap", None)
    assert [one.name_en for one in results if one.failing] == []


def test_over_what_is_there(saved: Path, database_url: sa.URL, loaded_url: sa.URL) -> None:
    """All of it goes, what a later release added too."""
    with connect(database_url).begin() as connection:
        connection.execute(sa.text("CREATE TABLE later (platform text REFERENCES platform)"))
        connection.execute(sa.text("CREATE VIEW seen AS SELECT * FROM later"))
        connection.execute(sa.text("CREATE FUNCTION f() RETURNS int LANGUAGE sql RETURN 1"))
        connection.execute(sa.delete(t.task))
    restore(database_url, saved)
    assert contents(database_url) == contents(loaded_url)
    with connect(database_url).connect() as connection:
        assert upgrade(connection) is False


def test_an_older_schema_comes_up_to_date(
    make_database: Callable[..., sa.URL], empty_url: sa.URL, tmp_path: Path, loaded_url: sa.URL
) -> None:
    from alembic import command

    from app.db.migrate import config

    old = make_database()
    with connect(old).connect() as connection, connection.begin():
        command.upgrade(config(connection), "0003")
    backup(old, tmp_path / "old")
    assert restore(empty_url, tmp_path / "old")["revision"] == "0003"
    with connect(empty_url).connect() as connection:
        assert upgrade(connection) is False


# ------------------------------------------------------------------------------------------------------------- refused


def damaged(saved: Path, tmp_path: Path, change: Callable[[bytes], bytes]) -> Path:
    path = tmp_path / "damaged"
    path.write_bytes(change(saved.read_bytes()))
    return path


def flipped(at: float) -> Callable[[bytes], bytes]:
    """One bit at a place between the beginning (0) and the end (1)."""

    def change(content: bytes) -> bytes:
        place = min(int(len(content) * at), len(content) - 1)
        return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(flipped(at / 20) for at in range(21)),
        lambda content: content[:-1],
        lambda content: content[: len(content) // 2],
        lambda content: content + b"x",
        lambda content: b"",
        lambda content: b"PK\x03\x04" + bytes(1000),
    ],
)
def test_damaged(saved: Path, tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BadArchive, match="Not a backup"), archive.opened(damaged(saved, tmp_path, change)):
        pass


def rewritten(saved: Path, path: Path, dump: bytes | None = None, **manifest: Any) -> Path:
    """An archive whose hashes are right and whose contents are other."""
    with archive.opened(saved) as (was, content):
        copy = path.with_name("dump")
        copy.write_bytes(content.read() if dump is None else dump)
        archive.write(path, {**was, **manifest}, copy)
    return path


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"revision": "9999"}, "newer one"),
        ({"postgresql": "99.1"}, "upgrade the database first"),
        ({"counts": {"platform": 1}}, "other than its manifest says"),
        ({"counts": None}, "other than its manifest says"),
    ],
)
def test_not_for_this_release(
    saved: Path, tmp_path: Path, loaded_url: sa.URL, manifest: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadArchive, match=words):
        restore(loaded_url, rewritten(saved, tmp_path / "x", **manifest))


def test_no_dump_inside(saved: Path, tmp_path: Path, loaded_url: sa.URL) -> None:
    with pytest.raises(BadArchive, match="other than its manifest says"):
        restore(loaded_url, rewritten(saved, tmp_path / "x", b"DROP TABLE platform;"))


@pytest.mark.parametrize("product", ["another", None])
def test_of_another_program(tmp_path: Path, product: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dump").write_bytes(b"x")
    monkeypatch.setattr(archive, "PRODUCT", product)
    archive.write(tmp_path / "x", {}, tmp_path / "dump")
    monkeypatch.undo()
    with pytest.raises(BadArchive, match="Not a backup of this program"), archive.opened(tmp_path / "x"):
        pass
    monkeypatch.setattr(archive, "FORMAT", 2)
    archive.write(tmp_path / "y", {}, tmp_path / "dump")
    monkeypatch.undo()
    with pytest.raises(BadArchive, match="newer release"), archive.opened(tmp_path / "y"):
        pass


def test_other_members(tmp_path: Path) -> None:
    """A tar that would write outside, or brings more."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../../etc/passwd"))
    content = packed.getvalue()
    import hashlib

    (tmp_path / "x").write_bytes(content + f"\nsha256:{hashlib.sha256(content).hexdigest()}\n".encode())
    with pytest.raises(BadArchive, match="Not a backup of this program"), archive.opened(tmp_path / "x"):
        pass


# ---------------------------------------------------------------------------------------------------- left as it was


def test_a_failure_leaves_all_as_it_was(saved: Path, tmp_path: Path, database_url: sa.URL) -> None:
    """Found out at the very end: other rows than were counted."""
    with archive.opened(saved) as (manifest, _):
        counts = manifest["counts"] | {"task": manifest["counts"]["task"] + 1}
    before = contents(database_url)
    with pytest.raises(RestoreFailed, match="task"):
        restore(database_url, rewritten(saved, tmp_path / "x", counts=counts))
    assert contents(database_url) == before


def test_killed_in_the_middle(saved: Path, database_url: sa.URL) -> None:
    before = contents(database_url)
    script = (
        "import os, signal, sys, sqlalchemy as sa; from pathlib import Path; from app.db import backup;"
        "backup._finish = lambda *_: os.kill(os.getpid(), signal.SIGKILL);"
        "backup.restore(sa.make_url(sys.argv[1]), Path(sys.argv[2]))"
    )
    address = database_url.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", script, address, str(saved)], cwd=ROOT, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == -9
    # the server takes back what the dead had open
    with connect(database_url).begin() as connection:
        connection.execute(sa.text("LOCK TABLE platform IN ACCESS EXCLUSIVE MODE"))
    assert contents(database_url) == before


def test_a_running_service_answers_from_the_restored_database(saved: Path, database_url: sa.URL) -> None:
    with served(settings_for(database_url)) as address, http(address) as client:
        path = "/collections/platforms/items?limit=1"
        before = client.get(path)
        with connect(database_url).begin() as connection:
            connection.execute(sa.delete(t.task))
        restore(database_url, saved)
        again = client.get(
            path, headers={"If-None-Match": before.headers["etag"], "Cache-Control": "no-cache", "Range": "x"}
        )
        assert again.status_code == 200
        assert again.json()["features"] == before.json()["features"]


# ------------------------------------------------------------------------------------------------------------- commands


def test_commands(loaded_url: sa.URL, empty_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(url: sa.URL, *arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
        get_settings.cache_clear()
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        return result.exit_code, result.output

    path = tmp_path / "b.innomap"
    code, told = run(loaded_url, "backup", str(path))
    assert (code, "Backed up" in told) == (0, True)
    code, told = run(empty_url, "restore", str(path))
    assert (code, "--yes" in told) == (2, True)
    code, told = run(empty_url, "restore", "--yes", str(path))
    assert (code, "Restored" in told) == (0, True), told
    path.write_bytes(path.read_bytes()[:-5])
    code, told = run(empty_url, "restore", "--yes", str(path))
    assert code == 1
    assert told.strip().count("\n") == 0
    assert "incomplete or damaged" in told
    code, told = run(loaded_url, "backup", str(tmp_path / "none" / "b"))
    assert code == 1
    assert "Cannot write" in told
    get_settings.cache_clear()
