"""Which server a request reads from: a standby that has what the client may have seen, else the primary.

Positions are those of the database's log (``pg_lsn``), which grow with every change. ``Readers.needed`` is where the
log stood when this process learned of its newest data; a standby answers once it has come that far, and as far as the
client says that it has seen (``Innomap-Token``). A standby that does not answer is left out until it does
again; a request that was reading from it is told (``Reading.lost``), so that it can be asked again of another server.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

import psycopg
from sqlalchemy import NullPool, text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.db.spares import Spares

#: Seconds between two looks at a standby: so long its changes may wait to be read from it.
LOOK_S = 0.25
#: Seconds between two looks while a client waits for what it has seen, and the longest that it does before the primary
#: answers it.
SOON_S = 0.01
WAIT_S = 0.2
#: Seconds that a standby may take to answer such a look.
PATIENCE_S = 2.0
#: SQLSTATE of a read that a standby ended because it had to go on replaying.
CONFLICTS = ("40001", "40P01")
#: What a connection that was lost or refused raises, with SQLAlchemy's wrapping and without.
TROUBLE = (SQLAlchemyError, psycopg.Error, OSError, TimeoutError)
LOOK = text(
    "SELECT pg_is_in_recovery(), CAST(pg_last_wal_replay_lsn() AS text), (pg_control_system()).system_identifier"
)
log = logging.getLogger("innomap")


def lsn(position: str | None) -> int:
    """A position in the log (``16/B374D848``) as a number; 0 for none."""
    high, _, low = (position or "0/0").partition("/")
    return (int(high, 16) << 32) + int(low, 16)


class Source(Protocol):
    """Where connections come from: one server, or several."""

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]: ...


@dataclass(eq=False)
class Reading:
    """What one request reads: the position that its client has seen, and the standby that answers it."""

    needed: int = 0
    standby: "Standby | None" = None
    lost: bool = False


#: The reading of the request that is being answered; without one, the primary is read.
READING: ContextVar[Reading | None] = ContextVar("reading", default=None)


class Standby:
    """A server that follows the primary; ``replayed`` is how far it is known to have come."""

    def __init__(self, engine: AsyncEngine, number: int) -> None:
        self.engine = engine
        self.number = number
        self.up = False
        self.replayed = 0
        self._soon = asyncio.Event()
        self._lent: dict[asyncio.Timeout, Reading] = {}

    def has(self, position: int) -> bool:
        return self.up and self.replayed >= position

    def look_soon(self) -> None:
        """Somebody waits for what the server may have by now."""
        self._soon.set()

    @asynccontextmanager
    async def lent(self, reading: Reading) -> AsyncIterator[None]:
        """While a request reads from it: ended when the server is lost, and told of it."""
        async with asyncio.timeout(None) as limit:
            self._lent[limit] = reading
            try:
                yield
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                reading.lost |= state in CONFLICTS or _is_lost(error, state)
                if _is_lost(error, state):
                    del self._lent[limit]
                    self.leave_out(error)
                raise
            finally:
                self._lent.pop(limit, None)

    def leave_out(self, error: BaseException) -> None:
        """No request reads here until the server has answered again; those that do are ended."""
        if self.up:
            log.warning("standby %d is left out: %s", self.number, type(error).__name__)
        self.up = False
        for limit, reading in self._lent.items():
            reading.lost = True
            limit.reschedule(0)
        self._lent.clear()

    async def keep_looking(self, identity: int) -> None:
        """Look again and again whether the server answers, follows the primary, and how far it has come."""
        while True:
            try:
                await self._look(identity)
            except TROUBLE as error:
                self.leave_out(error)
            await asyncio.sleep(LOOK_S)

    async def _look(self, identity: int) -> None:
        # beside the pool, which may be in use to the last connection
        engine = create_async_engine(
            self.engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT",
            connect_args={"application_name": "innomap standby", "connect_timeout": round(PATIENCE_S)},
        )  # fmt: skip
        async with engine.connect() as connection:
            while True:
                # at once: the driver tries to cancel what is not answered, and waits for that
                late = asyncio.get_running_loop().call_later(PATIENCE_S, self.leave_out, TimeoutError())
                try:
                    async with asyncio.timeout(PATIENCE_S):
                        follows, replayed, found = (await connection.execute(LOOK)).one()
                finally:
                    late.cancel()
                if not follows or found != identity:
                    raise ConnectionError("no standby of this primary")
                self.replayed = lsn(replayed)
                if not self.up:
                    log.warning("standby %d answers reads", self.number)
                self.up = True
                await asyncio.sleep(SOON_S)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._soon.wait(), LOOK_S - SOON_S)
                self._soon.clear()


def _is_lost(error: DBAPIError, state: str | None) -> bool:
    """Whether an error is of a server that went away, rather than of a statement."""
    gone = state is None or state.startswith(("57P", "08"))
    return error.connection_invalidated or (gone and isinstance(error, OperationalError | InterfaceError))


class Readers:
    """The servers that answer reads; without standbys it is the primary alone."""

    def __init__(self, primary: AsyncEngine, standbys: Sequence[AsyncEngine] = ()) -> None:
        self.primary = primary
        self._spares = Spares(primary)
        self.standbys = [Standby(engine, number) for number, engine in enumerate(standbys, start=1)]
        self.needed = 0
        self._turn = 0

    @property
    def engines(self) -> list[AsyncEngine]:
        return [self.primary, *(one.engine for one in self.standbys)]

    @property
    def token(self) -> str:
        """A position that holds everything this process has told of."""
        return f"{self.needed >> 32:X}/{self.needed & 0xFFFFFFFF:X}"

    def need(self, position: str) -> None:
        """From now on a standby answers only if it has come to a position of the log."""
        self.needed = max(self.needed, lsn(position))

    async def answer_from(self, position: str) -> bool:
        """Whether a standby has what the client of this request has seen, or will in a moment.

        No other answers the request from now on.
        """
        reading = READING.get()
        if reading is None:
            return False
        reading.needed = lsn(position)
        deadline = time.monotonic() + WAIT_S
        while self.fit(reading) is None:
            following = [one for one in self.standbys if one.up]
            if not following or time.monotonic() > deadline:
                return False
            for one in following:
                one.look_soon()
            await asyncio.sleep(SOON_S)
        return True

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """What follows may be answered by a standby."""
        mine = Reading()
        token = READING.set(mine)
        try:
            yield mine
        finally:
            READING.reset(token)

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for the request at hand, to a server that has what its client may have seen.

        While the primary is away, a client that brings no token is answered by a standby that lags.
        """
        reading = READING.get()
        return self._chosen(reading) if reading and self.standbys else self.primary.connect()

    def single(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """As ``connect``, for single statements that are in no transaction."""
        reading = READING.get()
        return self._chosen(reading) if reading and self.standbys else self._spares.connect()

    @asynccontextmanager
    async def _chosen(self, reading: Reading) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            yield await self._open(reading, stack)

    async def _open(self, reading: Reading, stack: AsyncExitStack) -> AsyncConnection:
        while (standby := self.fit(reading)) is not None:
            try:
                return await self._lend(standby, reading, stack)
            except TROUBLE as error:
                standby.leave_out(error)
        try:
            return await stack.enter_async_context(self.primary.connect())
        except TROUBLE:
            standby = max((one for one in self.standbys if one.up), key=lambda one: one.replayed, default=None)
            if standby is None or reading.needed:
                raise
            return await self._lend(standby, reading, stack)

    def fit(self, reading: Reading) -> Standby | None:
        """A standby that has what is needed: the one that this request was answered by before, or the next in turn."""
        needed = max(self.needed, reading.needed)
        found = [one for one in self.standbys if one.has(needed)]
        if not found:
            return None
        if reading.standby not in found:
            self._turn += 1
            reading.standby = found[self._turn % len(found)]
        return reading.standby

    @staticmethod
    async def _lend(standby: Standby, reading: Reading, stack: AsyncExitStack) -> AsyncConnection:
        async with AsyncExitStack() as opening:
            await opening.enter_async_context(standby.lent(reading))
            connection = await opening.enter_async_context(standby.engine.connect())
            stack.push_async_exit(opening.pop_all())
        return connection

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Look after the standbys for as long as the context lasts."""
        tasks: list[asyncio.Task[None]] = []
        if self.standbys:
            async with self.primary.connect() as connection:
                identity = await connection.scalar(text("SELECT system_identifier FROM pg_control_system()"))
            tasks = [asyncio.create_task(one.keep_looking(int(identity or 0))) for one in self.standbys]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._spares.give_back()
            for engine in self.engines:
                await engine.dispose()
