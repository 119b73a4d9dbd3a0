"""The file of a backup: a tar of ``manifest.json`` and ``database.dump``, then a line with the hash of all before it.

Whatever reads tar reads it; the last line finds every bit that changed and every byte that is missing.
"""

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

PRODUCT = "jiaxing-innovation-map"
#: Archives of a higher number are not understood by this release.
FORMAT = 1
MANIFEST, DUMP = "manifest.json", "database.dump"
LARGEST_MANIFEST = 1_000_000
_LAST = re.compile(rb"\nsha256:([0-9a-f]{64})\n")
_LAST_LENGTH = 73
_PIECE = 1 << 20

Manifest = dict[str, Any]


class BadArchive(ValueError):
    """A file that is no backup to restore; ``str()`` is a sentence, Chinese then English."""


def write(path: Path, manifest: Manifest, dump: Path) -> None:
    """Write the archive whole or not at all; it stands under its name only once it is on the disk."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    manifest = {**manifest, "product": PRODUCT, "format": FORMAT, "sha256": sha256(dump), "bytes": dump.stat().st_size}
    text = json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    try:
        with beside.open("xb") as file:
            beside.chmod(0o600)
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                about = tarfile.TarInfo(MANIFEST)
                about.size = len(text)
                tar.addfile(about, io.BytesIO(text))
                about = tarfile.TarInfo(DUMP)
                about.size = dump.stat().st_size
                with dump.open("rb") as content:
                    tar.addfile(about, content)
        with beside.open("r+b") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.write(f"\nsha256:{digest}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        beside.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[tuple[Manifest, IO[bytes]]]:
    """The manifest of an archive, and its dump to read, once every byte was looked at. Raises ``BadArchive``."""
    with path.open("rb") as file:
        _whole(file)
        file.seek(0)
        try:
            with tarfile.open(fileobj=file, mode="r:") as tar:
                members = tar.getmembers()
                if [(one.name, one.isreg()) for one in members] != [(MANIFEST, True), (DUMP, True)]:
                    raise _foreign()
                manifest = _manifest(_read(tar, members[0], LARGEST_MANIFEST))
                dump = tar.extractfile(members[1])
                if dump is None:
                    raise _foreign()
                if _digest(dump, members[1].size) != manifest.get("sha256"):
                    raise _damaged()
                dump.seek(0)
                yield manifest, dump
        except tarfile.TarError:
            raise _foreign() from None


def _whole(file: IO[bytes]) -> None:
    """Compare the last line with what stands before it."""
    size = file.seek(0, os.SEEK_END)
    if size <= _LAST_LENGTH:
        raise _damaged()
    file.seek(size - _LAST_LENGTH)
    last = _LAST.fullmatch(file.read())
    if last is None:
        raise _damaged()
    file.seek(0)
    if _digest(file, size - _LAST_LENGTH) != last[1].decode():
        raise _damaged()


def _digest(file: IO[bytes], length: int) -> str:
    """SHA-256 of the next bytes of a file."""
    digest = hashlib.sha256()
    while length and (piece := file.read(min(_PIECE, length))):
        digest.update(piece)
        length -= len(piece)
    return digest.hexdigest()


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo, most: int) -> bytes:
    file = tar.extractfile(member)
    if file is None or member.size > most:
        raise _foreign()
    return file.read()


def _manifest(text: bytes) -> Manifest:
    try:
        manifest = json.loads(text)
    except (ValueError, RecursionError):
        raise _foreign() from None
    if (
        not isinstance(manifest, dict)
        or manifest.get("product") != PRODUCT
        or not isinstance(manifest.get("format"), int)
    ):
        raise _foreign()
    if manifest["format"] > FORMAT:
        raise BadArchive(
            "备份由更新的版本所做，请用新版本恢复。 The backup was made by a newer release: restore it with that one."
        )
    return manifest


def _damaged() -> BadArchive:
    return BadArchive(
        "不是本程序的备份，或文件不完整、已损坏。 Not a backup of this program, or the file is incomplete or damaged."
    )


def _foreign() -> BadArchive:
    return BadArchive("不是本程序的备份。 Not a backup of this program.")
