"""What the database says of its layers' versions, as it pushes it: the reason why a kept answer may be given again."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator

from sqlalchemy import NullPool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.queries.versions import State, state

#: What the trigger on ``layer_version`` notifies.
CHANNEL = "innomap_version"
#: Seconds between two looks at the versions, whether or not a notification came: those of a lost connection, or of
#: one that a pooler shares, never come.
POLL_S = 1.0
#: Seconds that the last look stays believed; no kept answer is older than this, whatever happens to the database.
BOUND_S = 2.5
log = logging.getLogger("innomap")


class Watch:
    """The newest known state of all layers in one database.

    One connection of its own listens; ``refresh`` looks at once.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        # outside the pool: it is held for good
        self._engine = create_async_engine(
            engine.url, poolclass=NullPool, isolation_level="AUTOCOMMIT",
            connect_args={"application_name": "innomap watch", "connect_timeout": 10},
        )  # fmt: skip
        self._known: State | None = None
        self._looked = float("-inf")

    def holds(self, seen: State) -> bool:
        """Whether what was read in a state is still what the database has."""
        known = self._known
        return (
            known is not None
            and time.monotonic() - self._looked <= BOUND_S
            and known.epoch == seen.epoch
            and all(known.versions.get(layer, 0) == version for layer, version in seen.versions.items())
        )

    async def refresh(self, connection_of: AsyncEngine) -> None:
        """Look now, on a connection of a pool: after a write, so that the writer reads what it wrote."""
        try:
            async with connection_of.connect() as connection:
                await self._look(connection)
        except SQLAlchemyError:
            # what is not known is not believed
            self._looked = float("-inf")

    async def _look(self, connection: AsyncConnection) -> None:
        began = time.monotonic()
        found = await state(connection)
        # of two looks at once the one that began later knows more
        if began > self._looked:
            self._known, self._looked = found, began

    async def _listen(self) -> None:
        async with self._engine.connect() as connection:
            await connection.execute(text(f"LISTEN {CHANNEL}"))
            driver = (await connection.get_raw_connection()).driver_connection
            if driver is None:
                raise ConnectionError("the connection was lost")
            while True:
                await self._look(connection)
                async for _ in driver.notifies(timeout=POLL_S, stop_after=1):
                    pass

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except (SQLAlchemyError, OSError) as error:
                log.warning("watch on the data's version lost: %s", type(error).__name__)
            await asyncio.sleep(POLL_S)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens for as long as the context lasts."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self._engine.dispose()
