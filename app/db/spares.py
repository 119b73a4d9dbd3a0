"""Connections on which one statement is asked after the other, each alone: handed on by a request that is done to the
next one, instead of being given back to the pool and taken out again, which takes as long as asking does."""

import asyncio
from collections import deque
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

#: Seconds after which one that nobody took goes back to the pool; less than the pool trusts one without a trial.
UNUSED_S = 0.2


class Spares:
    """The spare connections of one pool. They are out of it, so none is kept while it has no other to give."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._spare: deque[tuple[AsyncConnection, float]] = deque()
        self._looking: asyncio.Task[None] | None = None

    def connect(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for statements that are in no transaction and leave nothing behind."""
        return _Lent(self)

    async def take(self) -> AsyncConnection:
        """The spare connection that was used last, or one of the pool."""
        return self._spare.pop()[0] if self._spare else await self._engine.connect()

    async def give(self, connection: AsyncConnection, failed: bool) -> None:
        """Keep a connection for the next, or give it back; after a failure all, which may be lost as well."""
        pool = self._engine.pool
        others = isinstance(pool, QueuePool) and pool.checkedout() < pool.size()
        if failed or not others or connection.in_transaction():
            # as at the end of its own context, which a cancelled request does not cut short
            await connection.__aexit__(None, None, None)
            if failed:
                await self.give_back()
            return
        loop = asyncio.get_running_loop()
        self._spare.append((connection, loop.time()))
        if self._looking is None or self._looking.done():
            self._looking = loop.create_task(self._look())

    async def _look(self) -> None:
        while self._spare:
            await asyncio.sleep(UNUSED_S)
            await self.give_back(UNUSED_S)

    async def give_back(self, unused: float = 0) -> None:
        """Give back the connections that nobody took for so many seconds."""
        since = asyncio.get_running_loop().time() - unused
        while self._spare and self._spare[0][1] <= since:
            connection, _ = self._spare.popleft()
            await connection.close()


class _Lent(AbstractAsyncContextManager[AsyncConnection]):
    def __init__(self, spares: Spares) -> None:
        self._spares = spares

    async def __aenter__(self) -> AsyncConnection:
        self._connection = await self._spares.take()
        return self._connection

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self._spares.give(self._connection, failed=error is not None)
