"""Downloads: a whole layer or any selection of it, streamed."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

from anyio import CancelScope
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import asking, params
from app.api.answers import headers
from app.api.openapi import documented
from app.api.problems import Problem
from app.db.engine import snapshot
from app.encode import geojson, tabular
from app.queries import items
from app.queries.items import View
from app.queries.selection import Selection

router = APIRouter(tags=["exports"])

Pieces = AsyncIterator[bytes]


@dataclass(frozen=True)
class Format:
    """A file format: its media type, and the file piece by piece."""

    media_type: str
    write: Callable[[AsyncExitStack, AsyncConnection, Selection, View, Mapping[str, Any]], Pieces]


def _geojson(
    stack: AsyncExitStack, connection: AsyncConnection, selection: Selection, view: View, said: Mapping[str, Any]
) -> Pieces:
    features = items.stream(connection, selection, view)
    # before its connection, when a client leaves in the middle
    stack.push_async_callback(features.aclose)
    return geojson.feature_stream(features, {"name": selection.collection.id, **said}, view.crs)


def _csv(
    stack: AsyncExitStack, connection: AsyncConnection, selection: Selection, view: View, said: Mapping[str, Any]
) -> Pieces:
    rows = items.table(connection, selection, view)
    stack.push_async_callback(rows.aclose)
    return tabular.csv_stream(items.table_columns(selection, view), rows)


FORMATS = {"geojson": Format(geojson.MEDIA_TYPE, _geojson), "csv": Format(tabular.MEDIA_TYPE, _csv)}


@router.get("/exports/{name}", openapi_extra=documented("export"))
async def get_export(request: Request, name: str) -> StreamingResponse:
    """下载图层。 Download a layer; without ``limit`` all of it, with the same parameters as the items."""
    layer, dot, extension = name.partition(".")
    if not dot or extension not in FORMATS:
        raise Problem(
            404, f"没有格式 {extension!r}。 No format {extension!r}.", parameter="name",
            allowed=[f"{layer}.{one}" for one in FORMATS],
        )  # fmt: skip
    described = params.collection(layer)
    given = params.only(request, (*asking.selecting(described), "crs", "properties"))
    view = replace(asking.view(described, given), as_file=True)
    # the connection lives until the last byte has left, beyond this function
    stack = AsyncExitStack()
    try:
        connection = await stack.enter_async_context(snapshot(request.app.state.reader))
        made = await headers(request, connection, asking.layers(described, given), extension)
        question = await asking.question(connection, described, given)
    except BaseException:
        await stack.aclose()
        raise
    pieces = FORMATS[extension].write(stack, connection, question.selection, view, question.said)

    async def body() -> Pieces:
        try:
            while True:
                # a client that leaves ends this between two pieces, never in the middle of a fetch
                with CancelScope(shield=True):
                    piece = await anext(pieces, None)
                if piece is None:
                    break
                yield piece
        finally:
            with CancelScope(shield=True):
                await stack.aclose()

    filename = "-".join([described.id, *(p.id for p in question.selection.within)]) + f".{extension}"
    made["Content-Disposition"] = f'attachment; filename="{filename}"'
    return StreamingResponse(body(), media_type=FORMATS[extension].media_type, headers=made)
