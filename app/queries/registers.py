"""Rows of a register: filtered, sorted, paged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.registers import Register


@dataclass(frozen=True)
class Listing:
    """One page of rows (column name → value) and how many there are in all."""

    rows: Sequence[Mapping[str, Any]]
    matched: int


async def listing(
    connection: AsyncConnection,
    register: Register,
    filters: Mapping[str, Sequence[Any]],
    order: Sequence[tuple[str, bool]],
    limit: int,
    offset: int,
) -> Listing:
    """Rows whose fields equal one of the values given for each; ``order`` is (field, descending) pairs."""
    rows = register.rows.subquery("rows")
    where = [_equals(register, rows, name, values) for name, values in filters.items()]
    # after what was asked, the register's own order makes every page the same each time
    sorting = [rows.c[name].desc().nulls_last() if down else rows.c[name].nulls_last() for name, down in order]
    sorting += [rows.c[name].nulls_first() for name in register.order]
    columns = [rows.c[field.name] for field in register.fields]
    matched = await connection.scalar(sa.select(sa.func.count()).select_from(rows).where(*where))
    found = await connection.execute(sa.select(*columns).where(*where).order_by(*sorting).limit(limit).offset(offset))
    return Listing([dict(row) for row in found.mappings()], matched or 0)


def _equals(register: Register, rows: sa.Subquery, name: str, values: Sequence[Any]) -> sa.ColumnElement[bool]:
    field = register.field(name)
    if field is None:
        raise KeyError(name)
    if field.type == "array":
        return rows.c[name].op("&&", is_comparison=True)(sa.cast(list(values), sa.ARRAY(sa.Text)))
    return rows.c[name].in_(values)
