"""The industry taxonomy."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t


async def narrower(connection: AsyncConnection, codes: Sequence[str]) -> list[str]:
    """The codes that exist, with everything under them.

    Under is a child in its scheme, a field that a relation calls narrower, and the same field in another scheme.
    """
    industry, relation = t.industry.c, t.industry_relation.c
    found = sa.select(industry.id).where(industry.id.in_(codes)).cte("found", recursive=True)
    step = sa.union_all(
        sa.select(industry.parent.label("broad"), industry.id.label("narrow")).where(industry.parent.is_not(None)),
        sa.select(relation.b, relation.a).where(relation.relation.in_(("narrower", "same"))),
        sa.select(relation.a, relation.b).where(relation.relation == "same"),
    ).subquery("step")
    # UNION, not UNION ALL: a circle of equals ends
    found = found.union(sa.select(step.c.narrow).join(found, found.c.id == step.c.broad))
    return list((await connection.execute(sa.select(found.c.id).order_by(found.c.id))).scalars())
