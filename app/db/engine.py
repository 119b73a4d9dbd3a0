"""Connections for reading. A request reads in one read-only transaction with a time limit."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.settings import Settings


def reader(url: URL, settings: Settings) -> AsyncEngine:
    """A pool of connections that can only read; a connection that died is replaced before it is used."""
    options = (
        f"-c statement_timeout={settings.statement_timeout_ms} -c default_transaction_read_only=on -c jit=off"
        # a statement whose program was killed, or could not cancel it, ends as well
        " -c timezone=UTC -c client_connection_check_interval=2s"
    )
    return create_async_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.statement_timeout_ms / 1000,
        pool_pre_ping=True,
        connect_args={"options": options, "application_name": "innomap", "connect_timeout": 10},
    )


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection whose statements all see one state of the data."""
    async with engine.connect() as connection:
        connection = await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection
