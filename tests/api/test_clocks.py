"""Clocks of the machine that jump, the service's and the database's alike: a day ahead, then back behind where it was.

libfaketime stands between the programs and the system's clock; what only counts on is left alone, as the system does.
"""

import itertools
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.db.embedded import Cluster
from app.edits import keys
from tests.api.test_health import requests, serving
from tests.conftest import PATIENCE_S, connect, http
from tests.standbys import Standby

ITEMS = "/collections/platforms/items"
PARK = f"{ITEMS}/jiaxing-hightech-park"
#: Requests that a client may make at once, and wrong keys that it may try in a minute.
BURST, TRIES = 20, 3
GUESS = {"Authorization": "Bearer guess"}
#: Debian's libfaketime refuses to sleep until a moment of a clock that it leaves alone, as ``time.sleep`` asks it to.
SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"


@dataclass
class Machine:
    """A service and its database, and the clock they see."""

    address: str
    clock: Path
    key: str
    _clients: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def jump(self, offset: str) -> None:
        """Set the clock so far from the true one; whoever looks afterwards sees it."""
        new = self.clock.with_suffix(".new")
        new.write_text(f"{offset}\n")
        new.rename(self.clock)

    def ask(self, client: httpx.Client, path: str, of: str = "", **headers: str) -> httpx.Response:
        """As one client, or as somebody who never asked before."""
        return client.get(path, headers={"X-Forwarded-For": of or self.somebody(), **headers})

    def somebody(self) -> str:
        """The address of a client in a network of its own, as limits count them."""
        number = next(self._clients)
        return f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1"


@pytest.fixture
def machine(primary: Cluster, private_url: sa.URL, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    folder = Path(tempfile.mkdtemp(prefix="innomap-clocks-", dir=primary._home.path.parent.parent))
    clock = folder / "clock"
    clock.write_text("+0\n")
    (folder / "sitecustomize.py").write_text(SLEEP)
    # a server of its own: a copy that follows nobody
    server = Standby(primary, folder)
    server.copy()
    (server.data / "standby.signal").unlink()
    url = server.url(str(private_url.database))
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    faked = {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
    }  # fmt: skip
    told = {
        "PYTHONPATH": str(folder), "DATABASE_URL": url, "INNOMAP_STATEMENT_TIMEOUT_MS": "60000",
        # nobody gets another turn, or is forgotten, while this runs
        "INNOMAP_RATE_PER_SECOND": "0.001", "INNOMAP_RATE_BURST": str(BURST),
        "INNOMAP_FAILED_KEYS_PER_MINUTE": str(TRIES),
    }  # fmt: skip
    with monkeypatch.context() as patched:
        for name, value in faked.items():
            patched.setenv(name, value)
        server.start()
    try:
        with connect(sa.make_url(url)).begin() as connection:
            key = keys.create(connection, "clock", "editor", ["platforms"])
        with serving(sa.make_url(url), **faked, **told) as (client, _):
            yield Machine(str(client.base_url), clock, key)
    finally:
        server._run("pg_ctl", "stop", "-m", "immediate", "-s")
        shutil.rmtree(folder)


def test_clocks_jump(machine: Machine) -> None:
    """Answers, marks, kept answers, edits, history, limits and readiness are as if nothing had happened."""
    wrong: list[str] = []
    done = threading.Event()

    def watch() -> None:
        with http(machine.address) as other:
            while not done.is_set():
                time.sleep(0.02)
                for path in ("/readyz", f"{ITEMS}?limit=2", f"{PARK}?crs=EPSG:4549"):
                    answer = machine.ask(other, path)
                    if answer.status_code != 200:
                        wrong.append(f"{path}: {answer.status_code} {answer.text[:200]}")

    watching = threading.Thread(target=watch)
    with http(machine.address) as client:
        watching.start()
        try:
            notes = []
            for offset in ("+0", "+1d", "-1h", "+0"):
                _look(machine, client, offset)
                notes.insert(0, f"at {offset}, {len(notes)}")
                _edit(machine, client, notes)
        finally:
            done.set()
            watching.join()
    assert wrong == []


def _look(machine: Machine, client: httpx.Client, offset: str) -> None:
    """Jump, with answers in hand and limits reached: what held, holds."""
    page = machine.ask(client, ITEMS)
    item = machine.ask(client, PARK)
    heavy, guessing = machine.somebody(), machine.somebody()
    for _ in range(BURST):
        assert machine.ask(client, "/conformance", of=heavy).status_code == 200
    assert machine.ask(client, "/conformance", of=heavy).status_code == 429
    began = time.monotonic()
    tried = [machine.ask(client, PARK, of=guessing, **GUESS).status_code for _ in range(TRIES)]
    assert tried == [401] * TRIES
    machine.jump(offset)

    good = {"Authorization": f"Bearer {machine.key}"}
    slowed = machine.ask(client, PARK, of=guessing, **good)
    if time.monotonic() - began < 60:
        assert slowed.status_code == 429
        assert 0 < int(slowed.headers["retry-after"]) <= 60
    refused = machine.ask(client, "/conformance", of=heavy)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 1000

    # the clock did jump
    meant = {"+0": timedelta(0), "+1d": timedelta(days=1), "-1h": timedelta(hours=-1)}[offset]
    deadline = time.monotonic() + PATIENCE_S
    while abs(_clock(client) - datetime.now(UTC) - meant) > timedelta(minutes=20):
        assert time.monotonic() < deadline

    for before, path in ((page, ITEMS), (item, PARK)):
        after = machine.ask(client, path)
        assert after.status_code == 200
        assert (after.headers["etag"], _data(after)) == (before.headers["etag"], _data(before))
        assert machine.ask(client, path, **{"If-None-Match": before.headers["etag"]}).status_code == 304
        # made anew, as it is for a key
        made = parsedate_to_datetime(machine.ask(client, path, **good).headers["last-modified"])
        assert made <= _clock(client) + timedelta(seconds=2)


def _clock(client: httpx.Client) -> datetime:
    """The service's clock, as an answer says it: the second of the server's last round."""
    return parsedate_to_datetime(client.get("/livez").headers["date"])


def _data(answer: httpx.Response) -> Any:
    """A page's items, or an item's properties."""
    body = answer.json()
    return body.get("features", body.get("properties"))


def _edit(machine: Machine, client: httpx.Client, notes: list[str]) -> None:
    """Write, read it at once, and find it as the newest of the history; then answers are kept again."""
    answer = client.patch(
        PARK,
        json={"properties": {"note": notes[0]}},
        headers={
            "Authorization": f"Bearer {machine.key}", "Content-Type": "application/merge-patch+json",
            "If-Match": machine.ask(client, PARK).headers["etag"], "X-Forwarded-For": machine.somebody(),
        },
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    for _ in range(3):
        assert machine.ask(client, PARK).json()["properties"]["note"] == notes[0]
    changes = machine.ask(client, f"{PARK}/history").json()["changes"]
    assert [one["changed"]["note"]["after"] for one in changes[: len(notes)]] == notes
    assert [one["version"] for one in changes] == sorted({one["version"] for one in changes}, reverse=True)
    before = requests(client, "(kept)", "200")
    while requests(client, "(kept)", "200") == before:
        machine.ask(client, ITEMS)
