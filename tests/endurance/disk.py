"""A disk that is full: what is asked for is answered or told to come again, nothing is lost, and space makes it well.

    python -m tests.endurance.disk [--size 500]

Needs the right to mount: the data folder is a file system in memory of so many MiB, which is filled to the last byte.
"""

import argparse
import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.conftest import PATIENCE_S, http
from tests.endurance.world import ITEMS, Broken, World, world

#: Seconds with no space left.
FULL_S = 20.0


def fill(path: Path) -> None:
    """Take what is left, to the last byte."""
    with path.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b" " * size)


def suffer(made: World) -> None:
    done = threading.Event()
    steward = made.editor(0, done, 0.1)
    steward.start()
    time.sleep(3)
    filler, seen, failed = made.folder / "filler", Counter[int](), Counter[str]()
    rows = made.folder / "rows.csv"
    rows.write_text("code,power,lon,lat\n" + "".join(f"{n},1,120.5,30.{n}\n" for n in range(100_000, 400_000)))
    until = time.monotonic() + FULL_S
    try:
        with http(made.address) as client:
            while time.monotonic() < until:
                fill(filler)
                for arguments in (
                    ("import", rows, "--layer", made.folder / "layer.yaml", "--apply"),
                    ("backup", made.folder / "full.innomap"),
                ):
                    if made.program(*arguments).wait(timeout=PATIENCE_S):
                        failed[str(arguments[0])] += 1
                with contextlib.suppress(httpx.TransportError):
                    answer = client.get(f"{ITEMS}?limit=3")
                    made.note(answer, "GET")
                    seen[answer.status_code] += 1
        if (made.folder / "full.innomap").exists():
            raise Broken("half a backup stands there")
    finally:
        filler.unlink()
        rows.unlink()
    made.wait_for_answers()
    before = sum(map(len, made.acknowledged.values()))
    time.sleep(3)
    done.set()
    steward.join()
    after = sum(map(len, made.acknowledged.values()))
    if after == before:
        raise Broken("with space again nothing can be edited")
    made.verify()
    print(
        f"{FULL_S:.0f} s without space: answers {dict(seen)}, refused {dict(failed)},"
        f" told to come again {made.refused}; {after} acknowledged edits all there",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=500, help="MiB")
    given = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("需要 root 以挂载。 Needs root, to mount.")
    with tempfile.TemporaryDirectory(prefix="innomap-disk-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={given.size}m,mode=755", "innomap", folder], check=True)
        try:
            with world(Path(folder), 1) as made:
                suffer(made)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


if __name__ == "__main__":
    main()
