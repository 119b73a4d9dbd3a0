"""Mixed load with faults and edits for an hour: what fails, what grows, what is missing afterwards.

    python -m tests.endurance.soak [--minutes 60] [--rate 20] [--seed N]

Readers ask for everything there is, stewards edit, every minute something is killed. Ends non-zero when an answer
was a failure that is not announced, an edit is missing, or memory, open files or connections have grown.
"""

import argparse
import contextlib
import random
import secrets
import shutil
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import httpx
import sqlalchemy as sa

from tests.conftest import connect, http
from tests.endurance.world import Broken, World, world

READERS, STEWARDS = 4, 2
#: Seconds between two faults, and between two looks at what the service holds.
FAULT_EVERY_S, LOOK_EVERY_S = 60.0, 5.0
#: What a service process may hold more at the end than after its start: MiB, open files.
MORE_MEMORY, MORE_FILES = 64, 20
QUESTIONS = (
    "/", "/maps/jiaxing", "/counties/330481", "/collections/platforms/items", "/collections/counties/items",
    "/collections/platforms/items?within=海宁&kind=university", "/collections/platforms/items?nearest=120.7,30.7&k=5",
    "/collections/platforms/items?filter=area_km2>5&crs=http://www.opengis.net/def/crs/EPSG/0/4549",
    "/collections/platforms/aggregate?group_by=county,kind", "/search?q=jxkjc", "/indicators/progress",
    "/collections/platforms/tiles/WebMercatorQuad/8/105/213", "/exports/platforms.geojson", "/exports/platforms.gpkg",
    "/exports/counties.xlsx", "/maps/thematic", "/compare?a=330481&b=330421", "/maps/jiaxing.svg",
    # what is refused, as it should be
    "/collections/nothing/items", "/collections/platforms/items?kind=nothing", "/collections/platforms/items?filter=((",
)  # fmt: skip


@dataclass
class Seen:
    """What a process of the service held at one moment."""

    pid: int
    at: float
    memory: int
    files: int
    connections: int


def look(made: World, start: float) -> Seen:
    """MiB and open files of the service's process, sessions in the database."""
    pid = made.service_pid()
    status = Path(f"/proc/{pid}/status").read_text()
    memory = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) >> 10
    with connect(made.url).connect() as connection:
        sessions = connection.scalar(
            sa.text("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'innomap%'")
        )
    return Seen(pid, time.monotonic() - start, memory, len(list(Path(f"/proc/{pid}/fd").iterdir())), int(sessions or 0))


def read(made: World, until: threading.Event, pause_s: float, seed: int) -> None:
    """A reader: any question, one after another; now and then one leaves in the middle of an answer."""
    chance = random.Random(seed)  # noqa: S311
    with http(made.address) as client:
        while not until.is_set():
            question = chance.choice(QUESTIONS)
            with contextlib.suppress(httpx.TransportError):
                if chance.random() < 0.05:
                    with client.stream("GET", question) as answer:
                        next(answer.iter_bytes(1000), b"")
                else:
                    made.note(client.get(question), f"GET {question}")
            time.sleep(pause_s)


def grown(seen: list[Seen]) -> list[str]:
    """What the process that lived longest held more at its end than at its start, medians of a quarter each."""
    pid = Counter(one.pid for one in seen).most_common(1)[0][0]
    mine = [one for one in seen if one.pid == pid]
    quarter = max(1, len(mine) // 4)
    found = []
    for name, most in (("memory", MORE_MEMORY), ("files", MORE_FILES), ("connections", MORE_FILES)):
        first, last = (
            statistics.median(getattr(one, name) for one in part) for part in (mine[:quarter], mine[-quarter:])
        )
        print(f"{name}: {first:.0f} → {last:.0f} in {mine[-1].at - mine[0].at:.0f} s of one process", flush=True)
        if last > first + most:
            found.append(f"{name} grew from {first} to {last}")
    return found


def soak(made: World, minutes: float, rate: float, seed: int) -> None:
    done, start, seen = threading.Event(), time.monotonic(), list[Seen]()
    threads = [made.editor(number, done, STEWARDS * 2.0) for number in range(STEWARDS)]
    threads += [
        threading.Thread(target=read, args=(made, done, READERS / rate, seed + number)) for number in range(READERS)
    ]
    for one in threads:
        one.start()
    faults: Counter[str] = Counter()
    next_fault = time.monotonic() + FAULT_EVERY_S
    # in the second half nothing is done to the service itself, so that one process is seen for long
    try:
        while (passed := time.monotonic() - start) < minutes * 60:
            time.sleep(LOOK_EVERY_S)
            with contextlib.suppress(OSError, sa.exc.OperationalError):
                seen.append(look(made, start))
            if time.monotonic() > next_fault:
                names = ["database", "import", "load", "backup"] + (["service"] if passed < minutes * 30 else [])
                faults[made.fault(3, names)] += 1
                next_fault = time.monotonic() + FAULT_EVERY_S
    finally:
        done.set()
        for one in threads:
            one.join()
    made.wait_for_answers()
    edits = sum(map(len, made.acknowledged.values()))
    print(
        f"{minutes:g} minutes: {made.answered} answers, {made.refused} times told to come again, {edits} edits"
        f" acknowledged, faults: {', '.join(f'{one} {n}' for one, n in sorted(faults.items()))}",
        flush=True,
    )
    made.verify()
    if found := grown(seen):
        raise Broken("; ".join(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20, help="questions a second")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="innomap-soak-"))
    try:
        with world(folder, given.seed) as made:
            soak(made, given.minutes, given.rate, given.seed)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
