"""Migrations go up, down and up again, agree with the models, and refuse what they do not know."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from app.db.migrate import MIGRATION_LOCK, SchemaTooNew, config, current, downgrade, head, known, upgrade
from app.db.tables import metadata
from app.settings import ROOT
from tests.conftest import PATIENCE_S, connect, http, served, settings_for


def tables(connection: sa.Connection) -> set[str]:
    found = set(sa.inspect(connection).get_table_names())
    connection.rollback()
    return found - {"spatial_ref_sys", "alembic_version"}


def functions(connection: sa.Connection) -> set[str]:
    """Functions and triggers that no extension brought."""
    statement = """
        SELECT 'function ' || p.oid::regprocedure FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        UNION ALL SELECT tgname || ' on ' || tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal
    """
    found = set(connection.scalars(sa.text(statement)))
    connection.rollback()
    return found


def test_up_down_up(empty_url: sa.URL) -> None:
    with connect(empty_url).connect() as connection:
        assert tables(connection) == set()
        before = functions(connection)
        assert upgrade(connection) is True
        assert tables(connection) == set(metadata.tables)
        made = functions(connection)
        assert made > before

        downgrade(connection, "base")
        assert tables(connection) == set()
        assert functions(connection) == before

        assert upgrade(connection) is True
        assert tables(connection) == set(metadata.tables)
        assert functions(connection) == made


def test_up_again_does_nothing(empty_url: sa.URL) -> None:
    with connect(empty_url).connect() as connection:
        assert upgrade(connection) is True
        assert upgrade(connection) is False


def test_a_loaded_database_goes_down(database_url: sa.URL) -> None:
    with connect(database_url).connect() as connection:
        downgrade(connection, "base")
        assert tables(connection) == set()


QUESTIONS = (
    "/collections/platforms/items?limit=5", "/collections/platforms/items/jiaxing-hightech-park",
    "/collections/platforms/aggregate?group_by=county", "/search?q=jxkjc", "/indicators/values?limit=5",
    "/collections", "/collections/platforms/tiles/WebMercatorQuad/8/105/213", "/readyz",
)  # fmt: skip


def test_down_and_up_under_reads(database_url: sa.URL) -> None:
    """Readers of a loaded database while its schema goes back, stays there, and comes forward: an answer, or 503."""
    seen: Counter[int] = Counter()
    wrong: list[str] = []
    done = threading.Event()

    def read(address: str, number: int) -> None:
        with http(address) as client:
            while not done.is_set():
                number += 1
                answer = client.get(QUESTIONS[number % len(QUESTIONS)])
                if answer.status_code != 200 and not announced(answer):
                    wrong.append(f"{answer.url}: {answer.status_code} {answer.text}")
                seen[answer.status_code] += 1

    def asked(status: int) -> None:
        """Wait until each question had so many answers, whichever reader asked it."""
        enough, deadline = seen[status] + 2 * len(QUESTIONS), time.monotonic() + PATIENCE_S
        while seen[status] < enough:
            assert time.monotonic() < deadline, (seen, wrong)
            time.sleep(0.01)

    settings = settings_for(database_url, response_cache_mb=0)
    with served(settings) as address, http(address) as client, ThreadPoolExecutor(2) as readers:
        expected = client.get("/collections/platforms/items?limit=1000").json()["features"]
        reading = [readers.submit(read, address, number) for number in (0, 4)]
        try:
            with connect(database_url).connect() as connection:
                for revision in ("-1", "0003"):
                    downgrade(connection, revision)
                    if revision == "0003":
                        # what this release reads is not there
                        asked(503)
                    assert upgrade(connection) is True
                    asked(200)
        finally:
            done.set()
        for one in reading:
            one.result()
        assert wrong == []
        assert client.get("/collections/platforms/items?limit=1000").json()["features"] == expected


def announced(answer: httpx.Response) -> bool:
    kind = answer.headers["content-type"]
    return answer.status_code == 503 and "retry-after" in answer.headers and kind == "application/problem+json"


MIGRATE = """
import sys
import sqlalchemy as sa
from app.db.migrate import upgrade
with sa.create_engine(sys.argv[1], poolclass=sa.NullPool).connect() as connection:
    upgrade(connection)
"""
#: The session that migrates: it holds the lock, whatever became of its program.
MIGRATING = sa.text("SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database"
                    " WHERE datname = current_database() AND locktype = 'advisory' AND objid = :key")  # fmt: skip
SHAPE = """
    SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || coalesce(column_default, '')
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""


