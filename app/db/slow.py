"""The log of slow statements, each with its plan as the server makes it for these very values.

Values are not shown, in the plan neither: they are the clients'. Whatever happens to the plan, the request and its
transaction go on as if nobody had asked for one.
"""

import logging
import re
import time
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import SQLAlchemyError

#: SQLSTATE of a statement that was cancelled, by its time limit or because its client left.
CANCELED = "57014"
#: Longest statement and plan that are logged, in characters.
LONGEST = 4_000
#: A plan costs a little itself: seconds until there is another.
PLAN_EVERY_S = 5.0
#: Longest time a plan may take.
PLAN_TIMEOUT_MS = 500
#: Texts, numbers in conditions; a number that is part of a name or stands for a parameter is no value.
_TEXT = re.compile(r"'(?:[^']|'')*'")
_CONDITION = re.compile(r"^\s*(?:\w+ )*(?:Cond|Filter|Call|Key|By|Output):.*$", re.MULTILINE)
_NUMBER = re.compile(r"(?<![\w.$])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])")
_EXPLAINED = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_BEGAN = "innomap_began"
log = logging.getLogger("innomap.slow")


#: Engine option: who is told of statements that SQLAlchemy does not run itself.
SLOW = "innomap_slow"


class Slow:
    """Logs each statement that takes longer than a threshold."""

    def __init__(self, threshold_ms: int) -> None:
        self._threshold_ms = threshold_ms
        self._planned = float("-inf")

    def is_slow(self, took: float) -> bool:
        return took * 1000 >= self._threshold_ms

    def tell(
        self, connection: Connection, took: float, statement: str, values: Any, error: BaseException | None = None
    ) -> None:
        """Log a statement that took so many seconds, or that was cut off; not one that just failed.

        It is logged with its plan where its values are known.
        """
        if error is not None:
            if getattr(error, "sqlstate", None) == CANCELED:
                _tell("statement cut off", took, statement, "")
            return
        plan = ""
        if values is not None and _EXPLAINED.match(statement) and time.monotonic() - self._planned > PLAN_EVERY_S:
            self._planned = time.monotonic()
            plan = _plan(connection, statement, values)
        _tell("slow statement", took, statement, plan)


def tell_slow(engine: Engine, threshold_ms: int) -> None:
    """Log each statement of an engine that takes longer; 0 logs none."""
    if not threshold_ms:
        return
    slow = Slow(threshold_ms)
    engine.update_execution_options(**{SLOW: slow})

    @event.listens_for(engine, "before_cursor_execute")
    def before(connection: Connection, *_: Any) -> None:
        connection.info[_BEGAN] = time.perf_counter()

    @event.listens_for(engine, "after_cursor_execute")
    def after(connection: Connection, _: Any, statement: str, values: Any, context: Any, many: bool) -> None:
        took = time.perf_counter() - connection.info[_BEGAN]
        if slow.is_slow(took) and not statement.startswith("EXPLAIN "):
            slow.tell(connection, took, statement, None if many else values)

    @event.listens_for(engine, "handle_error")
    def failed(context: ExceptionContext) -> None:
        statement = context.statement or ""
        if context.connection and not statement.startswith("EXPLAIN "):
            took = time.perf_counter() - context.connection.info.get(_BEGAN, time.perf_counter())
            slow.tell(context.connection, took, statement, None, context.original_exception)


def _plan(connection: Connection, statement: str, values: Any) -> str:
    """The plan of a statement, or the name of the error that it cost."""
    driver = connection.connection.driver_connection
    within = driver is not None and driver.info.transaction_status == TransactionStatus.INTRANS
    try:
        if not within:
            return _explained(connection, statement, values)
        connection.exec_driver_sql("SAVEPOINT innomap_plan")
        try:
            # as long as the savepoint
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {PLAN_TIMEOUT_MS}")
            return _explained(connection, statement, values)
        finally:
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT innomap_plan")
            connection.exec_driver_sql("RELEASE SAVEPOINT innomap_plan")
    except SQLAlchemyError as error:
        return f"({type(error).__name__})"


def _explained(connection: Connection, statement: str, values: Any) -> str:
    plan = "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())
    plan = _TEXT.sub("'…'", plan)
    return _CONDITION.sub(lambda line: _NUMBER.sub("…", line[0]), plan)


def _tell(what: str, took: float, statement: str, plan: str) -> None:
    told = {"milliseconds": round(took * 1000), "statement": " ".join(statement.split())[:LONGEST]}
    if plan:
        told["plan"] = plan[:LONGEST]
    log.warning(what, extra=told)
