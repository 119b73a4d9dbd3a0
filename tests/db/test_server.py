"""Which database the program gets: the private cluster, or the server that ``DATABASE_URL`` names."""

import logging
import shutil
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.db import server
from app.db.embedded import Cluster, DatabaseUnsuitable, cluster
from app.db.server import database
from app.settings import Settings
from tests.db import in_memory

SECRET = "geh@im/?"  # noqa: S105


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    """A cluster that plays the server somebody else runs."""
    folder = in_memory()
    with cluster(folder / "data", fast=True) as started:
        yield started
    shutil.rmtree(folder)


def settings(address: sa.URL | str) -> Settings:
    text = address if isinstance(address, str) else address.render_as_string(hide_password=False)
    return Settings(DATABASE_URL=text)


def bare(running: Cluster, name: str) -> sa.URL:
    """A database without extensions, owned by the application's role."""
    return running.create_database(name, template="template0")


def scalar(url: sa.URL, statement: str) -> object:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        return connection.scalar(sa.text(statement))


def test_without_an_address_the_private_cluster_serves(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("INNOMAP_DATABASE_URL", raising=False)
    data = Path(str(running.url().query["host"])).parents[1]
    with database(Settings(data_dir=data)) as url:
        assert url == running.url()
        assert scalar(url, "SELECT postgis_lib_version() >= '3.3'") is True


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_an_address_with_any_usual_scheme_is_used(running: Cluster, scheme: str) -> None:
    running.drop_database("named")
    named = running.create_database("named")
    with database(settings(named.set(drivername=scheme))) as url:
        assert url.drivername == "postgresql+psycopg"
        assert scalar(url, "SELECT current_database()") == "named"


@pytest.mark.parametrize("address", ["mysql://u:geheim@h/d", "postgresql+asyncpg://u:geheim@h/d", "u:geheim@h", "//"])
def test_what_is_no_postgresql_address_is_refused(address: str) -> None:
    with pytest.raises(DatabaseUnsuitable, match="postgresql://user:password@host/database") as refused:
        server.normalise(address)
    assert "geheim" not in str(refused.value)


def test_missing_extensions_are_created_by_a_role_that_may(running: Cluster) -> None:
    url = bare(running, "superuser_owned").set(username="postgres")
    with database(settings(url)) as usable:
        assert scalar(usable, "SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql'") == 3


def test_programs_that_start_at_once_do_not_disturb_each_other(running: Cluster) -> None:
    url = bare(running, "at_once").set(username="postgres")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(server.check, [url] * 8))
    assert scalar(url, "SELECT ST_AsText('POINT(1 2)'::geometry)") == "POINT(1 2)"


def test_a_role_that_may_not_create_postgis_is_told_who_can(running: Cluster) -> None:
    words = r"permission denied.*let a superuser run CREATE EXTENSION postgis"
    with (
        pytest.raises(DatabaseUnsuitable, match=words) as refused,
        database(settings(bare(running, "not_allowed"))),
    ):
        pass
    assert "not_allowed" in str(refused.value)


def test_an_old_server_is_refused(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    major = scalar(running.url(), "SELECT current_setting('server_version_num')::int / 10000")
    monkeypatch.setattr(server, "MIN_POSTGRESQL", int(str(major)) + 1)
    with pytest.raises(DatabaseUnsuitable, match=f"is PostgreSQL {major}, but"), database(settings(running.url())):
        pass


def test_an_old_postgis_is_refused(running: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    have = scalar(running.url(), "SELECT extversion FROM pg_extension WHERE extname = 'postgis'")
    monkeypatch.setattr(server, "MIN_POSTGIS", (99, 0))
    with (
        pytest.raises(DatabaseUnsuitable, match=f"PostGIS {have}, but 99.0 or newer is needed"),
        database(settings(running.url())),
    ):
        pass


def test_a_server_that_does_not_answer_is_refused_without_its_password(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = sa.URL.create("postgresql", "planner", SECRET, database="plan", query={"host": str(tmp_path)})
    with pytest.raises(DatabaseUnsuitable, match="check the address") as refused, database(settings(url)):
        pass
    told = caplog.text + repr(settings(url)) + "".join(traceback.format_exception(refused.value))
    assert "geh" not in told


def test_a_refused_login_is_told_without_the_password(running: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = running.url().set(username="stranger", password=SECRET)
    with pytest.raises(DatabaseUnsuitable, match="authentication failed") as refused, database(settings(url)):
        pass
    assert "geh" not in caplog.text + "".join(traceback.format_exception(refused.value))
