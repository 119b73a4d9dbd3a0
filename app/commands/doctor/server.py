"""The database: reached, recent, at this release's schema, loaded, read by who should, in order."""

import time
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from app.commands.doctor.findings import Check, Finding, Patient, first_line, ok, warning, wrong
from app.commands.doctor.machine import some, space
from app.db import migrate, roles
from app.db import tables as t
from app.db.embedded import DatabaseUnsuitable
from app.db.embedded.home import Home, clusters
from app.db.programs import program
from app.db.server import check, database, normalise
from app.ingest.load import fingerprint
from app.queries.rights import BEYOND_READING

#: Connections of a web process beside its pools: it is told of changes by one, and looks at standbys by others.
BESIDE = 2
#: Seconds by which two clocks may differ, and by which people and certificates are misled.
ASTRAY_S, WRONG_S = 2.0, 60.0
#: How far behind a replica may be: bytes of log.
BEHIND = 64_000_000
#: Transactions after which PostgreSQL stops taking writes are 2,147 million; autovacuum should act at 200.
OLD = 1_000_000_000
#: Which server a connection leads to; the same for all that follow it.
IDENTITY = "(SELECT system_identifier FROM pg_control_system())"


def reached(patient: Patient) -> Iterator[Finding]:
    """The database answers, is recent enough and has PostGIS."""
    settings = patient.settings
    if settings.database_url is None:
        if not clusters(settings.data_dir):
            yield warning("还没有数据库：scripts/serve 会建立。 There is no database yet: scripts/serve makes it.")
            return
        url = patient.stack.enter_context(database(settings))
    else:
        url = normalise(settings.database_url.get_secret_value())
        check(url, create=False)
    with patient.connect(url) as connection:
        told = "SELECT current_setting('server_version'), extversion, current_setting('server_encoding')"
        server, postgis, encoding = connection.execute(
            sa.text(f"{told} FROM pg_extension WHERE extname = 'postgis'")
        ).one()
    if encoding != "UTF8":
        yield wrong(
            f"数据库的编码是 {encoding}，须为 UTF8：请新建。 Its encoding is {encoding}: make it anew with UTF8."
        )
    patient.url = url
    yield ok(f"{url.render_as_string(hide_password=True)}: PostgreSQL {server}, PostGIS {postgis}")


def pooler(patient: Patient) -> Iterator[Finding]:
    """The pooler leads to the same database."""
    given = patient.settings.database_pool_url
    if given is None:
        return
    try:
        url = normalise(given.get_secret_value(), "DATABASE_POOL_URL")
        which = sa.text(f"SELECT {IDENTITY}, current_database()")
        with patient.connect(url, pooled=True) as through, patient.connect() as direct:
            same = through.execute(which).one() == direct.execute(which).one()
    except SQLAlchemyError as error:
        reason = first_line(error)
        yield wrong(
            f"无法经 DATABASE_POOL_URL 到达（{reason}）：请检查连接池及其地址。 Cannot be reached ({reason}): check"
            " the pooler and"
            f" its address."
        )
        return
    yield (
        ok("通向同一个数据库。 It leads to the same database.")
        if same
        else wrong("DATABASE_POOL_URL 通向另一个数据库。 It leads to another database than DATABASE_URL.")
    )


def replicas(patient: Patient) -> Iterator[Finding]:
    """Each replica answers, follows this primary, and is not far behind."""
    for number, given in enumerate(patient.settings.database_replica_urls, start=1):
        try:
            yield _replica(patient, f"{number}", normalise(given.get_secret_value(), "DATABASE_REPLICA_URLS"))
        except (SQLAlchemyError, DatabaseUnsuitable) as error:
            reason = first_line(error)
            yield wrong(
                f"第 {number} 个无法到达（{reason}）。 Replica {number} cannot be reached ({reason}): start it."
            )


def _replica(patient: Patient, number: str, url: sa.URL) -> Finding:
    with patient.connect() as primary, patient.connect(url) as replica:
        identity, position = primary.execute(sa.text(f"SELECT {IDENTITY}, CAST(pg_current_wal_lsn() AS text)")).one()
        asked = f"SELECT {IDENTITY}, pg_is_in_recovery(), pg_wal_lsn_diff(:at, pg_last_wal_replay_lsn())"
        found, follows, behind = replica.execute(sa.text(asked), {"at": position}).one()
    if found != identity or not follows:
        return wrong(
            f"第 {number} 个不是主库的备库。 Replica {number} does not follow the primary: make it by pg_basebackup."
        )
    told = f"{number}: 落后 {max(0.0, float(behind)) / 1e6:.1f} MB behind"
    return ok(told) if behind < BEHIND else warning(f"{told}；请查看网络与负载。 Look at the network and the load.")


