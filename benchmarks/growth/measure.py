"""Times one question after the other, or from many clients at once."""

import re
import statistics
import subprocess
import time
from dataclasses import dataclass

import httpx

from benchmarks.growth.questions import Question

#: Longest time a client waits.
PATIENCE_S = 120
UNITS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Times:
    """Milliseconds: of the first request, and the median and 95th percentile of those after it.

    ``refused`` is the status of an answer that is no success; there are no times then.
    """

    first: float = 0.0
    median: float = 0.0
    most: float = 0.0
    size: int = 0
    refused: int = 0


def times(address: str, question: Question, seconds: float) -> Times:
    """One client, one request after the other, for so long and at least three times."""
    took: list[float] = []
    with httpx.Client(base_url=address, trust_env=False, timeout=PATIENCE_S) as client:
        client.get("/livez").raise_for_status()
        deadline = time.monotonic() + seconds
        while len(took) < 4 or time.monotonic() < deadline:
            began = time.perf_counter()
            if question.body:
                answer = client.post(question.path, content=question.body, headers={"content-type": "application/json"})
            else:
                answer = client.get(question.path)
            took.append((time.perf_counter() - began) * 1000)
            if answer.status_code != 200:
                return Times(refused=answer.status_code)
    first, *later = took
    return Times(first, statistics.median(later), statistics.quantiles(later, n=20)[-1], len(answer.content))


@dataclass(frozen=True)
class Load:
    """Requests per second, milliseconds within which half and 99 of 100 were answered, and answers that failed."""

    rate: float
    half: float
    most: float
    errors: int


def load(address: str, question: Question, clients: int, seconds: int) -> Load:
    """So many clients at once, each asking again as soon as it is answered."""
    command = ["/usr/bin/env", "wrk", f"-t{min(2, clients)}", f"-c{clients}", f"-d{seconds}s", "--latency"]
    command += ["--timeout", f"{PATIENCE_S}s", address + question.path]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if rate is None:
        raise SystemExit(f"wrk: {said}")
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    errors = sum(map(int, [*(failed.groups() if failed else ()), *(broken.groups() if broken else ())]))
    return Load(float(rate[1]), _within(said, 50), _within(said, 99), errors)


def _within(said: str, percent: int) -> float:
    """Milliseconds within which so many of 100 requests were answered."""
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", said, re.MULTILINE)
    return float(found[1]) * UNITS[found[2]] if found else 0.0
