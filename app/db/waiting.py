"""Connections of the driver's that wake their program once a statement, and give answers as the server wrote them.

A server sends what it found 8 kB at a time. The driver wakes the coroutine that asked at every piece, and with it all
that wait for that one, through every layer around an answer: a hundred times for a page of 900 kB. Here each piece is
taken in as it comes, as much at once as is there, and the coroutine goes on when the answer is whole.
"""

import asyncio
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import FeatureNotSupported, error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.waiting import Ready, Wait

Found = TypeVar("Found")
#: Seconds that a server has to end a statement nobody waits for any more; then the connection is closed.
CANCELLED_S = 5.0
#: Bytes that a connection takes in at once, where so many are there; by itself it takes 16,384.
ROOM = 250_000
#: What a socket need not be watched for.
NOTHING = 0
#: Statements that a connection has prepared at most, and times that one is asked before, as the driver does.
MOST_PREPARED, OFTEN = 100, 5
#: Numbers of PostgreSQL's types (``pg_type.oid``); 0 is for the server to find out.
UNKNOWN, BOOLEAN, INTEGER, BIGINT, DOUBLE = 0, 16, 23, 20, 701


class Connection(psycopg.AsyncConnection[Any]):
    """A connection that waits in a way of its own, and keeps what it prepared."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._known: OrderedDict[tuple[str, Sequence[int]], bytes] = OrderedDict()
        # by their hashes: the texts of so many would be megabytes in each of a pool's connections
        self._times: OrderedDict[int, int] = OrderedDict()
        self._names = 0
        # the generator that goes on, in no coroutine, and what waits for its result
        self._driven: PQGen[Any] | None = None
        self._done: asyncio.Future[Any] | None = None
        self._socket, self._watched = -1, NOTHING

    @classmethod
    async def connect(cls, *given: Any, **named: Any) -> Self:
        """A connection that has room for much of an answer, so that it is taken in at few times."""
        # what the driver prepares by itself it forgets at each rollback, and with it all that was prepared
        made = await super().connect(*given, **named, prepare_threshold=None)
        try:
            # a buffer grows to hold one row, and stays
            await made.execute(f"SELECT repeat(' ', {ROOM})")
            await made.rollback()
        except BaseException:
            await made.close()
            raise
        return made

    async def ask(self, statement: str, values: Sequence[Any], binary: bool, prepare: bool | None = None) -> PGresult:
        """The answer to a statement that reads, as it came; its values stand for ``$1``, ``$2`` and so on.

        It is prepared at once, or never, or as the driver has it when it was asked often. The driver's cursors take
        three times as long about it. Raises ``psycopg.Error``.
        """
        if not self.autocommit and self.pgconn.transaction_status == TransactionStatus.IDLE:
            # the first statement of a transaction begins it, which the driver does by itself for its own
            await self.execute("SELECT")
        texts, types = _dumped(self, values)
        known = (statement, types)
        send = self.pgconn
        try:
            if not (self._often(known) if prepare is None else prepare):
                return await self._sent(send.send_query_params, statement.encode(), texts, types, result_format=binary)
            if known not in self._known:
                await self._prepare(known)
            self._known.move_to_end(known)
            return await self._sent(send.send_query_prepared, self._known[known], texts, result_format=binary)
        except FeatureNotSupported:
            # a table is not what it was when the statement was prepared
            if self._known.pop(known, None) is None or self.pgconn.transaction_status != TransactionStatus.IDLE:
                raise
        return await self.ask(statement, values, binary, prepare=False)

    def _often(self, known: tuple[str, Sequence[int]]) -> bool:
        asked = hash(known)
        times = self._times.pop(asked, 0) + 1
        self._times[asked] = times
        if len(self._times) > MOST_PREPARED:
            self._times.popitem(last=False)
        return times > OFTEN

    async def _prepare(self, known: tuple[str, Sequence[int]]) -> None:
        if len(self._known) >= MOST_PREPARED:
            _, name = self._known.popitem(last=False)
            await self._sent(self.pgconn.send_query, b"DEALLOCATE " + name)
        statement, types = known
        self._names += 1
        name = f"innomap_{self._names}".encode()
        await self._sent(self.pgconn.send_prepare, name, statement.encode(), types)
        self._known[known] = name

    async def _sent(self, send: Callable[..., None], *given: Any, **named: Any) -> PGresult:
        """Send something, and the answer to it."""
        try:
            send(*given, **named)
        except BaseException:
            self._watch(NOTHING)
            raise
        result: PGresult = (await self.wait(execute(self.pgconn)))[-1]
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result, self.info.encoding)
        return result

    async def wait(self, gen: PQGen[Found], interval: float = math.inf, timeout: float | None = None) -> Found:
        """The result of one of the driver's generators, which say whether they want to read or to write.

        A coroutine that is cancelled ends its statement, and leaves the connection fit for another. Who looks up every
        so often, or waits for so long only, does that as the driver does.
        """
        if timeout is not None or interval != math.inf:
            self._watch(NOTHING)
            return await super().wait(gen, interval, timeout)
        try:
            wanted = next(gen)
        except StopIteration as end:
            at_once: Found = end.value
            return at_once
        except BaseException:
            self._watch(NOTHING)
            raise
        self._driven, self._done = gen, asyncio.get_running_loop().create_future()
        self._watch(wanted)
        try:
            found: Found = await self._done
        except asyncio.CancelledError:
            if self._driven is gen:
                self._driven = None
                self._watch(NOTHING)
                await self._cancel(gen)
            raise
        return found

    async def _cancel(self, gen: PQGen[Any]) -> None:
        """Have the server end what it does, and hear it say so."""
        try:
            await self.cancel_safe(timeout=CANCELLED_S)
            await super().wait(gen, timeout=CANCELLED_S)
        except psycopg.errors.QueryCanceled:
            pass
        except BaseException as error:
            # nobody knows what the server will say next
            self.pgconn.finish()
            if not isinstance(error, psycopg.Error):
                raise

    async def close(self) -> None:
        """Close it, which leaves its socket's number to another."""
        self._watch(NOTHING)
        await super().close()

    def _watch(self, wanted: int) -> None:
        """Go on when the socket can be read (``Wait.R``), or written to (``Wait.W``), or at nothing.

        A connection is watched for what it can read from one statement to the next: to begin and to end that takes as
        long as half of what the driver does. Nobody but it may close its socket while it is.
        """
        changed = self._watched ^ wanted
        if not changed:
            return
        if self._watched == NOTHING:
            # when the server closed it, it is not the connection's any more
            self._socket = self.pgconn.socket
        self._watched = wanted
        loop = asyncio.get_running_loop()
        if changed & Wait.R:
            if wanted & Wait.R:
                loop.add_reader(self._socket, self._go_on, Ready.R)
            else:
                loop.remove_reader(self._socket)
        if changed & Wait.W:
            if wanted & Wait.W:
                loop.add_writer(self._socket, self._go_on, Ready.W)
            else:
                loop.remove_writer(self._socket)

    def _go_on(self, ready: Ready) -> None:
        driven, done = self._driven, self._done
        if driven is None or done is None:
            # the server says something, or goes, and nobody asked: whoever asks next will hear of it
            self._watch(NOTHING)
            return
        try:
            wanted = driven.send(ready)
        except StopIteration as end:
            self._driven = None
            self._watch(self._watched & Wait.R)
            if not done.done():
                done.set_result(end.value)
        except BaseException as error:
            self._driven = None
            self._watch(NOTHING)
            if not done.done():
                done.set_exception(error)
        else:
            self._watch(wanted)


def _dumped(connection: Connection, values: Sequence[Any]) -> tuple[Sequence[Any], Sequence[int]]:
    """Values as text, and their types as the driver has them."""
    texts: list[bytes | None] = []
    types: list[int] = []
    for value in values:
        if value is None or isinstance(value, str):
            texts.append(None if value is None else value.encode())
            types.append(UNKNOWN)
        elif isinstance(value, bool):
            texts.append(b"t" if value else b"f")
            types.append(BOOLEAN)
        elif isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
            texts.append(b"%d" % value)
            types.append(INTEGER if -(1 << 31) <= value < 1 << 31 else BIGINT)
        elif isinstance(value, float):
            texts.append(repr(value).encode())
            types.append(DOUBLE)
        else:
            driver = Transformer(connection)
            return driver.dump_sequence(values, [PyFormat.TEXT] * len(values)), driver.types or ()
    return texts, tuple(types)
