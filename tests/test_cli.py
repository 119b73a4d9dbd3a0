"""The command: what it prints, and that an error is a sentence and a non-zero exit."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from app.cli import main
from app.settings import ROOT, get_settings
from tests.conftest import PATIENCE_S, connect, http
from tests.db import in_memory
from tests.ingest.dataset import DataFiles, boundaries, files

__all__ = ["boundaries", "files"]


@pytest.fixture(autouse=True)
def settings_of_this_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    get_settings.cache_clear()


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> object:
    """A function that makes the command use a database."""

    def use(url: sa.URL) -> None:
        monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
        get_settings.cache_clear()

    return use


def run(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def test_version() -> None:
    code, out, _ = run("--version")
    assert code == 0
    assert "0." in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("frobnicate",), "frobnicate"),
        (("--nope",), "--nope"),
        (("export",), "NAME"),
        (("export", "platforms", "x.csv", "--crs"), "--crs"),
        (("map", "x", "--size", "A9", "--out", "x.png"), "A9"),
        (("import", "x.csv", "--nope"), "--nope"),
    ],
)
def test_a_wrong_use_is_one_line(arguments: tuple[str, ...], words: str) -> None:
    code, out, error = run(*arguments)
    assert (code, out) == (2, "")
    (line,) = error.splitlines()
    assert line.startswith("Error: ")
    assert words in line


def test_load_migrates_and_tells_what_it_did(empty_url: sa.URL, on: object, files: DataFiles) -> None:
    on(empty_url)  # type: ignore[operator]
    code, out, _ = run("load", "--geodata", str(files.folder))
    assert code == 0
    assert "platform inserted 3" in out
    code, out, _ = run("load", "--geodata", str(files.folder))
    assert code == 0
    assert "Nothing changed" in out


def test_load_names_every_fault(migrated_url: sa.URL, on: object, files: DataFiles) -> None:
    on(migrated_url)  # type: ignore[operator]
    files.change("platforms", 0, area_km2="groß", county="999999")
    code, _, err = run("load", "--geodata", str(files.folder))
    assert code == 1
    assert "plan/platforms.csv:2: area_km2: " in err
    assert "plan/platforms.csv:2: county: 没有 region '999999'。 no region" in err
    assert "2 faults; nothing was loaded" in err


def test_load_tells_of_edits_it_kept(migrated_url: sa.URL, on: object, files: DataFiles) -> None:
    on(migrated_url)  # type: ignore[operator]
    run("load", "--geodata", str(files.folder))
    with connect(migrated_url).begin() as connection:
        connection.execute(sa.text("UPDATE platform SET note = '编辑' WHERE id = 'park'"))
    files.change("platforms", 0, note="文件")
    _, out, _ = run("load", "--geodata", str(files.folder))
    assert "park.note: plan changed, edit kept" in out


@pytest.mark.parametrize(
    ("address", "words"),
    [("mysql://host/db", "not a PostgreSQL address"), ("postgresql://127.0.0.1:1/none", "cannot be used")],
)
def test_an_unusable_database(monkeypatch: pytest.MonkeyPatch, files: DataFiles, address: str, words: str) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    get_settings.cache_clear()
    code, _, err = run("load", "--geodata", str(files.folder))
    assert code == 1
    assert words in err
    assert "Traceback" not in err


def test_a_newer_schema(migrated_url: sa.URL, on: object, files: DataFiles) -> None:
    on(migrated_url)  # type: ignore[operator]
    with connect(migrated_url).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    code, _, err = run("load", "--geodata", str(files.folder))
    assert code == 1
    assert "use a newer release" in err


def test_a_missing_folder(tmp_path: Path) -> None:
    code, _, err = run("load", "--geodata", str(tmp_path / "none"))
    assert code == 2
    assert "does not exist" in err


def test_serve(files: DataFiles) -> None:
    """Loads, says where it can be found, answers there, loads nothing the second time, and stops when told.

    With a private database, the second time for two web processes; nothing of it is left running.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    data = in_memory()
    environment = {name: value for name, value in os.environ.items() if not name.endswith("DATABASE_URL")}
    environment |= {"INNOMAP_GEODATA_DIR": str(files.folder), "INNOMAP_DATA_DIR": str(data)}
    # modules that one process has compiled start quickly in the others
    environment |= {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(data / "compiled")}
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(port)]
    for start, more in (("first", []), ("second", ["--workers", "2"])):
        with subprocess.Popen(
            [*command, *more], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            patience = threading.Timer(2 * PATIENCE_S, process.kill)
            patience.start()
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "Ctrl+C" in line:
                    break
            said = "".join(lines)
            assert ("Data loaded" in said) is (start == "first"), said
            for path in ("/maps/jiaxing", "/collections", "/api.html"):
                assert f"http://127.0.0.1:{port}{path}\n" in said
            assert list(data.rglob("postmaster.pid"))
            for _ in range(4):
                with http(f"http://127.0.0.1:{port}") as client:
                    assert client.get("/collections/platforms/items").json()["numberMatched"] == 3
            process.send_signal(signal.SIGINT)
            assert process.wait() == 0
            patience.cancel()
        assert not list(data.rglob("postmaster.pid"))
    shutil.rmtree(data)


@pytest.mark.parametrize(("host", "reason"), [("127.0.0.1", "Address already in use"), ("192.0.2.1", "Cannot assign")])
def test_an_address_that_is_taken_or_not_ours(monkeypatch: pytest.MonkeyPatch, host: str, reason: str) -> None:
    """Told before the database is looked for: the addresses of another program must not be given for ours."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, out, err = run("serve", "--host", host, "--port", str(taken.getsockname()[1]))
    assert (code, out) == (1, "")
    assert reason in err
    assert "another --port" in err
