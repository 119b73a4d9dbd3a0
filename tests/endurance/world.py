"""A service with everything that works on it, each in a process of its own that may be killed at any moment.

What is done is written down when it was acknowledged, so that afterwards it can be told whether anything is missing.
"""

import contextlib
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from app.db import archive
from app.db.server import database
from app.edits import keys
from app.settings import ROOT, Settings
from tests.conftest import PATIENCE_S, connect, http

INNOMAP = Path(sys.executable).with_name("innomap")
ITEMS = "/collections/platforms/items"
#: Rows of one import.
BATCH = 300
LAYER = """
id: stations
title: 充电站
title_en: Charging stations
source: 测试
licence: CC0
key: code
crs: EPSG:4326
fields: [{name: power_kw, title: 功率, title_en: Power, type: number, unit: kW, column: power}]
"""
#: The one field of the data files that a load changes here, and its two values.
WORDS = ("Science-lake district", "Science-lake district (again)")


#: What may die.
FAULTS = ("service", "database", "import", "load", "backup", "restore")


class Broken(AssertionError):
    """A promise was not kept."""


class World:
    """One data folder, one service on it, and the programs that change it."""

    def __init__(self, folder: Path, url: sa.URL, chance: random.Random) -> None:
        self.folder, self.url, self.chance = folder, url, chance
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "INNOMAP_"))},
            "INNOMAP_DATA_DIR": str(folder),
        }
        self.acknowledged: dict[str, set[str]] = {}
        self.batches = 0
        self.unannounced: list[str] = []
        self.answered = self.refused = 0
        self._versions: dict[str, int] = {}
        self._service: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._geodata = Path(shutil.copytree(ROOT / "geodata", folder / "geodata"))
        (folder / "layer.yaml").write_text(LAYER, encoding="utf-8")

    # ----------------------------------------------------------------------------------------------------- programs

    def program(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """A command in a process group of its own, its words in a file."""
        with (self.folder / "programs.log").open("ab") as log:
            return subprocess.Popen(
                [INNOMAP, *arguments], cwd=ROOT, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def finished(self, *arguments: str | Path) -> None:
        """A command that is left alone must end well."""
        code = self.program(*arguments).wait(timeout=PATIENCE_S)
        if code:
            raise Broken(f"innomap {' '.join(map(str, arguments))} ended with {code}:\n{self.told()}")

    def told(self) -> str:
        return (self.folder / "programs.log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def killed(self, within_s: float, *arguments: str | Path) -> bool:
        """Start a command and kill it at some moment; gives whether it was still at work."""
        running = self.program(*arguments)
        try:
            running.wait(timeout=self.chance.uniform(0, within_s))
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            return True
        return False

    def start_service(self) -> None:
        self._service = self.program("serve", "--port", str(self.port))
        self.wait_for_answers()

    def kill_service(self) -> None:
        assert self._service is not None
        os.killpg(self._service.pid, signal.SIGKILL)
        self._service.wait()

    def stop_service(self) -> None:
        """As a container is stopped."""
        if self._service is not None and self._service.poll() is None:
            os.killpg(self._service.pid, signal.SIGTERM)
            self._service.wait(timeout=PATIENCE_S)

    def wait_for_answers(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        with http(self.address) as client:
            while time.monotonic() < deadline:
                with contextlib.suppress(httpx.TransportError):
                    if client.get("/readyz").status_code == 200:
                        return
                time.sleep(0.1)
        raise Broken(f"the service did not answer within {PATIENCE_S} s:\n{self.told()}")

    def service_pid(self) -> int:
        assert self._service is not None
        return self._service.pid

    def kill_database(self) -> None:
        """Crash the server as ``kill -9`` does; its supervisor starts it again."""
        folder = Path(str(self.url.query["host"])).parent
        with contextlib.suppress(ProcessLookupError, StopIteration, IndexError):
            os.kill(int(next(folder.glob("pg*/postmaster.pid")).read_text().splitlines()[0]), signal.SIGKILL)

    # ------------------------------------------------------------------------------------------------------- faults

    def fault(self, within_s: float, names: Sequence[str] = FAULTS) -> str:
        """Something of these dies at a random moment; gives what, and checks what must hold at once."""
        name = self.chance.choice(names)
        getattr(self, f"_fault_{name}")(within_s)
        return name

    def _fault_service(self, within_s: float) -> None:
        time.sleep(self.chance.uniform(0, within_s / 4))
        self.kill_service()
        self.start_service()

    def _fault_database(self, within_s: float) -> None:
        time.sleep(self.chance.uniform(0, within_s / 4))
        self.kill_database()
        self.wait_for_answers()

    def _fault_import(self, within_s: float) -> None:
        self.batches += 1
        path = self.folder / f"batch-{self.batches}.csv"
        lines = [
            f"{self.batches}-{number},{self.batches},{120.5 + number / 1e4},{30.6 + self.batches / 1e4}"
            for number in range(BATCH)
        ]
        path.write_text("\n".join(["code,power,lon,lat", *lines]) + "\n", encoding="utf-8")
        self.killed(within_s, "import", path, "--layer", self.folder / "layer.yaml", "--apply")

    def _fault_load(self, within_s: float) -> None:
        kinds = self._geodata / "base" / "kinds.csv"
        text = kinds.read_text(encoding="utf-8")
        old, new = WORDS if f",{WORDS[0]}," in text else reversed(WORDS)
        kinds.write_text(text.replace(f",{old},", f",{new},"), encoding="utf-8")
        self.killed(within_s, "load", "--geodata", self._geodata)

    def _fault_backup(self, within_s: float) -> None:
        path = self.folder / "killed.innomap"
        path.unlink(missing_ok=True)
        self.killed(within_s, "backup", path)
        if path.exists():
            # whole, or not there
            with archive.opened(path):
                pass

    def _fault_restore(self, within_s: float) -> None:
        """Of a backup made just now, while nobody edits: the same data, whether it was done or not."""
        path = self.folder / "whole.innomap"
        path.unlink(missing_ok=True)
        with self._lock:
            self.finished("backup", path)
            self.killed(within_s, "restore", "--yes", path)
            self.wait_for_answers()

    # -------------------------------------------------------------------------------------------------------- edits

    def editor(self, number: int, until: threading.Event, pause_s: float) -> threading.Thread:
        """A steward who writes into a platform of their own until told to stop."""
        with connect(self.url).begin() as connection:
            key = keys.create(connection, f"steward {number}", "editor", ("platforms",), allow_unconditional=True)
            item = connection.scalar(sa.text("SELECT id FROM platform ORDER BY id OFFSET :n LIMIT 1"), {"n": number})
        self.acknowledged[item] = set()
        return threading.Thread(target=self._edit, args=(item, key, until, pause_s), name=f"steward {number}")

    def _edit(self, item: str, key: str, until: threading.Event, pause_s: float) -> None:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/merge-patch+json"}
        with http(self.address) as client:
            for number in range(1_000_000):
                if until.is_set():
                    return
                note = f"{item} {number}"
                with self._lock, contextlib.suppress(httpx.TransportError):
                    answer = client.patch(f"{ITEMS}/{item}", json={"properties": {"note": note}}, headers=headers)
                    self.note(answer, f"PATCH {item}")
                    if answer.status_code in (200, 204):
                        self.acknowledged[item].add(note)
                time.sleep(pause_s)

    def wait_for_edits(self, number: int) -> None:
        """So many more edits are acknowledged, however slow the machine."""
        wanted = sum(map(len, self.acknowledged.values())) + number
        deadline = time.monotonic() + PATIENCE_S
        while sum(map(len, self.acknowledged.values())) < wanted:
            if time.monotonic() > deadline:
                raise Broken(f"nobody could edit for {PATIENCE_S} s:\n{self.told()}")
            time.sleep(0.05)

    def note(self, answer: httpx.Response, what: str) -> None:
        """Count an answer; one of a failure that is not announced is kept to be told."""
        if answer.status_code == 503 and "retry-after" in answer.headers:
            self.refused += 1
        elif answer.status_code >= 500 or (what.startswith("PATCH") and answer.status_code >= 400):
            self.unannounced.append(f"{what}: {answer.status_code} {answer.text[:300]}")
        else:
            self.answered += 1

    # ------------------------------------------------------------------------------------------------------ promises

    def verify(self) -> None:
        """Every promise, of the database as it is now."""
        if self.unannounced:
            raise Broken(f"answers that no client can understand: {self.unannounced[:3]}")
        with connect(self.url).connect() as connection:
            for item, notes in self.acknowledged.items():
                self._nothing_lost(connection, item, notes)
            self._all_of_each_import_or_nothing(connection)
            self._versions_only_grow(connection)
        self.finished("load", "--geodata", self._geodata)
        self.finished("check", "--geodata", self._geodata)

    def _nothing_lost(self, connection: sa.Connection, item: str, notes: set[str]) -> None:
        found = connection.execute(
            sa.text("SELECT after ->> 'note' AS after, before ->> 'note' AS before FROM change"
                    " WHERE layer = 'platforms' AND item = :item ORDER BY id"), {"item": item},
        ).all()  # fmt: skip
        lost = notes - {row.after for row in found}
        if lost:
            raise Broken(f"{item}: {len(lost)} acknowledged edits are not in the history, such as {sorted(lost)[:3]}")
        for earlier, later in itertools.pairwise(found):
            if later.before != earlier.after:
                raise Broken(
                    f"{item}: a change begins at {later.before!r}, the one before it ended at {earlier.after!r}"
                )
        now = connection.scalar(sa.text("SELECT note FROM platform WHERE id = :item"), {"item": item})
        if found and now != found[-1].after:
            raise Broken(f"{item}: {now!r} is no change's, the last is {found[-1].after!r}")

    def _all_of_each_import_or_nothing(self, connection: sa.Connection) -> None:
        if connection.scalar(sa.text("SELECT to_regclass('imported_stations')")) is None:
            return
        counts = connection.execute(sa.text("SELECT power_kw, count(*) FROM imported_stations GROUP BY 1")).all()
        if any(count != BATCH for _, count in counts):
            raise Broken(f"imports that are there in part: {[tuple(one) for one in counts if one[1] != BATCH]}")

    def _versions_only_grow(self, connection: sa.Connection) -> None:
        now: dict[str, Any] = {
            row.layer: row.version for row in connection.execute(sa.text("SELECT layer, version FROM layer_version"))
        }
        back = {one for one, version in self._versions.items() if now.get(one, -1) < version}
        if back:
            raise Broken(f"versions that went back: {back}")
        self._versions = now


@contextlib.contextmanager
def world(folder: Path, seed: int) -> Iterator[World]:
    """A service with the repository's data in ``folder``, which is emptied at the end."""
    folder.chmod(0o755)
    with database(Settings(data_dir=folder)) as url:
        made = World(folder, url, random.Random(seed))  # noqa: S311
        made.start_service()
        try:
            yield made
        finally:
            made.stop_service()
