"""Items of a collection: pages, one item, counts by group, and questions too long for an address.

Requirements are those of OGC API – Features Part 1 (core), Part 2 (crs) and Part 3 (features-filter).
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import asking, params
from app.api.answers import believed, headers, mark_of, represent
from app.api.body import posted
from app.api.collections import moment, queryables_header
from app.api.feature_pages import item_page, items_page
from app.api.html import wants_html
from app.api.item_forms import questions
from app.api.language import language
from app.api.links import GEOJSON, HTML, JSON, REL, SCHEMA, Link, link
from app.api.openapi import documented
from app.api.problems import Problem, closest
from app.api.published import see_imported
from app.catalog import Collection, Field
from app.crs import CRS84, Crs
from app.db.engine import snapshot
from app.encode.geojson import MEDIA_TYPE, feature_collection, feature_with
from app.queries import items
from app.queries.aggregate import MAX_GROUPS, STATISTICS, Statistic, TooManyGroups, aggregate
from app.queries.features import PLAIN, View
from app.queries.names import names
from app.queries.selection import Selection
from app.queries.versions import Moved, State

router = APIRouter(tags=["items"])
FORMATS = ("json", "geojson", "html")
#: What a page for people holds of ``max_page_mb``, as one part in so many: it is read, put into words and drawn.
OF_A_PAGE = 4


@dataclass(frozen=True)
class Asked:
    """A request for items, its parameters checked."""

    collection: Collection
    given: Mapping[str, str]
    paging: params.Paging
    view: View


@lru_cache(500)
def _parameters(described: Collection) -> tuple[str, ...]:
    return (*asking.selecting(described), *asking.VIEWING, *params.PAGING, "f", "lang")


def _asked(request: Request, name: str) -> Asked:
    described = params.collection(name)
    given = params.only(request, _parameters(described))
    params.formats(given, *FORMATS)
    return Asked(described, given, params.paging(given, request.app.state.settings), asking.view(described, given))


@router.get("/collections/{collectionId}/items", openapi_extra=documented("items"))
async def get_items(request: Request, collectionId: str) -> Response:
    """图层的要素（GeoJSON）。 Items of a collection as GeoJSON."""
    # the hot path: most questions are one statement, asked as if nothing had changed since the last look at the data,
    # a moment ago; it tells whether that is so. Else, and where something is wrong with the question, the long way
    with suppress(Moved, Problem):
        asked = _asked(request, collectionId)
        seen = believed(request, asked.collection.layers)
        refers = asking.refers(asked.collection, asked.given, await asking.filtered(asked.given))
        if seen and not refers and not wants_html(request, asked.given):
            async with request.app.state.reader.single() as connection:
                found = await _found(connection, asked, seen)
            return _collection(request, asked, found, mark_of(request, seen, "json"))
    await see_imported(request)
    asked = _asked(request, collectionId)
    as_page = wants_html(request, asked.given)
    if as_page:
        # a page's map is in degrees
        asked = replace(asked, view=replace(asked.view, crs=CRS84))
    async with snapshot(request.app.state.reader) as connection:
        layers = asking.layers(asked.collection, asked.given, await asking.filtered(asked.given))
        made = await headers(request, connection, layers, "html" if as_page else "json")
        found = await _found(connection, asked, request.state.read_from, OF_A_PAGE if as_page else 1)
        if not as_page:
            return _collection(request, asked, found, made)
        named = await names(connection, language(request))
        form = await questions(connection, asked.collection, asked.given, language(request))
    members = _members(request, asked, found, as_page=True)
    body = json.loads(feature_collection(found[1].features, members, CRS84))
    made |= content_crs(CRS84) | queryables_header(request, asked.collection)
    return items_page(request, asked.collection, asked.given, body, members["links"], named, form, made)


async def _found(
    connection: AsyncConnection, asked: Asked, seen: State, share: int = 1
) -> tuple[asking.Question, items.Page]:
    question = await asking.question(connection, asked.collection, asked.given)
    paging = asked.paging
    _check_key(paging.after, question.selection, asked.view)
    return question, await items.page(
        connection, question.selection, paging.limit, paging.after, paging.offset, asked.view, seen, share
    )


def _collection(
    request: Request, asked: Asked, found: tuple[asking.Question, items.Page], made: dict[str, str]
) -> Response:
    text = feature_collection(found[1].features, _members(request, asked, found), asked.view.crs)
    made |= content_crs(asked.view.crs) | queryables_header(request, asked.collection)
    return Response(text, media_type=MEDIA_TYPE, headers=made)


def _members(
    request: Request, asked: Asked, found: tuple[asking.Question, items.Page], as_page: bool = False
) -> dict[str, Any]:
    question, page = found
    return {
        # /req/core/fc-numberMatched, fc-numberReturned, fc-timeStamp
        "numberMatched": page.matched,
        "numberReturned": page.returned,
        "timeStamp": moment(datetime.now(UTC)),
        "links": _page_links(request, asked.collection, asked.given, asked.paging, page, as_page),
        **question.said,
    }


def content_crs(crs: Crs) -> dict[str, str]:
    """The header that names the reference system of the coordinates (/req/crs/ogc-crs-header)."""
    return {"Content-Crs": f"<{crs.uri}>"}


def _check_key(key: Sequence[Any] | None, selection: Selection, view: View) -> None:
    """A page token belongs to one order of items; under another it means nothing."""
    if key is None:
        return
    sorted_by = [selection.collection.field(name) for name, _ in view.order]
    kinds = [KEY_TYPES.get(one.type, ()) if one else () for one in sorted_by]
    if not kinds and selection.nearest:
        kinds = [KEY_TYPES["number"]]
    if len(key) != len(kinds) + 1:
        raise params.not_a_token()
    for one, kind in zip(key, kinds, strict=False):
        if one is not None and type(one) not in kind:
            raise params.not_a_token()


#: What a page token may hold for a property, by the property's type; a boolean is no number here.
KEY_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,), "number": (int, float), "integer": (int, float), "boolean": (bool,),
}  # fmt: skip


def _page_links(
    request: Request,
    described: Collection,
    given: Mapping[str, str],
    paging: params.Paging,
    page: items.Page,
    as_page: bool,
) -> list[Link]:
    """/req/core/fc-links; the next page begins behind this one's last item, whatever was written meanwhile.

    On a page for people it begins at an offset while that may be given, so that there is a way back.
    """
    path, kind = f"/collections/{described.id}/items", HTML if as_page else GEOJSON
    other = ("json", GEOJSON, "数据 As data") if as_page else ("html", HTML, "网页 As a page")
    links = [
        link(request, path, "self", kind, "本页 This page", given),
        link(request, path, "alternate", other[1], other[2], {**given, "f": other[0]}),
        link(request, f"/collections/{described.id}", "collection", JSON, described.title),
        link(
            request, f"/collections/{described.id}/queryables", f"{REL}/queryables", SCHEMA, "可查询的属性 Queryables"
        ),
    ]
    kept = {name: value for name, value in given.items() if name not in ("offset", "cursor")}
    if paging.offset:
        before = {**kept, "offset": str(max(paging.offset - paging.limit, 0))}
        links.append(link(request, path, "prev", kind, "上一页 Previous page", before))
    elif paging.after is not None:
        links.append(link(request, path, "first", kind, "第一页 First page", kept))
    if page.next is not None:
        onward = {**kept, "cursor": params.cursor(page.next)}
        start = paging.offset + page.returned
        if as_page and paging.after is None and start <= request.app.state.settings.max_offset:
            onward = {**kept, "offset": str(start)}
        links.append(link(request, path, "next", kind, "下一页 Next page", onward))
    return links


@router.get("/collections/{collectionId}/items/{featureId}", openapi_extra=documented("item"))
async def get_item(request: Request, collectionId: str, featureId: str) -> Response:
    """一个要素（GeoJSON Feature）。 One item as a GeoJSON Feature."""
    # as a page of items
    with suppress(Moved, Problem):
        described, given, crs = _asked_one(request, collectionId)
        seen = believed(request, described.layers)
        if seen and not wants_html(request, given):
            async with request.app.state.reader.single() as connection:
                item = await items.one(connection, described, featureId, crs, seen)
            if item is not None:
                made = mark_of(request, seen, "json", item.version) | content_crs(crs)
                text = item_text(request, described, featureId, item.feature, given, crs)
                return Response(text, media_type=MEDIA_TYPE, headers=made)
    await see_imported(request)
    described, given, crs = _asked_one(request, collectionId)
    as_page = wants_html(request, given)
    async with snapshot(request.app.state.reader) as connection:
        item = await items.one(connection, described, featureId, CRS84 if as_page else crs)
        version = None if item is None or as_page else item.version
        made = await headers(request, connection, described.layers, "html" if as_page else "json", version)
        named = await names(connection, language(request)) if as_page else {}
    if item is None:
        raise no_item(described, featureId)
    if as_page:
        return item_page(request, described, json.loads(item.feature), named, made | content_crs(CRS84))
    text = item_text(request, described, featureId, item.feature, given, crs)
    return Response(text, media_type=MEDIA_TYPE, headers=made | content_crs(crs))


def _asked_one(request: Request, name: str) -> tuple[Collection, Mapping[str, str], Crs]:
    described = params.collection(name)
    given = params.only(request, ("crs", "f", "lang"))
    params.formats(given, *FORMATS)
    return described, given, asking.view(described, given).crs


def no_item(described: Collection, item: str) -> Problem:
    return Problem(
        404, f"图层 {described.id} 中没有 {item!r}。 No item {item!r} in {described.id}.", parameter="featureId"
    )


def item_text(
    request: Request, described: Collection, item: str, feature: str, given: Mapping[str, str], crs: Crs
) -> bytes:
    """One Feature with its links (/req/core/f-links)."""
    path = f"/collections/{described.id}"
    links = [
        link(request, f"{path}/items/{item}", "self", GEOJSON, "本要素 This item", given),
        link(request, f"{path}/items/{item}", "alternate", HTML, "网页 As a page", {**given, "f": "html"}),
        link(request, path, "collection", JSON, described.title),
    ]
    if described.written_in:
        history = f"/collections/{described.written_in}/items/{item}/history"
        links.append(link(request, history, "version-history", JSON, "历史 History"))
    return feature_with(feature, {"links": links, "attribution": list(described.credits)}, crs)


@router.post("/collections/{collectionId}/search", openapi_extra=documented("search_items"))
async def search_items(request: Request, collectionId: str) -> Response:
    """以几何与 CQL2 JSON 查询。 Ask with a geometry and a CQL2 JSON filter, too long for an address; reads only."""
    described = params.collection(collectionId)
    params.only(request, ())
    body = await posted(request)
    paging = params.paging(body.paging, request.app.state.settings)
    async with snapshot(request.app.state.reader) as connection:
        question = await asking.question(connection, described, {}, body.filter, body.intersects)
        _check_key(paging.after, question.selection, PLAIN)
        page = await items.page(connection, question.selection, paging.limit, paging.after)
    members: dict[str, Any] = {
        "numberMatched": page.matched,
        "numberReturned": page.returned,
        "links": [link(request, f"/collections/{described.id}", "collection", JSON, described.title)],
        **question.said,
    }
    if page.next is not None:
        # a body cannot be linked to: the token goes into the next request's body
        members["cursor"] = params.cursor(page.next)
    text = feature_collection(page.features, members, CRS84)
    return Response(text, media_type=MEDIA_TYPE, headers=content_crs(CRS84))


@router.get("/collections/{collectionId}/aggregate", openapi_extra=documented("aggregate"))
async def get_aggregate(request: Request, collectionId: str) -> Response:
    """按属性分组计数。 Counts and sums by one or more properties."""
    described = params.collection(collectionId)
    given = params.only(request, (*asking.selecting(described), "group_by", "stat", "f", "lang"))
    params.formats(given, "json", "html")
    by = _grouping(described, given)
    statistics = _statistics(described, given.get("stat", "count"))
    async with snapshot(request.app.state.reader) as connection:
        representation = "html" if wants_html(request, given) else "json"
        made = await headers(request, connection, asking.layers(described, given), representation)
        question = await asking.question(connection, described, given)
        try:
            found = await aggregate(connection, question.selection, by, statistics)
        except TooManyGroups:
            raise Problem(
                400, f"分组多于 {MAX_GROUPS} 个。 More than {MAX_GROUPS} groups: fewer properties, or others.",
                parameter="group_by",
            ) from None  # fmt: skip
        named = await names(connection, language(request)) if representation == "html" else {}
    body = {
        "group_by": given["group_by"],
        "groups": [{"key": g.key, "label": g.label, "count": g.count, "stats": g.stats} for g in found.groups],
        "total": found.total,
        "unassigned": found.unassigned,
        "links": [link(request, f"/collections/{described.id}/aggregate", "self", JSON, "本表 This table", given)],
        **question.said,
    }
    address = link(request, f"/collections/{described.id}/aggregate", "", "", "", {**given, "f": "json"})["href"]
    values: dict[str, Any] = {"collection": described, "names": named, "json_address": address}
    return represent(request, given, body, "aggregate.html", made, **values)


def _grouping(described: Collection, given: Mapping[str, str]) -> list[Field]:
    names = [one.name for one in described.queryables]
    if "group_by" not in given:
        raise Problem(400, "必须给出。 Is required.", parameter="group_by", allowed=names)
    found = []
    for name in dict.fromkeys(params.parts("group_by", given["group_by"])):
        one = described.field(name)
        if one is None or not one.queryable:
            detail = f"没有属性 {name!r}。 No property {name!r}.{closest(name, names)}"
            raise Problem(400, detail, parameter="group_by", allowed=names)
        found.append(one)
    if len(found) > MAX_GROUPINGS:
        raise Problem(400, f"至多 {MAX_GROUPINGS} 个。 At most {MAX_GROUPINGS}.", parameter="group_by")
    return found


MAX_GROUPINGS = 3


def _statistics(described: Collection, text: str) -> list[Statistic]:
    numeric = [one.name for one in described.queryables if one.type in ("number", "integer")]
    allowed = ["count", *(f"{function}:{name}" for function in STATISTICS for name in numeric)]
    found = []
    for part in dict.fromkeys(text.split(",")):
        if part not in allowed:
            raise Problem(400, f"没有统计量 {part!r}。 No statistic {part!r}.", parameter="stat", allowed=allowed)
        function, _, name = part.partition(":")
        found.append(Statistic(function, name or None))
    return found


#: Routes that answer most questions, in a millisecond or two.
HOT = [route for route in router.routes if isinstance(route, APIRoute) and route.endpoint in (get_items, get_item)]
