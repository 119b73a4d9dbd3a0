"""Search names, other names and descriptions: Chinese by any part, pinyin in full or by initials."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t

#: Words of one question that a caller should allow; more would only slow it down.
MAX_WORDS = 8
#: Entries of each rank that are looked at: a word that is everywhere tells nothing, however many are compared.
MAX_ENTRIES = 5000
# the planner does not know what it costs to unpack every row's grams, nor how many rows a bitmap must remember
PREPARE = sa.select(sa.func.set_config("enable_seqscan", "off", True), sa.func.set_config("work_mem", "32MB", True))


@dataclass(frozen=True)
class Hit:
    """An item found; ``text`` is the entry that matched best, ``rank`` 1 for its name, 2 another name, 3 a text."""

    collection: str
    id: str
    name: str
    rank: int
    text: str


@dataclass(frozen=True)
class Found:
    """A page of hits and how many there are in all; not ``complete``: more entries matched than were looked at."""

    hits: Sequence[Hit]
    matched: int
    complete: bool


async def search(
    connection: AsyncConnection, words: str, collections: Sequence[str], limit: int, offset: int = 0
) -> Found:
    """Items whose entries contain every word, in one entry or in several; best first.

    Raises ValueError if there is no word.
    """
    await connection.execute(PREPARE)
    parts = separate(words)
    if len(parts) > 1:
        counted = (await connection.execute(counts(parts))).one()
        parts = rarest_first(parts, counted)
    whole = " ".join(words.lower().split())
    rows = (await connection.execute(statement(parts, whole, collections, limit, offset))).all()
    hits = [Hit(row.collection, row.item, row.name, row.rank, row.text) for row in rows]
    return Found(hits, rows[0].total, not rows[0].cut) if rows else Found([], 0, True)


def separate(words: str) -> list[str]:
    """The words of a question, each once, in lower case. Raises ValueError if there is none."""
    parts = list(dict.fromkeys(words.lower().split()))
    if not parts:
        raise ValueError("no words")
    return parts


def counts(parts: Sequence[str]) -> sa.Select[Any]:
    """How many entries contain each word, counted no further than needed."""
    some = [sa.select(sa.literal(1)).where(_candidate(t.search_entry, part)).limit(MAX_ENTRIES) for part in parts]
    return sa.select(*(sa.select(sa.func.count()).select_from(one.subquery()).scalar_subquery() for one in some))


def rarest_first(parts: Sequence[str], counted: Sequence[int]) -> list[str]:
    """The words in the order in which they narrow a question down."""
    return [part for _, part in sorted(zip(counted, parts, strict=True), key=lambda pair: pair[0])]


def statement(
    parts: Sequence[str], whole: str, collections: Sequence[str], limit: int, offset: int = 0
) -> sa.Select[Any]:
    """The question as one statement: entries with the first word, whose item holds the others somewhere.

    ``whole`` is the question as one text, which a name may equal or begin with. The rows say by ``total`` how many
    items were found, and by ``cut`` whether entries were left unread.
    """
    entries = _entries(parts, whole, collections)
    best = (
        sa.select(entries)
        .ext(distinct_on(entries.c.collection, entries.c.item))
        .order_by(*(entries.c[name] for name in ("collection", "item")), *_closest(entries))
        .subquery("best")
    )
    branches = sa.select(entries.c.branch).where(entries.c.branch > 0).group_by(entries.c.branch)
    cut = sa.exists(branches.having(sa.func.count() > MAX_ENTRIES))
    order = (*_closest(best), best.c.collection, best.c.item)
    page = (
        sa.select(best, sa.func.count().over().label("total")).order_by(*order).limit(limit).offset(offset)
    ).subquery("page")
    # only the page's items need their names
    entry = t.search_entry.c
    name = (
        sa.select(entry.text)
        .where(entry.collection == page.c.collection, entry.item == page.c.item, entry.rank == 1)
        .order_by(entry.row_id)
        .limit(1)
        .scalar_subquery()
    )
    again = (*_closest(page), page.c.collection, page.c.item)
    return sa.select(page, name.label("name"), cut.label("cut")).order_by(*again)


def _entries(parts: Sequence[str], whole: str, collections: Sequence[str]) -> sa.CTE:
    """Entries to compare, with how near each comes to the question: no more of a rank than ``MAX_ENTRIES``."""
    entry = t.search_entry.c
    text = sa.func.lower(entry.text)
    where = [_candidate(t.search_entry, parts[0]), *(_elsewhere(part) for part in parts[1:])]
    if collections:
        where.append(entry.collection.in_(collections))
    # an exact name comes first, then what begins so, then what holds it
    begins = sa.or_(*(c.startswith(whole, autoescape=True) for c in (text, entry.pinyin, entry.initials)))
    near = sa.case((sa.and_(text == whole, entry.rank < 3), 0), (begins, entry.rank * 2), else_=entry.rank * 2 + 1)
    held = (sa.cast(_contains(t.search_entry, part), sa.Integer) for part in parts)
    columns = (
        entry.collection, entry.item, entry.rank, entry.text, near.label("near"),
        sa.func.length(entry.text).label("length"), sum(held, sa.literal(0)).label("words"),
    )  # fmt: skip
    # each rank for itself, so that many texts do not crowd out the names; and what is called just so in any case
    taken = [
        sa.select(*columns, sa.literal(rank).label("branch")).where(*where, entry.rank == rank).limit(MAX_ENTRIES + 1)
        for rank in (1, 2, 3)
    ]
    if len(whole) > 1:
        exact = sa.select(*columns, sa.literal(0).label("branch")).where(*where, text == whole, entry.rank < 3)
        taken.append(exact.limit(MAX_ENTRIES))
    return sa.union_all(*(sa.select(one.subquery()) for one in taken)).cte("entries")


def _closest(rows: Any) -> tuple[sa.ColumnElement[Any], ...]:
    """More of the words, nearer, shorter."""
    return rows.c.words.desc(), rows.c.near, rows.c.length, rows.c.text


def _candidate(entries: Any, part: str) -> sa.ColumnElement[bool]:
    """One or two characters are a gram, which the index decides; of longer words it finds entries to compare."""
    held: sa.ColumnElement[bool] = entries.c.grams.contains(_grams(part))
    return sa.and_(held, _contains(entries, part)) if len(part) > 2 else held


def _elsewhere(part: str) -> sa.ColumnElement[bool]:
    """The entry's item holds a word, here or in another entry."""
    entry, other = t.search_entry.c, t.search_entry.alias("other")
    same = (other.c.collection == entry.collection, other.c.item == entry.item)
    return sa.exists().where(*same, _contains(other, part))


def _grams(part: str) -> list[str]:
    """Every pair of neighbours, or the one character there is."""
    return sorted({part[place : place + 2] for place in range(max(len(part) - 1, 1))})


def _contains(entries: Any, part: str) -> sa.ColumnElement[bool]:
    columns = (sa.func.lower(entries.c.text), entries.c.pinyin, entries.c.initials)
    return sa.or_(*(column.contains(part, autoescape=True) for column in columns))
