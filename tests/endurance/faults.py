"""Kills programs, the service and the database at random moments for some minutes, and checks every promise.

    python -m tests.endurance.faults [--minutes 5] [--seed N]

Ends non-zero, with what was found, when one was not kept.
"""

import argparse
import secrets
import shutil
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.endurance.world import World, world

#: Seconds within which a command is killed: some had ended by then.
WITHIN_S = 5.0
#: Faults between two checks, and who edits meanwhile.
BETWEEN, STEWARDS = 6, 2


def suffer(made: World, faults: int, within_s: float = WITHIN_S) -> Counter[str]:
    """So many faults while stewards edit, who can go on after each, then a check; gives how many of each there were."""
    done = threading.Event()
    stewards = [made.editor(len(made.acknowledged), done, 0.05) for _ in range(STEWARDS)]
    for one in stewards:
        one.start()
    try:
        seen: Counter[str] = Counter()
        for _ in range(faults):
            seen[made.fault(within_s)] += 1
            made.wait_for_edits(STEWARDS)
    finally:
        done.set()
        for one in stewards:
            one.join()
    made.wait_for_answers()
    made.verify()
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="innomap-faults-"))
    until = time.monotonic() + given.minutes * 60
    seen: Counter[str] = Counter()
    try:
        with world(folder, given.seed) as made:
            while time.monotonic() < until:
                seen += suffer(made, BETWEEN)
                edits = sum(map(len, made.acknowledged.values()))
                print(
                    f"{seen.total()} faults ({', '.join(f'{one} {n}' for one, n in sorted(seen.items()))}): all kept;"
                    f" {edits} edits acknowledged, {made.refused} told to come again",
                    flush=True,
                )
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
