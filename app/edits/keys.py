"""Keys: who may write what. Only a hash is kept; the key itself is shown once, when it is made.

A key is ``innomap_<locator>_<secret>``. The secret is 256 random bits, so that its SHA-256 cannot be searched through
and needs no slow hash; the locator finds the row, and the secrets' hashes are compared in constant time.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import Connection

from app.db import tables as t

Role = Literal["reader", "editor", "admin"]
_KEY = re.compile(r"innomap_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
#: What an unknown locator is compared with, so that it takes as long as a known one.
_NOBODY = bytes(32)
LONGEST_NAME = 80


@dataclass(frozen=True)
class Key:
    """A key as it is kept. ``collections`` are those that an editor may write."""

    name: str
    role: Role
    collections: Sequence[str]
    allow_unconditional: bool
    created: datetime
    revoked: datetime | None
    last_used: datetime | None

    def may_edit(self, collection: str) -> bool:
        """Whether the key opens a collection for writing."""
        return self.role == "admin" or (self.role == "editor" and collection in self.collections)


class NameTaken(ValueError):
    """A key of this name exists or existed; the history must mean one holder by a name."""


def create(
    connection: Connection, name: str, role: Role, collections: Sequence[str] = (), *, allow_unconditional: bool = False
) -> str:
    """Make a key and give it, for the only time. Raises ``NameTaken``, and ``ValueError`` for an unfit name."""
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip()):
        raise ValueError(
            f"名称须为 1 至 {LONGEST_NAME} 个可见字符，首尾无空格。"
            f" A name is 1 to {LONGEST_NAME} printable characters, without spaces at its ends."
        )
    if (role == "editor") != bool(collections):
        raise ValueError(
            "编辑者须指明图层，其他角色不须。 An editor needs collections; other roles take none."
        )  # fmt: skip
    locator, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    insert = sa.insert(t.api_key).values(
        name=name, locator=locator, hash=_hash(secret), role=role, collections=sorted(set(collections)),
        allow_unconditional=allow_unconditional,
    )  # fmt: skip
    if connection.scalar(sa.select(t.api_key.c.name).where(t.api_key.c.name == name)):
        raise NameTaken(f"名称 {name!r} 已用过。 The name {name!r} has been used.")
    connection.execute(insert)
    return f"innomap_{locator}_{secret}"


def listing(connection: Connection) -> list[Key]:
    """All keys, revoked ones too, in the order they were made."""
    rows = connection.execute(sa.select(t.api_key).order_by(t.api_key.c.created, t.api_key.c.name))
    return [_key(row) for row in rows.mappings()]


def revoke(connection: Connection, name: str) -> bool:
    """Close a key for good; false when there is none of this name that is open."""
    keys = t.api_key.c
    closed = sa.update(t.api_key).where(keys.name == name, keys.revoked.is_(None)).values(revoked=sa.func.now())
    return connection.execute(closed).rowcount == 1


def find(connection: Connection, text: str) -> Key | None:
    """The key that a text is, ``None`` where it is none or was revoked."""
    match = _KEY.fullmatch(text)
    locator, secret = match.groups() if match else ("", "")
    found = connection.execute(sa.select(t.api_key).where(t.api_key.c.locator == locator)).mappings().one_or_none()
    same = hmac.compare_digest(_hash(secret), found["hash"] if found else _NOBODY)
    return _key(found) if found and same and found["revoked"] is None else None


def stale(key: Key) -> bool:
    """Whether the note of a key's last use is older than an hour."""
    return key.last_used is None or datetime.now(UTC) - key.last_used > timedelta(hours=1)


def used(connection: Connection, name: str) -> None:
    """Note that a key was used now."""
    connection.execute(sa.update(t.api_key).where(t.api_key.c.name == name).values(last_used=sa.func.now()))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _key(row: Any) -> Key:
    return Key(
        row["name"], row["role"], row["collections"], row["allow_unconditional"], row["created"], row["revoked"],
        row["last_used"],
    )  # fmt: skip