def content(connection: sa.Connection) -> dict[str, list[str]]:
    """Every row of every table but for moments and what is drawn by lot; and the schema."""
    found = {"": sorted([*connection.scalars(sa.text(SHAPE)), *functions(connection)])}
    for table in sorted(tables(connection)):
        own = "SELECT column_name FROM information_schema.columns WHERE table_name = :table AND data_type IN (:a, :b)"
        drawn = connection.scalars(sa.text(own), {"table": table, "a": "timestamp with time zone", "b": "uuid"}).all()
        rows = sa.text(f"SELECT (to_jsonb(t) - CAST(:drawn AS text[]))::text FROM {table} t ORDER BY 1")  # noqa: S608
        found[table] = list(connection.scalars(rows, {"drawn": list(drawn)}))
    connection.rollback()
    return found


def test_a_migration_that_is_killed(database_url: sa.URL) -> None:
    """``kill -9`` at random moments of the way from the earliest schema: nothing of it is there, then all of it."""
    chance = random.Random(5)  # noqa: S311
    program = [sys.executable, "-c", MIGRATE, database_url.render_as_string(hide_password=False)]
    with connect(database_url).connect() as connection:

        def back() -> None:
            with connection.begin():
                command.downgrade(config(connection), "0001")

        def migrating() -> bool:
            found = connection.scalar(MIGRATING, {"key": MIGRATION_LOCK})
            connection.rollback()
            return bool(found)

        back()
        before, began = content(connection), time.monotonic()
        assert len(before["platform"]) > 100
        assert upgrade(connection) is True
        whole_s, after = time.monotonic() - began, content(connection)
        assert after[""] != before[""]
        back()
        undone = 0
        while undone < 3:
            with subprocess.Popen(program, cwd=ROOT) as running:
                while not migrating() and running.poll() is None:
                    time.sleep(0.005)
                time.sleep(chance.uniform(0, whole_s))
                running.kill()
            while migrating():
                time.sleep(0.005)
            with connection.begin():
                at = current(connection)
            if at == "0001":
                undone += 1
                assert content(connection) == before
            else:
                # it was quicker
                assert content(connection) == after
                back()
        assert upgrade(connection) is True
        assert content(connection) == after
        command.check(config(connection))


def test_revisions_are_the_files_numbers_one_after_the_other() -> None:
    scripts = ScriptDirectory(str(ROOT / "migrations"))
    walked = [one.revision for one in scripts.walk_revisions()]
    assert walked == sorted(walked, reverse=True)
    assert all(known(one) for one in walked)
    assert head() == scripts.get_current_head() == walked[0]
    assert not known("9999")


def test_models_and_database_agree(empty_url: sa.URL) -> None:
    """``alembic check``: autogenerate finds nothing to add, drop or change."""
    with connect(empty_url).connect() as connection:
        upgrade(connection)
        command.check(config(connection))


def test_check_would_see_a_difference(empty_url: sa.URL) -> None:
    with connect(empty_url).connect() as connection:
        upgrade(connection)
        connection.execute(sa.text("ALTER TABLE platform DROP COLUMN concept"))
        connection.execute(sa.text("DROP INDEX ix_platform_geom"))
        with pytest.raises(Exception, match="New upgrade operations detected") as caught:
            command.check(config(connection))
    assert "concept" in str(caught.value)
    assert "ix_platform_geom" in str(caught.value)


def test_refuses_a_newer_schema(empty_url: sa.URL) -> None:
    with connect(empty_url).connect() as connection:
        upgrade(connection)
        with connection.begin():
            connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(SchemaTooNew, match="9999"):
            upgrade(connection)
        with connection.begin():
            assert current(connection) == "9999"


def test_two_at_once(empty_url: sa.URL) -> None:
    """Two programs that start together: one migrates, the other waits and finds it done."""
    done: list[bool] = []
    gate = threading.Barrier(2)

    def migrate() -> None:
        with connect(empty_url).connect() as connection:
            gate.wait()
            done.append(upgrade(connection))

    threads = [threading.Thread(target=migrate) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, True]


def test_needs_no_superuser(template_url: sa.URL) -> None:
    """Migrations and load have run as a role that owns its database and no more."""
    with connect(template_url).connect() as connection:
        superuser = connection.scalar(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
    if template_url.host is None:  # the embedded cluster; a server of one's own may be used as one likes
        assert superuser is False
