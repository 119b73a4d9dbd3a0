"""PostgreSQL's client programs, recent enough for the server they talk to."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL

from app.db.embedded.binaries import DatabaseUnsuitable, folders, version


def program(name: str, server: int) -> Path:
    """The path of ``pg_dump`` or ``pg_restore``, not older than a server's major version.

    Raises DatabaseUnsuitable, with a sentence that names the remedy, if there is none.
    """
    for path in _candidates(name):
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
        # "pg_dump (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"
        if version(said.stdout.partition(") ")[2]) >= (server,):
            return path
    raise DatabaseUnsuitable(
        f"没有适用于 PostgreSQL {server} 的 {name}：请安装 postgresql-client-{server}。"
        f" There is no {name} for PostgreSQL {server}: install postgresql-client-{server}."
    )


def _candidates(name: str) -> Iterator[Path]:
    for folder in folders():
        if (folder / name).is_file():
            yield folder / name
    if found := shutil.which(name):
        yield Path(found)


def address(url: URL) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment with which a program reaches a database; the password is in the environment alone."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    plain = url.set(drivername="postgresql", password=None)
    return [f"--dbname={plain.render_as_string(hide_password=False)}"], environment
