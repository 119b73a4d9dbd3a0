"""The body of a posted question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from app import filters
from app.api.asking import refused
from app.api.problems import Problem
from app.crs import CRS84
from app.filters.geometries import literal
from app.filters.guard import LIMITS, load_json, walk

MEMBERS = ("filter", "intersects", "limit", "cursor")


@dataclass(frozen=True)
class Body:
    """``filter`` and ``intersects`` (EWKT) of a question, and its page."""

    filter: filters.Expression | None = None
    intersects: str | None = None
    paging: Mapping[str, str] = field(default_factory=dict)


async def posted(request: Request) -> Body:
    """The body of ``POST …/search``."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem(415, "须为 application/json。 Must be application/json.", parameter="Content-Type")
    # a large one takes up to half a second: not in the loop that serves everybody
    return await run_in_threadpool(_read, await received(request))


def _read(text: str) -> Body:
    try:
        value = load_json(text)
    except filters.FilterError as error:
        raise Problem(400, str(error), parameter="body") from None
    if not isinstance(value, dict):
        raise Problem(400, "须为 JSON 对象。 Must be a JSON object.", parameter="body", allowed=MEMBERS)
    for name in value:
        if name not in MEMBERS:
            raise Problem(400, f"没有成员 {name!r}。 No member {name!r}.", parameter=name[:100], allowed=MEMBERS)
    return Body(_filter(value.get("filter")), _geometry(value.get("intersects")), _paging(value))


async def received(request: Request) -> str:
    """The text of a body, read within a limit, whatever length it claims."""
    most = LIMITS.get().max_body_bytes
    read = bytearray()
    async for piece in request.stream():
        read += piece
        if len(read) > most:
            raise Problem(413, f"至多 {most} 字节。 At most {most} bytes.", parameter="body")
    try:
        return read.decode("utf-8")
    except UnicodeDecodeError:
        raise Problem(400, "须为 UTF-8。 Must be UTF-8.", parameter="body") from None


def _filter(tree: Any) -> filters.Expression | None:
    if tree is None:
        return None
    try:
        return filters.from_tree(tree)
    except filters.FilterError as error:
        raise refused(error) from None


def _geometry(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise Problem(400, "须为 GeoJSON 几何。 Must be a GeoJSON geometry.", parameter="intersects")
    try:
        walk({"geometries": [value]})
        return f"SRID={CRS84.srid};{literal(value, CRS84).wkt}"
    except filters.FilterError as error:
        raise Problem(400, str(error), parameter="intersects") from None


def _paging(value: Mapping[str, Any]) -> dict[str, str]:
    given = {}
    if "limit" in value:
        if isinstance(value["limit"], bool) or not isinstance(value["limit"], int):
            raise Problem(400, "须为整数。 Must be a whole number.", parameter="limit")
        given["limit"] = str(value["limit"])
    if "cursor" in value:
        if not isinstance(value["cursor"], str):
            raise Problem(400, "须为文本。 Must be a text.", parameter="cursor")
        given["cursor"] = value["cursor"]
    return given
