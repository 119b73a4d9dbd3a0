"""Counts and sums of a collection's items by one of their properties, groups without items included."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Field
from app.queries.codes import listed
from app.queries.selection import Selection, conditions

#: Of several properties every combination is a group.
MAX_GROUPS = 10_000

STATISTICS: dict[str, Callable[[sa.ColumnElement[Any]], sa.ColumnElement[Any]]] = {
    "sum": sa.func.sum,
    "avg": sa.func.avg,
    "min": sa.func.min,
    "max": sa.func.max,
}


@dataclass(frozen=True)
class Statistic:
    """``count``, or a function over a numeric property, written ``sum:area_km2``."""

    function: str
    field: str | None = None

    @property
    def label(self) -> str:
        return self.function if self.field is None else f"{self.function}:{self.field}"


@dataclass(frozen=True)
class Group:
    key: str
    label: str
    count: int
    stats: dict[str, float | None]


@dataclass(frozen=True)
class Groups:
    """Every group; ``total`` counts all items, ``unassigned`` those without a value of the property.

    An item with several values (an array property) counts in each of its groups. The key of a group by several
    properties is their values joined by commas.
    """

    groups: list[Group]
    total: int
    unassigned: int


class TooManyGroups(Exception):
    """More than MAX_GROUPS."""


async def aggregate(
    connection: AsyncConnection, selection: Selection, by: Sequence[Field], statistics: Sequence[Statistic]
) -> Groups:
    """Group the items of a selection by one property or several; groups of several are every combination.

    Raises ``TooManyGroups``.
    """
    rows = selection.collection.relation
    chosen = sa.select(rows).where(*conditions(selection, dict(rows.c.items()))).cte("chosen")
    keys = [_key(chosen.c[one.name], one).label(f"key{n}") for n, one in enumerate(by)]
    keyed = sa.select(*keys, *_numbers(chosen, statistics)).subquery("keyed")
    found_keys = [keyed.c[f"key{n}"] for n in range(len(by))]
    columns = [STATISTICS[one.function](keyed.c[one.field]) for one in statistics if one.field]
    grouped = sa.select(*found_keys, sa.func.count(), *columns).group_by(*found_keys)
    grouped = grouped.where(*(key.is_not(None) for key in found_keys))
    rows_found = (await connection.execute(grouped.limit(MAX_GROUPS + 1))).all()
    found = {tuple(row[: len(by)]): row[len(by) :] for row in rows_found}
    empty = sa.or_(*(_is_empty(chosen.c[one.name], one) for one in by))
    totals = sa.select(sa.func.count(), sa.func.count().filter(empty)).select_from(chosen)
    labels = [await _labels(connection, one, sorted({key[n] for key in found})) for n, one in enumerate(by)]
    if max(len(found), prod(map(len, labels))) > MAX_GROUPS:
        raise TooManyGroups
    total, unassigned = (await connection.execute(totals)).one()
    names = [one.label for one in statistics if one.field]
    groups = []
    for combination in product(*(one.items() for one in labels)):
        key = tuple(value for value, _ in combination)
        number, *results = found.get(key, (0, *([None] * len(names))))
        stats = {name: None if one is None else float(one) for name, one in zip(names, results, strict=True)}
        groups.append(Group(",".join(key), " · ".join(label for _, label in combination), number, stats))
    return Groups(groups, total, unassigned)


def _key(column: sa.ColumnElement[Any], by: Field) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.unnest(column) if by.type == "array" else column, sa.Text)


def _is_empty(column: sa.ColumnElement[Any], by: Field) -> sa.ColumnElement[bool]:
    return sa.func.coalesce(sa.func.cardinality(column), 0) == 0 if by.type == "array" else column.is_(None)


def _numbers(rows: sa.CTE, statistics: Sequence[Statistic]) -> list[sa.ColumnElement[Any]]:
    return [rows.c[name] for name in dict.fromkeys(one.field for one in statistics if one.field)]


async def _labels(connection: AsyncConnection, by: Field, found: list[str]) -> dict[str, str]:
    """Label by key in a sensible order, with the keys that no item has where the set of keys is known."""
    known = await listed(connection, by.refers) if by.refers else {value: value for value in by.values}
    return known | {value: value for value in found if value not in known}
