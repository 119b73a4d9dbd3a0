"""A private PostgreSQL+PostGIS cluster in a data folder, reached by Unix socket only.

Every program that uses the cluster holds a shared lock on one file; the kernel drops it even on ``kill -9``. The
first one starts a supervisor (`app.db.embedded.supervisor`), which keeps the server running and stops it when
nobody holds the lock any more. Several programs on one data folder share the server.
"""

import contextlib
import fcntl
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL

from app.db.embedded.binaries import DatabaseUnsuitable
from app.db.embedded.home import APP_ROLE, PORT, SUPERUSER, Home
from app.db.roles import READER

__all__ = ["EXTENSIONS", "Cluster", "DatabaseUnsuitable", "cluster"]

DATABASE = "innomap"
TEMPLATE = "template_innomap"
# PostGIS must be there; the others are part of PostgreSQL's contrib modules, which not every system installs
EXTENSIONS = ("postgis", "pg_trgm", "unaccent")
START_TIMEOUT_S = 30.0
CONNECT_TIMEOUT_S = 10
WATCH_INTERVAL_S = 1.0
STOP_TIMEOUT_S = 90.0

log = logging.getLogger(__name__)
Connection = psycopg.Connection[tuple[Any, ...]]


class Cluster:
    """A running private cluster. The role in its URLs owns the databases but is not a superuser."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def url(self, database: str = DATABASE) -> URL:
        """The address of a database, for `sqlalchemy.create_engine` and `create_async_engine` alike."""
        query = {"host": str(self._home.sockets), "port": str(PORT)}
        return URL.create("postgresql+psycopg", username=APP_ROLE, database=database, query=query)

    def create_database(self, name: str, template: str | None = None) -> URL:
        """Make a database owned by the application's role, by default an empty one with PostGIS.

        ``template`` is a database to copy, to which nobody may be connected.
        """
        statement = "CREATE DATABASE {} OWNER {} TEMPLATE {}"
        with self._superuser("postgres") as connection:
            connection.execute(_identifiers(statement, name, APP_ROLE, template or TEMPLATE))
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Remove a database if it exists and end its sessions."""
        with self._superuser("postgres") as connection:
            connection.execute(_identifiers("DROP DATABASE IF EXISTS {} WITH (FORCE)", name))

    def _superuser(self, database: str) -> Connection:
        return psycopg.connect(
            host=str(self._home.sockets),
            port=PORT,
            user=SUPERUSER,
            dbname=database,
            autocommit=True,
            connect_timeout=CONNECT_TIMEOUT_S,
        )

    def _get_ready(self) -> None:
        """Start the server and prepare the database, for as long as the server is starting or recovering.

        Whatever fails is tried again for a while: the server may be killed, or end the work of a killed program.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            self._home.ensure_supervisor()
            try:
                self._make_missing()
                return
            except psycopg.Error as error:
                if "FATAL:  the database system is" in str(error):  # starting up, shutting down, in recovery
                    deadline = time.monotonic() + START_TIMEOUT_S
                elif time.monotonic() > deadline:
                    raise self._not_ready(error) from error
            time.sleep(0.03)

    def _not_ready(self, error: psycopg.Error) -> DatabaseUnsuitable:
        lines = self._home.log_file.read_text(errors="replace").splitlines()
        fatal = [line for line in lines if "FATAL" in line and "the database system is" not in line]
        reason = fatal[-1] if fatal and error.sqlstate is None else str(error).strip()
        return DatabaseUnsuitable(
            f"数据库服务器未能就绪（{reason}）：请查看 {self._home.log_file} 并排除原因。"
            f" The database server did not get ready ({reason}): see {self._home.log_file} and remove the cause."
        )

    def _make_missing(self) -> None:
        """Make the roles, the template and the database that are missing, and bring extensions up to date."""
        with self._superuser("postgres") as connection:
            for role in (APP_ROLE, READER):
                if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).rowcount:
                    connection.execute(_identifiers("CREATE ROLE {} LOGIN", role))
            # for a server that was started by an earlier release and does not yet let the reader log in
            connection.execute(_identifiers("GRANT {} TO {}", READER, APP_ROLE))
            rows = connection.execute("SELECT datname, datistemplate FROM pg_database").fetchall()
            databases: dict[str, bool] = dict(rows)
            if not databases.get(TEMPLATE):
                if TEMPLATE not in databases:
                    connection.execute(_identifiers("CREATE DATABASE {} TEMPLATE template0", TEMPLATE))
                self._update_extensions(TEMPLATE)
                # Set last: it tells that the template is complete
                connection.execute(_identifiers("ALTER DATABASE {} IS_TEMPLATE true", TEMPLATE))
        if DATABASE not in databases:
            self.create_database(DATABASE)
        self._update_extensions(DATABASE)

    def _update_extensions(self, database: str) -> None:
        available = "SELECT name FROM pg_available_extensions WHERE name = ANY(%s)"
        with self._superuser(database) as connection:
            for (name,) in connection.execute(available, [list(EXTENSIONS)]).fetchall():
                connection.execute(_identifiers("CREATE EXTENSION IF NOT EXISTS {}", name))
                connection.execute(_identifiers("ALTER EXTENSION {} UPDATE", name))

    def _watch(self, stopped: threading.Event) -> None:
        """Replace a killed supervisor for as long as this program uses the cluster."""
        while not stopped.wait(WATCH_INTERVAL_S) and self._home.pgdata.exists():
            try:
                self._home.ensure_supervisor()
            except Exception:
                log.exception("The database's supervisor could not be started")


@contextlib.contextmanager
def cluster(data_dir: Path, *, fast: bool = False) -> Iterator[Cluster]:
    """Use the private cluster in ``data_dir``, made and started if need be; the last user stops it.

    ``fast`` gives up durability, for tests only; it counts for the program that starts the server.

    Raises DatabaseUnsuitable, with a sentence that names the remedy, if the cluster cannot be had.
    """
    home = Home(data_dir, fast=fast)
    running = Cluster(home)
    stopped = threading.Event()
    watcher = threading.Thread(target=running._watch, args=[stopped], name="database-watch", daemon=True)
    try:
        with home.opened(home.users_lock) as users:
            fcntl.flock(users, fcntl.LOCK_SH)  # waits while a supervisor is stopping the server
            with home.opened(home.start_lock) as start:
                fcntl.flock(start, fcntl.LOCK_EX)
                home.initialise()
                running._get_ready()
            watcher.start()
            try:
                yield running
            finally:
                stopped.set()
                watcher.join()
    finally:
        _wait_until_stopped(home)


def _wait_until_stopped(home: Home) -> None:
    """Wait for the server to stop, unless others use it: a container ends with its first process."""
    deadline = time.monotonic() + STOP_TIMEOUT_S
    with (
        contextlib.suppress(FileNotFoundError),  # somebody deleted the data folder
        home.opened(home.users_lock) as users,
        home.opened(home.supervisor_lock) as supervisor,
    ):
        while time.monotonic() < deadline:
            if _try(supervisor, fcntl.LOCK_EX):
                return
            stopping = not _try(users, fcntl.LOCK_SH)
            unused = stopping or _try(users, fcntl.LOCK_EX)
            fcntl.flock(users, fcntl.LOCK_UN)
            if not unused:
                return
            time.sleep(0.05)


def _try(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _identifiers(statement: str, *names: str) -> sql.Composed:
    return sql.SQL(statement).format(*map(sql.Identifier, names))
