"""How many items a question finds, counted once for each state of the data."""

from collections import OrderedDict

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from app.queries.selection import Selection, conditions
from app.queries.versions import State

#: Counts remembered in each process; the one asked for longest ago is forgotten first.
MOST = 1_000
#: Longest question (characters with its values) whose count is remembered: what is longer is hardly asked twice.
LONGEST = 20_000
_known: OrderedDict[tuple[str, str, str, str], int] = OrderedDict()


async def count(connection: AsyncConnection, selection: Selection, seen: State | None = None) -> int:
    """How many items the selection has.

    ``seen`` is the state of every layer that the question reads, in the connection's own snapshot: in that state the
    count can be no other, and is not made again.
    """
    rows = selection.collection.relation
    statement = sa.select(sa.func.count()).select_from(rows).where(*conditions(selection, rows))
    if seen is None:
        return (await connection.execute(statement)).scalar_one()
    asked = statement.compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
    # copies of one database have the same marks
    key = (str(connection.engine.url), seen.mark, str(asked), repr(sorted(asked.params.items())))
    if key not in _known:
        found: int = (await connection.execute(statement)).scalar_one()
        if sum(map(len, key)) > LONGEST:
            return found
        _known[key] = found
        if len(_known) > MOST:
            _known.popitem(last=False)
    _known.move_to_end(key)
    return _known[key]
