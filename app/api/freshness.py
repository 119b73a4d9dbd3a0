"""Reads that must see a write: a client sends back the ``Innomap-Token`` that the write answered."""

import re

from fastapi import Request

from app.api.problems import RETRY_AFTER, Problem
from app.db.engine import reached

#: Where a write stands in the database's log.
TOKEN = "Innomap-Token"  # noqa: S105


async def caught_up(request: Request) -> None:
    """Wait until the server that is read from has the write of the request's token, up to a bound.

    A server that takes writes itself always has it. Raises a 400 for what is no token, and a 503 when the bound is
    over.
    """
    token = request.headers.get(TOKEN)
    if token is None:
        return
    if not re.fullmatch("[0-9A-F]{1,8}/[0-9A-F]{1,8}", token):
        raise Problem(400, "不是本服务给出的标记。 Not a token of this service.", parameter=TOKEN)
    wait = request.app.state.settings.token_wait_ms / 1000
    if not await reached(request.app.state.reader, token, wait):
        raise Problem(
            503, "数据尚未同步，请稍后再试。 The data have not arrived yet: try again shortly.",
            headers={"Retry-After": str(RETRY_AFTER)},
        )  # fmt: skip
