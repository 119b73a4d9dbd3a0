"""Running the command on a database of this test."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app.cli import main
from app.settings import get_settings

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
