"""The role that questions are asked with: it reads the data, writes nothing, and does not see the keys' hashes.

In the private cluster it is a login of its own, so that not even a statement of somebody else's making finds a way back
to the role that owns the tables. On a server that ``DATABASE_URL`` names, the login becomes this role as soon as it has
connected (``SET ROLE``); where it may neither make the role nor become it, reads are held by their read-only
transactions alone, which ``/readyz`` says (``reads_only``).
"""

from dataclasses import dataclass

import psycopg
import sqlalchemy as sa
from psycopg.errors import DuplicateObject, InsufficientPrivilege
from sqlalchemy import URL, Connection, NullPool
from sqlalchemy.exc import DBAPIError, OperationalError

READER = "innomap_reader"
#: Tables that it does not read.
HIDDEN = ("api_key",)
CONNECT_TIMEOUT_S = 10

#: Tables of ours that the role may read and should not, or should and may not.
OTHERWISE = sa.text(
    """
    SELECT quote_ident(c.relname) AS name, c.relname = ANY(:hidden) AS hidden
    FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
      AND pg_has_role(c.relowner, 'USAGE')
      AND has_table_privilege(:reader, c.oid, 'SELECT') = (c.relname = ANY(:hidden))
    ORDER BY c.relname
    """
)


@dataclass(frozen=True)
class Reading:
    """How to connect for reading: the address, the role to become, and whether that can only read."""

    url: URL
    role: str | None
    restricted: bool


def prepare(connection: Connection) -> None:
    """Make the role where the login may, and let it read what it should; in the caller's transaction."""
    if not _exists(connection):
        allowed = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        if not connection.scalar(sa.text(allowed)):
            return
        # roles are those of the whole server: another database's program may be making it
        _try(connection, f"CREATE ROLE {READER} NOLOGIN", DuplicateObject)
    if not connection.scalar(sa.text(f"SELECT pg_has_role('{READER}', 'MEMBER')")):
        _try(connection, f"GRANT {READER} TO CURRENT_USER", InsufficientPrivilege)
    # imported layers are tables that come later
    connection.execute(sa.text(f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}"))
    for table in connection.execute(OTHERWISE, {"reader": READER, "hidden": list(HIDDEN)}).all():
        change = f"REVOKE ALL ON {table.name} FROM" if table.hidden else f"GRANT SELECT ON {table.name} TO"
        connection.execute(sa.text(f"{change} {READER}"))


def _exists(connection: Connection) -> bool:
    return bool(connection.scalar(sa.text(f"SELECT count(*) FROM pg_roles WHERE rolname = '{READER}'")))  # noqa: S608


def _try(connection: Connection, statement: str, accepted: type[psycopg.Error]) -> None:
    """Do it, or be told by one kind of error that it cannot be done."""
    try:
        with connection.begin_nested():
            connection.execute(sa.text(statement))
    except DBAPIError as error:
        if not isinstance(error.orig, accepted):
            raise


def reading(url: URL) -> Reading:
    """How a database is read. Raises ``SQLAlchemyError`` where it cannot be reached."""
    # of servers that know it the right to become a role, not only to have what it has
    right = "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END"
    # a database that was not prepared since the role was made is not read by it
    prepared = "has_table_privilege(oid, to_regclass('public.layer_version'), 'SELECT')"
    asked = f"SELECT rolcanlogin, pg_has_role(oid, {right}) FROM pg_roles WHERE rolname = '{READER}' AND {prepared}"  # noqa: S608
    with _engine(url).connect() as connection:
        found = connection.execute(sa.text(asked)).one_or_none()
    logs_in, becomes = found or (False, False)
    own = _login(url) if logs_in else None
    if own is not None:
        return Reading(own, None, restricted=True)
    return Reading(url, READER if becomes else None, restricted=becomes)


def _login(url: URL) -> URL | None:
    """The address at which the role logs in by itself, ``None`` where it cannot."""
    own = url.set(username=READER)
    try:
        if url.password is None:
            with _engine(own).connect():
                return own
    except OperationalError:
        pass
    return None


def _engine(url: URL) -> sa.Engine:
    given = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "innomap"}
    return sa.create_engine(url, poolclass=NullPool, connect_args=given)
