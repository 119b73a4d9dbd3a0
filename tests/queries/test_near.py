"""Distances on the ellipsoid are found by index."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from app.db import tables as t
from app.queries.relations import point, within_distance
from tests.conftest import connect


def test_what_is_near_is_found_by_index(loaded_url: sa.URL) -> None:
    columns = {"position": t.platform.c.position}
    asked = sa.select(t.platform.c.id).where(within_distance(point(120.7, 30.7), 3000, columns))
    text = asked.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})
    with connect(loaded_url).connect() as connection:
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {text}").scalars())
    assert "Index Cond" in plan
    assert "ix_platform_position_geography" in plan
