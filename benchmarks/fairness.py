"""How long the county question takes while one client asks for ten downloads of a large layer.

    python benchmarks/fairness.py [--items 1000000] [--downloads 10] [--questions 200] [--data DIR]

Makes a private cluster, adds made-up platforms to the loaded data, serves them in one process without the response
cache, and measures the question alone, then beside the downloads. Ends with 1 when its 95th percentile is more than
three times the quiet one. Everything is removed again, unless ``--data`` names where to keep it.
"""

import argparse
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import sqlalchemy as sa

from app.db.embedded import cluster
from app.db.migrate import upgrade
from app.ingest.load import load
from app.settings import ROOT

QUESTION = "/collections/platforms/items?within=counties/330481"
DOWNLOAD = "/exports/platforms.geojson"
MOST = 3.0
START_S = 120
#: Over the province and the sea before it, so that a county has its usual share.
FILL = """
INSERT INTO platform (id, kind, name, name_en, name_en_source, geometry_method, position, position_source,
                      position_accuracy_m)
SELECT 'made-up-' || n, 'incubator', '虚构平台' || n, 'Made-up platform ' || n, 'own translation', 'point',
       ST_SetSRID(ST_Point(118 + 5 * random(), 27 + 4 * random()), 4326), 'made up', 10
FROM generate_series(1, :count) AS n
"""


def fill(url: sa.URL, count: int) -> None:
    """Load the repository's data and add the made-up platforms."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        upgrade(connection)
        held = connection.scalar(sa.text("SELECT count(*) FROM platform WHERE id LIKE 'made-up-%'"))
        connection.rollback()
        if held == count:
            return
        load(connection, ROOT / "geodata")
        connection.rollback()
        with connection.begin():
            connection.execute(sa.text(FILL), {"count": count})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE"))


@contextlib.contextmanager
def served(data: Path) -> Iterator[str]:
    """The service in a process of its own, without the response cache; its address."""
    # a port that is free now
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    environment = {**os.environ, "INNOMAP_RESPONSE_CACHE_MB": "0"}
    command = [str(Path(sys.executable).with_name("innomap")), "serve", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(  # noqa: S603
        command, env=environment, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_S
        while True:
            try:
                httpx.get(f"{address}/readyz", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("the service did not start") from None
                time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def ask(address: str, count: int) -> list[float]:
    """Milliseconds of each of so many questions, one after the other."""
    took = []
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        for _ in range(count):
            start = time.perf_counter()
            client.get(QUESTION).raise_for_status()
            took.append((time.perf_counter() - start) * 1000)
            time.sleep(0.02)
    return took


def download(address: str, seen: Counter[str], stop: threading.Event) -> None:
    """One download, and the next when it is over or refused; a service that stops at the end breaks it off."""
    with (
        contextlib.suppress(httpx.RemoteProtocolError),
        httpx.Client(base_url=address, trust_env=False, timeout=600) as client,
    ):
        while not stop.is_set():
            with client.stream("GET", DOWNLOAD) as answer:
                if answer.status_code != 200:
                    seen[f"refused {answer.status_code}"] += 1
                    stop.wait(float(answer.headers["retry-after"]))
                    continue
                seen["begun"] += 1
                for piece in answer.iter_raw(1 << 20):
                    seen["MB"] += len(piece) >> 20
                    if stop.is_set():
                        return
                seen["whole"] += 1


def percentile(values: list[float]) -> float:
    """The 95th."""
    return statistics.quantiles(values, n=20)[-1]


def measure(address: str, downloads: int, questions: int) -> float:
    """Print both measurements; their ratio."""
    ask(address, 20)
    quiet = ask(address, questions)
    seen: Counter[str] = Counter()
    stop = threading.Event()
    threads = [threading.Thread(target=download, args=(address, seen, stop), daemon=True) for _ in range(downloads)]
    for thread in threads:
        thread.start()
    time.sleep(2)
    beside = ask(address, questions)
    stop.set()
    ratio = percentile(beside) / percentile(quiet)
    for name, values in (("alone", quiet), (f"beside {downloads} downloads", beside)):
        print(f"{name}: median {statistics.median(values):.1f} ms, 95 % within {percentile(values):.1f} ms")
    print(f"ratio {ratio:.2f}; downloads meanwhile: {dict(seen)}")
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--downloads", type=int, default=10)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--data", type=Path, help="keep the cluster here, and use what an earlier run left")
    given = parser.parse_args()
    data = given.data or Path(tempfile.mkdtemp(prefix="innomap-fairness-"))
    data.chmod(0o755)
    try:
        with cluster(data) as server:
            start = time.perf_counter()
            fill(server.url(), given.items)
            print(f"{given.items} items ready after {time.perf_counter() - start:.0f} s", flush=True)
            with served(data) as address:
                ratio = measure(address, given.downloads, given.questions)
    finally:
        if not given.data:
            shutil.rmtree(data)
    sys.exit(ratio > MOST)


if __name__ == "__main__":
    main()
