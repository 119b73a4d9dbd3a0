"""The machine: Python and its packages, PostgreSQL's programs, folders, fonts, the browser's files, a port."""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from hashlib import sha512
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click
from packaging.requirements import Requirement

from app.commands.common import listener
from app.commands.doctor.findings import Check, Finding, Patient, ok, warning, wrong
from app.db.embedded import binaries
from app.db.embedded.home import Account, Home, clusters, fits, short_parents
from app.settings import ROOT

LOCK = ROOT / "requirements.lock"
#: Free space below which the database cannot go on for long, and below which one should look: bytes.
FULL, TIGHT = 200_000_000, 2_000_000_000
#: Names shown of many.
SHOWN = 5


def some(names: list[str]) -> str:
    """The first of many names."""
    return ", ".join(names[:SHOWN]) + (f", … ({len(names)})" if len(names) > SHOWN else "")


def packages(patient: Patient) -> Iterator[Finding]:
    """Python's packages are those of the lock."""
    python = platform.python_version()
    if not LOCK.is_file():
        yield warning(f"Python {python}；没有 {LOCK}，无从核对。 There is no {LOCK} to compare the packages with.")
        return
    differing, number = [], 0
    for wanted in locked(LOCK):
        number += 1
        try:
            have = version(wanted.name)
        except PackageNotFoundError:
            have = "-"
        if have == "-" or not wanted.specifier.contains(have, prereleases=True):
            differing.append(f"{wanted.name} {have} ({wanted.specifier})")
    if differing:
        yield wrong(
            f"Python {python}；软件包与 {LOCK.name} 不同：{some(differing)}。请再运行 scripts/serve，或"
            f" pip install --require-hashes -r {LOCK.name}。 Packages are not those of {LOCK.name}: run scripts/serve"
            f" again, or pip install --require-hashes -r {LOCK.name}."
        )
    else:
        yield ok(f"Python {python}，{number} 个软件包与锁定的一致。 {number} packages are as locked.")


def locked(lock: Path) -> Iterator[Requirement]:
    """What a lock file pins for this machine."""
    for line in lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        pin = line.partition(" --hash=")[0].strip()
        if pin and not pin.startswith("#"):
            requirement = Requirement(pin)
            if requirement.marker is None or requirement.marker.evaluate():
                yield requirement


def postgresql(patient: Patient) -> Iterator[Finding]:
    """PostgreSQL's programs, for the private database."""
    if patient.settings.database_url is not None:
        yield ok("用 DATABASE_URL 的服务器。 The server of DATABASE_URL is used.")
        return
    found = binaries.find(clusters(patient.settings.data_dir))
    postgis = ".".join(map(str, found.postgis))
    yield ok(f"{found.bindir}: PostgreSQL {found.major}, PostGIS {postgis}")


def data_folder(patient: Patient) -> Iterator[Finding]:
    """The private database's folder: it exists or can be made, belongs to who runs this, has space."""
    if patient.settings.database_url is not None:
        yield ok("用 DATABASE_URL，不需要。 DATABASE_URL is used: none is needed.")
        return
    folder = patient.settings.data_dir.expanduser().resolve()
    # of what lies in a folder that is closed nothing is known, not even that it is there
    there = next(one for one in (folder, *folder.parents) if os.path.exists(one))
    remedy = (
        "请用 --data 或 INNOMAP_DATA_DIR 另选，或改其属主。"
        " Choose another one by --data or INNOMAP_DATA_DIR, or mend its owner."
    )
    if not there.is_dir():
        yield wrong(f"{there} 不是文件夹。 {there} is no folder. {remedy}")
        return
    owner = Account.of(there.stat().st_uid).name
    if not os.access(there, os.R_OK | os.W_OK | os.X_OK):
        yield wrong(
            f"{there}（属于 {owner}）不可读写。 {there} belongs to {owner} and cannot be read and written. {remedy}"
        )
        return
    if (folder / "postgresql").is_dir():
        yield from _cluster(folder, remedy)
    else:
        yield ok(f"{folder}: 尚无数据库，启动时建立。 There is no database yet; it is made by the first start.")
    yield from space(there)


