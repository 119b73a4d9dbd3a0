"""Connections that one request hands on to the next."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.engine import reader
from app.db.spares import Spares
from tests.conftest import PATIENCE_S, settings_for


def tried(url: sa.URL, size: int, attempt: Callable[[AsyncEngine, Spares], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        engine = reader(url, settings_for(url, pool_size=size))
        spares = Spares(engine)
        try:
            return await asyncio.wait_for(attempt(engine, spares), PATIENCE_S)
        finally:
            await spares.give_back()
            await engine.dispose()

    return asyncio.run(run())


async def pid(connection: AsyncConnection) -> int:
    """The server's process, asked as the driver asks: in no transaction."""
    raw = await connection.get_raw_connection()
    assert raw.driver_connection is not None
    (found,) = await (await raw.driver_connection.execute("SELECT pg_backend_pid()")).fetchone()
    return int(found)


def taken(engine: AsyncEngine) -> int:
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.checkedout()


def test_one_is_handed_on_and_goes_back_when_nobody_takes_it(database_url: sa.URL) -> None:
    async def attempt(engine: AsyncEngine, spares: Spares) -> None:
        for _ in range(3):
            async with spares.connect() as connection:
                first = await pid(connection)
        assert taken(engine) == 1
        async with spares.connect() as connection, spares.connect() as other:
            assert await pid(connection) == first != await pid(other)
        while taken(engine):
            await asyncio.sleep(0.01)

    tried(database_url, 5, attempt)


def test_the_pools_last_is_not_kept_from_others(database_url: sa.URL) -> None:
    async def attempt(engine: AsyncEngine, spares: Spares) -> None:
        async with engine.connect():
            async with spares.connect():
                assert taken(engine) == 2
            assert taken(engine) == 1
            async with engine.connect() as another:
                await pid(another)

    tried(database_url, 2, attempt)


def test_after_a_failure_none_is_kept(database_url: sa.URL) -> None:
    async def attempt(engine: AsyncEngine, spares: Spares) -> None:
        async with spares.connect(), spares.connect():
            pass
        assert taken(engine) == 2
        with pytest.raises(ZeroDivisionError):
            async with spares.connect():
                raise ZeroDivisionError
        assert taken(engine) == 0

    tried(database_url, 5, attempt)


def test_one_in_a_transaction_is_not_handed_on(database_url: sa.URL) -> None:
    async def attempt(engine: AsyncEngine, spares: Spares) -> None:
        async with spares.connect() as connection:
            await connection.execute(sa.text("SELECT 1"))
        assert taken(engine) == 0

    tried(database_url, 5, attempt)
