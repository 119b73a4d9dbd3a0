"""How long a start takes, until the service is ready and until it has drawn its first map.

    scripts/benchmark startup [--runs 5] [--folder DIR]

Starts `innomap serve` with an empty folder (the cluster is made, migrated and loaded), then with the same folder again
and again: the private database is stopped before each start. Prints every run and the medians in seconds.
"""

import argparse
import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.peers.servers import free_port

MAP = "/maps/jiaxing"
LONGEST_S = 300


def started(data: Path) -> tuple[float, float]:
    """Seconds from the command to ready, and to the first map; the service and its database are stopped again."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("innomap")), "serve", "--port", str(port), "--data", str(data)]
    # modules stay compiled from the first start on, as they do unless somebody forbids it
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True, env=environment)  # noqa: S603
    try:
        ready = _answered(process, f"http://127.0.0.1:{port}/readyz") - began
        drawn = _answered(process, f"http://127.0.0.1:{port}{MAP}") - began
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        for server in data.glob("postgresql/*/postmaster.pid"):
            while server.exists():
                time.sleep(0.05)
    return ready, drawn


def _answered(process: "subprocess.Popen[bytes]", address: str) -> float:
    """The moment of the first answer. Raises ``SystemExit``."""
    deadline = time.monotonic() + LONGEST_S
    while True:
        try:
            httpx.get(address, trust_env=False, timeout=LONGEST_S).raise_for_status()
            return time.perf_counter()
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{address} never answered") from None
            time.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="where data folders are made (default: a temporary one)")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="innomap-startup-", dir=given.folder))
    # the database server runs as an account of its own when this runs as root
    folder.chmod(0o755)
    try:
        empty = [started(folder / str(number)) for number in range(given.runs)]
        warm = [started(folder / "0") for _ in range(given.runs)]
    finally:
        shutil.rmtree(folder)
    for name, runs in (("empty folder", empty), ("warm", warm)):
        for what, values in zip(("ready", "first map"), zip(*runs, strict=True), strict=True):
            shown = " ".join(f"{one:.2f}" for one in values)
            print(f"{name}, {what}: median {statistics.median(values):.2f} s ({shown})")


if __name__ == "__main__":
    main()
