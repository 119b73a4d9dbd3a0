"""Reads that must see a write: a client sends back the ``Innomap-Token`` that the write answered.

Where standbys answer reads, each answer from the data carries one too: sent back, no later read sees less.
"""

import re

from fastapi import Request

from app.api.problems import RETRY_AFTER, Problem
from app.db.engine import reached
from app.db.standbys import Readers

#: Where a write stands in the database's log.
TOKEN = "Innomap-Token"  # noqa: S105


async def caught_up(request: Request) -> None:
    """Read from a server that has what the request's token names: a standby, waited for a moment, else the primary.

    The primary is waited for up to a bound; a server that takes writes itself always has it. Raises a 400 for what is
    no token, and a 503 when the bound is over.
    """
    token = request.headers.get(TOKEN)
    if token is None:
        return
    if not re.fullmatch("[0-9A-F]{1,8}/[0-9A-F]{1,8}", token):
        raise Problem(400, "不是本服务给出的标记。 Not a token of this service.", parameter=TOKEN)
    readers: Readers = request.app.state.reader
    if await readers.answer_from(token):
        return
    wait = request.app.state.settings.token_wait_ms / 1000
    if not await reached(readers.primary, token, wait):
        raise Problem(
            503, "数据尚未同步，请稍后再试。 The data have not arrived yet: try again shortly.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )  # fmt: skip
