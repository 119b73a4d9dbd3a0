"""What codes stand for: a question may give a code, or any name of what it is the code of."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t

#: How many names a near miss is looked for among, and how many candidates are named.
LOOKED_AT, CANDIDATES = 2000, 8


#: The unit that a table prints behind an indicator, for PostgreSQL and for Python.
UNIT = r"\s*[（(][^（）()]*[）)]\s*$"


class UnknownCode(LookupError):
    """Neither a code nor a name; ``candidates``, codes and their names, are near misses, else the first there are."""

    def __init__(self, value: str, candidates: Mapping[str, str]) -> None:
        near = "、".join(name for code, name in candidates.items() if name != code)
        super().__init__(f"没有代码或名称 {value!r}。 No code or name {value!r}." + (f" {near}?" if near else ""))
        self.value = value
        self.candidates = candidates


def _region(level: str | None = None) -> sa.Select[Any]:
    r, alias = t.region.c, t.alias.c
    called = sa.union_all(
        sa.select(r.id, r.name.label("called")),
        sa.select(r.id, r.name_en),
        sa.select(alias.region, alias.name).where(alias.region.is_not(None)),
    ).subquery()
    chosen = sa.select(called.c.id, called.c.called).join(t.region, r.id == called.c.id)
    return chosen.where(r.level == level) if level else chosen


def _named(table: sa.Table, *names: str) -> sa.Select[Any]:
    columns = [table.c[name] for name in names or ("name", "name_en")]
    every = sa.union_all(*(sa.select(table.c.id, column.label("called")) for column in columns)).subquery()
    return sa.select(every.c.id, every.c.called)


def _with(named: sa.Select[Any], *more: sa.Select[Any]) -> sa.Select[Any]:
    every = sa.union_all(named, *more).subquery()
    return sa.select(every.c.id, every.c.called)


def _words(column: sa.ColumnElement[Any]) -> sa.Select[Any]:
    """A vocabulary that has no table: the words in use, which are their own codes."""
    return sa.select(column.label("id"), column.label("called")).where(column.is_not(None)).distinct()


#: Code and name, one row a name, of each sort of thing that a ``Field`` may refer to.
CALLED: Mapping[str, sa.Select[Any]] = {
    "kind": _named(t.kind),
    "region": _region(),
    "county": _region("county"),
    "city": _region("city"),
    "town": _region("town"),
    "zone": _region("zone"),
    "document": _named(t.document, "title", "title_en"),
    "platform": _with(
        _named(t.platform), sa.select(t.alias.c.platform, t.alias.c.name).where(t.alias.c.platform.is_not(None))
    ),
    "layout": _named(t.layout),
    "layout_element": _named(t.layout_element),
    "industry": _named(t.industry),
    # what platforms' rows print, and codes, which stand for themselves
    "term": _with(_words(t.industry.c.id), _words(t.industry_link.c.words)),
    "indicator": _with(
        _named(t.indicator),
        sa.select(t.indicator_label.c.indicator, t.indicator_label.c.label),
        # as a table prints it, and without the unit behind it
        sa.select(t.indicator_label.c.indicator, sa.func.regexp_replace(t.indicator_label.c.label, UNIT, "")),
    ),
    "theme": _words(t.indicator.c.theme),
    "list": _words(t.task.c.list),
    "scheme": _words(t.industry.c.scheme),
    "category": _words(t.platform.c.category),
}


def _all(table: sa.Table, title: str = "name", order: str = "id") -> sa.Select[Any]:
    return sa.select(table.c.id, table.c[title]).order_by(table.c[order], table.c.id)


def _regions(level: str) -> sa.Select[Any]:
    return _all(t.region).where(t.region.c.level == level, ~t.region.c.retired)


#: Each code once, with one name, in an order that makes sense; a vocabulary is not among them.
_LISTED: Mapping[str, sa.Select[Any]] = {
    "kind": _all(t.kind, order="ord"),
    "region": _all(t.region),
    **{level: _regions(level) for level in ("county", "city", "town", "zone")},
    "document": _all(t.document, "title"),
    "layout": _all(t.layout),
    "layout_element": _all(t.layout_element),
    "indicator": _all(t.indicator),
}


def _list_of(sort: str) -> sa.Select[Any]:
    return _LISTED[sort] if sort in _LISTED else CALLED[sort].order_by("id")


def read_from(sort: str) -> list[str]:
    """The tables that ``listed`` reads."""
    return [one.name for one in _list_of(sort).get_final_froms() if isinstance(one, sa.Table)]


async def listed(connection: AsyncConnection, sort: str) -> dict[str, str]:
    """Every code of a sort, and what it stands for."""
    return {row[0]: row[1] for row in (await connection.execute(_list_of(sort))).all()}


async def meant(connection: AsyncConnection, sort: str, values: Sequence[str]) -> list[str]:
    """The codes that the values are, or are names of (upper and lower case alike; a name may be that of several).

    Raises ``UnknownCode`` for the first value that is neither.
    """
    called = CALLED[sort].subquery("called")
    wanted = {value.casefold() for value in values}
    either = sa.or_(called.c.id.in_(values), sa.func.lower(called.c.called).in_(wanted))
    rows = (await connection.execute(sa.select(called.c.id, called.c.called).where(either))).all()
    codes = {row.id for row in rows if row.id in values}
    known = codes | {row.called.casefold() for row in rows}
    for value in values:
        if value not in known and value.casefold() not in known:
            plain = re.sub(UNIT, "", value)
            if sort == "indicator" and plain != value:
                return await meant(connection, sort, [plain if one == value else one for one in values])
            raise await connection.run_sync(unknown, sort, value)
    # a value that is a code is nothing else
    return sorted(codes | {row.id for row in rows if row.called.casefold() in wanted - codes})


async def options(connection: AsyncConnection, sorts: Collection[str], lang: str) -> dict[str, list[tuple[str, str]]]:
    """Every code of some sorts with one name, Chinese or English as the language is, sorted by name."""
    found: dict[str, dict[str, str]] = {sort: {} for sort in sorts}
    if sorts:
        every = (sa.select(sa.literal(sort), *CALLED[sort].subquery().c) for sort in sorted(sorts))
        for sort, code, called in await connection.execute(sa.union_all(*every).order_by(sa.text("3"))):
            fits = called.isascii() == (lang == "en")
            if fits or code not in found[sort]:
                found[sort][code] = called
    return {sort: sorted(names.items(), key=lambda one: one[1]) for sort, names in found.items()}


def unknown(connection: Connection, sort: str, value: str) -> UnknownCode:
    """What is to be said of a value that is no code of a sort: which would be."""
    called = CALLED[sort].subquery("called")
    statement = sa.select(called.c.id, called.c.called).order_by(called.c.id, called.c.called.desc()).limit(LOOKED_AT)
    rows = connection.execute(statement).all()
    codes = {row.id: row.id for row in rows} | {row.called.casefold(): row.id for row in rows}
    near = difflib.get_close_matches(value.casefold(), codes, n=CANDIDATES, cutoff=0.4)
    # under the database's order a Chinese name comes first
    names: dict[str, str] = {}
    for row in rows:
        names.setdefault(row.id, row.called)
    found = list(dict.fromkeys(codes[one] for one in near)) or list(names)[:CANDIDATES]
    return UnknownCode(value, {code: names[code] for code in found})
