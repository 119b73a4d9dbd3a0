"""``innomap doctor``: each thing made wrong is found and named with its remedy; secrets are not shown."""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from pydantic import SecretStr

from app.cli import main
from app.commands.doctor import CHECKS, machine, server
from app.commands.doctor.findings import Check, Patient, examine, ok
from app.db.embedded import home
from app.maps import print_sheet, vendored
from app.settings import ROOT, Settings, get_settings
from tests.commands.conftest import Innomap, look
from tests.conftest import connect, settings_for
from tests.db.test_embedded import ordinary_user

Levels = dict[str, list[tuple[str, str]]]


def told(output: str) -> Levels:
    """Level and text of what was found, by check."""
    found: Levels = {}
    for one in json.loads(output)["findings"]:
        found.setdefault(one["check"], []).append((one["level"], one["text"]))
    return found


def test_all_is_well(innomap: Innomap, loaded_url: sa.URL) -> None:
    done = innomap(loaded_url, "doctor", "--json")
    assert done.exit_code == 0, done.output
    found = told(done.output)
    # the tests' server writes nothing to disk at once; without --port and a pooler these find nothing
    assert {name for name, some in found.items() if {level for level, _ in some} != {"ok"}} <= {"upkeep"}
    assert set(found) == {one.name for one in CHECKS} - {"port", "pooler", "replicas"}
    plain = innomap(loaded_url, "doctor")
    assert plain.output.splitlines()[-1].startswith("错误 0，")
    assert len(plain.output.splitlines()) == sum(map(len, found.values())) + 1


