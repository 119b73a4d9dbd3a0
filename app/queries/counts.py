"""How many items a question finds, counted once for each state of the data."""

from collections import OrderedDict

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.queries.selection import Selection, conditions
from app.queries.versions import State

#: Counts remembered in each process; the one asked for longest ago is forgotten first.
MOST = 1_000
#: Longest question (characters) whose count is remembered: what is longer is hardly asked twice.
LONGEST = 20_000
_known: OrderedDict[tuple[sa.URL, str, str, str], int] = OrderedDict()


def statement(selection: Selection) -> sa.Select[int]:
    """Counts the items of a selection."""
    of = selection.collection
    return sa.select(sa.literal_column("count(*)")).select_from(of.source).where(*conditions(selection, of.columns))


async def count(connection: AsyncConnection, selection: Selection) -> int:
    """How many items a selection has."""
    return (await connection.execute(statement(selection))).scalar_one()


def known(connection: AsyncConnection, selection: Selection, seen: State) -> int | None:
    """The count of a question that was counted before in this state of every layer it reads: it can be no other."""
    if selection.asked is None:
        return None
    key = _key(connection, selection, seen)
    if key in _known:
        _known.move_to_end(key)
    return _known.get(key)


def remember(connection: AsyncConnection, selection: Selection, seen: State, found: int) -> None:
    """What ``known`` is to give from now on."""
    if selection.asked is None or len(selection.asked) > LONGEST:
        return
    _known[_key(connection, selection, seen)] = found
    if len(_known) > MOST:
        _known.popitem(last=False)


def _key(connection: AsyncConnection, selection: Selection, seen: State) -> tuple[sa.URL, str, str, str]:
    # copies of one database have the same marks
    return connection.engine.url, seen.mark, selection.collection.id, str(selection.asked)
