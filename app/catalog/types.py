"""What a collection and a property are."""

from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

Type = Literal["string", "number", "integer", "boolean", "array", "object"]


@dataclass(frozen=True)
class Field:
    """A property of a collection's items; only queryable ones can be filtered and grouped by."""

    name: str
    title: str
    title_en: str
    type: Type = "string"
    unit: str | None = None
    values: tuple[str, ...] = ()
    queryable: bool = True
    also: str | None = None  # a second column whose value names the same, so that either may be given


@dataclass(frozen=True)
class Collection:
    """A published layer."""

    id: str
    title: str
    title_en: str
    description: str
    description_en: str
    fields: tuple[Field, ...]
    rows: sa.Select[Any]
    layers: tuple[str, ...]
    credits: tuple[str, ...]
    geometry_type: str = "Geometry"

    def field(self, name: str) -> Field | None:
        return next((one for one in self.fields if one.name == name), None)

    @property
    def queryables(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.queryable)

    @property
    def has_position(self) -> bool:
        return "position" in self.rows.selected_columns