def test_a_database_out_of_order(innomap: Innomap, database_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = connect(database_url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in (
            "DROP INDEX ix_platform_position",
            "ALTER TABLE platform ADD CONSTRAINT short CHECK (length(name) < 5) NOT VALID",
            "GRANT UPDATE ON platform TO innomap_reader",
            "REVOKE SELECT ON document FROM innomap_reader",
            "UPDATE load_state SET checksum = 'x'",
        ):
            connection.execute(sa.text(statement))
        with pytest.raises(sa.exc.IntegrityError):
            connection.execute(sa.text("CREATE UNIQUE INDEX CONCURRENTLY twice ON platform (kind)"))
    # the server itself is no standby of its own, and it is no pooler of another database
    address = database_url.render_as_string(hide_password=False)
    monkeypatch.setenv("DATABASE_REPLICA_URLS", json.dumps([address, "postgresql://x:geheim@127.0.0.1:1/x"]))
    monkeypatch.setenv("DATABASE_POOL_URL", database_url.set(database="postgres").render_as_string(hide_password=False))
    done = innomap(database_url, "doctor", "--json", "--workers", "64")
    assert done.exit_code == 1
    assert "geheim" not in done.output
    found = told(done.output)
    assert [level for level, _ in found["indexes"]] == ["wrong"] * 3
    for (_, text), word in zip(found["indexes"], ("twice", "ix_platform_position", "platform.short"), strict=True):
        assert word in text
    assert [level for level, _ in found["reader"]] == ["wrong"] * 2
    assert "platform" in found["reader"][0][1]
    assert "document" in found["reader"][1][1]
    assert [level for level, _ in found["replicas"]] == ["wrong"] * 2
    assert "does not follow" in found["replicas"][0][1]
    assert found["data"][0][0] == "warning"
    assert found["pooler"][0][0] == "wrong"


def test_no_database_no_secrets_and_much_else(innomap: Innomap, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INNOMAP_POOL_SIZ", "3")
    monkeypatch.setenv("INNOMAP_EDIT_AREA", "[125, 25, 115, 34]")
    monkeypatch.setenv("INNOMAP_TRUSTED_PROXIES", '["anybody"]')
    monkeypatch.setenv("INNOMAP_POOL_SIZE", "2")
    url = sa.make_url("postgresql://x:geheim@127.0.0.1:1/x")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = innomap(url, "doctor", "--json", "--port", str(taken.getsockname()[1]))
    assert done.exit_code == 1
    assert "geheim" not in done.output
    found = told(done.output)
    assert found["database"][0][0] == "wrong"
    assert {found[one.name][0][0] for one in CHECKS if one.needs != "nothing"} == {"skipped"}
    assert found["environment"][0][0] == "warning"
    assert "Did you mean INNOMAP_POOL_SIZE?" in found["environment"][0][1]
    assert sorted(level for level, _ in found["settings"]) == ["warning", "warning", "wrong", "wrong"]
    assert found["port"][0][0] == "wrong"


def test_an_empty_database_and_a_newer_one(innomap: Innomap, empty_url: sa.URL, migrated_url: sa.URL) -> None:
    done = innomap(empty_url, "doctor", "--json")
    found = told(done.output)
    assert (done.exit_code, found["schema"][0][0], found["data"][0][0]) == (0, "warning", "skipped")
    with connect(empty_url).connect() as connection:
        assert connection.scalar(sa.text("SELECT to_regclass('alembic_version')")) is None
    done = innomap(migrated_url, "doctor", "--json")
    assert (done.exit_code, told(done.output)["data"][0][0]) == (0, "warning")
    with connect(migrated_url).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    done = innomap(migrated_url, "doctor", "--json")
    assert done.exit_code == 1
    assert "use a newer release" in told(done.output)["schema"][0][1]


def test_connections_and_clock(loaded_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_for(loaded_url, pool_size=100)
    assert look("connections", settings, loaded_url, workers=64)[0][0] == "wrong"
    now = time.time
    for astray, level in ((-30, "warning"), (3600, "wrong")):
        monkeypatch.setattr(server.time, "time", lambda astray=astray: now() + astray)
        assert look("clock", settings, loaded_url)[0][0] == level


def test_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    settings = Settings(data_dir=tmp_path / "none")
    # nothing is made by looking
    assert [level for level, _ in look("data-folder", settings)] == ["ok", "ok"]
    assert look("database", settings)[0][0] == "warning"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    assert look("data-folder", Settings(data_dir=tmp_path / "file"))[0][0] == "wrong"
    monkeypatch.setattr(machine, "FULL", 1 << 60)
    assert look("data-folder", settings)[1][0] == "wrong"
    assert look("temporary-folder", Settings(max_export_mb=1 << 40))[0][0] == "warning"
    lock = tmp_path / "requirements.lock"
    lock.write_text("click==0.1 \\\n    --hash=sha256:00\nabsent==1 ; sys_platform == 'none'\n# via x\ngone==1\n")
    monkeypatch.setattr(machine, "LOCK", lock)
    ((level, text),) = look("packages", settings)
    assert level == "wrong"
    assert "click" in text
    assert "gone - (==1)" in text
    assert "absent" not in text
    copy = Path(shutil.copytree(vendored.VENDOR, tmp_path / "vendor"))
    (copy / "leaflet@1.9.3" / "dist" / "leaflet.js").write_text("alert(1)")
    (copy / "leaflet@1.9.3" / "dist" / "leaflet.css").unlink()
    monkeypatch.setattr(vendored, "VENDOR", copy)
    ((level, text),) = look("assets", settings)
    assert level == "wrong"
    assert "leaflet.css" in text
    assert "leaflet.js" in text


@pytest.fixture
def open_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that every account can enter, as few of pytest's are, for the private database."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="innomap-doctor-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    for one in folder.iterdir():
        one.chmod(0o755)
    shutil.rmtree(folder)


def test_folders_of_others(open_folder: Path) -> None:
    """As seen by an ordinary user: what may not be written, not be read, and what lies in a closed folder."""
    # of its owner, who the test may be, and of others
    for name, mode in (("unwritable", 0o555), ("unreadable", 0o333), ("closed", 0o000)):
        (open_folder / name).mkdir()
        (open_folder / name).chmod(mode)
    folders = [open_folder / "unwritable", open_folder / "unreadable", open_folder / "closed" / "data"]
    program = (
        "import sys; from contextlib import ExitStack; from pathlib import Path;"
        "from app.commands.doctor.findings import Patient; from app.commands.doctor.machine import data_folder;"
        "from app.settings import Settings;"
        "[print(one.level, one.text) for path in sys.argv[1:]"
        " for one in data_folder(Patient(Settings(data_dir=Path(path)), ExitStack()))]"
    )
    told = subprocess.run(
        [*ordinary_user(), sys.executable, "-c", program, *folders],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    assert len(told) == 3
    for line, folder in zip(told, (*folders[:2], open_folder / "closed"), strict=True):
        assert line.startswith(f"wrong {folder}")
        assert "cannot be read and written. 请用 --data" in line


def test_a_socket_with_a_long_path(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = open_folder / ("long" * 30)
    (long / "postgresql").mkdir(parents=True)
    settings = Settings(data_dir=long)
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    level, text = look("data-folder", settings)[0]
    assert (level, "the socket lies in /tmp." in text) == ("ok", True)
    monkeypatch.setattr(home, "SYSTEM_TEMPORARY", open_folder / "none")
    level, text = look("data-folder", settings)[0]
    assert (level, "set TMPDIR to a short one" in text) == ("wrong", True)


def test_a_missing_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(print_sheet, "FONTS", ("No Such Sans",))
    print_sheet.font_family.cache_clear()
    try:
        ((level, text),) = look("fonts", Settings())
    finally:
        print_sheet.font_family.cache_clear()
    assert level == "wrong"
    assert "install the package" in text


def test_one_check_does_not_stop_the_others() -> None:
    def fails(_: Patient) -> list[object]:
        raise ValueError("password is geheim\nmore")

    with ExitStack() as stack:
        patient = Patient(Settings(DATABASE_URL="postgresql://x:geheim@host/db"), stack)  # type: ignore[call-arg]
        hangs = Check("hangs", "hangs", lambda _: time.sleep(2) or [ok("late")], seconds=0.05)  # type: ignore[func-returns-value]
        assert [(one.level, one.text) for one in examine(hangs, patient)] == [
            ("wrong", "0.05 秒内没有结果。 No result within 0.05 seconds.")
        ]
        (failed,) = examine(Check("fails", "fails", fails), patient)  # type: ignore[arg-type]
    assert failed.level == "wrong"
    assert "ValueError: password is ***" in failed.text
    assert "more" not in failed.text


@pytest.mark.parametrize(("name", "value"), [("INNOMAP_POOL_SIZE", "many"), ("INNOMAP_TRUSTED_PROXIES", "no JSON")])
def test_settings_that_cannot_be_read_are_a_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    done = CliRunner().invoke(main, ["doctor"], catch_exceptions=False)
    get_settings.cache_clear()
    assert done.exit_code == 1
    assert name.removeprefix("INNOMAP_").lower() in done.output.lower()
    assert value not in done.output
    assert len(done.output.splitlines()) == 1


CONTRADICTIONS: dict[str, dict[str, object]] = {
    "INNOMAP_GEODATA_DIR": {"geodata_dir": Path("/nowhere")},
    "INNOMAP_EDIT_AREA": {"edit_area": (121.0, 30.0, 120.0, 31.0)},
    "INNOMAP_TRUSTED_PROXIES": {"trusted_proxies": ["10.0.0.0/33"]},
    "INNOMAP_ROOT_PATH": {"root_path": "/map/"},
    "INNOMAP_DEFAULT_LIMIT": {"default_limit": 200, "max_limit": 100},
    "INNOMAP_CONCURRENT_TILES": {"pool_size": 2, "concurrent_tiles": 50},
    "INNOMAP_UPLOAD_MAX_MB": {"upload_max_mb": 900, "import_max_unpacked_mb": 100},
    "INNOMAP_SLOW_QUERY_MS": {"slow_query_ms": 10_000, "statement_timeout_ms": 10_000},
    "DATABASE_POOL_URL": {"database_url": None, "database_pool_url": SecretStr("postgresql://other/db")},
}


@pytest.mark.parametrize("named", CONTRADICTIONS)
def test_settings_that_contradict_each_other(named: str) -> None:
    settings = Settings().model_copy(update=CONTRADICTIONS[named])
    found = look("settings", settings)
    assert [text for level, text in found if named in text and level in ("wrong", "warning")]


def test_settings_as_they_come_contradict_nothing() -> None:
    assert [level for level, _ in look("settings", Settings())] == ["ok"]
