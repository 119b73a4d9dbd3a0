"""The database the program works with: the server that ``DATABASE_URL`` names, or the private cluster."""

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from app.db.embedded import EXTENSIONS, DatabaseUnsuitable, cluster
from app.db.embedded.binaries import MIN_POSTGIS, MIN_POSTGRESQL, version
from app.settings import Settings

CONNECT_TIMEOUT_S = 10
# Any number, as long as every program of this kind uses the same: CREATE EXTENSION does not bear company
EXTENSION_LOCK = 4_313_046_471


@contextlib.contextmanager
def database(settings: Settings) -> Iterator[sa.URL]:
    """The address of a database that has PostGIS, usable for as long as the context lasts.

    Raises DatabaseUnsuitable, with a sentence that names the remedy, if there is none or it is too old.
    """
    if settings.database_url is None:
        with cluster(settings.data_dir) as private:
            yield private.url()
    else:
        url = normalise(settings.database_url.get_secret_value())
        check(url)
        yield url


def normalise(address: str, setting: str = "DATABASE_URL") -> sa.URL:
    """A PostgreSQL address as SQLAlchemy's URL for psycopg 3, whichever usual scheme it has."""
    try:
        url = sa.make_url(address)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        # The address itself is not repeated: it may hold a password
        raise DatabaseUnsuitable(
            f"{setting} 不是 PostgreSQL 地址：请写成 postgresql://用户:密码@主机/数据库。"
            f" {setting} is not a PostgreSQL address: write it as postgresql://user:password@host/database."
        ) from None
    return url.set(drivername="postgresql+psycopg")


def check(url: sa.URL, *, create: bool = True) -> None:
    """Raise DatabaseUnsuitable unless the database answers, is recent enough and has PostGIS.

    ``create``: a missing extension is made, where the role may do so.
    """
    # what a connection asks for at its start is what a pooler refuses, or passes over
    asked = {"connect_timeout": CONNECT_TIMEOUT_S, "options": "-c innomap.direct=on"}
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=asked)
    try:
        with engine.begin() as connection:
            if not connection.scalar(sa.text("SELECT current_setting('innomap.direct', true)")):
                raise _pooler()
            _check_server(connection, int(connection.scalar(sa.text("SHOW server_version_num")) or 0) // 10_000)
            if create:
                _create_missing_extensions(connection)
            _check_postgis(connection)
    except DBAPIError as error:
        if "startup parameter" in str(error.orig):
            raise _pooler() from None
        raise DatabaseUnsuitable(
            f"无法使用 DATABASE_URL 指定的数据库（{_first_line(error)}）：请检查地址、密码与服务器。"
            f" The database that DATABASE_URL names cannot be used ({_first_line(error)}): check the address,"
            f" the password and the server."
        ) from None


def _pooler() -> DatabaseUnsuitable:
    return DatabaseUnsuitable(
        "DATABASE_URL 指向连接池（如 PgBouncer）：请在其中写数据库服务器本身，把连接池的地址写在 DATABASE_POOL_URL。"
        " DATABASE_URL leads to a pooler such as PgBouncer: name the server itself there, and the pooler in"
        " DATABASE_POOL_URL."
    )


def _check_server(connection: sa.Connection, major: int) -> None:
    if major < MIN_POSTGRESQL:
        raise DatabaseUnsuitable(
            f"DATABASE_URL 指定的服务器是 PostgreSQL {major}，需要 {MIN_POSTGRESQL} 或更新版本：请升级或换一台。"
            f" The server that DATABASE_URL names is PostgreSQL {major}, but {MIN_POSTGRESQL} or newer is needed:"
            f" upgrade it, or name another one."
        )


def _create_missing_extensions(connection: sa.Connection) -> None:
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(EXTENSION_LOCK)))
    present = set(connection.scalars(sa.text("SELECT extname FROM pg_extension")))
    for extension in EXTENSIONS:
        if extension in present:
            continue
        try:
            with connection.begin_nested():
                connection.execute(sa.text(f"CREATE EXTENSION {extension}"))
        except DBAPIError as error:
            if extension == "postgis":
                raise _no_postgis(connection, _first_line(error)) from None


def _no_postgis(connection: sa.Connection, reason: str) -> DatabaseUnsuitable:
    name = connection.scalar(sa.select(sa.func.current_database()))
    return DatabaseUnsuitable(
        f"数据库 {name} 没有 PostGIS（{reason}）：请在服务器上安装 PostGIS，"
        f"并由超级用户在该数据库中执行 CREATE EXTENSION postgis。"
        f" Database {name} has no PostGIS ({reason}): install PostGIS on the server and let a superuser run"
        f" CREATE EXTENSION postgis in that database."
    )


def _check_postgis(connection: sa.Connection) -> None:
    have = connection.scalar(sa.text("SELECT extversion FROM pg_extension WHERE extname = 'postgis'"))
    if have is None:
        raise _no_postgis(connection, "尚未建立 not created")
    if version(str(have)) < MIN_POSTGIS:
        need = ".".join(map(str, MIN_POSTGIS))
        raise DatabaseUnsuitable(
            f"DATABASE_URL 指定的数据库的 PostGIS 是 {have}，需要 {need} 或更新版本：请在服务器上升级，"
            f"再由超级用户执行 SELECT postgis_extensions_upgrade()。"
            f" The database that DATABASE_URL names has PostGIS {have}, but {need} or newer is needed: upgrade it on"
            f" the server, then let a superuser run SELECT postgis_extensions_upgrade()."
        )


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().partition("\n")[0]
