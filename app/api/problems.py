"""Errors as problem+json (RFC 9457): what was wrong, by which rule, and what would be right."""

import difflib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.api.security import DEFAULT, HEADERS, POLICY
from app.logs import REQUEST_ID, REQUEST_ID_HEADER

MEDIA_TYPE = "application/problem+json"
#: Seconds after which a client may try again while the database restarts or is overloaded.
RETRY_AFTER = 2
#: SQLSTATE of a statement that ran into its time limit.
QUERY_CANCELED = "57014"
#: Class of the SQLSTATEs of a value that no operation can take, such as a number too large.
DATA_EXCEPTION = "22"
TITLES = {
    400: "请求有误 Bad request",
    401: "需要有效的密钥 Unauthorized",
    403: "密钥无此权限 Forbidden",
    404: "未找到 Not found",
    405: "方法不允许 Method not allowed",
    406: "无可接受的格式 Not acceptable",
    408: "请求超时 Request timeout",
    409: "与现状冲突 Conflict",
    412: "条件不成立 Precondition failed",
    413: "内容过长 Content too large",
    414: "地址过长 URI too long",
    415: "不支持的媒体类型 Unsupported media type",
    428: "须有条件 Precondition required",
    429: "请求过多 Too many requests",
    431: "请求头过长 Request header fields too large",
    500: "内部错误 Internal error",
    503: "暂不可用 Not available at the moment",
}
#: SQLSTATE of a lock that was waited for too long, and of a deadlock.
WAITED = ("55P03", "40P01")
#: SQLSTATEs of a table, column or function that is not there.
UNDEFINED = ("42P01", "42703", "42883")
log = logging.getLogger("innomap")


class Problem(Exception):
    """An error for the client.

    ``parameter`` names what was wrong, ``allowed`` what would be right; ``faults`` are all, each a name, a rule
    and what would be right.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        parameter: str | None = None,
        allowed: Iterable[str] | None = None,
        headers: Mapping[str, str] | None = None,
        faults: Sequence[tuple[str, str, Sequence[str]]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.parameter = parameter
        self.allowed = None if allowed is None else list(allowed)
        self.headers = dict(headers or {})
        self.faults = faults


def closest(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelt name, empty where nothing is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""


def respond(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": TITLES.get(problem.status, "错误 Error"),
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.parameter is not None:
        body["parameter"] = problem.parameter
    if problem.allowed is not None:
        body["allowed"] = problem.allowed
    if problem.faults:
        body["faults"] = [
            {"property": name, "rule": rule} | ({"allowed": list(allowed)} if allowed else {})
            for name, rule, allowed in problem.faults
        ]
    text = json.dumps(body, ensure_ascii=False).encode()
    headers = {**problem.headers, **(headers or {})}
    return Response(text, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every error of the app in this one shape."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> Response:
        return respond(error, {"Retry-After": str(RETRY_AFTER)} if error.status == 503 else None)

    @app.exception_handler(RequestValidationError)
    async def _invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return respond(Problem(400, first["msg"], parameter=str(first["loc"][-1])))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        return respond(_of_protocol(request, error, headers), headers)

    @app.exception_handler(DBAPIError)
    async def _database(request: Request, error: DBAPIError) -> Response:
        if getattr(error.orig, "sqlstate", None) == QUERY_CANCELED:
            return respond(
                Problem(503, "查询超过时限，请缩小范围。 The question took longer than the limit: narrow it."),
                {"Retry-After": str(RETRY_AFTER)},
            )
        if getattr(error.orig, "sqlstate", None) in WAITED:
            return respond(
                Problem(503, "数据正被他人写入，请稍后再试。 The data are being written: try again shortly."),
                {"Retry-After": str(RETRY_AFTER)},
            )
        if isinstance(error, IntegrityError):
            # checked before, so that somebody else must have written between
            return respond(Problem(409, "数据同时被改动，请重试。 The data changed meanwhile: try again."))
        if (getattr(error.orig, "sqlstate", None) or "").startswith(DATA_EXCEPTION):
            return respond(Problem(400, "数值超出范围。 A number is out of range."))
        if getattr(error.orig, "sqlstate", None) in UNDEFINED:
            # the database is at another schema while it is migrated; were it a defect, the log has its place
            log.error("the schema is not this release's", exc_info=error)
            return _unavailable(error)
        # a restart, a crash or a lost connection; anything else is a defect and stays a 500
        if error.connection_invalidated or isinstance(error, OperationalError | InterfaceError):
            return _unavailable(error)
        raise error

    @app.exception_handler(Exception)
    async def _defect(request: Request, error: Exception) -> Response:
        # outside of every middleware, so that the headers of all other answers are put on here
        made = {POLICY: DEFAULT, **HEADERS, REQUEST_ID_HEADER: REQUEST_ID.get()}
        return respond(Problem(500, "程序出错。 The program failed."), made)

    @app.exception_handler(PoolTimeout)
    async def _busy(request: Request, error: PoolTimeout) -> Response:
        return _unavailable(error)


def _of_protocol(request: Request, error: HTTPException, headers: Mapping[str, str]) -> Problem:
    """What the framework refuses: an address or a method that is not there, a body larger than it claimed."""
    path = request.url.path
    if error.status_code == 404:
        return Problem(404, f"没有地址 {path}，见 /api。 No address {path}: /api lists them.")
    if error.status_code == 405:
        methods = sorted(headers.get("Allow", "").replace(" ", "").split(","))
        return Problem(405, f"{path} 不接受 {request.method}。 {path} takes no {request.method}.", allowed=methods)
    parameter = "body" if error.status_code == 413 else None
    return Problem(error.status_code, f"{path}: {error.detail}", parameter=parameter)


def _unavailable(error: Exception) -> Response:
    log.warning("database unavailable: %s", type(error).__name__)
    return respond(Problem(503, "请稍后再试。 Please try again shortly."), {"Retry-After": str(RETRY_AFTER)})
