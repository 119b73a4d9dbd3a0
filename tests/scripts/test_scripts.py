"""The programs in ``scripts/``: what they refuse, what they install, and what the lock files promise."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import PATIENCE_S

ROOT = Path(__file__).resolve().parents[2]
BOOTSTRAP = ROOT / "scripts" / "lib" / "bootstrap.sh"
PROGRAMS = [
    *(ROOT / "scripts" / name for name in ("serve", "test", "lock", "docs", "verify")),
    *sorted((ROOT / "scripts" / "verify.d").iterdir()),
    ROOT / ".ci" / "run",
]
LOCKS = [
    "requirements.lock", "requirements-test.lock", "requirements-bootstrap.lock", "requirements-docs.lock",
    "requirements-verify.lock",
]  # fmt: skip

Run = subprocess.CompletedProcess[str]


def run(*command: str | Path, cwd: Path | None = None, **env: str) -> Run:
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def bootstrap(script: str, library: Path = BOOTSTRAP, **env: str) -> Run:
    """The outcome of bash lines that run after the library was sourced."""
    return run("bash", "-c", f'set -euo pipefail; . "$0"; {script}', library, **env)


def only_line(text: str) -> str:
    lines = text.splitlines()
    assert len(lines) == 1, text
    return lines[0]


@pytest.mark.parametrize("program", [*PROGRAMS, BOOTSTRAP], ids=lambda path: path.name)
def test_bash_reads_the_program(program: Path) -> None:
    assert run("bash", "-n", program).returncode == 0


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.name)
def test_program_is_executable(program: Path) -> None:
    assert os.access(program, os.X_OK)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--port", "x"], "--port"),
        (["--port", "0"], "--port"),
        (["--port", "65536"], "--port"),
        (["--port=-1"], "--port"),
        (["--data"], "--data"),
        (["--data="], "--data"),
        (["--colour", "red"], "--colour"),
        (["8000"], "8000"),
    ],
)
def test_serve_refuses_a_wrong_option_before_it_installs(arguments: list[str], named: str) -> None:
    answer = run(ROOT / "scripts" / "serve", *arguments)
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert named in only_line(answer.stderr)


def test_serve_tells_its_usage() -> None:
    answer = run(ROOT / "scripts" / "serve", "--help")
    assert answer.returncode == 0
    assert "[--host 127.0.0.1] [--port 8000] [--data DIR]" in only_line(answer.stdout)


@pytest.fixture
def stand_in(tmp_path: Path) -> Callable[..., Path]:
    """A checkout with the real programs and, in ``.venv/bin``, shell lines instead of the tools they call."""
    root = tmp_path / "a b"
    shutil.copytree(ROOT / "scripts", root / "scripts")
    (root / "scripts" / "lib" / "bootstrap.sh").write_text(
        BOOTSTRAP.read_text(encoding="utf-8") + "\nprepare() { :; }\n", encoding="utf-8"
    )
    (root / ".venv" / "bin").mkdir(parents=True)

    def make(**tools: str) -> Path:
        for name, line in tools.items():
            tool = root / ".venv" / "bin" / name
            tool.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
            tool.chmod(0o755)
        return root

    return make


def test_serve_hands_its_options_on(stand_in: Callable[..., Path], tmp_path: Path) -> None:
    root = stand_in(innomap='pwd; printf "%s|" "$@"')
    (tmp_path / "elsewhere").mkdir()
    given = run(
        root / "scripts" / "serve", "--port=8123", "--host", "::1", "--data", "my data", cwd=tmp_path / "elsewhere"
    )
    assert given.stdout == f"{tmp_path}/elsewhere\nserve|--host|::1|--port|8123|--data|my data|"
    assert run(root / "scripts" / "serve").stdout.endswith("serve|--host|127.0.0.1|--port|8000|")


def test_test_goes_through_every_stage_and_ends_with_pytest(stand_in: Callable[..., Path]) -> None:
    root = stand_in(ruff='echo "ruff $*"', mypy="echo mypy", pytest='echo "pytest $*"')
    answer = run(root / "scripts" / "test", "-k", "one thing")
    assert answer.returncode == 0
    tests = "pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder -k one thing"
    assert answer.stdout.splitlines() == ["ruff check .", "ruff format --check .", "mypy", tests]


@pytest.mark.parametrize(
    ("ruff", "mypy", "pytest_", "status"), [(1, 0, 0, 1), (0, 2, 0, 2), (0, 0, 3, 3), (1, 1, 5, 5)]
)
def test_test_fails_when_any_stage_fails(
    stand_in: Callable[..., Path], ruff: int, mypy: int, pytest_: int, status: int
) -> None:
    root = stand_in(ruff=f"exit {ruff}", mypy=f"exit {mypy}", pytest=f"echo summary; exit {pytest_}")
    answer = run(root / "scripts" / "test")
    assert answer.returncode == status
    assert answer.stdout.splitlines()[-1] == "summary"


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for PATH with the basic tools only: no apt-get, no sudo, no Chromium."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "cat", "cut", "dirname", "grep", "install", "sed", "sha256sum", "env"):
        (folder / name).symlink_to(shutil.which(name) or name)
    return folder


def add_tool(folder: Path, name: str, line: str) -> None:
    (folder / name).write_text(f"#!{shutil.which('bash')}\n{line}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_without_apt_the_missing_programs_are_named(bare_path: Path) -> None:
    answer = bootstrap("install_packages test", PATH=str(bare_path))
    assert answer.returncode == 1
    line = only_line(answer.stderr)
    assert "chromium" in line
    assert "no apt-get" in line


def test_without_sudo_an_ordinary_user_is_told_what_to_ask_for(bare_path: Path) -> None:
    add_tool(bare_path, "apt-get", "exit 99")
    answer = bootstrap("is_root() { false; }; install_packages test", PATH=str(bare_path))
    assert answer.returncode == 1
    assert re.search(r"no sudo.* apt-get install .*chromium", only_line(answer.stderr))


def test_what_drives_the_browser_needs_no_library_but_those_installed_for_it() -> None:
    playwright = importlib.util.find_spec("playwright")
    assert playwright
    assert playwright.origin
    linked = run("ldd", Path(playwright.origin).parent / "driver" / "node").stdout
    # what a bare Debian has or Chromium brings; only what missing_packages asks for may come beside
    usual = {"linux-vdso", "ld-linux", "libc", "libm", "libdl", "libpthread", "libgcc_s", "libstdc++"}
    names = {Path(line.split()[0]).name.partition(".so")[0] for line in linked.splitlines()}
    assert {re.sub(r"^(ld-linux)-.*", r"\1", name) for name in names} <= usual | {"libatomic"}
    assert "libatomic1" in bootstrap("has_libatomic() { false; }; missing_packages test").stdout.split()


def test_a_failed_installation_names_the_remedy(bare_path: Path) -> None:
    add_tool(bare_path, "apt-get", '[[ " $* " != *" install "* ]] || { echo "E: no network" >&2; exit 100; }')
    answer = bootstrap(
        'is_root() { true; }; as_root() { "$@"; }; dpkg() { :; }; install_packages test', PATH=str(bare_path)
    )
    assert answer.returncode == 1
    complaint, remedy = answer.stderr.splitlines()[-2:]
    assert complaint == "E: no network"
    assert "check the network" in remedy


def install_postgis(bare_path: Path, brings: str) -> Run:
    """An installation on a machine without PostGIS; root's commands are printed, and apt-get ``brings`` a file."""
    add_tool(bare_path, "apt-get", "")
    return bootstrap(
        'has_postgis() { [[ -e $HERE/postgis ]]; }; is_root() { true; }; as_root() { echo "$@" >&2; case "$*" in '
        '"install "*) cat >&2 ;; *"apt-get "*" install "*) echo >"$HERE/$BRINGS" ;; esac; }; install_packages serve',
        PATH=str(bare_path),
        HERE=str(bare_path),
        BRINGS=brings,
    )


