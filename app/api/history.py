"""The history of an item: its changes, how it was at a moment, and undoing a change."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.api import asking, editing, params, written
from app.api.answers import headers, represent
from app.api.collections import moment
from app.api.freshness import TOKEN
from app.api.html import wants_html
from app.api.items import content_crs, no_item
from app.api.keys import editor
from app.api.links import GEOJSON, HTML, JSON, Link, link
from app.api.openapi_editing import writing
from app.api.problems import Problem
from app.catalog import Collection
from app.crs import CRS84
from app.db.engine import snapshot
from app.edits import history, write
from app.edits.history import Change, Row
from app.edits.layer import Layer
from app.encode.geojson import MEDIA_TYPE

router = APIRouter(tags=["history"])
PATH = "/collections/{collectionId}/items/{featureId}/history"
DEFAULT_LIMIT, MAX_LIMIT = 100, 1000


@router.get(PATH, response_class=Response, openapi_extra=writing("history"))
async def get_history(request: Request, collectionId: str, featureId: str) -> Response:
    """要素的历次改动，或其在某时刻的状态。 Changes of an item, the latest first; with ``at``, how it was then."""
    described, layer = await _kept(request, collectionId)
    given = params.only(request, ("limit", "before", "at", "f", "lang"))
    params.formats(given, "json", "html")
    if "at" in given:
        return await _state(request, described, layer, featureId, _moment(given["at"]))
    limit = min(params.whole("limit", given.get("limit", str(DEFAULT_LIMIT)), 1), MAX_LIMIT)
    before = params.whole("before", given["before"], 1) if "before" in given else None
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, described.layers, "html" if wants_html(request, given) else "json")
        at = await connection.run_sync(history.version, layer, featureId)
        found, number = await connection.run_sync(history.changes, layer, featureId, limit, before)
    if at is None:
        raise no_item(described, featureId)
    address = _address(described, featureId)
    links = [
        link(request, address, "self", JSON, "本页 This page", given),
        link(request, address, "alternate", HTML, "网页 As a page", {**given, "f": "html"}),
        link(request, address.removesuffix("/history"), "latest-version", GEOJSON, "现状 The item now"),
    ]
    if len(found) == limit and number > limit:
        links.append(link(request, address, "next", JSON, "更早的改动 Earlier", {**given, "before": str(found[-1].id)}))
    body = {
        "id": featureId,
        "version": at[0],
        "deleted": at[1],
        "changes": [_change(request, described, layer, featureId, one) for one in found],
        "numberMatched": number,
        "numberReturned": len(found),
        "links": links,
    }
    json_address = link(request, address, "", "", "", {**given, "f": "json"})["href"]
    return represent(request, given, body, "history.html", made, collection=described, json_address=json_address)


@router.get(PATH + "/{changeId}", response_class=Response, openapi_extra=writing("change"))
async def get_change(request: Request, collectionId: str, featureId: str, changeId: str) -> Response:
    """一次改动及其前后的要素。 One change, with the item before and after it."""
    described, layer = await _kept(request, collectionId)
    params.only(request, ("f", "lang"))
    found = await _found(request, described, layer, featureId, changeId)
    body = _change(request, described, layer, featureId, found)
    for name, row in (("before", found.before), ("after", found.after)):
        body[name] = None if row is None or row["retired"] else _feature(layer, featureId, row)
    return JSONResponse(body)


@router.post(PATH + "/{changeId}/undo", response_class=Response, openapi_extra=writing("undo"))
async def post_undo(request: Request, collectionId: str, featureId: str, changeId: str) -> Response:
    """撤销一次改动。 Undo a change, by a change of its own; 409 where what it wrote was written again."""
    described, layer = await editing.writable(request, collectionId, featureId)
    key = editor(request, described.id)
    found = await _found(request, described, layer, featureId, changeId)
    edit, condition = written.edit_of(request, key), written.condition_of(request)
    _, token = await editing.run(
        request, described, lambda opened: write.undo(opened, layer, featureId, found, condition, edit)
    )
    if found.action in ("create", "restore"):
        return Response(status_code=204, headers={TOKEN: token})
    return await editing.shown(request, described, featureId, token)


async def _kept(request: Request, name: str) -> tuple[Collection, Layer]:
    """A collection whose changes are kept. Raises a 404 for another."""
    described = params.collection(name)
    layer = await editing.layer_of(request, described)
    if layer is None:
        detail = f"{described.id} 没有历史。 {described.id} keeps no history."
        raise Problem(404, detail, parameter="collectionId")
    return described, layer


async def _found(request: Request, described: Collection, layer: Layer, item: str, number: str) -> Change:
    async with snapshot(request.app.state.reader) as connection:
        found = await connection.run_sync(history.change, layer, item, params.whole("changeId", number, 1))
    if found is None:
        detail = f"{described.id}/{item} 没有改动 {number}。 {described.id}/{item} has no change {number}."
        raise Problem(404, detail, parameter="changeId")
    return found


async def _state(request: Request, described: Collection, layer: Layer, item: str, at: datetime) -> Response:
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, described.layers, "json")
        row = await connection.run_sync(history.state, layer, item, at)
    if row is None:
        detail = f"{item!r} 当时不存在。 There was no {item!r} at {moment(at)}."
        raise Problem(404, detail, parameter="at")
    address = _address(described, item)
    links = [
        link(request, address, "self", GEOJSON, "当时的要素 The item then", {"at": moment(at)}),
        link(request, address.removesuffix("/history"), "latest-version", GEOJSON, "现状 The item now"),
    ]
    body = {**_feature(layer, item, row), "at": moment(at), "version": row["version"], "links": links}
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, media_type=MEDIA_TYPE, headers=made | content_crs(CRS84))


def _address(described: Collection, item: str) -> str:
    return f"/collections/{described.id}/items/{item}/history"


def _moment(text: str) -> datetime:
    """A moment of RFC 3339; a date alone means its beginning in UTC."""
    try:
        if not asking.is_instant(text):
            raise ValueError(text)
        when = datetime.fromisoformat(text)
        # PostgreSQL takes no offset beyond 15:59, RFC 3339 up to 23:59
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Problem(400, "须为 RFC 3339 时刻。 Must be an RFC 3339 date-time.", parameter="at") from None


def _change(request: Request, described: Collection, layer: Layer, item: str, one: Change) -> dict[str, Any]:
    """A change in the names that are published."""
    address = f"{_address(described, item)}/{one.id}"
    links: list[Link] = [link(request, address, "self", JSON, "本次改动 This change")]
    newest = one.after or one.before or {}
    return {
        "id": one.id,
        "action": one.action,
        "who": one.who,
        "at": one.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "why": one.why,
        "unconditional": one.unconditional,
        "undoes": one.undoes,
        "version": newest.get("version"),
        "changed": _differences(layer, one.before, one.after),
        "links": links,
    }


def _differences(layer: Layer, before: Row | None, after: Row | None) -> dict[str, Any]:
    old, new = (_values(layer, row) for row in (before, after))
    return {
        name: {"before": old.get(name), "after": new.get(name)}
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    }


def _values(layer: Layer, row: Row | None) -> Mapping[str, Any]:
    if row is None:
        return {}
    properties, geometry = layer.published(row)
    return {**properties, "geometry": geometry}


def _feature(layer: Layer, item: str, row: Row) -> dict[str, Any]:
    properties, geometry = layer.published(row)
    return {"type": "Feature", "id": item, "geometry": geometry, "properties": properties}
