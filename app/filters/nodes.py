"""The checked tree: every name is one of the allow-list, every type agrees.

``check`` makes it, ``compile`` reads it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias

#: Types of values: the scalar types of CQL2, ``geometry``, ``interval``, and lists of scalars as ``string[]``.
Type: TypeAlias = str

SCALARS: tuple[Type, ...] = ("string", "number", "boolean", "date", "timestamp")
INSTANTS: tuple[Type, ...] = ("date", "timestamp")


@dataclass(frozen=True)
class Literal:
    """A value: ``str``, ``Decimal``, ``bool``, ``date``, ``datetime`` (UTC), or WKB in WGS 84 for a geometry."""

    type: Type
    value: str | Decimal | bool | date | datetime | bytes


@dataclass(frozen=True)
class Property:
    """A property of the collection."""

    type: Type
    name: str


@dataclass(frozen=True)
class Values:
    """A list; ``type`` is that of its members with ``[]``, or ``[]`` alone when it is empty."""

    type: Type
    members: tuple["Node", ...]


@dataclass(frozen=True)
class Interval:
    """A time from ``start`` to ``end``, both included; ``None`` where it is unbounded. ``grain`` is an instant type."""

    grain: Type
    start: "Node | None"
    end: "Node | None"
    type: Type = "interval"


@dataclass(frozen=True)
class Call:
    """An operator of CQL2 or a function of this service, with its operands."""

    type: Type
    op: str
    operands: tuple["Node", ...]


Node: TypeAlias = Literal | Property | Values | Interval | Call
