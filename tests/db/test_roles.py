"""Questions are asked by a role that can only read, and does not see the keys."""

import asyncio
from collections.abc import Iterable

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.errors import InsufficientPrivilege

from app.db import roles
from app.db.engine import readers, snapshot
from app.db.migrate import upgrade
from app.queries.rights import can_only_read
from tests.conftest import Server, connect, http, served, settings_for

#: What somebody would try who found a way to have a statement of his own run where questions are asked.
WRITES = (
    "DELETE FROM platform",
    "UPDATE platform SET name = 'x'",
    "INSERT INTO layer_version (layer, version) VALUES ('x', 1)",
    "TRUNCATE platform CASCADE",
    "DROP TABLE platform CASCADE",
    "CREATE TABLE public.more (id int)",
    "ALTER TABLE platform ADD COLUMN more int",
    "ALTER TABLE platform OWNER TO innomap_reader",
    "CREATE ROLE more SUPERUSER",
    "SELECT setval(pg_get_serial_sequence('change', 'id'), 1)",
    "COPY platform TO PROGRAM 'cat'",
    "SELECT pg_read_file('/etc/passwd')",
)
SECRETS = ("SELECT hash FROM api_key", "TABLE api_key", "SELECT query_to_xml('TABLE api_key', true, false, '')")
#: Ways back to the role that owns the tables, in a session that became another.
WAYS_BACK = ("RESET ROLE", "SET ROLE NONE", "SET ROLE innomap", "SET SESSION AUTHORIZATION DEFAULT")


#: The read-only transaction is the first gate; without it the role still is one.
OPENINGS = ("SET TRANSACTION READ WRITE", "COMMIT; BEGIN READ WRITE")


async def outcomes(url: sa.URL, attempts: Iterable[str]) -> dict[str, type[psycopg.Error] | None]:
    """What each attempt, a query of several statements, came to where questions are asked."""
    engine = readers(url, settings_for(url)).primary
    found: dict[str, type[psycopg.Error] | None] = {}
    for attempt in attempts:
        async with engine.connect() as opened:
            driver = (await opened.get_raw_connection()).driver_connection
            assert driver is not None
            try:
                await driver.execute(attempt)
                found[attempt] = None
            except psycopg.Error as error:
                found[attempt] = type(error)
            await opened.invalidate()
    await engine.dispose()
    return found


def test_a_hostile_statement_neither_writes_nor_sees_keys(database_url: sa.URL) -> None:
    found = asyncio.run(outcomes(database_url, (*WRITES, *SECRETS)))
    assert [one for one, error in found.items() if error is None] == []
    opened = [f"{opening}; {one}" for opening in OPENINGS for one in (*WRITES, *SECRETS)]
    # nor is there a way back to the role that owns the tables
    opened += [f"COMMIT; {way}; BEGIN READ WRITE; DELETE FROM platform" for way in WAYS_BACK]  # noqa: S608
    found = asyncio.run(outcomes(database_url, opened))
    assert {one: error for one, error in found.items() if error is not InsufficientPrivilege} == {}
    with connect(database_url).connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM platform"))


def test_all_but_the_keys_is_read(database_url: sa.URL) -> None:
    with connect(database_url).begin() as opened:
        opened.execute(sa.text("CREATE TABLE imported_later (id int)"))
        otherwise = opened.execute(roles.OTHERWISE, {"reader": roles.READER, "hidden": list(roles.HIDDEN)})
        assert otherwise.all() == []
        may = sa.text("SELECT has_table_privilege(:reader, :name, 'SELECT')")
        assert {
            name: opened.scalar(may, {"reader": roles.READER, "name": name})
            for name in ("platform", "imported_later", "api_key")
        } == {"platform": True, "imported_later": True, "api_key": False}


def test_a_login_without_the_role_is_told_of(server: Server, database_url: sa.URL) -> None:
    """A database on somebody else's server, whose login may neither make the role nor become it."""
    with connect(database_url).begin() as opened:
        assert roles.reading(database_url).restricted
        assert asyncio.run(_only_reads(database_url))
    own = server.create_database("innomap_test_alone")
    try:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(roles, "READER", "innomap_nobody")
            with connect(own).connect() as opened:
                upgrade(opened)
            how = roles.reading(own)
            assert (how.url, how.restricted) == (own, False)
            with served(settings_for(own)) as address, http(address) as client:
                assert client.get("/readyz").json()["reads_only"] is False
        # the role is there now, and this database was not prepared for it
        assert not roles.reading(own).restricted
        with connect(own).connect() as opened:
            assert upgrade(opened) is False
        assert roles.reading(own).restricted
        assert asyncio.run(_only_reads(own))
    finally:
        server.drop_database("innomap_test_alone")


async def _only_reads(url: sa.URL) -> bool:
    engine = readers(url, settings_for(url)).primary
    try:
        async with snapshot(engine) as opened:
            return await can_only_read(opened)
    finally:
        await engine.dispose()


def test_a_session_that_became_the_role(database_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a password in the address there is no login of its own: the session becomes the role."""
    monkeypatch.setattr(roles, "_login", lambda url: None)
    how = roles.reading(database_url)
    assert (how.url, how.role, how.restricted) == (database_url, roles.READER, True)
    assert asyncio.run(_only_reads(database_url))
