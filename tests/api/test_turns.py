"""Heavy work takes turns: who asks most does not keep the others waiting."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.api.turns import Busy, Turns, turns
from app.settings import Settings
from tests.conftest import PATIENCE_S, connect, http, served, settings_for


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), PATIENCE_S))


class Work:
    """Pieces of work that take a turn and keep it until they are let go."""

    def __init__(self, given: Turns) -> None:
        self.turns = given
        self.begun: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}

    def ask(self, client: str, name: str) -> "asyncio.Task[None]":
        return asyncio.create_task(self._do(client, name))

    async def _do(self, client: str, name: str) -> None:
        async with self.turns.turn(client):
            self.begun.append(name)
            await self._ends.setdefault(name, asyncio.Event()).wait()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_each_client_in_turn() -> None:
    async def scenario() -> None:
        work = Work(Turns(places=1, longest=100, patience_s=PATIENCE_S))
        tasks = [work.ask("heavy", f"heavy {number}") for number in range(10)]
        await settle()
        tasks += [work.ask("other", "other 0"), work.ask("third", "third 0"), work.ask("other", "other 1")]
        await settle()
        assert (work.begun, work.turns.waiting) == (["heavy 0"], 12)
        for _ in range(13):
            await work.end(work.begun[-1])
        assert work.begun[:6] == ["heavy 0", "heavy 1", "other 0", "third 0", "heavy 2", "other 1"]
        assert work.begun[6:] == [f"heavy {number}" for number in range(3, 10)]
        await asyncio.gather(*tasks)
        assert (work.turns.free, work.turns.waiting) == (1, 0)

    run(scenario)


def test_a_client_leaves_one_place_to_others() -> None:
    async def scenario() -> None:
        work = Work(Turns(places=3, longest=100, patience_s=PATIENCE_S))
        tasks = [work.ask("heavy", f"heavy {number}") for number in range(5)]
        await settle()
        assert work.begun == ["heavy 0", "heavy 1"]
        tasks.append(work.ask("other", "other 0"))
        await settle()
        assert work.begun[-1] == "other 0"
        # the place that the other leaves is not for the one who has his share
        await work.end("other 0")
        assert work.begun == ["heavy 0", "heavy 1", "other 0"]
        for name in ("heavy 0", "heavy 1", "heavy 2", "heavy 3", "heavy 4"):
            await work.end(name)
        await asyncio.gather(*tasks)
        assert work.turns.free == 3

    run(scenario)


def test_of_too_many_the_newest_of_the_heaviest_is_refused() -> None:
    async def scenario() -> None:
        work = Work(Turns(places=1, longest=3, patience_s=PATIENCE_S))
        heavy = [work.ask("heavy", f"heavy {number}") for number in range(4)]
        await settle()
        other = work.ask("other", "other 0")
        await settle()
        assert [one.done() for one in heavy] == [False, False, False, True]
        with pytest.raises(Busy):
            heavy[3].result()
        another = work.ask("heavy", "heavy 4")
        await settle()
        with pytest.raises(Busy):
            another.result()
        for name in ("heavy 0", "heavy 1", "other 0", "heavy 2"):
            await work.end(name)
        await asyncio.gather(*heavy[:3], other)

    run(scenario)


def test_a_turn_that_does_not_come_in_time_is_refused() -> None:
    async def scenario() -> None:
        given = Turns(places=1, longest=5, patience_s=0.01)
        async with given.turn("one"):
            with pytest.raises(Busy):
                async with given.turn("other"):
                    pass
            assert given.waiting == 0
        assert given.free == 1

    run(scenario)


def test_who_leaves_takes_no_turn() -> None:
    async def scenario() -> None:
        work = Work(Turns(places=1, longest=5, patience_s=PATIENCE_S))
        first, leaving, last = (work.ask("one", name) for name in ("first", "leaving", "last"))
        await settle()
        leaving.cancel()
        # in the moment it is cancelled, before it notices, its turn comes
        await work.end("first")
        assert work.begun == ["first", "last"]
        await work.end("last")
        await asyncio.gather(first, last)
        # the other order: the turn came, and then it is cancelled before it notices
        first, leaving = work.ask("one", "first again"), work.ask("one", "leaving")
        await settle()
        work._ends["first again"].set()
        while work.turns.waiting:
            await asyncio.sleep(0)
        leaving.cancel()
        await settle()
        assert work.turns.free == 1
        assert leaving.cancelled()
        await first

    run(scenario)


def test_work_that_fails_gives_its_place_back() -> None:
    async def scenario() -> None:
        given = Turns(places=1, longest=5, patience_s=PATIENCE_S)
        with pytest.raises(ZeroDivisionError):
            async with given.turn("one"):
                raise ZeroDivisionError
        assert given.free == 1

    run(scenario)


@pytest.mark.parametrize("pool", [3, 4, 8, 100])
def test_a_connection_is_left_for_other_questions(pool: int) -> None:
    given = turns(Settings(pool_size=pool, concurrent_exports=100, concurrent_tiles=100))
    assert 1 <= given["exports"].free + given["tiles"].free < pool


def test_downloads_of_one_client_do_not_stop_the_others(database_url: sa.URL) -> None:
    """Ten downloads that do not come forward: one runs, the other nine wait, and everybody else is answered."""
    # the watch on the data's version, which makes features ready and has another name, may wait as well
    blocked = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND application_name = 'innomap'"
    )

    def export(client: str) -> httpx.Response:
        return asking.get("/exports/layout_elements.csv", headers={"X-Forwarded-For": client})

    with (
        served(settings_for(database_url, statement_timeout_ms=300_000, pool_size=5, concurrent_exports=2)) as address,
        http(address) as asking,
        ThreadPoolExecutor(12) as threads,
        connect(database_url).execution_options(isolation_level="AUTOCOMMIT").connect() as watching,
    ):

        def running(number: int) -> bool:
            deadline = time.monotonic() + PATIENCE_S
            while watching.scalar(blocked) != number and time.monotonic() < deadline:
                time.sleep(0.02)
            return bool(watching.scalar(blocked) == number)

        with connect(database_url).begin() as blocking:
            blocking.execute(sa.text("LOCK TABLE layout IN ACCESS EXCLUSIVE MODE"))
            heavy = [threads.submit(export, "198.51.100.1") for _ in range(10)]
            assert running(1)
            for _ in range(3):
                # of the same client as well: only what is heavy has to wait
                question = asking.get("/collections/platforms/items", params={"within": "海宁"})
                assert question.status_code == 200
            other = threads.submit(export, "198.51.100.2")
            assert running(2)
            assert not any(one.done() for one in [*heavy, other])
        answers = [one.result() for one in [*heavy, other]]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_too_many_downloads_are_told_to_come_again(database_url: sa.URL) -> None:
    settings = settings_for(database_url, concurrent_exports=1, queue_length=0, statement_timeout_ms=300_000)
    with served(settings) as address, http(address) as asking, ThreadPoolExecutor(2) as threads:
        with connect(database_url).begin() as blocking:
            blocking.execute(sa.text("LOCK TABLE layout IN ACCESS EXCLUSIVE MODE"))
            pair = [threads.submit(asking.get, "/exports/layout_elements.csv") for _ in range(2)]
            deadline = time.monotonic() + PATIENCE_S
            while not any(one.done() for one in pair) and time.monotonic() < deadline:
                time.sleep(0.02)
            refused = next(one.result() for one in pair if one.done())
        assert refused.status_code == 503
        assert refused.headers["content-type"] == "application/problem+json"
        assert int(refused.headers["retry-after"]) > 0
        assert sorted(one.result().status_code for one in pair) == [200, 503]
