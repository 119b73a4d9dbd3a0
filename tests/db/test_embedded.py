"""The private cluster against real PostgreSQL and PostGIS: sharing, crashes, accounts, paths, refusals.

Programs are processes of their own, so that they can be killed. What the tests look up in ``/proc`` (whose server
runs where, what listens) is what an administrator would see.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from app.db import embedded
from app.db.embedded import DatabaseUnsuitable, binaries, cluster
from tests.conftest import PATIENCE_S
from tests.db import in_memory

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from app.db.embedded import cluster
with cluster(Path(sys.argv[1]), fast=True) as running:
    print(running.url().render_as_string(), flush=True)
    sys.stdin.read()
"""
USUAL_FOLDERS = binaries.USUAL_FOLDERS


class Program:
    """A process that uses the cluster until told to leave, or killed."""

    def __init__(self, data: Path, *, env: dict[str, str], as_user: tuple[str, ...]) -> None:
        command = [*as_user, sys.executable, "-c", PROGRAM, str(data)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def url(self) -> sa.URL:
        """The address it got; waits until the cluster is ready."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode().strip()
        assert line, f"the program ended with {self.process.wait()}"
        return sa.make_url(line)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def leave(self) -> None:
        """End in the ordinary way; on return a cluster nobody else uses is stopped."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(PATIENCE_S) == 0

    def close(self) -> None:
        self.kill()
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            with contextlib.suppress(BrokenPipeError):
                stream.close()


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The programs' environment, with compiled modules at hand so that each starts in a fraction of a second."""
    folder = in_memory()
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder)}
    subprocess.run([sys.executable, "-c", "import app.db.embedded"], cwd=ROOT, env=environment, check=True)
    yield environment
    shutil.rmtree(folder)


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., Program]]:
    programs: list[Program] = []

    def started(data: Path, env: dict[str, str] | None = None, as_user: tuple[str, ...] = ()) -> Program:
        programs.append(Program(data, env={**environment, **(env or {})}, as_user=as_user))
        return programs[-1]

    yield started
    for program in programs:
        program.close()


