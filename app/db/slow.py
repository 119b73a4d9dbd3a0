"""The log of slow statements, each with its plan as the server makes it for these very values.

Texts among the values are not shown, in the plan neither: they are the clients'.
"""

import logging
import re
import time
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext, ExecutionContext

#: SQLSTATE of a statement that was cancelled, by its time limit or because its client left.
CANCELED = "57014"
#: Longest statement and plan that are logged, in characters.
LONGEST = 4_000
#: A plan costs a little itself: seconds until there is another.
PLAN_EVERY_S = 5.0
_EXPLAINED = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_BEGAN = "innomap_began"
log = logging.getLogger("innomap.slow")


def tell_slow(engine: Engine, threshold_ms: int) -> None:
    """Log each statement of an engine that takes longer; 0 logs none."""
    if not threshold_ms:
        return
    planned = float("-inf")

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: Connection, *_: Any) -> None:
        connection.info[_BEGAN] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(
        connection: Connection, _: Any, statement: str, values: Any, context: ExecutionContext | None, many: bool
    ) -> None:
        nonlocal planned
        took = time.perf_counter() - connection.info[_BEGAN]
        if took * 1000 < threshold_ms or statement.startswith("EXPLAIN "):
            return
        plan = ""
        if not many and _EXPLAINED.match(statement) and time.monotonic() - planned > PLAN_EVERY_S:
            planned = time.monotonic()
            plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
        _tell("slow statement", took, statement, plan)

    @event.listens_for(engine, "handle_error")
    def failed(context: ExceptionContext) -> None:
        if context.connection and getattr(context.original_exception, "sqlstate", None) == CANCELED:
            took = time.perf_counter() - context.connection.info.get(_BEGAN, time.perf_counter())
            _tell("statement cut off", took, context.statement or "", "")


def _tell(what: str, took: float, statement: str, plan: str) -> None:
    told = {"milliseconds": round(took * 1000), "statement": " ".join(statement.split())[:LONGEST]}
    if plan:
        told["plan"] = re.sub(r"'(?:[^']|'')*'", "'…'", plan)[:LONGEST]
    log.warning(what, extra=told)
