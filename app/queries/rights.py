"""What those who ask may do in the database, as the database itself says."""

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.roles import HIDDEN

#: Every table of the schema that this connection could change, and of the hidden ones those that it could read.
BEYOND_READING = sa.text(
    """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
      AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
           OR c.relname = ANY(:hidden) AND has_table_privilege(c.oid, 'SELECT'))
    LIMIT 1
    """
)


async def can_only_read(connection: AsyncConnection) -> bool:
    """Whether the role of a connection can change no table, and does not see the keys."""
    found = await connection.execute(BEYOND_READING, {"hidden": list(HIDDEN)})
    return found.first() is None
