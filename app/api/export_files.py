"""Files made for downloads: in a folder of their own, kept a while so that a broken download can go on."""

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncConnection

from app import __version__
from app.api.problems import Problem
from app.queries.exports import Format, Job, TooLarge, checksum, write_file
from app.settings import Settings

PREFIX = "innomap-exports-"
#: Seconds that a file is kept after it was last asked for.
KEPT = 900


class ExportFiles:
    """The files of one web process, at ``folder``."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.most = settings.max_export_mb << 20

    async def file(self, connection: AsyncConnection, form: Format, extension: str, job: Job) -> tuple[Path, bytes]:
        """The finished file of a job and its SHA-256; made, unless it is there already."""
        name = hashlib.sha256(f"{__version__} {job.key} {extension}".encode()).hexdigest()
        path, summed = self.folder / f"{name}.{extension}", self.folder / f"{name}.sha256"
        if not _kept(path, summed):
            await to_thread.run_sync(self._sweep)
            with TemporaryDirectory(dir=self.folder) as made:
                folder = Path(made)
                try:
                    await write_file(connection, form, job, folder / path.name, self.most)
                except TooLarge as error:
                    raise Problem(400, str(error), parameter="name") from None
                digest = await to_thread.run_sync(checksum, folder / path.name)
                (folder / path.name).replace(path)
                summed.write_bytes(digest)
        return path, summed.read_bytes()

    def _sweep(self) -> None:
        """Remove files that nobody asked for lately, and the oldest where all take more than twice the limit of one."""
        found = sorted((one for one in self.folder.iterdir() if one.is_file()), key=lambda one: one.stat().st_mtime)
        total = sum(one.stat().st_size for one in found)
        for one in found:
            if total > 2 * self.most or one.stat().st_mtime < time.time() - KEPT:
                total -= one.stat().st_size
                one.unlink()


@contextmanager
def export_files(settings: Settings) -> Iterator[ExportFiles]:
    """The folder for as long as the process serves; what processes that were killed left behind is removed."""
    parent = Path(tempfile.gettempdir())
    for left in parent.glob(f"{PREFIX}*"):
        with suppress(OSError), (left / "lock").open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    with TemporaryDirectory(prefix=PREFIX) as folder, (Path(folder) / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        (Path(folder) / "files").mkdir()
        yield ExportFiles(Path(folder) / "files", settings)


def _kept(*paths: Path) -> bool:
    """Whether files are there; they are then kept a while longer."""
    try:
        for path in paths:
            os.utime(path)
    except FileNotFoundError:
        return False
    return True
