"""Killed at random moments, nothing is lost or half done; ``scripts/verify faults`` does so for minutes."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.endurance.faults import suffer
from tests.endurance.world import world


def test_programs_killed_at_random_moments() -> None:
    # the database's account must reach it, where this runs as root
    with TemporaryDirectory(prefix="innomap-faults-") as folder, world(Path(folder), 11) as made:
        seen = suffer(made, 4, within_s=3)
    assert seen.total() == 4
    assert all(made.acknowledged.values())
