import os
import tempfile
from pathlib import Path


def in_memory() -> Path:
    """A new folder that the database server's account can reach, in memory where the system has that."""
    memory = "/dev/shm"  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="innomap-test-", dir=memory if os.access(memory, os.W_OK) else None))
    folder.chmod(0o755)
    return folder
