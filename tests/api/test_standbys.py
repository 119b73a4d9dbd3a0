"""A primary and two hot standbys: who answers what, and that none is missed."""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait

import httpx
import pytest
import sqlalchemy as sa

from app.commands.doctor import server
from app.db import standbys as standbys_of_app
from app.db import tables as t
from app.db.embedded import Cluster
from app.edits import keys
from tests.commands.conftest import look
from tests.conftest import PATIENCE_S, connect, http, served, settings_for
from tests.standbys import Standby, standbys

ITEM = "/collections/platforms/items/juanhu-science-city"
#: How often a standby is lost under load; scripts/verify replicas has more.
ROUNDS = int(os.environ.get("INNOMAP_TEST_ROUNDS", "1"))
READS = (ITEM, "/collections/platforms/items?within=counties/330481", "/maps/jiaxing", "/search?q=湖")


@pytest.fixture(scope="module")
def two(primary: Cluster, private_url: sa.URL) -> Iterator[list[Standby]]:
    with standbys(primary, 2) as made:
        yield made


@pytest.fixture(scope="module")
def service(private_url: sa.URL, two: list[Standby]) -> Iterator[str]:
    """The application; it keeps no answers, so that each is read."""
    addresses = [one.url(str(private_url.database)) for one in two]
    with served(settings_for(private_url, DATABASE_REPLICA_URLS=addresses, response_cache_mb=0)) as address:
        yield address


@contextlib.contextmanager
def paused(two: list[Standby]) -> Iterator[None]:
    """The standbys receive what the primary does, and do not apply it."""
    engines = [_superuser(one) for one in two]
    try:
        for engine in engines:
            with engine.connect() as connection:
                connection.execute(sa.text("SELECT pg_wal_replay_pause()"))
        yield
    finally:
        for engine in engines:
            with engine.connect() as connection:
                connection.execute(sa.text("SELECT pg_wal_replay_resume()"))


def _superuser(one: Standby) -> sa.Engine:
    return connect(sa.make_url(one.url("postgres")).set(username="postgres"))


def answered(one: Standby, private_url: sa.URL) -> int:
    """Rows that a standby has read of the database; looking how far it has come reads none."""
    statement = "SELECT tup_returned FROM pg_stat_database WHERE datname = :name"
    with _superuser(one).connect() as opened:
        return int(opened.scalar(sa.text(statement), {"name": private_url.database}) or 0)


