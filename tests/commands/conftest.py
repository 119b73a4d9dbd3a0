"""Running the command on a database of this test."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app.cli import main
from app.commands.doctor import CHECKS
from app.commands.doctor.findings import Patient, examine
from app.settings import Settings, get_settings

Innomap = Callable[..., Result]


@pytest.fixture
def innomap(monkeypatch: pytest.MonkeyPatch) -> Innomap:
    """A function that runs the command on a database."""

    def run(url: sa.URL, *arguments: str) -> Result:
        monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
        get_settings.cache_clear()
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    get_settings.cache_clear()
    return run


def look(name: str, settings: Settings, url: sa.URL | None = None, **given: int) -> list[tuple[str, str]]:
    """What one check of the doctor, by name, finds under some settings: levels and texts."""
    (check,) = [one for one in CHECKS if one.name == name]
    with ExitStack() as stack:
        patient = Patient(settings, stack, url=url, current=url is not None, **given)
        return [(one.level, one.text) for one in examine(check, patient)]
