"""A database whose server belongs to the tests, so that they can put others beside it."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from app.db.embedded import Cluster
from app.db.migrate import upgrade
from app.ingest.load import load
from app.settings import ROOT
from tests.conftest import Server, connect, embedded_server


@pytest.fixture(scope="session")
def primary(server: Server) -> Iterator[Cluster]:
    """The session's own cluster; beside a foreign server, one made for this."""
    if isinstance(server, Cluster):
        yield server
    else:
        with embedded_server() as made:
            assert isinstance(made, Cluster)
            yield made


@pytest.fixture(scope="session")
def private_url(primary: Cluster, server: Server, request: pytest.FixtureRequest) -> sa.URL:
    """A migrated and loaded database of that server."""
    if primary is server:
        made = request.getfixturevalue("make_database")(request.getfixturevalue("template_url").database)
        assert isinstance(made, sa.URL)
        return made
    with connect(primary.url()).connect() as connection:
        upgrade(connection)
        load(connection, ROOT / "geodata")
    return primary.url()
