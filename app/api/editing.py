"""Writing items over HTTP: create, replace, update, delete, and what a resource allows.

Requirements are those of the draft of OGC API – Features Part 4 (OGC 20-002r1).
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from app.api import params, written
from app.api.answers import mark
from app.api.freshness import TOKEN
from app.api.items import content_crs, item_text, no_item
from app.api.keys import editor
from app.api.links import link
from app.api.openapi_editing import writing
from app.api.problems import Problem
from app.catalog import Collection
from app.crs import CRS84
from app.db.engine import position, snapshot
from app.edits import write
from app.edits.layer import Layer, Refused
from app.edits.layers import editable
from app.encode.geojson import MEDIA_TYPE
from app.queries import items

router = APIRouter(tags=["editing"])
Result = TypeVar("Result")
READ = ("GET", "HEAD", "OPTIONS")
ITEMS = "/collections/{collectionId}/items"
ITEM = ITEMS + "/{featureId}"


@router.options(ITEMS, response_class=Response, openapi_extra=writing("options"))
async def options_items(request: Request, collectionId: str) -> Response:
    """图层允许的方法。 What may be done with a collection's items."""
    described = params.collection(collectionId)
    if not await layer_of(request, described):
        return _allowed(READ)
    # /req/create-replace-delete/options-accept-post
    return _allowed((*READ, "POST"), {"Accept-Post": ", ".join(written.FEATURE_TYPES)})


@router.options(ITEM, response_class=Response, openapi_extra=writing("options"))
async def options_item(request: Request, collectionId: str, featureId: str) -> Response:
    """要素允许的方法。 What may be done with an item."""
    described = params.collection(collectionId)
    if not await layer_of(request, described):
        return _allowed(READ)
    # /req/update/options-accept-patch
    return _allowed((*READ, "PUT", "PATCH", "DELETE"), {"Accept-Patch": ", ".join(written.PATCH_TYPES)})


def _allowed(methods: tuple[str, ...], more: Mapping[str, str] | None = None) -> Response:
    """/req/create-replace-delete/options-response."""
    return Response(headers={"Allow": ", ".join(methods), **(more or {})})


@router.post(ITEMS, status_code=201, response_class=Response, openapi_extra=writing("create"))
async def post_item(request: Request, collectionId: str) -> Response:
    """新建要素。 Create an item; its id is the one sent, else one made of its English name."""
    described, layer = await writable(request, collectionId)
    key = editor(request, described.id)
    feature = await written.feature_of(request)
    edit = written.edit_of(request, key, feature, creates=True)
    item, token = await run(request, described, lambda opened: write.create(opened, layer, feature, edit))
    return await shown(request, described, item, token, 201)


@router.put(ITEM, response_class=Response, openapi_extra=writing("replace"))
async def put_item(request: Request, collectionId: str, featureId: str) -> Response:
    """替换要素。 Replace an item; a property that is not sent becomes empty."""
    described, layer = await writable(request, collectionId, featureId)
    key = editor(request, described.id)
    feature = await written.feature_of(request)
    edit, condition = written.edit_of(request, key, feature), written.condition_of(request)
    _, token = await run(
        request, described, lambda opened: write.replace(opened, layer, featureId, feature, condition, edit)
    )
    return await shown(request, described, featureId, token)


@router.patch(ITEM, response_class=Response, openapi_extra=writing("update"))
async def patch_item(request: Request, collectionId: str, featureId: str) -> Response:
    """修改要素的部分内容。 Change parts of an item by a JSON Merge Patch."""
    described, layer = await writable(request, collectionId, featureId)
    key = editor(request, described.id)
    patch = await written.patch_of(request)
    edit, condition = written.edit_of(request, key), written.condition_of(request)
    _, token = await run(
        request, described, lambda opened: write.update(opened, layer, featureId, patch, condition, edit)
    )
    return await shown(request, described, featureId, token)


@router.delete(ITEM, status_code=204, response_class=Response, openapi_extra=writing("delete"))
async def delete_item(request: Request, collectionId: str, featureId: str) -> Response:
    """删除要素（留有历史，可撤销）。 Delete an item; its history stays, and the deletion can be undone."""
    described, layer = await writable(request, collectionId, featureId)
    key = editor(request, described.id)
    edit, condition = written.edit_of(request, key), written.condition_of(request)
    _, token = await run(request, described, lambda opened: write.delete(opened, layer, featureId, condition, edit))
    return Response(status_code=204, headers={TOKEN: token})


async def layer_of(request: Request, described: Collection) -> Layer | None:
    """How a collection is written, ``None`` where it is not."""
    async with snapshot(request.app.state.reader) as connection:
        return (await connection.run_sync(editable)).get(described.id)


async def writable(request: Request, name: str, item: str | None = None) -> tuple[Collection, Layer]:
    """A collection that can be written. Raises a 405 that says where to go."""
    described = params.collection(name)
    params.only(request, ())
    layer = await layer_of(request, described)
    if layer is None:
        detail = f"{described.id} 不可直接编辑。 {described.id} cannot be written."
        if described.written_in:
            place = link(request, f"/collections/{described.written_in}/items{f'/{item}' if item else ''}", "", "", "")
            detail += f" 请用 Go to {place['href']}"
        raise Problem(405, detail, parameter="collectionId", headers={"Allow": ", ".join(READ)})
    return described, layer


async def run(request: Request, described: Collection, work: Callable[[Connection], Result]) -> tuple[Result, str]:
    """Do one write in a transaction; its result, and where the database's log stood after it."""
    engine = request.app.state.writer
    try:
        async with engine.begin() as connection:
            result = await connection.run_sync(work)
        async with engine.connect() as connection:
            return result, await position(connection)
    except write.NotThere as error:
        raise no_item(described, str(error)) from None
    except write.Unconditional:
        detail = "须给出 If-Match（要素的 ETag）。 If-Match is required: the item's ETag."
        raise Problem(428, detail, parameter="If-Match") from None
    except write.Unmet as error:
        raise Problem(412, f"要素已被改动。 The item was changed. {error}", parameter="If-Match") from None
    except (write.Taken, write.Overtaken) as error:
        raise Problem(409, str(error), parameter="id" if isinstance(error, write.Taken) else None) from None
    except Refused as error:
        first = error.faults[0]
        allowed = first.allowed or None
        raise Problem(400, str(error), parameter=first.property, allowed=allowed, faults=error.faults) from None


async def shown(request: Request, described: Collection, item: str, token: str, status: int = 200) -> Response:
    """An item after it was written, with the mark that a GET of it gives."""
    address = f"/collections/{described.id}/items/{item}"
    async with snapshot(request.app.state.writer) as connection:
        found = await items.one(connection, described, item)
        if found is None:
            # somebody was quicker to take it away again
            raise no_item(described, item)
        asked = f"{request.scope.get('root_path', '')}{address}"
        made = await mark(request, connection, described.layers, "json", found.version, asked)
    made |= content_crs(CRS84) | {TOKEN: token}
    if status == 201:
        # /req/create-replace-delete/post-response-rid
        made["Location"] = link(request, address, "", "", "")["href"]
    text = item_text(request, described, item, found.feature, {}, CRS84)
    return Response(text, status_code=status, media_type=MEDIA_TYPE, headers=made)
