"""How many items a question finds, counted once for each state of the data."""

from collections import OrderedDict

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.queries.selection import Selection, conditions
from app.queries.versions import State, confirm, stated

#: Counts remembered in each process; the one asked for longest ago is forgotten first.
MOST = 1_000
#: Longest question (characters) whose count is remembered: what is longer is hardly asked twice.
LONGEST = 20_000
_known: OrderedDict[tuple[sa.Engine, str, str, str | None], int] = OrderedDict()


def statement(selection: Selection) -> sa.Select[int]:
    """Counts the items of a selection."""
    of = selection.collection
    return sa.select(sa.literal_column("count(*)")).select_from(of.source).where(*conditions(selection, of.columns))


async def count(connection: AsyncConnection, selection: Selection, seen: State | None = None) -> int:
    """How many items a selection has.

    ``seen`` is the state of every layer that the question reads, known or believed: in one state the count of one
    question can be no other, and is not made again. Raises ``Moved`` where the data turn out to be in another.
    """
    if seen is None:
        return (await connection.execute(statement(selection))).scalar_one()
    # copies of one database have the same marks
    key = (connection.sync_engine, seen.mark, selection.collection.id, selection.asked)
    if key not in _known:
        asked = statement(selection).add_columns(stated([*seen.versions]))
        found, state = (await connection.execute(asked)).one()
        confirm(state, seen)
        if selection.asked is None or len(selection.asked) > LONGEST:
            return int(found)
        _known[key] = found
        if len(_known) > MOST:
            _known.popitem(last=False)
    _known.move_to_end(key)
    return _known[key]
