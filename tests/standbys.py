"""Hot standbys of the embedded cluster, by PostgreSQL's own streaming replication, on this machine."""

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa

from app.db.embedded import Cluster
from app.db.embedded.supervisor import recorded_pid


class Standby:
    """A server of its own that follows the cluster's, reached by a socket in its own folder."""

    def __init__(self, primary: Cluster, folder: Path) -> None:
        self._home = primary._home
        self._primary = primary
        self.folder = folder
        self.data = folder / "data"

    def _run(self, program: str, *options: str | Path) -> None:
        done = self._home.account.run(self._home.installation.bindir / program, "-D", self.data, *options)
        assert done.returncode == 0, done.stdout

    def copy(self) -> None:
        """Take over what the primary has."""
        os.chown(self.folder, self._home.account.uid, self._home.account.gid)
        source = ("-h", str(self._home.sockets), "-U", "postgres")
        self._run("pg_basebackup", *source, "-R", "-X", "stream", "-c", "fast", "--no-sync")

    def start(self) -> None:
        given = {
            "listen_addresses": "",
            "unix_socket_directories": self.folder,
            "hba_file": self._home.path / "pg_hba.conf",
            "ident_file": self._home.path / "pg_ident.conf",
            "fsync": "off",
            "jit": "off",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        # the processes of a server that was killed hold its memory until they are gone
        for last in (False,) * 600 + (True,):
            try:
                self._run("pg_ctl", "start", "-w", "-s", "-l", self.folder / "log", "-o", options)
                return
            except AssertionError:
                if last:
                    raise
                time.sleep(0.1)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and all its processes."""
        pid = recorded_pid(str(self.data))
        assert pid is not None
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, number)

    def kill(self) -> None:
        """As a power cut does: no goodbye to anybody."""
        self.signal(signal.SIGKILL)

    def url(self, database: str) -> str:
        there = sa.make_url(self._primary.url(database)).update_query_dict({"host": str(self.folder)})
        return there.render_as_string(hide_password=False)


@contextlib.contextmanager
def standbys(primary: Cluster, number: int) -> Iterator[list[Standby]]:
    """Standbys that run and follow."""
    made: list[Standby] = []
    try:
        for _ in range(number):
            folder = Path(tempfile.mkdtemp(prefix="innomap-standby-", dir=primary._home.path.parent.parent))
            made.append(Standby(primary, folder))
            made[-1].copy()
            made[-1].start()
        yield made
    finally:
        for one in made:
            if recorded_pid(str(one.data)) is not None:
                with contextlib.suppress(AssertionError):
                    one._run("pg_ctl", "stop", "-m", "immediate", "-s")
            shutil.rmtree(one.folder)
