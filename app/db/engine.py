"""Connections. A request reads in one read-only transaction with a time limit, as a role that can only read where the
server has one (``db.roles``); those who write have a pool apart.

Where there are standbys, ``app.db.standbys`` chooses the server.
"""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, event, func, select, text
from sqlalchemy.engine.interfaces import DBAPIConnection, Dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.db import roles
from app.db.server import normalise
from app.db.slow import tell_slow
from app.db.standbys import Readers, Source
from app.db.verbatim import POOLED
from app.db.waiting import Connection
from app.settings import Settings

#: How long the drivers wait for a server: seconds for a connection, milliseconds until what was sent is confirmed. A
#: standby has others beside it.
PRIMARY = {"connect_timeout": 10}
STANDBY = {"connect_timeout": 2, "tcp_user_timeout": 5_000}
#: Seconds in which a kept connection must answer before it is used again, and for which it is trusted after that.
SILENT_S = 2.0
TRUSTED_S = 1.0


def reader(
    url: URL, settings: Settings, waits: Mapping[str, int] = PRIMARY, *, pooled: bool = False, role: str | None = None
) -> AsyncEngine:
    """A pool of connections that can only read, as the login or as a role that it becomes.

    A statement alone is in no transaction, which would cost as much again; but what limits a pooler's connection lasts
    as long as one.
    """
    limits = {"transaction_read_only" if pooled else "default_transaction_read_only": "on"}
    if role:
        limits["role"] = role
    alone = {} if pooled else {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}
    return _engine(url, settings, settings.pool_size, limits, waits, pooled, **alone)


def readers(url: URL, settings: Settings) -> Readers:
    """The pools that answer reads: of the primary, and of each standby that the settings name.

    Raises ``SQLAlchemyError`` where the primary cannot be reached.
    """
    standbys = [normalise(one.get_secret_value(), "DATABASE_REPLICA_URLS") for one in settings.database_replica_urls]
    how = roles.reading(url)
    through, pooled = _way(url, settings)
    if pooled:
        # a pooler knows the login that the setting names and no other
        primary = reader(through, settings, pooled=True, role=roles.READER if how.restricted else None)
    else:
        primary = reader(how.url, settings, role=how.role)
    # on a standby nobody can write
    return Readers(primary, [reader(one, settings, STANDBY) for one in standbys])


def writer(url: URL, settings: Settings) -> AsyncEngine:
    """A pool of connections for edits; one that waits for another's lock gives up when a statement would."""
    through, pooled = _way(url, settings)
    limits = {"lock_timeout": str(settings.statement_timeout_ms)}
    return _engine(through, settings, settings.write_pool_size, limits, PRIMARY, pooled)


def _way(url: URL, settings: Settings) -> tuple[URL, bool]:
    """The address by which requests reach the database, and whether it is a pooler's."""
    if settings.database_pool_url is None:
        return url, False
    return normalise(settings.database_pool_url.get_secret_value(), "DATABASE_POOL_URL"), True


def _engine(
    url: URL, settings: Settings, size: int, more: Mapping[str, str], waits: Mapping[str, int], pooled: bool, **how: Any
) -> AsyncEngine:
    """Connections that are tried before use: one that died is replaced."""
    limits = {
        "statement_timeout": str(settings.statement_timeout_ms),
        "jit": "off",
        "timezone": "UTC",
        # a statement whose program was killed, or could not cancel it, ends as well
        "client_connection_check_interval": "2s",
        **more,
    }
    # behind a pooler each transaction may have another connection to the server: what is set lasts as long as it does
    own = {} if pooled else {"options": " ".join(f"-c {n}={v}" for n, v in limits.items())}
    engine = create_async_engine(
        url,
        # values are nobody's business in a log
        hide_parameters=True,
        pool_size=size,
        max_overflow=0,
        pool_timeout=settings.statement_timeout_ms / 1000,
        pool_pre_ping=True,
        execution_options={POOLED: pooled},
        connect_args={**own, "application_name": "innomap", "async_creator_fn": Connection.connect, **waits},
        **how,
    )
    _hang_up_when_silent(engine.sync_engine.dialect)
    tell_slow(engine.sync_engine, settings.slow_query_ms)
    if pooled:
        setting = select(*(func.set_config(name, value, True) for name, value in limits.items()))
        event.listen(engine.sync_engine, "begin", lambda connection: connection.execute(setting))
    return engine


def _hang_up_when_silent(dialect: Dialect) -> None:
    """A connection that is tried before use and does not answer in time is lost; one that just did is not tried again.

    A server that was stopped, or whose disk hangs, keeps its connections open and never answers: no time limit of its
    own ends that, nor would the driver's cancelling, which needs the server too.
    """
    ping = dialect.do_ping
    answered: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def do_ping(connection: DBAPIConnection) -> bool:
        driver = connection.driver_connection
        if time.monotonic() - answered.get(driver, float("-inf")) < TRUSTED_S:
            return True
        late = asyncio.get_running_loop().call_later(SILENT_S, _hang_up, driver.fileno())
        try:
            found = ping(connection)
        finally:
            late.cancel()
        answered[driver] = time.monotonic()
        return found

    dialect.do_ping = do_ping  # type: ignore[assignment, method-assign]


def _hang_up(file: int) -> None:
    with socket.socket(fileno=os.dup(file)) as other:
        other.shutdown(socket.SHUT_RDWR)


@asynccontextmanager
async def snapshot(engine: Source) -> AsyncIterator[AsyncConnection]:
    """A connection whose statements all see one state of the data. For one alone ``engine.connect()`` does."""
    async with engine.connect() as connection:
        connection = await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection


async def position(connection: AsyncConnection) -> str:
    """Where the log of a server stands: what was committed before, and seen by this connection, lies behind it."""
    return str(
        await connection.scalar(
            text("SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END")
        )
    )


async def reached(engine: AsyncEngine, wanted: str, seconds: float) -> bool:
    """Whether a server has come to a position of the log, waiting for that long if it follows another server."""
    behind = text("SELECT pg_is_in_recovery() AND pg_last_wal_replay_lsn() < CAST(:wanted AS pg_lsn)")
    deadline = time.monotonic() + seconds
    while True:
        async with engine.connect() as connection:
            if not await connection.scalar(behind, {"wanted": wanted}):
                return True
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.02)