@contextlib.contextmanager
def asked(address: str, threads: int) -> Iterator[tuple[list[str], list[int]]]:
    """Clients that read without pause; gives what was not answered, each with the reason, and how often each asked."""
    failed: list[str] = []
    count = [0] * threads
    stopped = threading.Event()

    def ask(number: int) -> None:
        with http(address) as client:
            while not stopped.is_set():
                path = READS[count[number] % len(READS)]
                count[number] += 1
                try:
                    answer = client.get(path)
                except httpx.HTTPError as error:
                    failed.append(f"{path}: {error!r}")
                else:
                    if answer.status_code != 200:
                        failed.append(f"{path}: {answer.status_code} {answer.text[:200]}")

    running = [threading.Thread(target=ask, args=[number]) for number in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield failed, count
    finally:
        stopped.set()
        for thread in running:
            thread.join()


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ups(client: httpx.Client) -> list[str]:
    return [one[-3:] for one in client.get("/metrics").text.splitlines() if one.startswith("innomap_standby_up{")]


@pytest.fixture
def client(service: str) -> Iterator[httpx.Client]:
    with http(service) as opened:
        until(lambda: ups(opened) == ["1.0", "1.0"])
        yield opened


def test_each_standby_answers_reads(private_url: sa.URL, two: list[Standby], client: httpx.Client) -> None:
    before = [answered(one, private_url) for one in two]
    for _ in range(40):
        assert client.get(ITEM).raise_for_status().headers["innomap-token"]
    # what a backend counted is told after a while
    until(lambda: all(answered(one, private_url) > count + 2_000 for one, count in zip(two, before, strict=True)))


def test_the_doctor_sees_one_that_lags(
    private_url: sa.URL, two: list[Standby], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = settings_for(private_url, DATABASE_REPLICA_URLS=[one.url(str(private_url.database)) for one in two])
    assert [level for level, _ in look("replicas", told, private_url)] == ["ok", "ok"]
    monkeypatch.setattr(server, "BEHIND", 1)
    with paused(two[:1]):
        with connect(private_url).begin() as connection:
            connection.execute(sa.text("COMMENT ON TABLE platform IS 'written'"))
        until(lambda: look("replicas", told, private_url)[1][0] == "ok")
        (level, text), _ = look("replicas", told, private_url)
    assert level == "warning"
    assert "Look at the network and the load" in text


def test_what_was_seen_once_is_seen_from_then_on(
    private_url: sa.URL, two: list[Standby], service: str, client: httpx.Client
) -> None:
    with connect(private_url).begin() as connection:
        key = keys.create(connection, "replica", "editor", ["platforms"])
    addresses = [one.url(str(private_url.database)) for one in two]
    with (
        served(settings_for(private_url, DATABASE_REPLICA_URLS=addresses)) as other_address,
        http(other_address) as other,
    ):
        until(lambda: ups(other) == ["1.0", "1.0"])
        with paused(two):
            etag = client.get(ITEM).headers["etag"]
            written = client.patch(
                ITEM,
                json={"properties": {"concept": "seen"}},
                headers={
                    "Authorization": f"Bearer {key}",
                    "Content-Type": "application/merge-patch+json",
                    "If-Match": etag,
                },
            ).raise_for_status()
            # the process that wrote needs no token, any other sees it by the token at once
            assert client.get(ITEM).json()["properties"]["concept"] == "seen"
            seen = other.get(ITEM, headers={"Innomap-Token": written.headers["innomap-token"]})
            assert seen.json()["properties"]["concept"] == "seen"
            # what it told once, it tells again without
            assert other.get(ITEM).json()["properties"]["concept"] == "seen"
            # a change that no web process made is seen within the bound, though no standby has it
            with connect(private_url).begin() as connection:
                connection.execute(
                    sa.update(t.platform).where(t.platform.c.id == ITEM.rpartition("/")[2]).values(concept="changed")
                )
            until(lambda: bool(other.get(ITEM).json()["properties"]["concept"] == "changed"))
        before = sum(answered(one, private_url) for one in two)
        until(lambda: bool(client.get(ITEM).json()["properties"]["concept"] == "changed"))
        until(lambda: client.get(ITEM).is_success and sum(answered(one, private_url) for one in two) > before + 100)
    assert client.get(ITEM, headers={"Innomap-Token": "seen"}).status_code == 400


def test_who_brings_a_token_is_answered_by_a_standby_that_is_nearly_there(
    private_url: sa.URL, two: list[Standby], client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as long as may be on a machine that is busy
    monkeypatch.setattr(standbys_of_app, "WAIT_S", PATIENCE_S)
    with paused(two):
        with connect(private_url).begin() as connection:
            connection.execute(sa.text("SELECT pg_logical_emit_message(true, 'test', 'that the standbys lack')"))
        with connect(private_url).connect() as connection:
            token = connection.scalar(sa.text("SELECT pg_current_wal_lsn()::text"))
        before = [answered(one, private_url) for one in two]
        with ThreadPoolExecutor() as pool:
            waiting = [pool.submit(client.get, ITEM, headers={"Innomap-Token": token}) for _ in range(8)]
            assert not wait(waiting, timeout=1).done
            for engine in map(_superuser, two):
                with engine.connect() as resuming:
                    resuming.execute(sa.text("SELECT pg_wal_replay_resume()"))
            assert {one.result().status_code for one in waiting} == {200}
    until(lambda: sum(answered(one, private_url) for one in two) > sum(before) + 500)


def test_no_read_fails_when_a_standby_is_lost_under_load(
    private_url: sa.URL, two: list[Standby], service: str, client: httpx.Client
) -> None:
    with asked(service, threads=4) as (failed, count):
        for number in range(ROUNDS):
            lost, other = two[number % 2], two[1 - number % 2]
            before, asked_before = answered(other, private_url), sum(count)
            until(lambda asked_before=asked_before: sum(count) > asked_before + 2 * len(READS))
            lost.kill()
            until(lambda: sorted(ups(client)) == ["0.0", "1.0"])
            until(lambda other=other, before=before: answered(other, private_url) > before + 1_000)
            assert failed == []
            lost.start()
            # it is taken back by itself
            until(lambda: ups(client) == ["1.0", "1.0"])
    assert failed == []