def _cluster(folder: Path, remedy: str) -> Iterator[Finding]:
    home = Home(folder, fast=False)
    existing = clusters(folder)
    if existing and home.installation.major not in existing:
        last = max(existing)
        yield wrong(
            f"{folder} 的数据属于 PostgreSQL {last}，而只装有 {home.installation.major}，会另建空库："
            f"请安装 PostgreSQL {last}，或由备份恢复。 The data in {folder} are PostgreSQL {last}'s, but"
            f" {home.installation.major} is installed and would begin an empty database: install PostgreSQL {last}, or"
            f" restore a backup."
        )
    uid = home.pgdata.stat().st_uid if home.pgdata.exists() else home.account.uid
    if os.geteuid() not in (0, uid):
        owner = Account.of(uid).name
        yield wrong(
            f"{home.pgdata} 属于 {owner}，请以该用户运行。 {home.pgdata} belongs to {owner}: run as that user. {remedy}"
        )
    elif fits(home.path / "run"):
        yield ok(f"{folder}，属于 owned by {home.account.name}")
    elif short := short_parents():
        yield ok(f"{folder} 的路径长，套接字另放在 {short[0]}。 Its path is long: the socket lies in {short[0]}.")
    else:
        yield wrong(
            "套接字路径过长：请将 TMPDIR 设为短路径。 The socket's path is too long: set TMPDIR to a short one."
            f" {remedy}"
        )


def space(folder: Path) -> Iterator[Finding]:
    """Free space of the disk that holds a folder."""
    free = shutil.disk_usage(folder).free
    told = f"{folder}: {free / 1e9:.1f} GB"
    if free < FULL:
        yield wrong(f"{told} 可用，磁盘将满：请腾出空间。 free: the disk is nearly full, make room.")
    elif free < TIGHT:
        yield warning(f"{told} 可用，不多了。 free, which is little.")
    else:
        yield ok(f"{told} 可用 free")


def temporary(patient: Patient) -> Iterator[Finding]:
    """Downloads that are made as a file, and uploads, lie in the temporary folder for a while."""
    folder = Path(tempfile.gettempdir())
    free = shutil.disk_usage(folder).free >> 20
    most = patient.settings.max_export_mb
    if free < most:
        yield warning(
            f"{folder} 只余 {free} MiB，而一次下载可达 {most} MiB：请将 TMPDIR 设到更大的磁盘，或调低"
            " INNOMAP_MAX_EXPORT_MB。"
            f" {folder} has {free} MiB left, and one download may take {most}: set TMPDIR to a larger disk, or lower"
            f" INNOMAP_MAX_EXPORT_MB."
        )
    else:
        yield ok(f"{folder}: {free} MiB 可用 free")


def fonts(patient: Patient) -> Iterator[Finding]:
    """The font that maps to print are drawn with."""
    # matplotlib takes a second to load, which no other command should wait for
    from app.maps.paper import FontMissing
    from app.maps.print_sheet import font_family

    try:
        yield ok(font_family())
    except FontMissing as error:
        yield wrong(str(error))


def assets(patient: Patient) -> Iterator[Finding]:
    """The files that browsers are given are those of the manifest, unaltered."""
    from app.maps.vendored import VENDOR, vendored_packages

    expected = {
        f"{one['name']}@{one['version']}/{path}": digest
        for one in vendored_packages().values()
        for path, digest in one["files"].items()
    }
    bad = [
        path
        for path, digest in expected.items()
        if not (VENDOR / path).is_file() or sha512((VENDOR / path).read_bytes()).hexdigest() != digest
    ]
    if bad:
        yield wrong(
            f"缺少或被改动：{some(bad)}。请由发布包重新取得 {VENDOR}。 Missing or altered: take {VENDOR} from the"
            " release again."
        )
    else:
        yield ok(f"{len(expected)} 个文件与清单一致。 {len(expected)} files are those of the manifest.")


def port(patient: Patient) -> Iterator[Finding]:
    """The port to listen on is free."""
    if patient.port is None:
        return
    try:
        listener(patient.host, patient.port).close()
    except click.ClickException as error:
        yield wrong(error.message)
    else:
        yield ok(f"{patient.host}:{patient.port} 空闲 free")


CHECKS = (
    Check("packages", "Python 软件包 packages", packages),
    Check("postgresql", "PostgreSQL 程序 programs", postgresql),
    Check("data-folder", "数据目录 data folder", data_folder),
    Check("temporary-folder", "临时目录 temporary folder", temporary),
    Check("fonts", "打印字体 font of prints", fonts, seconds=60),
    Check("assets", "网页文件 files for browsers", assets),
    Check("port", "端口 port", port),
)
