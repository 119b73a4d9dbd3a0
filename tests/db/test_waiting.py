"""Connections that wake their program once a statement do what the driver's own do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from app.db.waiting import Connection
from tests.conftest import PATIENCE_S

#: More than a socket takes at once, either way.
LARGE = 5_000_000


def asked(url: sa.URL, ask: Callable[[Connection], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        async with await Connection.connect(address, autocommit=True) as connection:
            return await asyncio.wait_for(ask(connection), PATIENCE_S)

    return asyncio.run(run())


async def one(connection: Connection, statement: str, *values: Any) -> Any:
    row = await (await connection.execute(statement, values)).fetchone()
    return row and row[0]


def test_much_is_sent_and_received(database_url: sa.URL) -> None:
    text = "嘉" * (LARGE // 3)
    assert asked(database_url, lambda connection: one(connection, "SELECT %s", text)) == text


def test_the_coroutine_goes_on_once_however_much_there_is(database_url: sa.URL) -> None:
    """Counted by a loop that only the waiting coroutine and what it takes in keep turning."""

    class Counted:
        """An awaitable that counts how often what it waits for is gone on with."""

        def __init__(self, awaited: Awaitable[Any]) -> None:
            self.awaited, self.times = awaited, 0

        def __await__(self) -> Any:
            inner = self.awaited.__await__()
            while True:
                try:
                    waits_for = inner.send(None)
                except StopIteration as end:
                    return end.value
                self.times += 1
                yield waits_for

    async def ask(connection: Connection) -> int:
        counted = Counted(one(connection, "SELECT repeat('x', %s)", LARGE))
        assert len(await counted) == LARGE
        return counted.times

    assert asked(database_url, ask) <= 2


def test_an_error_is_raised_and_the_next_statement_answered(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> Any:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await one(connection, "SELECT 1 / %s", 0)
        return await one(connection, "SELECT 2")

    assert asked(database_url, ask) == 2


def test_a_cancelled_statement_ends_and_the_next_is_answered(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> Any:
        asleep = asyncio.create_task(one(connection, "SELECT pg_sleep(3600)"))
        await asyncio.sleep(0.1)
        asleep.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asleep
        return await one(connection, "SELECT 2")

    assert asked(database_url, ask) == 2


def test_a_lost_connection_is_told(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> None:
        with pytest.raises(psycopg.OperationalError):
            await one(connection, "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(3600)")
        assert connection.closed

    asked(database_url, ask)


def test_notifications_come_and_are_waited_for_so_long_only(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> list[str]:
        await connection.execute("LISTEN here")
        assert [one async for one in connection.notifies(timeout=0.2)] == []
        await connection.execute("NOTIFY here, 'came'")
        return [one.payload async for one in connection.notifies(timeout=PATIENCE_S, stop_after=1)]

    assert asked(database_url, ask) == ["came"]
