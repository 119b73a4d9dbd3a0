"""Where PostgreSQL and PostGIS are installed, and whether they are recent enough."""

import glob
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

MIN_POSTGRESQL = 15
MIN_POSTGIS = (3, 3)
USUAL_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/libexec/postgresql*",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
REMEDY_ZH = "Debian 12：sudo apt-get install postgresql-15-postgis-3"
REMEDY_EN = "on Debian 12: sudo apt-get install postgresql-15-postgis-3"


class DatabaseUnsuitable(Exception):
    """No database fit for use; ``str()`` is one sentence, Chinese then English, that names the remedy."""


@dataclass(frozen=True)
class Installation:
    """One installed PostgreSQL server: its programs' folder and the versions found there."""

    bindir: Path
    major: int
    postgis: tuple[int, ...]

    def objection(self) -> DatabaseUnsuitable | None:
        """Why this installation cannot serve, or None if it can."""
        if self.major < MIN_POSTGRESQL:
            return DatabaseUnsuitable(
                f"{self.bindir} 中的 PostgreSQL {self.major} 过旧，需要 {MIN_POSTGRESQL} 或更新版本（{REMEDY_ZH}）。"
                f" PostgreSQL {self.major} in {self.bindir} is too old: version {MIN_POSTGRESQL} or newer"
                f" is needed ({REMEDY_EN})."
            )
        if self.postgis < MIN_POSTGIS:
            have = ".".join(map(str, self.postgis))
            need = ".".join(map(str, MIN_POSTGIS))
            return DatabaseUnsuitable(
                f"{self.bindir} 中的 PostgreSQL {self.major} {f'只有 PostGIS {have}' if have else '没有 PostGIS'}，"
                f"需要 PostGIS {need} 或更新版本（{REMEDY_ZH}）。"
                f" PostgreSQL {self.major} in {self.bindir} has {f'only PostGIS {have}' if have else 'no PostGIS'}:"
                f" PostGIS {need} or newer is needed ({REMEDY_EN})."
            )
        return None


def version(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: ``"3.3.2"`` → (3, 3, 2), ``"16beta1"`` → (16,), nothing → ()."""
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def find(existing: Collection[int] = ()) -> Installation:
    """The installation to use.

    Among those that are recent enough one whose major version is in ``existing`` (versions that already
    have a cluster) comes first, then the order of search: ``pg_config``, ``PATH``, the usual folders.

    Raises DatabaseUnsuitable if there is none.
    """
    found = list(_installations())
    suitable = [one for one in found if one.objection() is None]
    if suitable:
        return max(suitable, key=lambda one: one.major if one.major in existing else 0)
    if found:
        raise found[0].objection() or AssertionError
    raise DatabaseUnsuitable(
        f"未找到 PostgreSQL 服务器，请安装 PostgreSQL 与 PostGIS（{REMEDY_ZH}），或设置 DATABASE_URL。"
        f" No PostgreSQL server was found: install PostgreSQL with PostGIS ({REMEDY_EN}), or set DATABASE_URL."
    )


def _installations() -> Iterator[Installation]:
    seen = set()
    for folder in folders():
        bindir = folder.resolve()
        if bindir in seen or not all((bindir / name).is_file() for name in ("postgres", "initdb", "pg_config")):
            continue
        seen.add(bindir)
        # "postgres (PostgreSQL) 15.13 (Debian 15.13-0+deb12u1)"
        server = version(_output(bindir / "postgres", "--version").partition(") ")[2])
        if server:
            control = Path(_output(bindir / "pg_config", "--sharedir")) / "extension" / "postgis.control"
            text = control.read_text() if control.is_file() else ""
            postgis = re.search(r"^default_version\s*=\s*'([^']*)'", text, re.MULTILINE)
            yield Installation(bindir, server[0], version(postgis[1]) if postgis else ())


def folders() -> Iterator[Path]:
    if pg_config := shutil.which("pg_config"):
        yield Path(_output(Path(pg_config), "--bindir"))
    if postgres := shutil.which("postgres"):
        yield Path(postgres).resolve().parent
    for pattern in USUAL_FOLDERS:
        yield from sorted(map(Path, glob.glob(pattern)), key=lambda path: version(_digits(path)), reverse=True)


def _digits(path: Path) -> str:
    return "".join(re.findall(r"\d+", str(path))[-1:])


def _output(program: Path, option: str) -> str:
    """What a program prints, or an empty string if it cannot be run."""
    try:
        return subprocess.run(  # noqa: S603
            [program, option], capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
