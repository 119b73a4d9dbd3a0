"""Archives from outside: looked through before anything is taken out, and unpacked within limits that are kept."""

import stat
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile, ZipInfo

from app.imports.errors import Unreadable
from app.imports.limits import Limits

#: Uncompressed to compressed; deflate cannot do more than 1032, and only with nothing but repetition.
MOST_RATIO = 200
#: Small parts may compress well.
RATIO_FROM = 1 << 20
CHUNK = 1 << 20


def entries(archive: ZipFile, limits: Limits) -> list[ZipInfo]:
    """The files of an archive, after all of them were looked at. Raises ``Unreadable``."""
    found = [one for one in archive.infolist() if not one.is_dir()]
    if len(found) > limits.files:
        raise Unreadable(f"压缩包内文件超过 {limits.files} 个。 More than {limits.files} files in the archive.")
    total = 0
    for one in found:
        _harmless(one)
        total += one.file_size
    if total > limits.unpacked:
        most = f"{limits.unpacked >> 20} MiB"
        raise Unreadable(f"压缩包展开超过 {most}。 The archive unpacks to more than {most}.")
    return found


def _harmless(one: ZipInfo) -> None:
    name = one.filename[:100]
    parts = one.filename.replace("\\", "/").split("/")
    if one.filename.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        raise Unreadable(f"压缩包内的路径越界：{name!r}。 A path in the archive leads out of it: {name!r}.")
    if stat.S_ISLNK(one.external_attr >> 16):
        raise Unreadable(f"压缩包内有符号链接：{name!r}。 There is a symbolic link in the archive: {name!r}.")
    if one.flag_bits & 0x1:
        raise Unreadable(f"压缩包已加密：{name!r}。 The archive is encrypted: {name!r}.")
    if one.file_size > RATIO_FROM and one.file_size > MOST_RATIO * max(one.compress_size, 1):
        raise Unreadable(
            f"压缩比超过 {MOST_RATIO}：{name!r}，疑为压缩炸弹。"
            f" {name!r} is compressed more than {MOST_RATIO} times: a zip bomb?"
        )


def opened(path: Path) -> ZipFile:
    """A zip file. Raises ``Unreadable`` where it is none."""
    try:
        return ZipFile(path)
    except (BadZipFile, OSError, ValueError) as error:
        raise Unreadable(f"不是完好的压缩包（{error}）。 Not a sound zip file ({error}).") from None


def unpack(archive: ZipFile, wanted: list[ZipInfo], folder: Path, limits: Limits) -> Iterator[Path]:
    """Write files of an archive into a folder, each under its last name; headers that lie about sizes are found out."""
    left = limits.unpacked
    for one in wanted:
        path = folder / Path(one.filename.replace("\\", "/")).name
        try:
            with archive.open(one) as source, path.open("xb") as target:
                while chunk := source.read(CHUNK):
                    left -= len(chunk)
                    if left < 0:
                        raise Unreadable("压缩包展开过大。 The archive unpacks to more than it says.")
                    target.write(chunk)
        except FileExistsError:
            raise Unreadable(f"压缩包内重名：{path.name!r}。 Two files of one name: {path.name!r}.") from None
        except (BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
            if isinstance(error, Unreadable):
                raise
            raise Unreadable(f"压缩包损坏（{error}）。 The archive is damaged ({error}).") from None
        yield path


class _Seen(Exception):
    """The root element has begun: no document type can follow."""


def root_of(chunks: Iterator[bytes]) -> str:
    """Name of an XML document's root element.

    Raises ``Unreadable`` for a document type, where entities are declared that grow without end or reach for files,
    and for what is no XML.
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    root = ""

    def doctype(*given: object) -> None:
        raise Unreadable(
            "XML 含文档类型声明（DOCTYPE），不予读取。 The XML declares a document type (DOCTYPE): refused."
        )

    def element(name: str, attributes: object) -> None:
        nonlocal root
        root = name
        raise _Seen

    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = element
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except _Seen:
        return root
    except expat.ExpatError as error:
        raise Unreadable(f"不是完好的 XML（{error}）。 Not sound XML ({error}).") from None
    return root


def pieces(path: Path) -> Iterator[bytes]:
    """A file's bytes."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
