"""What a register is, and the citation its rows share."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.catalog import Field
from app.db import tables as t


@dataclass(frozen=True)
class Register:
    """A published list; ``path`` is its address, ``order`` the columns it is sorted by unless asked otherwise."""

    path: str
    title: str
    title_en: str
    description: str
    description_en: str
    fields: tuple[Field, ...]
    rows: sa.Select[Any]
    order: tuple[str, ...]

    def field(self, name: str) -> Field | None:
        return next((one for one in self.fields if one.name == name), None)


CITATION = (
    Field("document", "文件", "Document", refers="document"),
    Field("document_title", "文件名称", "Title of the document"),
    Field("section", "章节", "Section"),
    Field("line_start", "起始行", "First line", "integer"),
    Field("line_end", "末行", "Last line", "integer"),
)


def title_of(reference: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    return sa.select(t.document.c.title).where(t.document.c.id == reference).scalar_subquery()


def cited(table: sa.Table) -> list[Any]:
    columns = table.c
    title = title_of(columns.document).label("document_title")
    return [columns.document, title, columns.section, columns.line_start, columns.line_end]


def texts(column: sa.ColumnElement[Any], *where: sa.ColumnElement[bool]) -> sa.Function[Any]:
    """Distinct texts as a PostgreSQL array, in their order."""
    return sa.func.array(sa.select(column).where(*where).distinct().order_by(column).scalar_subquery())
