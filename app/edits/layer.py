"""What a layer must say of itself so that its items can be written: a small description that the rest reads."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from app.catalog import Collection
from app.crs import CRS84, Box, Crs
from app.db.columns import SRID

Row = Mapping[str, Any]


class Fault(NamedTuple):
    """A property and the rule it breaks, Chinese and English; ``allowed`` is what would be right, where it is known."""

    property: str
    rule: str
    allowed: Sequence[str] = ()


class Refused(ValueError):
    """What was sent breaks rules; ``faults`` lists property and rule of each."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("；".join(f"{one.property}: {one.rule}" for one in faults))
        self.faults = faults


@dataclass(frozen=True)
class Edit:
    """Who writes and why; ``unconditional`` says that nobody looked at what is there.

    Coordinates are in ``crs`` and its authority's axis order; ``area`` (degrees) is where a geometry may lie.
    """

    who: str
    why: str | None = None
    unconditional: bool = False
    undoes: int | None = None
    crs: Crs = CRS84
    area: Box = (-180, -90, 180, 90)


@dataclass(frozen=True)
class Wanted:
    """A row as it shall be.

    ``row`` has every column that can be written, shapes as EWKT. ``geometry`` is what was sent, in WGS 84; ``moved``
    whether it differs from what is shown. ``named`` are the properties the request spoke of, ``stored`` the row as it
    is, ``None`` for a new one.
    """

    item: str
    row: dict[str, Any]
    geometry: BaseGeometry | None
    moved: bool
    named: frozenset[str]
    stored: sa.RowMapping | None


class Layer(ABC):
    """A layer whose items can be written. Its table has ``id``, ``version`` and ``retired`` beside these columns.

    ``columns`` gives the column of each property that may be written; ``shapes`` are the columns of geometry.
    """

    def __init__(
        self, collection: Collection, table: sa.Table, columns: Mapping[str, str], shapes: Sequence[str]
    ) -> None:
        self.collection = collection
        self.table = table
        self.columns = columns
        self.shapes = shapes

    @abstractmethod
    def place(self, connection: Connection, wanted: Wanted) -> dict[str, Any]:
        """The columns of geometry for a row, after the rules between its values. Raises ``Refused``."""

    def mark(self, row: Row, changed: frozenset[str], edit: Edit, at: str) -> dict[str, Any]:
        """Columns that say who edited what, for a row whose columns ``changed`` are about to be written."""
        return {}

    def hidden(self, hide: bool) -> dict[str, Any]:
        """Columns of an item that was taken away, or brought back."""
        return {"retired": hide}

    def follow(self, connection: Connection, item: str, moved: bool) -> None:  # noqa: B027
        """Bring up to date what hangs on an item that was written; ``moved`` if its geometry changed."""

    def read(self, *where: sa.ColumnElement[bool]) -> sa.Select[Any]:
        """Rows with their shapes as EWKT."""
        shapes = [sa.func.ST_AsEWKT(self.table.c[name]).label(name) for name in self.shapes]
        return sa.select(*(one for one in self.table.c if one.name not in self.shapes), *shapes).where(*where)

    def published(self, row: Row) -> tuple[dict[str, Any], Any]:
        """Properties of an item's own and its geometry (GeoJSON), from a row of the history."""
        return {name: row.get(column) for name, column in self.columns.items()}, row.get(self.shapes[0])


def ewkt(geometry: BaseGeometry) -> str:
    """A geometry in WGS 84 as PostGIS writes it; a point is spelt as in the data files."""
    if geometry.geom_type == "Point":
        return f"SRID={SRID};POINT({geometry.x:.15g} {geometry.y:.15g})"
    return f"SRID={SRID};{geometry.wkt}"
