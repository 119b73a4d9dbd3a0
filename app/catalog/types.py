"""What a collection and a property are."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

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
    refers: str | None = None  # of what its values are codes (see queries/codes.py): a question may name it instead


@dataclass(frozen=True, eq=False)
class Collection:
    """A published layer.

    ``kept_as`` is the name under which its features are kept ready (``queries.ready``), empty where each is made when
    asked for; ``kept_by`` the layer whose rows tell by their version whether a ready feature is theirs, empty where all
    of a collection are ready or none. ``written_in`` is the collection where its items can be written; ``writable`` are
    the properties that can be, and ``required`` those of them that must be.
    """

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
    kept_as: str = ""
    kept_by: str = ""
    written_in: str | None = None
    writable: tuple[str, ...] = ()
    required: tuple[str, ...] = ()

    def field(self, name: str) -> Field | None:
        return self._named.get(name)

    @cached_property
    def _named(self) -> Mapping[str, Field]:
        return {one.name: one for one in self.fields}

    @cached_property
    def queryables(self) -> tuple[Field, ...]:
        return tuple(one for one in self.fields if one.queryable)

    @property
    def has_position(self) -> bool:
        return "position" in self.rows.selected_columns

    @cached_property
    def columns(self) -> Mapping[str, sa.ColumnElement[Any]]:
        """The columns of ``relation`` by name, for statements that select from ``source``."""
        return {name: sa.literal_column(f'rows."{name}"', one.type) for name, one in self.relation.c.items()}

    @cached_property
    def source(self) -> sa.TextClause:
        """The relation as text, for statements of which there are many: it is never taken apart."""
        return in_text(self.relation)

    @cached_property
    def relation(self) -> sa.Subquery:
        """The rows as queries select from them, under the name ``rows``.

        Their SQL is written out once: taking the select apart for every question costs more than the question.
        """
        named = self.rows.selected_columns.items()
        # a geometry stays what it is stored as
        plain = self.rows.with_only_columns(
            *(sa.type_coerce(one, sa.types.NullType()).label(name) for name, one in named)
        )
        columns = [sa.column(name, one.type) for name, one in named]
        # a colon is the text's own, not the beginning of a parameter
        return sa.text(written(plain).replace(":", r"\:")).columns(*columns).subquery("rows")


def written(element: sa.ClauseElement) -> str:
    """SQL as text, with its values written out."""
    dialect = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    return str(element.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def in_text(relation: sa.Subquery) -> sa.TextClause:
    """A relation as text that a statement can select from."""
    text = written(sa.select(sa.literal_column("1")).select_from(relation)).partition("FROM ")[2]
    # a colon is the text's own, not the beginning of a parameter
    return sa.text(text.replace(":", r"\:"))
