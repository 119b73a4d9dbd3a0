"""Turns for heavy work: a few pieces at once, and the others wait, one of each client after the other."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from fastapi import Request

from app.api.edge import client_of
from app.api.problems import Problem
from app.settings import Settings

Kind = Literal["exports", "tiles", "prints", "imports"]
#: Seconds after which a client that found no turn may try again.
RETRY_AFTER = 10


class Busy(Exception):
    """No turn came in time, or too many wait."""


class Turns:
    """So many ``places`` at once, in this process.

    A client may hold all places but one, so that another soon finds one. Who finds none waits: the next turn goes to
    the client that had one longest ago, however many requests the others have waiting. No more than ``longest`` wait
    together; beyond that the newest request of the client with the most is refused.
    """

    def __init__(self, places: int, longest: int, patience_s: float) -> None:
        self.places = self.free = places
        self._each = max(1, places - 1)
        self._longest = longest
        self._patience_s = patience_s
        self._held: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it. Raises ``Busy``."""
        if self.free and self._held[client] < self._each:
            self._take(client)
        else:
            await self._wait(client)
        try:
            yield
        finally:
            self._give_back(client)

    async def _wait(self, client: str) -> None:
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(mine)
        if self.waiting > self._longest:
            most = max(reversed(self._waiting), key=lambda one: len(self._waiting[one]))
            refused = self._waiting[most][-1]
            self._forget(most, refused)
            refused.set_exception(Busy())
        try:
            async with asyncio.timeout(self._patience_s):
                await mine
        except BaseException as error:
            self._forget(client, mine)
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                # its turn came in the moment it gave up
                self._give_back(client)
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise

    def _forget(self, client: str, one: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(client, ())
        if queue and one in queue:
            queue.remove(one)
            if not queue:
                del self._waiting[client]

    def _take(self, client: str) -> None:
        self.free -= 1
        self._held[client] += 1

    def _give_back(self, client: str) -> None:
        self.free += 1
        self._held[client] -= 1
        if not self._held[client]:
            del self._held[client]
        while self.free:
            following = next((one for one in self._waiting if self._held[one] < self._each), None)
            if following is None:
                break
            one = self._waiting[following][0]
            self._waiting.move_to_end(following)
            self._forget(following, one)
            if not one.done():
                self._take(following)
                one.set_result(None)


def turns(settings: Settings) -> dict[Kind, Turns]:
    """The turns of each kind of heavy work; exports and tiles leave a database connection for other questions."""
    spare = settings.spare_connections
    places: dict[Kind, int] = {
        "exports": min(settings.concurrent_exports, spare),
        "tiles": min(settings.concurrent_tiles, spare),
        "prints": settings.concurrent_prints,
        "imports": settings.concurrent_imports,
    }
    return {kind: Turns(number, settings.queue_length, settings.queue_wait_s) for kind, number in places.items()}


@asynccontextmanager
async def turn(request: Request, kind: Kind) -> AsyncIterator[None]:
    """Wait for a turn and hold it. Raises a 503 where none comes."""
    mine: Turns = request.app.state.turns[kind]
    try:
        async with mine.turn(client_of(request.scope)):
            yield
    except Busy:
        raise Problem(
            503, "此类请求过多，请稍后再试。 Too many requests of this kind at once: try again shortly.",
            headers={"Retry-After": str(RETRY_AFTER)},
        ) from None  # fmt: skip


def heavy(kind: Kind) -> Callable[[Request], AsyncIterator[None]]:
    """A dependency of heavy operations: the request waits for its turn and holds it until its answer has left."""

    async def held(request: Request) -> AsyncIterator[None]:
        async with turn(request, kind):
            yield

    return held