def test_debian_is_told_to_start_no_server_before_postgis_is_installed(bare_path: Path) -> None:
    answer = install_postgis(bare_path, brings="postgis")
    assert answer.returncode == 0, answer.stderr
    assert re.search(
        r"/etc/postgresql-common/createcluster\.d/.*create_main_cluster = false.* install .*postgresql-.*postgis",
        answer.stderr,
        re.DOTALL,
    )


def test_an_installation_that_brings_too_old_a_server_is_not_taken_for_enough(bare_path: Path) -> None:
    answer = install_postgis(bare_path, brings="something else")
    assert answer.returncode == 1
    assert "PostgreSQL ≥ 15" in answer.stderr.splitlines()[-1]


@pytest.mark.parametrize(("purpose", "needed"), [("serve", False), ("test", True)])
def test_an_own_database_server_replaces_the_private_one_except_for_the_tests(purpose: str, needed: bool) -> None:
    answer = bootstrap(
        f"has_postgis() {{ false; }}; missing_packages {purpose}", DATABASE_URL="postgresql://db.example/map"
    )
    assert bool(re.search(r"^postgresql-.*postgis", answer.stdout, re.MULTILINE)) is needed


@pytest.mark.parametrize(
    ("version", "extension", "library", "enough"),
    [
        ("PostgreSQL 15.13 (Debian 15.13-0+deb12u1)", True, True, True),
        ("PostgreSQL 18beta1", True, True, True),
        ("PostgreSQL 14.18", True, True, False),
        ("PostgreSQL 16.2", True, False, False),
        ("PostgreSQL 16.2", False, False, False),
    ],
)
def test_postgis_is_found_by_what_pg_config_tells(
    tmp_path: Path, version: str, extension: bool, library: bool, enough: bool
) -> None:
    for folder in ("bin", "lib", "share/extension"):
        (tmp_path / folder).mkdir(parents=True)
    add_tool(tmp_path / "bin", "postgres", "")
    add_tool(
        tmp_path / "bin", "pg_config", f"printf '%s\\n' '{version}' {tmp_path}/bin {tmp_path}/lib {tmp_path}/share"
    )
    if extension:
        (tmp_path / "share" / "extension" / "postgis.control").touch()
    if library:
        (tmp_path / "lib" / "postgis-3.so").touch()
    # the other places where this machine may have PostgreSQL are left out
    script = BOOTSTRAP.read_text(encoding="utf-8").replace("/usr/", "/absent/").replace("/opt/", "/absent/")
    (tmp_path / "bootstrap.sh").write_text(script, encoding="utf-8")
    answer = bootstrap("has_postgis", tmp_path / "bootstrap.sh", PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert (answer.returncode == 0) is enough


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the library reads of a checkout, with an environment of nothing but an interpreter."""
    (tmp_path / "scripts").mkdir()
    shutil.copytree(ROOT / "scripts" / "lib", tmp_path / "scripts" / "lib")
    for name in ["pyproject.toml", *LOCKS]:
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def stamp(checkout: Path, purpose: str) -> None:
    library = checkout / "scripts" / "lib" / "bootstrap.sh"
    made = bootstrap(f'{{ environment_base; installed_sum {purpose}; }} >"$STAMP"', library)
    assert made.returncode == 0, made.stderr


def is_current(checkout: Path, purpose: str) -> bool:
    library = checkout / "scripts" / "lib" / "bootstrap.sh"
    return bootstrap(f"environment_is_current {purpose}", library).returncode == 0


def test_an_environment_of_the_tests_serves_but_not_the_other_way_round(checkout: Path) -> None:
    assert not is_current(checkout, "serve")
    stamp(checkout, "test")
    assert is_current(checkout, "serve")
    assert is_current(checkout, "test")
    stamp(checkout, "serve")
    assert is_current(checkout, "serve")
    assert not is_current(checkout, "test")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-bootstrap.lock", "pyproject.toml"])
def test_an_environment_is_out_of_date_once_what_it_was_made_from_changes(checkout: Path, name: str) -> None:
    stamp(checkout, "serve")
    with (checkout / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert not is_current(checkout, "serve")


def test_an_environment_that_was_moved_is_not_trusted(checkout: Path) -> None:
    stamp(checkout, "serve")
    moved = checkout.with_name("moved")
    checkout.rename(moved)
    assert not is_current(moved, "serve")


def test_an_interrupted_installation_is_not_taken_for_a_finished_one(checkout: Path) -> None:
    stamp(checkout, "serve")
    library = checkout / "scripts" / "lib" / "bootstrap.sh"
    answer = bootstrap("venv_pip() { return 1; }; install_environment serve", library)
    assert answer.returncode == 1
    assert "check the network" in answer.stderr.splitlines()[-1]
    assert not is_current(checkout, "serve")


def load_uv_as_pip() -> Callable[[str], dict[str, str]]:
    spec = importlib.util.spec_from_file_location("uv_as_pip", ROOT / "scripts" / "lib" / "uv_as_pip.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[str], dict[str, str]] = module.uv_settings
    return function


def test_uv_gets_the_settings_of_pip(tmp_path: Path) -> None:
    settings = [
        (":env:", "index_url", "https://env.example/simple"),
        (":env:", "find_links", f"{tmp_path} {tmp_path}/absent"),
        (":env:", "cert", ""),
        ("global", "cert", "/etc/ca.pem"),
        ("global", "extra_index_url", "https://one.example/simple\nhttps://two.example/simple"),
        ("global", "index_url", "https://file.example/simple"),
        ("global", "no_index", "true"),
        ("install", "trusted_host", "file.example"),
        ("list", "format", "json"),
    ]
    config_list = "\n".join(f"{section}.{option.replace('_', '-')}={value!r}" for section, option, value in settings)
    assert load_uv_as_pip()(config_list) == {
        "UV_DEFAULT_INDEX": "https://env.example/simple",
        "UV_FIND_LINKS": str(tmp_path),
        "UV_INDEX": "https://one.example/simple https://two.example/simple",
        "UV_INSECURE_HOST": "file.example",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "--no-index": "true",
    }


def pins(lock: str) -> dict[str, list[Requirement]]:
    """The pinned requirements of a lock file by canonical name; several where markers divide the versions."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    found: dict[str, list[Requirement]] = {}
    for line in text.splitlines():
        pin = line.partition(" --hash=")[0].strip()
        if pin and not pin.startswith("#"):
            requirement = Requirement(pin)
            found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_has_a_hash_and_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[\w.-]+==[^ ]+ ", line), line
        assert re.search(r" --hash=sha256:[0-9a-f]{64}\b", line), line


def test_the_tests_run_with_the_versions_that_serve() -> None:
    tested = pins("requirements-test.lock")
    for name, served in pins("requirements.lock").items():
        assert {str(pin.specifier) for pin in served} == {str(pin.specifier) for pin in tested[name]}, name


def test_the_locks_answer_to_the_project() -> None:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = document["project"]
    wanted = {
        "requirements.lock": project["dependencies"],
        "requirements-test.lock": project["dependencies"] + project["optional-dependencies"]["test"],
        "requirements-bootstrap.lock": document["build-system"]["requires"],
    }
    for lock, requirements in wanted.items():
        pinned = pins(lock)
        for requirement in map(Requirement, requirements):
            name = canonicalize_name(requirement.name)
            assert name in pinned, f"{lock}: {name}"
            for pin in pinned[name]:
                (version,) = pin.specifier
                assert requirement.specifier.contains(version.version), f"{lock}: {pin}"
