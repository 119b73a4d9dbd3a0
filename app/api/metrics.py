"""What the service counts about itself, for Prometheus. The sum of all web processes, whichever is asked."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncEngine

from app import __version__
from app.api.turns import Kind, Turns

#: Where the processes of one service write their numbers; Prometheus' own name.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
#: Seconds between two looks at what is in use.
SAMPLE_S = 1.0

REQUESTS = Histogram(
    "innomap_request_seconds",
    "Time from a request's head to the end of its answer",
    ["method", "route", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
RUNNING = Gauge("innomap_requests_running", "Requests being answered", multiprocess_mode="livesum")
CONNECTIONS = Gauge("innomap_database_connections_used", "Connections of the pool in use", multiprocess_mode="livesum")
POOL = Gauge("innomap_database_connections_most", "Connections the pool may have", multiprocess_mode="livesum")
WRITING = Gauge("innomap_database_write_connections_used", "Connections for edits in use", multiprocess_mode="livesum")
WRITE_POOL = Gauge(
    "innomap_database_write_connections_most", "Connections for edits there may be", multiprocess_mode="livesum"
)
CACHE_MISSES = Counter("innomap_cache_misses", "Questions that the kept answers might have answered, and did not")
CACHE_BYTES = Gauge("innomap_cache_bytes", "Memory that kept answers take", multiprocess_mode="livesum")
UPLOADS = Counter("innomap_uploads", "Files uploaded to be imported, by what became of them", ["outcome"])
WAITING = Gauge("innomap_turns_waiting", "Heavy requests waiting for their turn", ["kind"], multiprocess_mode="livesum")
TAKEN = Gauge("innomap_turns_taken", "Heavy requests at work", ["kind"], multiprocess_mode="livesum")


@asynccontextmanager
async def sampled(
    readers: Sequence[AsyncEngine], writer: AsyncEngine, turns: Mapping[Kind, Turns]
) -> AsyncIterator[None]:
    """Look every second how busy this process is, for as long as the context lasts."""

    async def sample() -> None:
        while True:
            for engines, used, most in ((readers, CONNECTIONS, POOL), ([writer], WRITING, WRITE_POOL)):
                pools = [one.pool for one in engines if isinstance(one.pool, QueuePool)]
                used.set(sum(one.checkedout() for one in pools))
                most.set(sum(one.size() for one in pools))
            for kind, one in turns.items():
                WAITING.labels(kind).set(one.waiting)
                TAKEN.labels(kind).set(one.places - one.free)
            await asyncio.sleep(SAMPLE_S)

    task = asyncio.create_task(sample())
    try:
        yield
    finally:
        task.cancel()


class Told(Collector):
    """Numbers that were asked from the database for one scrape: name, help, value, labels."""

    def __init__(self) -> None:
        self._families: dict[str, GaugeMetricFamily] = {}
        self.tell("innomap_release", "The release that answers", 1, version=__version__)

    def tell(self, name: str, about: str, value: float, **labels: str) -> None:
        family = self._families.setdefault(name, GaugeMetricFamily(name, about, labels=list(labels)))
        family.add_metric(list(labels.values()), value)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from self._families.values()


def exposition(told: Told) -> tuple[bytes, str]:
    """All metrics as text, and its media type."""
    registry = CollectorRegistry()
    registry.register(told)
    folder = os.environ.get(SHARED)
    if folder:
        _forget_the_dead(Path(folder))
        MultiProcessCollector(registry, folder)
        return generate_latest(registry), CONTENT_TYPE_LATEST
    return generate_latest(registry) + generate_latest(REGISTRY), CONTENT_TYPE_LATEST


def _forget_the_dead(folder: Path) -> None:
    """What processes that were killed had in hand is in hand no more."""
    for file in folder.glob("gauge_live*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid, str(folder))
        except PermissionError:
            pass


@contextmanager
def shared(processes: int) -> Iterator[None]:
    """Let several processes write to one place, for as long as the service runs."""
    if processes == 1:
        yield
        return
    with TemporaryDirectory(prefix="innomap-metrics-") as folder:
        os.environ[SHARED] = folder
        yield
