"""Connections of the driver's that wake their program once a statement.

A server sends what it found 8 kB at a time. The driver wakes the coroutine that asked at every piece, and with it all
that wait for that one, through every layer around an answer: a hundred times for a page of 900 kB. Here each piece is
taken in as it comes, as much at once as is there, and the coroutine goes on when the answer is whole.
"""

import asyncio
import math
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready, Wait

Found = TypeVar("Found")
#: Seconds that a server has to end a statement nobody waits for any more; then the connection is closed.
CANCELLED_S = 5.0
#: Bytes that a connection takes in at once, where so many are there; by itself it takes 16,384.
ROOM = 250_000


class Connection(psycopg.AsyncConnection[Any]):
    """A connection that waits in a way of its own."""

    @classmethod
    async def connect(cls, *given: Any, **named: Any) -> Self:
        """A connection that has room for much of an answer, so that it is taken in at few times."""
        made = await super().connect(*given, **named)
        try:
            # a buffer grows to hold one row, and stays
            await made.execute(f"SELECT repeat(' ', {ROOM})")
            await made.rollback()
        except BaseException:
            await made.close()
            raise
        return made

    async def wait(self, gen: PQGen[Found], interval: float = math.inf, timeout: float | None = None) -> Found:
        """The result of one of the driver's generators, which say whether they want to read or to write.

        A coroutine that is cancelled ends its statement, and leaves the connection fit for another. Who looks up every
        so often, or waits for so long only, does that as the driver does.
        """
        if timeout is not None or interval != math.inf:
            return await super().wait(gen, interval, timeout)
        try:
            wanted = next(gen)
        except StopIteration as end:
            at_once: Found = end.value
            return at_once
        driven = _Driven(gen, self.pgconn.socket, wanted)
        try:
            found: Found = await driven.done
        except asyncio.CancelledError:
            if not driven.ended:
                driven.watch(0)
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


class _Driven:
    """A generator that goes on whenever the socket is as it wants it, in no coroutine; ``done`` gives its result."""

    def __init__(self, gen: PQGen[Any], socket: int, wanted: Wait) -> None:
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[Any] = self._loop.create_future()
        self.ended = False
        self._gen, self._socket, self._watched = gen, socket, 0
        self.watch(wanted)

    def watch(self, wanted: int) -> None:
        """Go on when the socket can be read (``Wait.R``), or written to (``Wait.W``), or at nothing."""
        changed = self._watched ^ wanted
        self._watched = wanted
        if changed & Wait.R:
            if wanted & Wait.R:
                self._loop.add_reader(self._socket, self._go_on, Ready.R)
            else:
                self._loop.remove_reader(self._socket)
        if changed & Wait.W:
            if wanted & Wait.W:
                self._loop.add_writer(self._socket, self._go_on, Ready.W)
            else:
                self._loop.remove_writer(self._socket)

    def _go_on(self, ready: Ready) -> None:
        try:
            wanted = self._gen.send(ready)
        except StopIteration as end:
            self._end()
            if not self.done.done():
                self.done.set_result(end.value)
        except BaseException as error:
            self._end()
            if not self.done.done():
                self.done.set_exception(error)
        else:
            if wanted != self._watched:
                self.watch(wanted)

    def _end(self) -> None:
        self.ended = True
        self.watch(0)
