"""Answers as the server wrote them: the hot path's way to the database.

SQLAlchemy writes a statement and gives the connection, the driver asks it there, and values stay the bytes that came
until somebody wants them read. A short statement takes a fifth of the time that it does through SQLAlchemy's results,
and a page of features is not decoded only to be encoded again.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult
from sqlalchemy.dialects.postgresql.psycopg import dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.slow import SLOW, Slow
from app.db.waiting import Connection

#: Engine option: the connections are a pooler's.
POOLED = "innomap_pooled"
#: Values by number, which the driver sends as they are instead of looking for them in the statement.
NUMBERED = dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
#: Lists of values are written out.
EXPANDED = {"render_postcompile": True}
NOTHING: Mapping[str, Any] = {}
#: True. A statement that says so is not divided among workers of the server, which take longer to start than a page or
#: a tile to make; to be evaluated once.
ALONE = sa.func.set_config("max_parallel_workers_per_gather", "0", sa.true()) == "0"


class Answer:
    """The rows of a statement."""

    def __init__(self, connection: Connection, result: PGresult) -> None:
        self._connection, self._result = connection, result

    def __len__(self) -> int:
        return self._result.ntuples

    def column(self, number: int, first: int, last: int) -> list[bytes]:
        """A column of text from the row ``first`` to the one before ``last``, NULL as empty."""
        value = self._result.get_value
        return [value(row, number) or b"" for row in range(first, last)]

    def text(self, row: int, column: int) -> str:
        """A value of text."""
        return (self._result.get_value(row, column) or b"").decode()

    def row(self, number: int) -> Sequence[Any]:
        """One row, its values read."""
        reading = Transformer(self._connection)
        reading.set_pgresult(self._result)
        found: Sequence[Any] = reading.load_row(number, tuple) or ()
        return found


@dataclass(frozen=True)
class Written:
    """A statement as the driver takes it: ``names`` of its values in the order of their numbers, and those of them that
    are always the same. Where a statement has parameters without a value, whoever asks gives these.

    It is prepared at once, or never, so that it is planned for the values it has each time, which takes the server a
    tenth of a millisecond or two, or, where ``prepare`` is ``None``, when it is asked often.
    """

    statement: sa.ClauseElement
    text: str
    names: Sequence[str]
    known: Mapping[str, Any]
    prepare: bool | None


def write(statement: sa.ClauseElement, prepare: bool | None = None) -> Written:
    """Write a statement, which takes longer than most take to answer: worth keeping."""
    compiled = statement.compile(dialect=NUMBERED, compile_kwargs=EXPANDED)
    open_ = {name for name, one in getattr(compiled, "binds", {}).items() if one.required}
    known = {name: value for name, value in compiled.params.items() if name not in open_}
    return Written(statement, str(compiled), getattr(compiled, "positiontup", None) or (), known, prepare)


async def ask(
    connection: AsyncConnection, written: Written, given: Mapping[str, Any] = NOTHING, binary: bool = False
) -> Answer:
    """The answer to a statement that reads; ``binary`` as the server keeps it, where as text it would be longer.

    Raises ``DBAPIError`` as SQLAlchemy does.
    """
    pooled = connection.sync_engine.get_execution_options().get(POOLED)
    if pooled and not connection.in_transaction():
        await connection.begin()
    proxied = connection.sync_connection
    driver = proxied.connection.driver_connection if proxied else None
    if not isinstance(driver, Connection):
        raise ConnectionError("the connection was lost")
    values = {**written.known, **given}
    began = time.perf_counter()
    try:
        prepare = False if pooled else written.prepare
        found = await driver.ask(written.text, [values[name] for name in written.names], binary, prepare=prepare)
    except psycopg.Error as error:
        if driver.closed:
            # SQLAlchemy finds out by itself what follows from a lost connection
            await connection.scalar(sa.select(1))
        await _tell(connection, written, values, began, error)
        raise DBAPIError.instance(
            written.text, None, error, psycopg.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
    await _tell(connection, written, values, began)
    return Answer(driver, found)


async def _tell(
    connection: AsyncConnection,
    written: Written,
    values: Mapping[str, Any],
    began: float,
    error: psycopg.Error | None = None,
) -> None:
    slow: Slow | None = connection.sync_engine.get_execution_options().get(SLOW)
    took = time.perf_counter() - began
    if slow and (error or slow.is_slow(took)):
        text = str(written.statement.compile(dialect=connection.dialect, compile_kwargs=EXPANDED))
        await connection.run_sync(slow.tell, took, text, values, error)
