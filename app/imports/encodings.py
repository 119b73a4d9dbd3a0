"""Which encoding a text is in: the declared one if it fits, else UTF-8, else GB18030 (of which GBK is a part)."""

import codecs
from collections.abc import Iterator
from pathlib import Path

from app.imports.errors import Unreadable

#: In the order they are tried; UTF-8 refuses nearly every text of GB18030, not the other way round.
TRIED = ("UTF-8", "GB18030")
#: Records of a .dbf that are looked at.
RECORDS = 20_000
#: Language driver ids of a .dbf, from its header.
DRIVERS = {0x4D: "GB18030", 0x7A: "GB18030", 0x4F: "BIG5", 0x78: "BIG5"}
CHUNK = 1 << 20


def named(text: str) -> str | None:
    """The encoding that a ``.cpg`` or a steward names, ``None`` where Python knows none of that name."""
    name = text.strip().strip("\0")
    name = {"936": "GB18030", "ANSI 936": "GB18030", "65001": "UTF-8"}.get(name.upper(), name)
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return None
    return {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "gbk": "GB18030", "gb2312": "GB18030", "gb18030": "GB18030"}.get(
        found, found
    )


def of_text(path: Path, declared: str | None) -> str:
    """Encoding of a text file, read to its end. Raises ``Unreadable`` where none fits."""
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in _candidates(declared):
        if _fits(path, encoding):
            return encoding
    raise _none(declared)


def of_table(path: Path, cpg: Path | None, declared: str | None) -> str:
    """Encoding of the texts in a ``.dbf``; its fixed widths may have cut a character, which is no sign of another."""
    with path.open("rb") as file:
        head = file.read(32)
        driver = DRIVERS.get(head[29]) if len(head) == 32 else None
    told = declared or (named(cpg.read_text("latin-1")) if cpg else None) or driver
    cells = list(_cells(path))
    for encoding in _candidates(told):
        if all(_decodes(cell, encoding) for cell in cells):
            return encoding
    raise _none(told)


def _candidates(declared: str | None) -> list[str]:
    first = named(declared) if declared else None
    if declared and first is None:
        raise Unreadable(f"不认识编码 {declared!r}。 Unknown encoding {declared!r}.")
    return list(dict.fromkeys([*([first] if first else []), *TRIED]))


def _none(declared: str | None) -> Unreadable:
    tried = "、".join(_candidates(declared))
    return Unreadable(f"文字不合任何编码（已试 {tried}）。 The text is in none of the encodings tried: {tried}.")


def _fits(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _cells(path: Path) -> Iterator[bytes]:
    """Names and texts of a table that say anything about its encoding."""
    with path.open("rb") as file:
        head = file.read(32)
        count = int.from_bytes(head[4:8], "little")
        begin, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
        fields, at = [], 1
        while len(one := file.read(32)) == 32 and one[0] != 0x0D:
            yield one[:11].split(b"\0")[0]
            if one[11:12] in (b"C", b"M"):
                fields.append((at, one[16]))
            at += one[16]
        file.seek(begin)
        for _ in range(min(count, RECORDS)):
            record = file.read(width)
            for start, length in fields:
                cell = record[start : start + length].rstrip(b" \0")
                if cell and not cell.isascii():
                    yield cell


def _decodes(cell: bytes, encoding: str) -> bool:
    try:
        cell.decode(encoding)
    except UnicodeDecodeError as error:
        # cut within the last character
        return (
            error.reason in ("unexpected end of data", "incomplete multibyte sequence") and error.start >= len(cell) - 3
        )
    return True
