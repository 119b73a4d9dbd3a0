"""Connections that wake their program once a statement do what the driver's own do."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from app.db import waiting
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


async def prepared(connection: Connection) -> int:
    return int(await one(connection, "SELECT count(*) FROM pg_prepared_statements"))


async def found(connection: Connection, statement: str, *values: Any) -> str:
    """The first value of an answer to a statement that is prepared, as the server wrote it."""
    answer = await connection.ask(statement, values, False, prepare=True)
    return (answer.get_value(0, 0) or b"").decode()


@pytest.mark.parametrize(
    ("sort", "value"),
    [
        ("text", "嘉兴 $1 '\\"), ("boolean", True), ("integer", -5), ("bigint", 1 << 40), ("numeric", 1 << 70),
        ("double precision", 0.1), ("double precision", float("-inf")), ("numeric", Decimal("0.10")), ("text", None),
        ("date", date(2019, 1, 2)), ("text[]", ["一", "二,"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("prepare", [True, False])
def test_values_arrive_as_the_driver_has_them(database_url: sa.URL, sort: str, value: Any, prepare: bool) -> None:
    async def ask(connection: Connection) -> Any:
        answer = await connection.ask(f"SELECT $1::{sort}", [value], False, prepare=prepare)
        return answer.get_value(0, 0)

    async def driver(connection: Connection) -> Any:
        cursor = await connection.execute(f"SELECT %s::{sort}", [value])
        return cursor.pgresult and cursor.pgresult.get_value(0, 0)

    assert asked(database_url, ask) == asked(database_url, driver)


def test_a_number_is_not_cut_to_the_type_of_another(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> list[str]:
        return [await found(connection, "SELECT 2 < $1", value) for value in (2, 2.5, 1 << 40)]

    assert asked(database_url, ask) == ["f", "t", "t"]


def test_a_statement_is_prepared_once_and_stays_so(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> int:
        for _ in range(3):
            await found(connection, "SELECT $1", "some")
            async with connection.transaction(force_rollback=True):
                await found(connection, "SELECT $1", "some")
        return await prepared(connection)

    assert asked(database_url, ask) == 1


def test_a_statement_is_prepared_when_it_is_asked_often(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> list[int]:
        counts = []
        for _ in range(waiting.OFTEN + 1):
            await connection.ask("SELECT $1", ["some"], False)
            counts.append(await prepared(connection))
        return counts

    assert asked(database_url, ask) == [0] * waiting.OFTEN + [1]


def test_the_first_statement_begins_a_transaction(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> list[str]:
        await connection.set_autocommit(False)
        seen = [await found(connection, "SELECT txid_current()") for _ in range(2)]
        await connection.rollback()
        return [*seen, await found(connection, "SELECT txid_current()")]

    first, second, after = asked(database_url, ask)
    assert first == second != after


def test_so_many_statements_are_prepared_at_most(database_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_PREPARED", 3)

    async def ask(connection: Connection) -> int:
        for _ in range(2):
            for number in range(5):
                assert await found(connection, f"SELECT {number}") == str(number)
        return await prepared(connection)

    assert asked(database_url, ask) == 3


def test_a_prepared_statement_is_answered_from_a_table_that_is_another_now(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> list[str]:
        await connection.execute("CREATE TEMPORARY TABLE changing AS SELECT 1 AS value")
        before = await found(connection, "SELECT value FROM changing")
        await connection.execute("ALTER TABLE changing ALTER value TYPE text USING 'one'")
        return [before, *[await found(connection, "SELECT value FROM changing") for _ in range(2)]]

    assert asked(database_url, ask) == ["1", "one", "one"]


def test_a_refused_statement_is_an_error_and_the_next_is_answered(database_url: sa.URL) -> None:
    async def ask(connection: Connection) -> str:
        for _ in range(2):
            with pytest.raises(psycopg.errors.DivisionByZero):
                await found(connection, "SELECT 1 / $1::integer", 0)
        with pytest.raises(psycopg.errors.UndefinedTable):
            await found(connection, "SELECT * FROM nowhere")
        return await found(connection, "SELECT 2")

    assert asked(database_url, ask) == "2"


def test_one_that_ends_unasked_leaves_its_sockets_number_to_another(database_url: sa.URL) -> None:
    """Whoever goes on watching a number that is another's by now hears nothing of that one."""
    address = database_url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def ask(connection: Connection) -> str:
        for _ in range(3):
            other = await Connection.connect(address, autocommit=True)
            number = other.fileno()
            pid = await found(other, "SELECT pg_backend_pid()")
            await found(connection, "SELECT pg_terminate_backend($1::integer)::text", int(pid))
            with pytest.raises(psycopg.OperationalError):
                await found(other, "SELECT 1")
            assert other.closed
            async with await Connection.connect(address, autocommit=True) as next_one:
                assert next_one.fileno() == number
                assert await found(next_one, "SELECT 3") == "3"
            await other.close()
        return await found(connection, "SELECT 2")

    assert asked(database_url, ask) == "2"
