"""Loads servers with wrk and the database with pgbench, in rounds that take turns."""

import re
import statistics
import subprocess
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from tempfile import NamedTemporaryFile

import sqlalchemy as sa

from app.db.embedded.binaries import MIN_POSTGRESQL
from app.db.programs import program

Load = Callable[[int], float]


@dataclass(frozen=True)
class Measured:
    """Requests per second of each round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    @property
    def spread(self) -> float:
        """Of the rounds, from the slowest to the fastest, as a share of the median."""
        return (max(self.rounds) - min(self.rounds)) / self.median if self.median else 0.0


def by_http(address: str, clients: int) -> Load:
    """Requests per second that a server answers; answers that are no success end the run."""

    def load(seconds: int) -> float:
        threads = min(2, clients)
        command = [
            "/usr/bin/env",
            "wrk",
            f"-t{threads}",
            f"-c{clients}",
            f"-d{seconds}s",
            "--timeout",
            "60s",
            address,
        ]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", said)
        if wrong:
            raise SystemExit(f"{address[:200]}: {wrong[0]}")
        found = re.search(r"Requests/sec:\s+([\d.]+)", said)
        return float(found[1]) if found else 0.0

    return load


def by_sql(url: sa.URL, statement: str, clients: int) -> Load:
    """Executions per second of one statement, prepared, its rows sent to the client."""

    def load(seconds: int) -> float:
        with NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(statement)
            script.flush()
            asked = ["-n", "-M", "prepared", "-c", str(clients), "-j", "2", "-T", str(seconds)]
            command = [str(program("pgbench", MIN_POSTGRESQL)), *asked, "-f", script.name, *_where(url)]
            run = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
        if run.returncode:
            raise SystemExit(f"pgbench: {run.stderr[-500:]}\n{statement[:2000]}")
        found = re.search(r"tps = ([\d.]+)", run.stdout)
        return float(found[1]) if found else 0.0

    return load


def _where(url: sa.URL) -> list[str]:
    host, port = str(url.query.get("host") or url.host), str(url.query.get("port") or url.port or 5432)
    return ["-h", host, "-p", port, "-U", str(url.username), str(url.database)]


def rounds(loads: Mapping[str, Load], count: int, seconds: int) -> dict[str, Measured]:
    """A B C A B C …: what slows the machine down for a while slows all of them."""
    found: dict[str, list[float]] = defaultdict(list)
    for load in loads.values():
        load(1)
    for _ in range(count):
        for name, load in loads.items():
            found[name].append(load(seconds))
    return {name: Measured(tuple(values)) for name, values in found.items()}
