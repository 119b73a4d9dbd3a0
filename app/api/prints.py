"""Maps on paper: each layout's map as a picture or a document to be printed."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.concurrency import run_in_threadpool

from app.api import params
from app.api.answers import headers
from app.api.language import LANGUAGES, Language
from app.api.maps import LAYERS, SYSTEM, chosen_system, systems_of
from app.api.parameters import PARAMETERS, query
from app.api.problems import Problem, closest
from app.api.security import POLICY, policy
from app.api.turns import heavy
from app.db.engine import snapshot
from app.maps.paper import SIZES, FontMissing, Format, version_mark
from app.queries.layouts import LayoutRows, layout_rows, layouts
from app.queries.versions import state

router = APIRouter(tags=["maps"])
MEDIA_TYPES: dict[Format, str] = {"png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf"}
SIZE = query("size", "纸张。 Paper.", {"type": "string", "enum": list(SIZES), "default": "A4"})


def printed(*own: dict[str, Any]) -> dict[str, Any]:
    """The definition of an operation that draws a sheet; ``own`` are its parameters beside paper and language."""
    return {"parameters": [*own, SIZE, PARAMETERS["lang"]]}


PRINTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {one: {} for one in MEDIA_TYPES.values()}, "description": "成功 OK"}
}
#: A map takes a processor for seconds: it is drawn when its turn has come.
DRAWN = [Depends(heavy("prints"))]


def paper(given: Mapping[str, str], extension: str) -> tuple[Format, str, Language]:
    """File format, paper size and language asked for. Raises a ``Problem`` for one that there is not."""
    kind = next((one for one in get_args(Format) if one == extension), None)
    if kind is None:
        raise Problem(
            404, f"没有格式 {extension!r}。 No format {extension!r}.{closest(extension, MEDIA_TYPES)}",
            parameter="extension", allowed=MEDIA_TYPES,
        )  # fmt: skip
    size = given.get("size", "A4")
    if size not in SIZES:
        raise Problem(400, f"没有纸张 {size!r}。 No paper size {size!r}.", parameter="size", allowed=SIZES)
    return kind, size, params.choice(given, "lang", LANGUAGES)


async def sheet(draw: Callable[[], bytes], kind: Format, name: str, made: Mapping[str, str]) -> Response:
    """The answer with what ``draw`` draws; ``name`` is that of its file."""
    try:
        content = await run_in_threadpool(draw)
    except FontMissing as error:
        raise Problem(503, str(error)) from None
    sent = {**made, "Content-Disposition": f'inline; filename="{name}.{kind}"'}
    if kind == "svg":
        # shown by itself a picture is a document, with one style for all lines
        sent[POLICY] = policy(styles=re.findall(r"<style[^>]*>(.*?)</style>", content.decode(), re.DOTALL))
    return Response(content, media_type=MEDIA_TYPES[kind], headers=sent)


@router.get(
    "/maps/{mapId}.{extension}", response_class=Response, openapi_extra=printed(SYSTEM), responses=PRINTED,
    dependencies=DRAWN,
)  # fmt: skip
async def get_print(request: Request, mapId: str, extension: str) -> Response:
    """空间布局图（打印）。 A layout's map to print: PNG (300 dpi), SVG or PDF; A4 or A3 landscape."""
    given = params.only(request, ("size", "lang", "system"))
    kind, size, lang = paper(given, extension)
    async with snapshot(request.app.state.reader) as connection:
        layout = await find_layout(connection, mapId, given.get("system"))
        made = await headers(request, connection, LAYERS, kind)
        rows, version = await read_layout(connection, layout)
    return await sheet(partial(_drawn, rows, version, size, lang, kind), kind, f"{layout}-{size}-{lang}", made)


async def find_layout(connection: AsyncConnection, name: str, system: str | None) -> str:
    """The id of a map's layout. Raises a ``Problem`` for a map or a system that is none."""
    return chosen_system(systems_of(await layouts(connection), name), system)


async def read_layout(connection: AsyncConnection, layout: str) -> tuple[LayoutRows, str]:
    """What a layout's map draws, and the mark of the data's version."""
    return await layout_rows(connection, layout), version_mark((await state(connection, LAYERS)).mark)


def _drawn(rows: LayoutRows, version: str, size: str, lang: str, extension: Format) -> bytes:
    # with matplotlib, which no start should wait for
    from app.maps.print import print_map

    return print_map(rows, version, size, lang).file(extension)
