"""Bring a database to the schema of this release, or back.

Alembic takes a fifth of a second to load, which a start that has nothing to migrate does not wait for.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from app.db import roles
from app.settings import ROOT

if TYPE_CHECKING:
    from alembic.config import Config

#: One migration at a time, whichever program on whichever machine asks for it.
MIGRATION_LOCK = 7_304_020
#: How often a migration is begun that readers keep from its tables.
ATTEMPTS = 5
Done = TypeVar("Done")


class SchemaTooNew(RuntimeError):
    """The database was made by a later release; its message says so."""


def config(connection: Connection) -> "Config":
    """Alembic's configuration, bound to an open connection."""
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    configuration.attributes["connection"] = connection
    return configuration


def current(connection: Connection) -> str | None:
    """The revision the database is at, ``None`` for an empty one."""
    if not connection.scalar(text("SELECT to_regclass('alembic_version') IS NOT NULL")):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def upgrade(connection: Connection) -> bool:
    """Migrate to the newest revision in one transaction; true when something was to do.

    Raises ``SchemaTooNew`` when the database is at a revision this release does not know.
    """
    return _all_or_nothing(connection, lambda: bring_up(connection))


def downgrade(connection: Connection, revision: str) -> None:
    """Go back to an earlier revision in one transaction."""
    from alembic import command

    _all_or_nothing(connection, lambda: command.downgrade(config(connection), revision))


def _all_or_nothing(connection: Connection, migrate: Callable[[], Done]) -> Done:
    """Migrate in one transaction, and again where those who read meanwhile were in the way.

    They lock the same tables in another order: of two that wait for each other the server ends one.
    """
    attempt = 1
    while True:
        try:
            with connection.begin():
                return migrate()
        except OperationalError as error:
            if attempt == ATTEMPTS or not isinstance(error.orig, DeadlockDetected):
                raise
        attempt += 1


def bring_up(connection: Connection) -> bool:
    """What ``upgrade`` does, in the caller's transaction; and who may read what is there."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    at = current(connection)
    if at is not None and not known(at):
        raise too_new(at)
    behind = at != head()
    if behind:
        from alembic import command

        command.upgrade(config(connection), "head")
    roles.prepare(connection)
    return behind


def too_new(at: str) -> SchemaTooNew:
    return SchemaTooNew(
        f"数据库的结构版本 {at} 比本程序新，请升级程序。"
        f" The database is at schema {at}, which this release does not know: use a newer release."
    )


def known(revision: str) -> bool:
    """Whether this release knows a revision of the schema."""
    return revision in _revisions()


def head() -> str:
    """The revision of this release's schema."""
    return _revisions()[-1]


def _revisions() -> list[str]:
    """All of this release, one after the other: the numbers that the files of the migrations begin with."""
    return sorted(one.name.partition("_")[0] for one in (ROOT / "migrations/versions").glob("[0-9]*.py"))
