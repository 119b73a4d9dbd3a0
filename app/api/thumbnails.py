"""The maps as small pictures, for pages that lead to them."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from app.api import params
from app.api.answers import headers
from app.api.maps import LAYERS
from app.api.prints import find_layout
from app.db.engine import snapshot
from app.maps.thumbnail import thumbnail
from app.queries.layouts import layout_rows

router = APIRouter(tags=["maps"])
MEDIA_TYPE = "image/svg+xml"


@router.get(
    "/maps/{mapId}/thumbnail.svg",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "成功 OK"}},
)
async def get_thumbnail(request: Request, mapId: str) -> Response:
    """空间布局图的缩略图。 A small picture of a layout's map, without words."""
    given = params.only(request, ("system",))
    async with snapshot(request.app.state.reader) as connection:
        layout = await find_layout(connection, mapId, given.get("system"))
        made = await headers(request, connection, LAYERS, "svg")
        rows = await layout_rows(connection, layout)
    return Response(await run_in_threadpool(thumbnail, rows), media_type=MEDIA_TYPE, headers=made)