def schema(patient: Patient) -> Iterator[Finding]:
    """The schema is this release's."""
    with patient.connect() as connection:
        at, head = migrate.current(connection), migrate.head()
    if at is None:
        yield warning(
            "数据库是空的：innomap load 会建表并装入。 It is empty: innomap load makes its tables and loads them."
        )
    elif at == head:
        patient.current = True
        yield ok(f"{at}")
    elif migrate.known(at):
        yield warning(
            f"结构是 {at}，本版本是 {head}：请先备份，启动时会更新。 It is at {at}, this release at {head}: take a"
            " backup; the next"
            f" start brings it up."
        )
    else:
        yield wrong(str(migrate.too_new(at)))


def data(patient: Patient) -> Iterator[Finding]:
    """What is loaded is what the data files say."""
    settings = patient.settings
    with patient.connect() as connection:
        loaded = connection.execute(sa.select(t.load_state.c.checksum, t.load_state.c.loaded_at)).one_or_none()
        places = connection.scalar(sa.select(sa.func.count()).select_from(t.platform))
    if loaded is None:
        yield warning("还没有装入数据：请运行 innomap load。 Nothing is loaded yet: run innomap load.")
    elif loaded.checksum != fingerprint(settings.geodata_dir, settings.county_outlines):
        yield warning(
            f"{settings.geodata_dir} 与所装入的不同：请运行 innomap load，或重启服务。 The data files are not those"
            " that were loaded:"
            f" run innomap load, or restart the service."
        )
    else:
        yield ok(f"{loaded.loaded_at:%Y-%m-%d %H:%M} UTC; {places} platforms")


def reader(patient: Patient) -> Iterator[Finding]:
    """Questions are asked by a role that can only read, and may read what it should."""
    assert patient.url is not None  # noqa: S101
    how = roles.reading(patient.url)
    if not how.restricted:
        yield warning(
            f"没有只读角色，查询只靠只读事务；请管理员执行 CREATE ROLE {roles.READER} NOLOGIN; GRANT {roles.READER} TO"
            f" {patient.url.username or '…'}; 再启动一次。 There is no role that only reads: let an administrator run"
            " these"
            f" two, and start again."
        )
        return
    with patient.connect(how.url) as connection:
        if how.role:
            connection.execute(sa.text(f"SET ROLE {how.role}"))
        beyond = connection.scalar(BEYOND_READING, {"hidden": list(roles.HIDDEN)})
    if beyond:
        yield wrong(
            f"{roles.READER} 可写 {beyond} 或看到密钥：请收回（REVOKE）。 It can write {beyond}, or see the keys:"
            " revoke that."
        )
    with patient.connect() as connection:
        asked = {"reader": roles.READER, "hidden": list(roles.HIDDEN)}
        unlike = [one.name for one in connection.execute(roles.OTHERWISE, asked)]
    if unlike:
        yield wrong(
            f"{roles.READER} 对这些表的权限不对：{some(unlike)}；重启服务即可改正。 Its rights to these tables are not"
            " as they should"
            f" be: a restart of the service mends them."
        )
    elif not beyond:
        yield ok(roles.READER)


def connections(patient: Patient) -> Iterator[Finding]:
    """The server takes as many connections as the settings ask for."""
    settings = patient.settings
    need = patient.workers * (settings.pool_size + settings.write_pool_size + BESIDE) + settings.concurrent_imports
    asked = """
        SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
             - coalesce(current_setting('reserved_connections', true)::int, 0) AS server,
            (SELECT datconnlimit FROM pg_database WHERE datname = current_database()) AS database,
            (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user) AS role,
            (SELECT count(*) FROM pg_stat_activity
             WHERE backend_type = 'client backend' AND application_name NOT LIKE 'innomap%') AS others
    """
    with patient.connect() as connection:
        found = connection.execute(sa.text(asked)).one()
    most = min(one for one in (found.server, found.database, found.role) if one >= 0)
    told = (
        f"{patient.workers} × (pool {settings.pool_size} + write pool {settings.write_pool_size} + {BESIDE}) = {need}"
    )
    if settings.database_pool_url is not None:
        yield ok("经连接池，由其限定。 Through a pooler, which limits them.")
    elif need > most:
        yield wrong(
            f"需要 {need} 个连接，数据库只给 {most}：请调低 INNOMAP_POOL_SIZE、--workers，或调高 max_connections，"
            "或用连接池。"
            f" {told}, and the database gives {most}: lower them, raise max_connections, or use a pooler."
        )
    elif need + found.others > found.server:
        yield warning(
            f"{told}，其他程序另用 {found.others}，共有 {most}。 Others use {found.others}, of {most} in all."
        )
    else:
        yield ok(f"{told} ≤ {most}")


