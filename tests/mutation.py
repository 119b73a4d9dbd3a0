"""Breaks the program in one place at a time and looks whether the tests notice: mutation testing, by cosmic-ray.

    python -m tests.mutation COSMIC_RAY [AREA ...] [--minutes 25] [--every 1] [--again]

An area is what is broken and the tests that must notice. What was found stays in ``.mutation/`` until one of these
changes, and a run goes on from there. Broken is a copy of the checkout, never itself. Ends non-zero while a survivor is
not among those that are explained in ``tests/mutation.csv``, or when something is left to try.

Programs and database are made ready once: each mutant's tests run in a fork of this process, on copies of a database.
"""

import argparse
import compileall
import csv
import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from py_compile import PycInvalidationMode

import pytest

from app.db.embedded.home import SUPERUSER
from app.db.migrate import upgrade
from app.ingest.load import load
from app.settings import ROOT
from tests.conftest import connect, embedded_server

KEPT = ROOT / ".mutation"
EXPLAINED = ROOT / "tests/mutation.csv"
COPIED = ("app", "geodata", "migrations", "scripts", "tests", "pyproject.toml", "requirements.lock", "README.md")
#: Seconds after which tests that go on are taken for ones that noticed.
PATIENCE_S = 240
#: Changes that say nothing: of a type's `A | B`, and of `==` to `is`, which the language leaves open.
LEFT_OUT = ("core/ReplaceBinaryOperator_BitOr_.*", "core/ReplaceComparisonOperator_(Eq|NotEq|Lt|LtE|Gt|GtE)_Is(Not)?")


@dataclass(frozen=True)
class Area:
    """Modules, by paths or patterns of these, and the arguments of pytest that test them within seconds."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]

    @property
    def files(self) -> list[Path]:
        return sorted(path for one in self.modules for path in ROOT.glob(one) if path.name != "__init__.py")

    def fingerprint(self) -> str:
        """Changes with the modules; of the tests only new ones matter, and ``--again`` asks these."""
        return sha256(b"".join(path.read_bytes() for path in self.files)).hexdigest()[:12]


AREAS = {
    "filters": Area(
        ("app/filters/compile.py", "app/filters/scalars.py", "app/filters/temporal.py", "app/filters/check.py",
         "app/filters/geometries.py"),
        # those that notice most come first
        tuple(f"tests/filters/test_{one}.py" for one in ("standard", "refusals", "functions", "random")),
    ),
    "selection": Area(
        ("app/queries/selection.py", "app/queries/relations.py"),
        ("tests/queries/test_form.py", "tests/queries/test_near.py", "tests/queries/test_inside.py",
         "tests/api/test_items.py"),
    ),
    "checks": Area(
        ("app/ingest/checks/*.py",),
        tuple(f"tests/ingest/test_{one}.py" for one in ("check_bounds", "checks", "readings")),
    ),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cosmic_ray", type=Path, metavar="COSMIC_RAY", help="the program")
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}; all unless given")
    parser.add_argument("--minutes", type=float, default=25, help="after which the rest is left for the next run")
    parser.add_argument("--every", type=int, default=1, help="try one of so many only")
    parser.add_argument("--again", action="store_true", help="ask the survivors again, after the tests have changed")
    given = parser.parse_args()
    if not set(given.areas) <= set(AREAS):
        parser.error(f"AREA is one of {', '.join(AREAS)}")
    until = time.monotonic() + given.minutes * 60
    folder = Path(tempfile.mkdtemp(prefix="innomap-mutation-"))
    folder.chmod(0o755)
    try:
        with embedded_server() as server:
            empty, loaded = (server.create_database(name) for name in ("schema", "loaded"))
            with connect(empty).connect() as connection:
                upgrade(connection)
            with connect(loaded).connect() as connection:
                upgrade(connection)
                load(connection, ROOT / "geodata")
            others = empty.set(username=SUPERUSER, database="postgres")
            os.environ |= {
                "TEST_DATABASE_URL": others.render_as_string(hide_password=False),
                "TEST_SCHEMA": str(empty.database), "TEST_LOADED": str(loaded.database),
            }  # fmt: skip
            open_ = [_area(name, given, folder / name, until) for name in given.areas or AREAS]
    finally:
        shutil.rmtree(folder)
    sys.exit(any(open_))


def _area(name: str, given: argparse.Namespace, folder: Path, until: float) -> bool:
    """Try what is left of an area and report it; gives whether something is left to do."""
    area = AREAS[name]
    _copy(folder)
    if not _noticed_nothing(folder, area.tests):
        sys.exit(f"{name}: the tests fail without a mutant\n{(folder / 'tests.log').read_text(encoding='utf-8')}")
    session = KEPT / f"{name}-{area.fingerprint()}.sqlite"
    config = folder / "cosmic-ray.toml"
    address = folder / "tests.sock"
    _configure(config, area, address)
    if not session.exists():
        KEPT.mkdir(exist_ok=True)
        _run(given.cosmic_ray, folder, "init", config, session)
        _run(given.cosmic_ray.with_name("cr-filter-operators"), folder, session, config)
        _thin(session, given.every)
    if given.again:
        _forget_survivors(session)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(address))
        listener.listen()
        listener.settimeout(1)
        trying = subprocess.Popen([given.cosmic_ray, "exec", config, session], cwd=folder)
        while trying.poll() is None:
            if time.monotonic() > until:
                trying.send_signal(signal.SIGINT)
                trying.wait()
            try:
                asked, _ = listener.accept()
            except TimeoutError:
                continue
            with asked:
                asked.sendall(b"0" if _noticed_nothing(folder, area.tests) else b"1")
    return _report(name, session)


def _copy(folder: Path) -> None:
    folder.mkdir()
    without = shutil.ignore_patterns("__pycache__", "vendor")
    for one in COPIED:
        if (ROOT / one).is_dir():
            shutil.copytree(ROOT / one, folder / one, ignore=without)
        else:
            shutil.copy(ROOT / one, folder / one)
    (folder / "app/static/vendor").symlink_to(ROOT / "app/static/vendor")
    # told by their content whether they still hold: a mutant may be as long and as old as what it replaces
    for one in ("app", "tests"):
        compileall.compile_dir(folder / one, quiet=2, invalidation_mode=PycInvalidationMode.CHECKED_HASH)


def _configure(config: Path, area: Area, address: Path) -> None:
    modules = [str(path.relative_to(ROOT)) for path in area.files]
    ask = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{address}'); raise SystemExit(int(s.recv(1)))"
    command = f'{sys.executable} -IS -c "{ask}"'
    config.write_text(
        f"[cosmic-ray]\nmodule-path = {json.dumps(modules)}\ntimeout = {2 * PATIENCE_S}\nexcluded-modules = []\n"
        f"test-command = {json.dumps(command)}\n"
        '[cosmic-ray.distributor]\nname = "local"\n'
        f"[cosmic-ray.filters.operators-filter]\nexclude-operators = {json.dumps(LEFT_OUT)}\n",
        encoding="utf-8",
    )


def _run(program: Path, folder: Path, *arguments: object) -> None:
    subprocess.run([str(program), *map(str, arguments)], cwd=folder, check=True)


def _thin(session: Path, every: int) -> None:
    """Leave one of so many to be tried, the same ones whenever it is asked."""
    with sqlite3.connect(session) as opened:
        jobs = opened.execute("SELECT job_id FROM mutation_specs ORDER BY rowid").fetchall()
        dropped = [job for number, job in enumerate(jobs) if number % every]
        opened.executemany("DELETE FROM work_results WHERE job_id = ?", dropped)
        opened.executemany("DELETE FROM mutation_specs WHERE job_id = ?", dropped)
        opened.executemany("DELETE FROM work_items WHERE job_id = ?", dropped)


def _forget_survivors(session: Path) -> None:
    with sqlite3.connect(session) as opened:
        opened.execute("DELETE FROM work_results WHERE test_outcome = 'SURVIVED'")


def _noticed_nothing(folder: Path, tests: tuple[str, ...]) -> bool:
    """Whether the tests pass in the copy, in a process of their own."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = _test(folder, tests)
        except BaseException:
            traceback.print_exc()
        finally:
            # nothing of the parent's is cleaned up by its copy
            os._exit(code)
    watched = os.pidfd_open(child)
    try:
        if not select.select([watched], [], [], PATIENCE_S)[0]:
            os.killpg(child, signal.SIGKILL)
    finally:
        os.close(watched)
    return os.waitpid(child, 0)[1] == 0


