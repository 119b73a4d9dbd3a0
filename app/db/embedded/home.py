"""The files of a private cluster: folders, locks, sockets, access rules, and the account that owns them.

``<data>/postgresql/`` holds ``start.lock``, ``users.lock``, ``supervisor.lock``, the access rules, the log, the
socket folder ``run`` (or, if its path is too long for a socket, a link to a short folder in the temporary
directory) and one cluster folder per major version of PostgreSQL, ``pg15``.
"""

import contextlib
import fcntl
import logging
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.db.embedded import binaries, supervisor
from app.db.embedded.binaries import DatabaseUnsuitable
from app.db.roles import READER

SUPERUSER = "postgres"
APP_ROLE = "innomap"
PORT = 5432
# sockaddr_un.sun_path has 108 bytes on Linux, the last of them NUL
LONGEST_SOCKET_PATH = 107
LONGEST_LOG_BYTES = 10_000_000
SYSTEM_TEMPORARY = Path("/tmp")  # noqa: S108
LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")
# What the environment of the program must not change in the server
SCRUBBED = ("PROJ_", "GDAL_", "POSTGIS_", "PG", "LC_", "LANG")
DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
# what a crash of the machine may lose; what the server was told to keep survives its own crash
FAST = {**DURABLE, "fsync": "off", "full_page_writes": "off"}

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    """The operating system's user that the server runs as."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, uid: int) -> "Account":
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise DatabaseUnsuitable(
                f"用户编号 {uid} 没有登记名称，PostgreSQL 不能以它运行：请在 /etc/passwd 中登记，或设置 DATABASE_URL。"
                f" PostgreSQL cannot run as user number {uid}, which has no name: add it to /etc/passwd,"
                f" or set DATABASE_URL."
            ) from None
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    def run(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end as this account, with the server's environment."""
        change = os.geteuid() == 0
        return subprocess.run(  # noqa: S603
            command,
            cwd="/",
            env=_server_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            user=self.uid if change else None,
            group=self.gid if change else None,
            extra_groups=[] if change else None,
            check=False,
        )

    def require_access(self, folder: Path) -> None:
        """Raise DatabaseUnsuitable, naming the first closed folder on the way, if this account cannot enter."""
        if os.geteuid() != 0 or self.run("test", "-x", folder).returncode == 0:
            return
        closed = next(path for path in (*reversed(folder.parents), folder) if self.run("test", "-x", path).returncode)
        raise DatabaseUnsuitable(
            f"数据库服务器以用户 {self.name} 运行，无法进入 {closed}：请用 --data 或 INNOMAP_DATA_DIR 另选数据目录"
            f"（例如 /var/lib/innomap），或开放该目录（chmod o+x）。 The database server runs as user {self.name},"
            f" who cannot enter {closed}: choose another data folder with --data or INNOMAP_DATA_DIR"
            f" (for example /var/lib/innomap), or open that folder (chmod o+x)."
        )


def _server_environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SCRUBBED)}
    return kept | {"LC_ALL": "C"}