def clock(patient: Patient) -> Iterator[Finding]:
    """The clocks of this machine and of the database agree."""
    with patient.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
        before = time.time()
        theirs = float(connection.scalar(sa.text("SELECT extract(epoch FROM clock_timestamp())")) or 0)
        ahead = theirs - (before + time.time()) / 2
    told = f"数据库的时钟相差 {ahead:+z.1f} 秒。 The database's clock differs by {ahead:+z.1f} s."
    if abs(ahead) < ASTRAY_S:
        yield ok(told)
    else:
        remedy = f"{told} 请启用 NTP。 Let both follow a time server (NTP)."
        yield wrong(remedy) if abs(ahead) >= WRONG_S else warning(remedy)


def indexes(patient: Patient) -> Iterator[Finding]:
    """Every index of the schema is there and valid, every constraint holds."""
    ours = "relnamespace = 'public'::regnamespace"
    present = f"SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid WHERE {ours}"  # noqa: S608
    loose = (
        "SELECT CAST(conrelid::regclass AS text) || '.' || conname FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace AND NOT convalidated"
    )
    with patient.connect() as connection:
        there = set(connection.scalars(sa.text(present)))
        invalid = list(connection.scalars(sa.text(f"{present} AND NOT (indisvalid AND indisready)")))
        unchecked = list(connection.scalars(sa.text(loose)))
    lacking = sorted({str(one.name) for table in t.metadata.tables.values() for one in table.indexes} - there)
    if invalid:
        yield wrong(f"索引无效：{some(invalid)}；请 REINDEX INDEX。 Indexes are not valid: REINDEX INDEX each.")
    if lacking:
        yield wrong(
            f"缺少索引：{some(lacking)}；请由备份恢复，或按 migrations/ 重建。 Indexes are missing: restore a backup,"
            " or make them as"
            f" migrations/ says."
        )
    if unchecked:
        yield wrong(
            f"约束未核实：{some(unchecked)}；请 VALIDATE CONSTRAINT。 Constraints are not valid: VALIDATE CONSTRAINT."
        )
    if not (invalid or lacking or unchecked):
        yield ok(f"{len(there)} 个索引 indexes")


def upkeep(patient: Patient) -> Iterator[Finding]:
    """Statistics were ever taken, and autovacuum keeps transaction numbers from running out."""
    never = (
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'm')"
        " AND reltuples < 0 AND pg_relation_size(oid) > 200000"
    )
    told = (
        "SELECT age(datfrozenxid), current_setting('autovacuum') = 'on', current_setting('fsync') = 'on'"
        " FROM pg_database WHERE datname = current_database()"
    )
    with patient.connect() as connection:
        unknown = list(connection.scalars(sa.text(never)))
        age, vacuums, durable = connection.execute(sa.text(told)).one()
    if age > OLD:
        yield wrong(f"已有 {age:,} 个事务未清理，请尽快 VACUUM。 {age:,} transactions were never frozen: VACUUM soon.")
    if not vacuums:
        yield warning("autovacuum 关闭，请开启。 autovacuum is off: turn it on.")
    if not durable:
        yield warning("fsync 关闭，断电会损坏数据。 fsync is off: a power cut can destroy the data. Turn it on.")
    if unknown:
        yield warning(f"从未统计：{some(unknown)}；请 ANALYZE。 Statistics were never taken: ANALYZE.")
    elif vacuums and durable:
        yield ok("autovacuum")


def disk(patient: Patient) -> Iterator[Finding]:
    """How large the database is; and the space left, where its disk is this machine's."""
    with patient.connect() as connection:
        size = connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0
    yield ok(f"数据库 database: {size / 1e6:,.0f} MB")
    if patient.settings.database_url is None:
        yield from space(Home(patient.settings.data_dir, fast=False).path)
    else:
        yield ok("服务器的余量须在那台机器上看。 The space left can be seen on the server's machine alone.")


def backups(patient: Patient) -> Iterator[Finding]:
    """The programs that ``innomap backup`` uses are not older than the server."""
    with patient.connect() as connection:
        major = int(connection.scalar(sa.text("SHOW server_version_num")) or 0) // 10_000
    try:
        yield ok(f"{program('pg_dump', major)}, {program('pg_restore', major)}")
    except DatabaseUnsuitable as error:
        yield warning(f"{error}（innomap backup）")


CHECKS = (
    Check("database", "数据库 database", reached, seconds=90),
    Check("pooler", "连接池 pooler", pooler, "database"),
    Check("replicas", "备库 replicas", replicas, "database", seconds=60),
    Check("schema", "结构 schema", schema, "database"),
    Check("data", "数据 data", data, "schema"),
    Check("reader", "只读角色 role that reads", reader, "schema"),
    Check("connections", "连接数 connections", connections, "database"),
    Check("clock", "时钟 clock", clock, "database"),
    Check("indexes", "索引与约束 indexes and constraints", indexes, "schema"),
    Check("upkeep", "维护 upkeep", upkeep, "database"),
    Check("disk", "磁盘 disk", disk, "database"),
    Check("backup", "备份程序 backup programs", backups, "database"),
)
