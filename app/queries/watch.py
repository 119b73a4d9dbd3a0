"""What the database says of its layers' versions, as it pushes it: the reason why a kept answer may be given again.

After every change it also has features and tiles made ready again (``queries.ready``, ``queries.ready_tiles``).
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Sequence

import psycopg
from sqlalchemy import URL, NullPool, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from app.db.engine import position
from app.db.standbys import Readers
from app.queries import ready, ready_tiles
from app.queries.imported import Imported
from app.queries.versions import State, state

#: What the trigger on ``layer_version`` notifies.
CHANNEL = "innomap_version"
#: Seconds between two looks at the versions, whether or not a notification came: those of a lost connection, or of
#: one that a pooler shares, never come.
POLL_S = 1.0
#: Seconds that the last look stays believed; no kept answer is older than this, whatever happens to the database.
BOUND_S = 2.5
#: Making features ready takes at most this share of the time, however often the data change, and tiles as much.
READY_SHARE = 0.1
#: What a connection that was lost, refused or cannot write raises, with SQLAlchemy's wrapping and without.
TROUBLE = (SQLAlchemyError, psycopg.Error, OSError)
log = logging.getLogger("innomap")


class Watch:
    """The newest known state of all layers in one database.

    One connection of its own listens; ``refresh`` looks at once.
    """

    def __init__(self, readers: Readers, url: URL) -> None:
        self._readers = readers
        # notifications come from the primary alone, and through no pooler; outside the pool: it is held for good
        self._engine = create_async_engine(
            url, poolclass=NullPool, isolation_level="AUTOCOMMIT",
            connect_args={"application_name": "innomap watch", "connect_timeout": 10},
        )  # fmt: skip
        self._known: State | None = None
        self._parts: dict[Sequence[str], State] = {}
        self._looked = float("-inf")
        self._changed = asyncio.Event()
        self._tiles_changed = asyncio.Event()

    def holds(self, seen: State) -> bool:
        """Whether what was read in a state is still what the database has."""
        known = self._known
        return (
            known is not None
            and time.monotonic() - self._looked <= BOUND_S
            and known.epoch == seen.epoch
            and all(known.versions.get(layer, 0) == version for layer, version in seen.versions.items())
        )

    def believed(self, layers: Sequence[str]) -> State | None:
        """The state of some layers as the last look had it; ``None`` where that was too long ago."""
        if self._known is None or time.monotonic() - self._looked > BOUND_S:
            return None
        known = tuple(layers)
        if known not in self._parts:
            self._parts[known] = self._known.of(layers)
        return self._parts[known]

    async def refresh(self) -> None:
        """Look now, on a connection of the pool: after a write, so that the writer reads what it wrote."""
        try:
            async with self._readers.primary.connect() as connection:
                await self._look(connection)
        except TROUBLE:
            # what is not known is not believed
            self._looked = float("-inf")

    async def _look(self, connection: AsyncConnection) -> None:
        began = time.monotonic()
        found = await state(connection)
        # of two looks at once the one that began later knows more
        if began > self._looked:
            if self._known is None or found.mark != self._known.mark:
                # before anything is told that a standby may not have yet
                self._readers.need(await position(connection))
                self._changed.set()
                self._tiles_changed.set()
            if self._known is None or found != self._known:
                self._known, self._parts = found, {}
            self._looked = began

    async def tell(self, seen: State, connection: AsyncConnection) -> None:
        """An answer was read in a state: no later one of this process may come from a server that has less."""
        known = self._known
        if (
            known is None
            or known.epoch != seen.epoch
            or any(known.versions.get(layer, 0) < version for layer, version in seen.versions.items())
        ):
            self._readers.need(await position(connection))

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

    async def _keep_listening(self) -> None:
        while True:
            try:
                await self._listen()
            except TROUBLE as error:
                log.warning("watch on the data's version lost: %s", type(error).__name__)
            await asyncio.sleep(POLL_S)

    async def _keep_ready(self) -> None:
        imported = Imported()
        while True:
            await self._changed.wait()
            self._changed.clear()
            began = time.monotonic()
            try:
                await ready.refresh(self._engine, imported)
            except TROUBLE as error:
                log.warning("features not made ready: %s", type(error).__name__)
            await _rest(began)

    async def _keep_tiles_ready(self) -> None:
        while True:
            await self._tiles_changed.wait()
            self._tiles_changed.clear()
            began = time.monotonic()
            try:
                await ready_tiles.refresh(self._engine)
            except TROUBLE as error:
                log.warning("tiles not made ready: %s", type(error).__name__)
            await _rest(began)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listens for as long as the context lasts."""
        loops = (self._keep_listening(), self._keep_ready(), self._keep_tiles_ready())
        tasks = [asyncio.create_task(one) for one in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._engine.dispose()


async def _rest(began: float) -> None:
    """Leave the time to others, of which what was begun then took its share."""
    await asyncio.sleep((time.monotonic() - began) * (1 / READY_SHARE - 1))