def _test(folder: Path, tests: tuple[str, ...]) -> int:
    """The product's modules are read anew, and the one that lists what these measure; the others', most, are there."""
    os.setpgid(0, 0)
    os.chdir(folder)
    for name in [one for one in sys.modules if re.match(r"(app|tests|prometheus_client)(\.|$)", one)]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    log = os.open(folder / "tests.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    return pytest.main(["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", *tests])


def _report(name: str, session: Path) -> bool:
    """Print what came of an area; gives whether a survivor is unexplained, or something not tried."""
    with EXPLAINED.open(encoding="utf-8", newline="") as file:
        explained = {(row["module"], row["before"], row["after"]) for row in csv.DictReader(file)}
    with sqlite3.connect(session) as opened:
        found = opened.execute(
            "SELECT module_path, start_pos_row, operator_name, test_outcome, diff"
            " FROM mutation_specs LEFT JOIN work_results USING (job_id)"
            " WHERE worker_outcome IS NULL OR worker_outcome <> 'SKIPPED' ORDER BY 1, 2, 3"
        ).fetchall()
    tried = [one for one in found if one[3]]
    survivors = [one for one in tried if one[3] == "SURVIVED"]
    unexplained = 0
    for module, number, operator, _, diff in survivors:
        before, after = (
            " ".join(line[1:].strip() for line in diff.splitlines() if re.match(rf"\{sign}(?!\{sign})", line))
            for sign in "-+"
        )
        if (module, before, after) not in explained:
            unexplained += 1
            print(f"{module}:{number} {operator}", before, after, sep="\n  ")
    print(
        f"{name}: {len(tried)} mutants, {len(tried) - len(survivors)} noticed, {len(survivors)} not,"
        f" of which {len(survivors) - unexplained} explained; {len(found) - len(tried)} left",
        flush=True,
    )
    return bool(unexplained or len(found) > len(tried))


if __name__ == "__main__":
    main()
