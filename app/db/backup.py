"""Backup of a whole database into one file, and back.

A backup is what ``pg_dump`` reads in one snapshot, with a manifest counted in the same one. A restore verifies the file
first, then does everything in one transaction: whatever fails leaves the database as it was.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from sqlalchemy import URL, Connection, NullPool
from sqlalchemy.exc import DBAPIError

from app import __version__
from app.db import archive
from app.db.archive import BadArchive, Manifest
from app.db.migrate import MIGRATION_LOCK, bring_up, current, known
from app.db.programs import address, program
from app.db.records import LOAD_LOCK, installation

#: How long a restore waits for those who use the database.
LOCK_TIMEOUT_S = 30
_COPY = re.compile(rb"COPY (public\.\S+) \(.*\) FROM stdin;\n")
#: Entries of a dump that belong to the server or to extensions, which are there already.
_NOT_OURS = re.compile(r" (EXTENSION|SCHEMA|ACL|DEFAULT ACL) | COMMENT - (EXTENSION|SCHEMA) |spatial_ref_sys")
_OWN = """
    relnamespace = 'public'::regnamespace AND NOT EXISTS (
        SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
"""
TABLES = f"SELECT relname FROM pg_class c WHERE relkind IN ('r', 'p') AND {_OWN} ORDER BY 1"  # noqa: S608
#: How the names of tables begin that hold what is kept ready: as large as the data, and made anew by itself.
READY = "ready_"
#: Everything in the schema that no extension brought; what hangs on a table, its sequences say, goes with it.
DROP = f"""
DO $$ DECLARE statement text; BEGIN
    FOREACH statement IN ARRAY ARRAY(
        SELECT format('DROP %s IF EXISTS public.%I CASCADE', kind, relname)
        FROM pg_class c JOIN (VALUES ('r', 'TABLE'), ('p', 'TABLE'), ('v', 'VIEW'), ('m', 'MATERIALIZED VIEW'))
            AS kinds (relkind, kind) ON kinds.relkind = c.relkind::text
        WHERE {_OWN}
    ) || ARRAY(
        SELECT format('DROP ROUTINE IF EXISTS public.%I(%s) CASCADE', proname, pg_get_function_identity_arguments(oid))
        FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND NOT EXISTS (
            SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e')
    ) LOOP
        EXECUTE statement;
    END LOOP;
END $$
"""  # noqa: S608


class RestoreFailed(RuntimeError):
    """A restore that was taken back; ``str()`` is a sentence, Chinese then English."""


def backup(url: URL, path: Path) -> Manifest:
    """Write a backup of the database to ``path`` and give its manifest.

    Raises OSError, and DatabaseUnsuitable where ``pg_dump`` is missing.
    """
    engine = sa.create_engine(url, poolclass=NullPool, isolation_level="REPEATABLE READ")
    with (
        tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder,
        engine.connect() as connection,
    ):
        snapshot = connection.scalar(sa.text("SELECT pg_export_snapshot()"))
        manifest = _describe(connection)
        dump = Path(folder) / archive.DUMP
        arguments, environment = address(url)
        command = [str(program("pg_dump", _major(connection))), "--format=custom", "--no-owner", "--no-privileges"]
        command += ["--schema=public", f"--exclude-table-data=public.{READY}*", f"--snapshot={snapshot}"]
        command += [f"--file={dump}", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise OSError(done.stderr.strip().rpartition("\n")[2] or "pg_dump failed")
        archive.write(path, manifest, dump)
    return manifest


def _describe(connection: Connection) -> Manifest:
    def ask(statement: str) -> Any:
        return connection.scalar(sa.text(statement))

    names = connection.scalars(sa.text(TABLES)).all()
    return {
        "release": __version__,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": current(connection),
        "postgresql": ask("SHOW server_version"),
        "postgis": ask("SELECT extversion FROM pg_extension WHERE extname = 'postgis'"),
        "epoch": str(connection.scalar(sa.select(installation.c.epoch))),
        "counts": {name: 0 if name.startswith(READY) else _count(connection, name) for name in names},
    }


def _count(connection: Connection, table: str) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0


def _major(connection: Connection) -> int:
    return int(connection.scalar(sa.text("SHOW server_version_num")) or 0) // 10_000


def restore(url: URL, path: Path) -> Manifest:
    """Make the database what it was when ``path`` was written, at this release's schema; give the manifest.

    Raises ``BadArchive`` before the database is touched, and ``RestoreFailed`` when it was left as it was.
    """
    engine = sa.create_engine(url, poolclass=NullPool)
    with (
        engine.connect() as connection,
        archive.opened(path) as (manifest, dump),
        tempfile.TemporaryDirectory() as folder,
    ):
        tool = program("pg_restore", _major(connection))
        entries = _verified(manifest, dump, tool, _major(connection), Path(folder))
        connection.rollback()
        try:
            with connection.begin():
                _replace(connection, tool, entries)
                _finish(connection, manifest)
        except DBAPIError as error:
            reason = str(error.orig).strip().partition("\n")[0]
            raise RestoreFailed(f"未恢复，数据库保持原样：{reason} Not restored, nothing changed: {reason}") from None
    return manifest


def _verified(manifest: Manifest, dump: IO[bytes], tool: Path, server: int, folder: Path) -> Path:
    """A copy of the dump beside the list of what to restore of it, once both were looked at."""
    revision, counts = str(manifest.get("revision")), manifest.get("counts")
    if not known(revision):
        raise BadArchive(
            f"备份的结构版本 {revision} 比本程序新，请用新版本恢复。"
            f" The backup is at schema {revision}, which this release does not know: restore it with a newer one."
        )
    made_by = int(re.match(r"\d*", str(manifest.get("postgresql", "")))[0] or 0)  # type: ignore[index]
    if made_by > server:
        raise BadArchive(
            f"备份出自 PostgreSQL {made_by}，此处是 {server}：请先升级数据库。"
            f" The backup is of PostgreSQL {made_by}, here is {server}: upgrade the database first."
        )
    copy = folder / archive.DUMP
    with copy.open("wb") as file:
        while piece := dump.read(1 << 20):
            file.write(piece)
    listed = subprocess.run([tool, "--list", copy], capture_output=True, text=True, check=False)  # noqa: S603
    lines = [line for line in listed.stdout.splitlines() if line and not line.startswith(";")]
    tables = {line.split()[5] for line in lines if " TABLE public " in line}
    if listed.returncode or not isinstance(counts, dict) or tables - {"spatial_ref_sys"} != set(counts):
        raise BadArchive("备份的内容与其清单不符。 The backup holds other than its manifest says.")
    (folder / "list").write_text("\n".join(line for line in lines if not _NOT_OURS.search(line)))
    return folder


def _replace(connection: Connection, tool: Path, folder: Path) -> None:
    """Drop what is there and do what the dump says, statement by statement, in the transaction that is open."""
    connection.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'"))
    for lock in (LOAD_LOCK, MIGRATION_LOCK):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
    connection.execute(sa.text(DROP))
    command = [str(tool), "--no-owner", "--no-privileges", f"--use-list={folder / 'list'}", "--file=-"]
    command.append(str(folder / archive.DUMP))
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:  # noqa: S603
        if running.stdout is None or running.stderr is None:
            raise AssertionError
        try:
            _run(connection, iter(running.stdout.readline, b""))
        except BaseException:
            running.kill()
            raise
        told = running.stderr.read().decode(errors="replace")
        if running.wait():
            raise RestoreFailed(f"未恢复，数据库保持原样：{told} Not restored, nothing changed: {told}")


def _run(connection: Connection, lines: Iterator[bytes]) -> None:
    """A script of ``pg_restore``: statements, and the rows that stand behind each COPY."""
    driver = connection.connection.driver_connection
    if driver is None:
        raise AssertionError
    with driver.cursor() as cursor:
        statements: list[bytes] = []
        for line in lines:
            if not _COPY.fullmatch(line):
                # backslash commands are for psql; of a string that spans lines no dump of ours has any
                statements += [] if line.startswith(b"\\") else [line]
                continue
            cursor.execute(b"".join(statements))
            statements = []
            with cursor.copy(line) as rows:
                for row in iter(lambda: next(lines), b"\\.\n"):
                    rows.write(row)
        cursor.execute(b"".join(statements))
        # the script has set what it needs for itself, the search path above all
        cursor.execute(b"RESET ALL")


def _finish(connection: Connection, manifest: Manifest) -> None:
    """Count what came, bring it to this release's schema, and renew the epoch: kept answers are of another database."""
    for name, number in manifest["counts"].items():
        if _count(connection, name) != number:
            raise RestoreFailed(f"{name} 行数不符，未恢复。 {name} has other rows than counted: not restored.")
    bring_up(connection)
    connection.execute(sa.update(installation).values(epoch=sa.func.gen_random_uuid()))
    connection.execute(sa.text("ANALYZE"))
