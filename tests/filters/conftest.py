"""One read-only connection for all filters."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa


@pytest.fixture(scope="package")
def database(loaded_url: sa.URL) -> Iterator[sa.Connection]:
    """A connection in which every statement is a transaction of its own, that may read and no more."""
    engine = sa.create_engine(loaded_url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as opened:
        opened.execute(sa.text("SET default_transaction_read_only = on"))
        yield opened