def processes(data: Path) -> set[int]:
    """Everything that works for the cluster in a folder: supervisor, server, the server's workers, initdb."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().split(b"\0")
                program = Path(os.fsdecode(command[0].partition(b":")[0])).name
                here = os.fsencode(data) in b"\0".join(command) or data in (entry / "cwd").readlink().parents
                if here and (program.startswith(("postgres", "initdb")) or b"supervisor.py" in b"\0".join(command)):
                    found.add(int(entry.name))
    return found


def owners(pids: Iterable[int]) -> set[int]:
    """Who runs these processes; a worker of the server may have ended since it was seen."""
    found = set()
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            found.add(Path(f"/proc/{pid}").stat().st_uid)
    return found


@pytest.fixture
def base() -> Iterator[Path]:
    """A folder for one test; at its end nothing may run there any more."""
    folder = in_memory()
    yield folder
    eventually(lambda: not processes(folder), "processes are left behind")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def seed() -> Iterator[Path]:
    """A cluster that was made once and is stopped, for copying."""
    folder = in_memory()
    with cluster(folder / "data", fast=True):
        pass
    yield folder / "data"
    shutil.rmtree(folder)


@pytest.fixture
def data(base: Path, seed: Path) -> Path:
    """A data folder with a cluster that is not running."""
    subprocess.run(["cp", "-a", seed, base / "data"], check=True)
    return base / "data"


def eventually(condition: Callable[[], object], complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.02)


def query(url: sa.URL, statement: str) -> list[tuple[Any, ...]]:
    options = {**url.translate_connect_args(username="user", database="dbname"), **url.query}
    with psycopg.connect(**options, autocommit=True) as connection:
        answer = connection.execute(statement)
        return answer.fetchall() if answer.description else []


def answers(url: sa.URL) -> bool:
    try:
        return query(url, "SELECT 1") == [(1,)]
    except psycopg.OperationalError:
        return False


def pgdata(data: Path) -> Path:
    """The cluster folder."""
    return next(data.glob("postgresql/pg[0-9]*"))


def postmaster(data: Path) -> int:
    return int((pgdata(data) / "postmaster.pid").read_text().splitlines()[0])


def supervisor(data: Path) -> int:
    return int((data / "postgresql/supervisor.lock").read_text())


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# Starting, sharing, stopping


def test_first_start_makes_a_database_that_a_later_start_finds_again(base: Path) -> None:
    data = base / "资料 data"
    with cluster(data) as first:
        query(first.url(), "CREATE TABLE kept AS SELECT ST_Point(120.75, 30.75, 4326) AS geom")
    assert not processes(data)
    with cluster(data) as second:
        rows = query(second.url(), "SELECT ST_AsText(ST_Transform(ST_Transform(geom, 4549), 4326), 5) FROM kept")
    assert rows == [("POINT(120.75 30.75)",)]


def test_the_application_owns_its_database_but_is_no_superuser(data: Path) -> None:
    with cluster(data) as running:
        role = query(running.url(), "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        extensions = query(running.url(), "SELECT extname FROM pg_extension")
        assert role == [("innomap", False)]
        assert {("postgis",), ("pg_trgm",), ("unaccent",)} <= set(extensions)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(running.url(), "COPY (SELECT 1) TO PROGRAM 'true'")


def test_a_real_cluster_is_durable_and_knows_chinese(data: Path) -> None:
    names = ["fsync", "full_page_writes", "synchronous_commit", "wal_level", "jit", "server_encoding", "lc_ctype"]
    with cluster(data) as running:
        settings = [query(running.url(), f"SHOW {name}")[0][0] for name in names]
        trigrams = query(running.url(), "SELECT show_trgm('海宁市')")
    assert settings == ["on", "on", "on", "replica", "off", "UTF8", "C.UTF-8"]
    assert len(trigrams[0][0]) == 4


def test_eight_programs_at_once_share_one_new_cluster(base: Path, start: Callable[..., Program]) -> None:
    programs = [start(base / "data") for _ in range(8)]
    urls = {program.url() for program in programs}
    assert len(urls) == 1
    url = urls.pop()
    server = postmaster(base / "data")
    for program in programs[:7]:
        program.leave()
    assert answers(url)
    assert postmaster(base / "data") == server
    programs[7].leave()
    assert not processes(base / "data")


def test_sqlalchemy_connects_by_the_address_written_out(data: Path) -> None:
    with cluster(data) as running:
        engine = sa.create_engine(running.url().render_as_string(hide_password=False), poolclass=sa.NullPool)
        with engine.connect() as connection:
            assert connection.scalar(sa.text("SELECT current_database()")) == "innomap"


def test_further_databases_have_postgis_and_can_be_copied_and_dropped(data: Path) -> None:
    with cluster(data, fast=True) as running:
        query(running.create_database("loaded"), "CREATE TABLE t AS SELECT postgis_lib_version() AS version")
        copy = running.create_database('copy "1"', template="loaded")
        assert query(copy, "SELECT count(*) FROM t") == [(1,)]
        query(copy, "INSERT INTO t VALUES ('own')")
        assert query(running.url("loaded"), "SELECT count(*) FROM t") == [(1,)]
        with psycopg.connect(host=str(copy.query["host"]), user="innomap", dbname='copy "1"'):
            running.drop_database('copy "1"')
        running.drop_database('copy "1"')
        assert not answers(copy)


def test_the_server_ignores_what_the_environment_says_about_other_servers(
    data: Path, start: Callable[..., Program]
) -> None:
    strange = {"PROJ_LIB": "/nowhere", "GDAL_DATA": "/nowhere", "PGDATA": "/nowhere", "LC_ALL": "xx_XX", "PGPORT": "1"}
    program = start(data, env=strange)
    assert query(program.url(), "SELECT ST_SRID(ST_Transform(ST_Point(120, 30, 4326), 4549))") == [(4549,)]
    environment = Path(f"/proc/{postmaster(data)}/environ").read_bytes().split(b"\0")
    # The server itself sets PGDATA, to its own folder
    assert not [entry for entry in environment if entry.startswith((b"PROJ_", b"GDAL_", b"PGPORT"))]
    assert b"/nowhere" not in b"".join(environment)
    program.leave()


def test_two_data_folders_are_two_clusters(data: Path, base: Path) -> None:
    subprocess.run(["cp", "-a", data, base / "other"], check=True)
    with cluster(data, fast=True) as one, cluster(base / "other", fast=True) as other:
        query(one.url(), "CREATE TABLE only_here ()")
        assert query(other.url(), "SELECT to_regclass('only_here')") == [(None,)]


# Crashes


def test_a_killed_program_leaves_no_server(data: Path, start: Callable[..., Program]) -> None:
    program, other = start(data), start(data)
    url = program.url()
    assert other.url() == url
    program.kill()
    time.sleep(0.5)  # several rounds of the supervisor
    assert answers(url), "the other program lost its server"
    other.kill()
    eventually(lambda: not processes(data), "the server runs on without users")


def test_a_killed_supervisor_is_replaced_and_the_server_runs_on(data: Path, start: Callable[..., Program]) -> None:
    program = start(data)
    url, server, killed = program.url(), postmaster(data), supervisor(data)
    os.kill(killed, signal.SIGKILL)
    assert answers(url)
    eventually(lambda: supervisor(data) != killed and alive(supervisor(data)), "no new supervisor")
    assert postmaster(data) == server
    program.leave()
    assert not processes(data)


def test_the_orphan_of_a_killed_program_and_supervisor_is_adopted(data: Path, start: Callable[..., Program]) -> None:
    program = start(data)
    program.url()
    server = postmaster(data)
    os.kill(supervisor(data), signal.SIGKILL)
    program.kill()
    assert alive(server), "there is no orphan to adopt"
    heir = start(data)
    assert answers(heir.url())
    assert postmaster(data) == server
    heir.leave()
    assert not processes(data)


def test_a_terminated_supervisor_stays_for_its_users(data: Path, start: Callable[..., Program]) -> None:
    program = start(data)
    url, patient = program.url(), supervisor(data)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        os.kill(patient, number)
    time.sleep(0.3)
    assert alive(patient)
    assert answers(url)
    program.leave()


def test_committed_rows_survive_kills_of_the_server_under_writes(data: Path) -> None:
    confirmed: list[int] = []
    numbers = itertools.count()
    done = threading.Event()

    def write(url: sa.URL) -> None:
        while not done.is_set():
            with (
                contextlib.suppress(psycopg.OperationalError),
                psycopg.connect(
                    host=str(url.query["host"]), user="innomap", dbname="innomap", autocommit=True
                ) as connection,
            ):
                while not done.is_set():
                    number = next(numbers)
                    connection.execute("INSERT INTO written VALUES (%s)", [number])
                    confirmed.append(number)

    with cluster(data) as running:
        query(running.url(), "CREATE TABLE written (number int PRIMARY KEY)")
        writers = [threading.Thread(target=write, args=[running.url()], daemon=True) for _ in range(2)]
        for writer in writers:
            writer.start()
        for _ in range(3):
            enough = len(confirmed) + 200
            eventually(lambda enough=enough: len(confirmed) > enough, "the service did not return")
            os.kill(postmaster(data), signal.SIGKILL)
        eventually(lambda: answers(running.url()), "the service did not return")
        done.set()
        for writer in writers:
            writer.join()
        found = {number for (number,) in query(running.url(), "SELECT number FROM written")}
    assert set(confirmed) <= found


def test_a_worker_that_computes_on_does_not_keep_the_service_down(data: Path) -> None:
    with cluster(data, fast=True) as running:
        endless = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b"
        ended: list[str] = []

        def compute() -> None:
            try:
                query(running.url(), endless)
            except psycopg.OperationalError as error:
                ended.append(str(error))

        busy = threading.Thread(target=compute, daemon=True)
        busy.start()
        others = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
        eventually(lambda: query(running.url(), others), "the long statement did not start")
        os.kill(postmaster(data), signal.SIGKILL)
        eventually(lambda: answers(running.url()), "the service did not return")
        busy.join(PATIENCE_S)
        assert ended, "the long statement runs on"


def test_a_program_killed_in_mid_initdb_leaves_room_for_the_next(base: Path, start: Callable[..., Program]) -> None:
    data = base / "data"
    program = start(data)
    eventually(lambda: list(data.glob("postgresql/pg[0-9]*.*/base")), "initdb did not begin")
    program.kill()
    assert not list(data.glob("postgresql/pg??")), "initdb was over already"
    heir = start(data)
    assert answers(heir.url())
    heir.leave()
    with cluster(data, fast=True):
        assert not list(data.glob("postgresql/pg[0-9]*.*")), "the half cluster is still there"


def test_programs_killed_at_any_moment_of_the_first_start_do_no_harm(base: Path, start: Callable[..., Program]) -> None:
    data = base / "data"
    # From before the first lock to after the last extension; each continues where the one before ended
    for delay in (0.3, 0.8, 1.2, 1.5, 1.8):
        program = start(data)
        time.sleep(delay)
        program.kill()
    heir = start(data)
    assert query(heir.url(), "SELECT ST_NPoints(ST_Buffer(ST_Point(0, 0), 1)) > 8") == [(True,)]
    heir.leave()


def test_a_first_start_broken_off_before_the_extensions_is_completed(data: Path) -> None:
    with cluster(data, fast=True) as running:
        superuser = running.url("template1").set(username="postgres")
        running.drop_database("innomap")
        query(superuser, "ALTER DATABASE template_innomap IS_TEMPLATE false")
        query(superuser.set(database="template_innomap"), "DROP EXTENSION postgis")
    with cluster(data, fast=True) as running:
        assert query(running.url(), "SELECT ST_SRID(ST_Point(0, 0, 4326))") == [(4326,)]
        assert query(running.create_database("further"), "SELECT ST_SRID(ST_Point(0, 0, 4326))") == [(4326,)]


def test_a_start_outlives_kills_of_the_server_it_waits_for(base: Path, start: Callable[..., Program]) -> None:
    program = start(base / "data")
    killed = set[int]()
    while len(killed) < 3:
        with contextlib.suppress(StopIteration, FileNotFoundError, IndexError, ValueError, ProcessLookupError):
            if (server := postmaster(base / "data")) not in killed:
                os.kill(server, signal.SIGKILL)
                killed.add(server)
        assert program.process.poll() is None
        time.sleep(0.02)
    assert answers(program.url())
    program.leave()


def test_a_process_that_got_the_number_of_a_dead_server_is_left_alone(data: Path) -> None:
    owner = pgdata(data)
    account = {"user": owner.owner(), "group": owner.group()} if os.geteuid() == 0 else {}
    foreign = subprocess.Popen(["sleep", "600"], cwd="/", **account)  # type: ignore[call-overload]
    try:
        stale = f"{foreign.pid}\n{owner}\n1\n5432\n{data}/postgresql/run\n\n  1 1\nready\n"
        for name in (owner / "postmaster.pid", data / "postgresql/run/.s.PGSQL.5432.lock"):
            name.write_text(stale)
            shutil.chown(name, owner.owner(), owner.group())
        with cluster(data, fast=True) as running:
            assert answers(running.url())
            assert postmaster(data) != foreign.pid
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_a_deleted_data_folder_ends_its_server(data: Path) -> None:
    with cluster(data, fast=True) as running:
        pid = postmaster(data)
        shutil.rmtree(data)
        # A server without its files is of no use; its end is noticed by the supervisor, which must not go on
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not processes(data), "the supervisor tries on")
        assert not answers(running.url())


# Paths, accounts, access


def test_a_path_too_long_for_a_socket_gets_a_short_folder(
    base: Path, seed: Path, start: Callable[..., Program]
) -> None:
    data = base / ("d" * 100) / "data"
    data.parent.mkdir()
    subprocess.run(["cp", "-a", seed, data], check=True)
    program, other = start(data), start(data)
    sockets = Path(str(program.url().query["host"]))
    assert other.url().query["host"] == str(sockets)
    assert answers(other_url(sockets))
    assert len(os.fsencode(sockets / ".s.PGSQL.5432")) <= 107 < len(os.fsencode(data / "postgresql/run"))
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert sockets.owner() == pgdata(data).owner()
    os.kill(supervisor(data), signal.SIGKILL)
    program.kill()
    other.kill()
    heir = start(data)  # finds the orphan where it listens
    assert heir.url().query["host"] == str(sockets)
    heir.leave()
    assert not sockets.exists()


def other_url(sockets: Path) -> sa.URL:
    return sa.URL.create("postgresql+psycopg", "innomap", database="innomap", query={"host": str(sockets)})


def test_the_server_is_unprivileged_and_only_its_owner_reaches_it(data: Path) -> None:
    expected = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else os.geteuid()
    with cluster(data, fast=True) as running:
        workers = processes(data)
        assert len(workers) > 3
        assert owners(workers) == {expected}
        sockets = Path(str(running.url().query["host"]))
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (sockets, next(sockets.iterdir()))]
        assert (modes[0], modes[1] & 0o077) == (0o700, 0)
        superuser = running.url().set(username="postgres")
        rules = query(superuser, "SELECT type, auth_method, options FROM pg_hba_file_rules")
        assert set(map(str, rules)) == {"('local', 'peer', ['map=innomap'])"}


def test_nothing_listens_on_tcp(data: Path) -> None:
    def listening() -> dict[str, str]:
        tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
        rows = [line.split() for line in itertools.chain(*tables)]
        return {f"socket:[{row[9]}]": row[1] for row in rows if row[3] == "0A"}

    def open_files(pid: int) -> set[str]:
        links = set()
        with contextlib.suppress(FileNotFoundError):
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    links.add(os.readlink(link))
        return links

    with cluster(data, fast=True), socket.create_server(("127.0.0.1", 0)) as known:
        assert f"socket:[{os.fstat(known.fileno()).st_ino}]" in listening(), "the test cannot see listening sockets"
        held = set[str]().union(*map(open_files, processes(data)))
        assert any(name.startswith("socket:") for name in held), "the test cannot see the server's sockets"
        assert not held & listening().keys()


def ordinary_user() -> tuple[str, ...]:
    """How to run a program as an ordinary user, who is ``nobody`` if the tests run as root."""
    if os.geteuid() != 0:
        return ()
    nobody = pwd.getpwnam("nobody")
    drop = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
    again = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import app.db.embedded'], check=True)"
    if subprocess.run([*drop, sys.executable, "-c", again], cwd=ROOT, capture_output=True).returncode == 0:
        return drop
    # Python or this repository lies in a folder closed to others: let that user in all the same
    return (*drop, "--inh-caps=+dac_override", "--ambient-caps=+dac_override")


def test_an_ordinary_user_runs_a_cluster_of_their_own(base: Path, start: Callable[..., Program]) -> None:
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    home = base / "home"
    home.mkdir()
    os.chown(home, user.pw_uid, user.pw_gid)
    program = start(home / "data", as_user=ordinary_user(), env={"HOME": str(home)})
    url = program.url()
    assert query(url, "SELECT ST_NPoints(ST_Buffer(ST_Point(0, 0), 1)) > 8") == [(True,)]
    assert owners(processes(home)) == {user.pw_uid}
    os.kill(postmaster(home / "data"), signal.SIGKILL)
    eventually(lambda: answers(url), "the service did not return")
    program.leave()
    assert {path.lstat().st_uid for path in home.rglob("*")} == {user.pw_uid}
    # Root, or the same user, continues where that user left off, and takes nothing away
    for lock in (home / "data/postgresql").glob("*.lock"):
        lock.unlink()
    with cluster(home / "data", fast=True) as running:
        assert answers(running.url())
    assert {path.lstat().st_uid for path in (home / "data/postgresql").glob("*.lock")} == {user.pw_uid}


def test_a_folder_closed_to_the_server_is_refused_by_name(base: Path) -> None:
    closed = base / "closed"
    closed.mkdir(mode=0o000)
    words = f"(who cannot enter {closed}:|The data folder {closed}/data cannot be used).*INNOMAP_DATA_DIR"
    with pytest.raises(DatabaseUnsuitable, match=words), cluster(closed / "data"):
        pass
    closed.chmod(0o700)


def test_a_file_in_the_place_of_the_folder_is_refused(base: Path) -> None:
    (base / "data").write_text("not a folder")
    with pytest.raises(DatabaseUnsuitable, match="INNOMAP_DATA_DIR"), cluster(base / "data" / "below"):
        pass


# Unsuitable servers


@pytest.fixture
def installed(base: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str | None], Path]:
    """Make a pretended installation the only one there is."""

    def install(postgresql: str, postgis: str | None) -> Path:
        bindir, share = base / "pretended/bin", base / "pretended/share"
        (share / "extension").mkdir(parents=True)
        bindir.mkdir()
        if postgis:
            (share / "extension/postgis.control").write_text(f"comment = 'x'\ndefault_version = '{postgis}'\n")
        texts = {
            "postgres": f'echo "postgres (PostgreSQL) {postgresql} (Pretended)"',
            "pg_config": f'case $1 in --bindir) echo "{bindir}";; --sharedir) echo "{share}";; esac',
            "initdb": 'echo "initdb: error: no room" >&2; exit 1',
        }
        for name, text in texts.items():
            (bindir / name).write_text(f"#!/bin/sh\n{text}\n")
            (bindir / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{bindir}:/usr/bin:/bin")
        monkeypatch.setattr(binaries, "USUAL_FOLDERS", ())
        return bindir

    return install


@pytest.mark.parametrize(
    ("postgresql", "postgis", "words"),
    [
        ("14.9", "3.4.0", "PostgreSQL 14 in .* is too old: version 15 or newer is needed"),
        ("9.6.24", "3.4.0", "PostgreSQL 9 in .* is too old"),
        ("15.3", "3.2.5", "has only PostGIS 3.2.5: PostGIS 3.3 or newer is needed"),
        ("16beta1", None, "PostgreSQL 16 in .* has no PostGIS"),
    ],
)
def test_an_unsuitable_installation_is_refused_with_the_remedy(
    base: Path, installed: Callable[[str, str | None], Path], postgresql: str, postgis: str | None, words: str
) -> None:
    installed(postgresql, postgis)
    with pytest.raises(DatabaseUnsuitable, match=words) as refused, cluster(base / "data"):
        pass
    assert "sudo apt-get install postgresql-15-postgis-3" in str(refused.value)


def test_no_installation_at_all_is_refused_with_the_remedy(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(base))
    monkeypatch.setattr(binaries, "USUAL_FOLDERS", ())
    with pytest.raises(DatabaseUnsuitable, match="sudo apt-get install postgresql-15-postgis-3"):
        binaries.find()


def test_a_failed_initdb_is_reported_in_its_own_words(base: Path, installed: Callable[[str, str | None], Path]) -> None:
    installed("15.3", "3.3.2")
    with pytest.raises(DatabaseUnsuitable, match="initdb: error: no room"), cluster(base / "data"):
        pass
    assert not list(base.glob("data/postgresql/pg15*"))


def test_a_server_that_cannot_start_is_reported_in_its_own_words(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "START_TIMEOUT_S", 1.0)
    with (pgdata(data) / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(DatabaseUnsuitable, match=r"FATAL:  configuration file .* contains errors"), cluster(data):
        pass


def test_the_installed_version_that_has_a_cluster_already_is_preferred(
    base: Path, installed: Callable[[str, str | None], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = installed("99.1", "9.0.0")
    monkeypatch.setattr(binaries, "USUAL_FOLDERS", USUAL_FOLDERS)
    assert binaries.find().bindir == newer
    real = binaries.find({15, 16, 17, 18})
    assert real.bindir != newer
    assert real.postgis >= binaries.MIN_POSTGIS


def test_a_cluster_of_a_version_no_longer_installed_is_kept_and_named(
    data: Path, base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    current = pgdata(data)
    current.rename(current.with_name("pg9"))
    with cluster(data, fast=True) as running:
        assert answers(running.url())
    assert (data / "postgresql/pg9/PG_VERSION").exists()
    assert str(data / "postgresql/pg9") in caplog.text
