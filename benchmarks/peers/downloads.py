"""Whole layers out: how long, how soon the first byte, how much memory the service takes for it."""

import statistics
import threading
import time
from dataclasses import dataclass

import httpx

from benchmarks.peers.servers import Server


@dataclass(frozen=True)
class Download:
    """Seconds to the first byte and to the last, size, and the most memory (MiB) that the server had meanwhile."""

    first: float
    whole: float
    size: int
    memory: float


def download(server: Server, path: str) -> Download:
    """One download, timed by its client."""
    most = server.memory()
    done = threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.05):
            most = max(most, server.memory())

    watcher = threading.Thread(target=watch)
    watcher.start()
    size = 0
    try:
        with httpx.Client(trust_env=False, timeout=600) as client:
            client.get(server.address + "/conformance").raise_for_status()
            start = time.perf_counter()
            first = 0.0
            with client.stream("GET", server.address + path, headers={"accept-encoding": "identity"}) as answer:
                answer.raise_for_status()
                for piece in answer.iter_raw():
                    first = first or time.perf_counter() - start
                    size += len(piece)
            whole = time.perf_counter() - start
    finally:
        done.set()
        watcher.join()
    return Download(first, whole, size, most / 1024)


def median(downloads: list[Download]) -> Download:
    return Download(
        statistics.median(one.first for one in downloads),
        statistics.median(one.whole for one in downloads),
        downloads[-1].size,
        max(one.memory for one in downloads),
    )
