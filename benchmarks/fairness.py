"""How long the county question takes while one client asks for ten downloads of a large layer.

    scripts/benchmark fairness [--items 1000000] [--downloads 10] [--questions 200] [--folder DIR]

Makes a private cluster with a layer of made-up enterprises, serves it in one process without the response cache, and
measures the question alone, then beside the downloads. Ends with 1 when its 95th percentile is more than three times
the quiet one. Everything is removed again, unless ``--folder`` names where to keep it; that of ``scripts/benchmark
growth`` serves as well.
"""

import argparse
import contextlib
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx

from app.db.embedded import cluster
from benchmarks.growth import data
from benchmarks.peers.data import layer
from benchmarks.peers.servers import free_port, running

MOST = 3.0


def ask(address: str, path: str, count: int) -> list[float]:
    """Milliseconds of each of so many questions, one after the other."""
    took = []
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        for _ in range(count):
            start = time.perf_counter()
            client.get(path).raise_for_status()
            took.append((time.perf_counter() - start) * 1000)
            time.sleep(0.02)
    return took


def download(address: str, path: str, seen: Counter[str], stop: threading.Event) -> None:
    """One download, and the next when it is over or refused; a service that stops at the end breaks it off."""
    with (
        contextlib.suppress(httpx.RemoteProtocolError),
        httpx.Client(base_url=address, trust_env=False, timeout=600) as client,
    ):
        while not stop.is_set():
            with client.stream("GET", path) as answer:
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


def measure(address: str, items: int, downloads: int, questions: int) -> float:
    """Print both measurements; their ratio."""
    question = f"/collections/{layer(items)}/items?within=counties/330481"
    wanted = f"/exports/{layer(items)}.geojson"
    ask(address, question, 20)
    quiet = ask(address, question, questions)
    seen: Counter[str] = Counter()
    stop = threading.Event()
    threads = [
        threading.Thread(target=download, args=(address, wanted, seen, stop), daemon=True) for _ in range(downloads)
    ]
    for thread in threads:
        thread.start()
    time.sleep(2)
    beside = ask(address, question, questions)
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
    parser.add_argument("--folder", type=Path, help="keep the cluster here, and use what an earlier run left")
    given = parser.parse_args()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="innomap-fairness-"))
    folder.mkdir(parents=True, exist_ok=True)
    # the database server runs as an account of its own when this runs as root
    folder.chmod(0o755)
    port = free_port()
    command = [str(Path(sys.executable).with_name("innomap")), "serve", "--port", str(port)]
    command += ["--data", str(folder / "data")]
    try:
        with cluster(folder / "data") as private:
            data.prepare(private.url(), [given.items], [])
            cacheless = {"INNOMAP_RESPONSE_CACHE_MB": "0"}
            with running(command, cacheless, port, "/readyz", folder / "fairness.log") as server:
                ratio = measure(server.address, given.items, given.downloads, given.questions)
    finally:
        if not given.folder:
            shutil.rmtree(folder)
    sys.exit(ratio > MOST)


if __name__ == "__main__":
    main()