class Home:
    """The folder of one private cluster, made ready for use by the account that the server runs as.

    Raises DatabaseUnsuitable if PostgreSQL or PostGIS is missing or too old, or the folder cannot be used.
    """

    def __init__(self, data_dir: Path, *, fast: bool) -> None:
        self.fast = fast
        try:
            self.path = _folder(_folder(data_dir.expanduser().resolve()) / "postgresql")
        except OSError as error:
            raise DatabaseUnsuitable(
                f"无法使用数据目录 {data_dir}（{error.strerror}）：请用 --data 或 INNOMAP_DATA_DIR 另选目录。"
                f" The data folder {data_dir} cannot be used ({error.strerror}): choose another one"
                f" with --data or INNOMAP_DATA_DIR."
            ) from error
        existing = clusters(data_dir)
        self.installation = binaries.find(existing)
        self.pgdata = self.path / f"pg{self.installation.major}"
        self.users_lock = self.path / "users.lock"
        self.start_lock = self.path / "start.lock"
        self.supervisor_lock = self.path / "supervisor.lock"
        self.log_file = self.path / "postgres.log"
        if existing and self.installation.major not in existing:
            log.warning(
                "PostgreSQL %s 未安装，改用新的空数据库；原数据仍在 %s。"
                " PostgreSQL %s is not installed, so a new, empty database is used; the earlier data stays in %s.",
                *(max(existing), self.path / f"pg{max(existing)}") * 2,
            )
        self.account = self._account()
        self.account.require_access(self.path)
        self.account.require_access(self.installation.bindir)

    def _account(self) -> Account:
        if os.geteuid() != 0:
            return Account.of(os.geteuid())
        # Root: whoever owns the cluster already, or the whole folder; PostgreSQL refuses to run as root
        for path in (self.pgdata, self.path):
            if path.exists() and (owner := path.stat().st_uid):
                return Account.of(owner)
        names = {entry.pw_name: entry.pw_uid for entry in pwd.getpwall()}
        return Account.of(names["postgres"] if "postgres" in names else names["nobody"])

    @contextlib.contextmanager
    def opened(self, path: Path) -> Iterator[int]:
        """A descriptor of a lock or log file, made if need be for the owner of the folder."""
        flags = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW
        try:
            file = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
            if os.geteuid() == 0:
                owner = self.path.stat()
                os.fchown(file, owner.st_uid, owner.st_gid)
        except FileExistsError:
            file = self._open_existing(path, flags)
        try:
            yield file
        finally:
            os.close(file)

    def _open_existing(self, path: Path, flags: int) -> int:
        try:
            return os.open(path, flags)
        except PermissionError:
            owner = Account.of(path.stat().st_uid).name
            raise DatabaseUnsuitable(
                f"{self.path} 属于用户 {owner}：请以该用户运行，或用 --data 或 INNOMAP_DATA_DIR 另选数据目录。"
                f" {self.path} belongs to user {owner}: run the program as that user, or choose another data folder"
                f" with --data or INNOMAP_DATA_DIR."
            ) from None

    def initialise(self) -> None:
        """Make the cluster folder unless it exists. The caller holds the start lock.

        The folder gets its name only when it is complete, so a killed ``initdb`` leaves no half cluster.
        """
        for leftover in self.path.glob(f"{self.pgdata.name}.*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if self.pgdata.exists():
            return
        new = Path(tempfile.mkdtemp(prefix=f"{self.pgdata.name}.", dir=self.path))
        try:
            self._give(new)
            self._initdb(new)
            new.rename(self.pgdata)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _initdb(self, folder: Path) -> None:
        sync = ["--no-sync"] if self.fast else []
        for locale in LOCALES:
            options = ["--encoding=UTF8", f"--locale={locale}", "--auth=peer", f"--username={SUPERUSER}", *sync]
            done = self.account.run(self.installation.bindir / "initdb", "-D", folder, *options)
            if done.returncode == 0:
                return
            if "invalid locale" not in done.stdout:
                break
        reason = next((line for line in done.stdout.splitlines() if "error:" in line), done.stdout[-300:]).strip()
        raise DatabaseUnsuitable(
            f"无法在 {self.path} 建立数据库（{reason}）：请排除原因，或另选数据目录（--data、INNOMAP_DATA_DIR）。"
            f" No database could be made in {self.path} ({reason}): remove the cause, or choose another"
            f" data folder (--data, INNOMAP_DATA_DIR)."
        )

    def ensure_supervisor(self) -> None:
        """Start the supervisor unless it runs. Safe to call at any time while holding the users' lock."""
        with self.opened(self.supervisor_lock) as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._write_access_rules()
            sockets = self._make_sockets()
            if self.log_file.exists() and self.log_file.stat().st_size > LONGEST_LOG_BYTES:
                self.log_file.replace(self.log_file.with_suffix(".log.1"))
            account = (str(self.account.uid), str(self.account.gid))
            script = (sys.executable, "-I", "-S", supervisor.__file__)
            with self.opened(self.log_file) as log:
                subprocess.run(  # noqa: S603
                    # The lock goes with the descriptor, so there is no moment without it
                    [*script, str(lock), self.users_lock, self.pgdata, sockets, *account, *self._command(sockets)],
                    env=_server_environment(),
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),
                    start_new_session=True,
                    check=True,
                )

    def _command(self, sockets: Path) -> list[str]:
        settings = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": '"{}"'.format(str(sockets).replace('"', '""')),
            "unix_socket_permissions": "0700",
            "hba_file": str(self.path / "pg_hba.conf"),
            "ident_file": str(self.path / "pg_ident.conf"),
            "cluster_name": "innomap",
            "wal_level": "replica",
            "jit": "off",
            "lc_messages": "C",
            **(FAST if self.fast else DURABLE),
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.installation.bindir / "postgres"), *options]

    def _write_access_rules(self) -> None:
        # Outside the cluster folder: nothing that the server's account can write is trusted by root
        names = dict.fromkeys((Account.of(os.geteuid()).name, self.account.name, "root"))
        self._write("pg_hba.conf", "local all all peer map=innomap\nlocal replication all peer map=innomap\n")
        self._write(
            "pg_ident.conf",
            "".join(f'innomap "{name}" {role}\n' for name in names for role in (SUPERUSER, APP_ROLE, READER)),
        )

    def _write(self, name: str, text: str) -> None:
        file, path = tempfile.mkstemp(prefix=f"{name}.", dir=self.path)
        with open(file, "w") as new:
            new.write(text)
            os.fchmod(file, 0o644)
        os.replace(path, self.path / name)

    @property
    def sockets(self) -> Path:
        """The folder of the server's socket."""
        return (self.path / "run").resolve()

    def _make_sockets(self) -> Path:
        run = self.path / "run"
        if not (fits(self.sockets) and self._is_private(self.sockets)):
            if run.is_symlink():
                run.unlink()
            else:
                shutil.rmtree(run, ignore_errors=True)
            if fits(run):
                run.mkdir(mode=0o700)
                self._give(run)
            else:
                short = self._short_folder()
                self._give(short)
                run.symlink_to(short)
        return self.sockets

    def _give(self, folder: Path) -> None:
        if os.geteuid() == 0:
            os.chown(folder, self.account.uid, self.account.gid)

    def _is_private(self, folder: Path) -> bool:
        try:
            found = folder.lstat()
        except FileNotFoundError:
            return False
        return found.st_mode == stat.S_IFDIR | 0o700 and found.st_uid == self.account.uid

    def _short_folder(self) -> Path:
        for parent in short_parents():
            if os.geteuid() != 0 or self.account.run("test", "-x", parent).returncode == 0:
                return Path(tempfile.mkdtemp(prefix="innomap-", dir=parent))
        raise DatabaseUnsuitable(
            f"临时目录 {tempfile.gettempdir()} 的路径过长或用户 {self.account.name} 无法进入：请将 TMPDIR 设为短路径。"
            f" The temporary directory {tempfile.gettempdir()} has too long a path or is closed to user"
            f" {self.account.name}: set TMPDIR to a short path."
        )


def _folder(path: Path) -> Path:
    """Make a folder unless it exists."""
    if not path.exists():
        path.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            # The server's account must get through, and root may be at work in somebody else's folder
            path.chmod(0o711)
            owner = path.parent.stat()
            os.chown(path, owner.st_uid, owner.st_gid)
    return path


def clusters(data_dir: Path) -> set[int]:
    """The major versions of PostgreSQL that have a cluster in a data folder."""
    found = (data_dir.expanduser() / "postgresql").glob("pg*")
    return {int(path.name[2:]) for path in found if path.name[2:].isdigit()}


def short_parents() -> list[Path]:
    """Where a socket goes whose own folder has too long a path: the temporary folder, or the system's."""
    places = dict.fromkeys((Path(tempfile.gettempdir()), SYSTEM_TEMPORARY))
    return [one for one in places if fits(one / "innomap-12345678") and os.access(one, os.W_OK | os.X_OK)]


def fits(folder: Path) -> bool:
    """Whether a socket in a folder has a path that the system takes."""
    return len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET_PATH
