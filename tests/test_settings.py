"""Settings come from the environment, and say what is wrong with it."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from app import settings
from app.commands.doctor.configuration import OF_DEPLOYMENT, names
from app.settings import ROOT, Settings, default_data_dir, get_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("INNOMAP_") or name.upper() == "DATABASE_URL":
            monkeypatch.delenv(name)


def test_defaults() -> None:
    given = Settings()
    assert given.database_url is None
    assert given.geodata_dir == ROOT / "geodata"
    assert (given.geodata_dir / "README.md").is_file()
    assert given.default_limit <= given.max_limit


@pytest.mark.parametrize("name", ["DATABASE_URL", "INNOMAP_DATABASE_URL"])
def test_database_url_by_either_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "postgresql://user:geheim@host/db")
    given = Settings()
    assert given.database_url is not None
    assert given.database_url.get_secret_value() == "postgresql://user:geheim@host/db"
    assert "geheim" not in repr(given)


def test_prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INNOMAP_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("INNOMAP_POOL_SIZE", "3")
    monkeypatch.setenv("POOL_SIZE", "5")
    assert (Settings().data_dir, Settings().pool_size) == (tmp_path, 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POOL_SIZE", "0"),
        ("POOL_SIZE", "101"),
        ("POOL_SIZE", "many"),
        ("STATEMENT_TIMEOUT_MS", "99"),
        ("MAX_LIMIT", "0"),
        ("DEFAULT_LIMIT", "-1"),
        ("COUNTY_OUTLINES", "google"),
    ],
)
def test_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"INNOMAP_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_data_dir_of_root_and_of_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/innomap")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_data_dir() == tmp_path / "innomap"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/planner")
    assert default_data_dir() == Path("/home/planner/.local/state/innomap")


def test_read_once() -> None:
    get_settings.cache_clear()
    assert get_settings() is settings.get_settings()
    get_settings.cache_clear()


def test_every_setting_is_described_in_both_languages_and_belongs_to_a_concern() -> None:
    told = {name: field.description or "" for name, field in Settings.model_fields.items()}
    # Chinese, a full stop, English
    assert [name for name, text in told.items() if not re.fullmatch(r".*[一-鿿].*。 [A-Z`][^一-鿿]*\.", text)] == []
    # what stands in no class of its own would stand in no table
    assert set(inspect.get_annotations(Settings)) <= {"model_config"}


def test_the_page_is_as_the_settings_are() -> None:
    made = subprocess.run(
        [sys.executable, ROOT / "scripts" / "lib" / "settings_page.py"], capture_output=True, text=True, check=True
    ).stdout
    remedy = "write it anew: .venv/bin/python scripts/lib/settings_page.py > docs/settings.md"
    assert made == (ROOT / "docs" / "settings.md").read_text("utf-8"), remedy
    for name in Settings.model_fields:
        assert re.search(rf"^\| `(INNOMAP_)?{name.upper()}` \|", made, re.M), name


def test_the_container_and_compose_name_settings_that_there_are() -> None:
    known = names() | OF_DEPLOYMENT
    for path in [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), ROOT / "compose.yaml", ROOT / "Dockerfile"]:
        for name in re.findall(r"\bINNOMAP_[A-Z_]*[A-Z]\b(?!…|_)", path.read_text("utf-8")):
            assert name in known, f"{path.name}: {name}"
