"""Landing page, conformance, the collections, and what of them can be asked (queryables, schemas, functions).

Requirements are those of OGC API – Features Part 1 (core), Part 2 (crs), Part 3 (queryables, filter), Part 5 (schemas).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncConnection

from app import filters
from app.api import params, schemas
from app.api.answers import headers, represent
from app.api.feature_pages import drawn_box
from app.api.html import wants_html
from app.api.links import GEOJSON, HTML, JSON, REL, SCHEMA, Link, link, link_header
from app.api.openapi import OPENAPI_MEDIA_TYPE, documented
from app.catalog import COLLECTIONS, Collection
from app.conformance import CLASSES
from app.crs import CRS84, OFFERED
from app.db.engine import snapshot
from app.queries import codes
from app.queries.exports import FORMATS
from app.queries.items import extent
from app.queries.versions import state

router = APIRouter(tags=["collections"])

TITLE = "嘉兴创新地图 Jiaxing Innovation Map"
DESCRIPTION = (
    "嘉兴科创湖区、高新区与研发机构的空间数据，出自公开规划文件，逐条注明出处。"
    " Spatial data on Jiaxing's science-lake districts, high-tech parks and institutes, from the public plan documents,"
    " each row with its source."
)


def landing(request: Request) -> dict[str, Any]:
    """The landing page (/req/core/root-success; /req/landing-page/root-success of OGC API – Common)."""
    return {
        "title": TITLE,
        "description": DESCRIPTION,
        "links": [
            link(request, "/", "self", JSON, "本页 This page"),
            link(request, "/", "alternate", HTML, "主页 Home page", {"f": "html"}),
            link(request, "/api", "service-desc", OPENAPI_MEDIA_TYPE, "API 定义 API definition"),
            link(request, "/api.html", "service-doc", HTML, "API 文档 API documentation"),
            link(request, "/conformance", "conformance", JSON, "符合性声明 Conformance"),
            link(request, "/collections", "data", JSON, "图层 Collections"),
            link(request, "/functions", f"{REL}/functions", JSON, "函数 Functions"),
            link(request, "/tileMatrixSets", f"{REL}/tiling-schemes", JSON, "瓦片格网 Tile grids"),
            link(request, "/maps/jiaxing", "related", HTML, "一廊一核两区 Map of one corridor, one core, two zones"),
        ],
    }


def _given(request: Request) -> dict[str, str]:
    given = params.only(request, ("f", "lang"))
    params.formats(given, "json", "html")
    return given


@router.get("/conformance", openapi_extra=documented("conformance"))
async def get_conformance(request: Request) -> Response:
    """符合性声明。 Conformance classes; one is declared only where its tests are part of this product."""
    return represent(request, _given(request), {"conformsTo": list(CLASSES)}, "conformance.html")


@router.get("/functions", openapi_extra=documented("functions"))
async def get_functions(request: Request) -> Response:
    """过滤表达式可用的函数。 Functions that a filter may use."""
    body = {"functions": [_function(one) for one in filters.FUNCTIONS.values()]}
    return represent(request, _given(request), body, "functions.html", functions=filters.FUNCTIONS.values())


def _function(one: filters.Function) -> dict[str, Any]:
    """/req/filter/get-functions-response-json."""
    arguments = [{"title": a.name, "description": f"{a.title} {a.title_en}", "type": [a.type]} for a in one.arguments]
    return {
        "name": one.name,
        "description": f"{one.title} {one.title_en}",
        "arguments": arguments,
        "returns": [one.returns],
    }


@router.get("/collections", openapi_extra=documented("collections"))
async def get_collections(request: Request) -> Response:
    """全部图层。 All collections."""
    given = _given(request)
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, COLLECTIONS.layers, "html" if wants_html(request, given) else "json")
        described = [await _describe(request, connection, one) for one in COLLECTIONS.values()]
    # /req/core/fc-md-links
    links = [
        link(request, "/collections", "self", JSON, "本页 This page"),
        link(request, "/collections", "alternate", HTML, "网页 As a page", {"f": "html"}),
    ]
    body = {"links": links, "collections": described}
    return represent(request, given, body, "collections.html", made, collections=COLLECTIONS)


@router.get("/collections/{collectionId}", openapi_extra=documented("collection"))
async def get_collection(request: Request, collectionId: str) -> Response:
    """一个图层。 One collection."""
    described = params.collection(collectionId)
    given = _given(request)
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, described.layers, "html" if wants_html(request, given) else "json")
        body = await _describe(request, connection, described)
    made |= queryables_header(request, described)
    box = body.get("extent", {"spatial": {"bbox": [None]}})["spatial"]["bbox"][0]
    drawn = drawn_box(request, box, described.title) if box else None
    values: dict[str, Any] = {"collection": described, "systems": OFFERED, "drawn": drawn}
    return represent(request, given, body, "collection.html", made, **values)


def queryables_header(request: Request, described: Collection) -> dict[str, str]:
    """/req/queryables/queryables-link B: whatever can be filtered says by what, in a header too."""
    path = f"/collections/{described.id}/queryables"
    return link_header(link(request, path, f"{REL}/queryables", SCHEMA, ""))


@router.get("/collections/{collectionId}/queryables", openapi_extra=documented("schema"))
async def get_queryables(request: Request, collectionId: str) -> Response:
    """可查询的属性（JSON Schema）。 What can be asked of a collection, as JSON Schema."""
    return await _schema_answer(request, collectionId, schemas.queryables, "可查询的属性", "Queryables")


@router.get("/collections/{collectionId}/sortables", openapi_extra=documented("schema"))
async def get_sortables(request: Request, collectionId: str) -> Response:
    """可排序的属性（JSON Schema）。 What a collection can be sorted by, as JSON Schema."""
    return await _schema_answer(request, collectionId, schemas.sortables, "可排序的属性", "Sortables")


@router.get("/collections/{collectionId}/schema", openapi_extra=documented("schema"))
async def get_schema(request: Request, collectionId: str) -> Response:
    """要素的属性（JSON Schema）。 The properties of a collection's items, as JSON Schema."""
    return await _schema_answer(request, collectionId, schemas.returnables, "属性", "Properties")


async def _schema_answer(
    request: Request,
    name: str,
    schema: Callable[[Request, Collection, schemas.Codes], schemas.Schema],
    heading: str,
    heading_en: str,
) -> Response:
    described, given = params.collection(name), _given(request)
    sorts = {one.name: one.refers for one in described.fields if one.refers}
    layers = [*described.layers, *(table for one in sorts.values() for table in codes.read_from(one))]
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, layers, "html" if wants_html(request, given) else "json")
        known = {one: await codes.listed(connection, sort) for one, sort in sorts.items()}
    values: dict[str, Any] = {"collection": described, "heading": heading, "heading_en": heading_en, "codes": known}
    return represent(request, given, schema(request, described, known), "schema.html", made, SCHEMA, **values)


async def _describe(request: Request, connection: AsyncConnection, described: Collection) -> dict[str, Any]:
    box = await extent(connection, described)
    changed = (await state(connection, described.layers)).changed_at
    body: dict[str, Any] = {
        "id": described.id,
        "title": f"{described.title} {described.title_en}",
        "description": f"{described.description} {described.description_en}",
        "attribution": " ".join(described.credits),
        "itemType": "feature",
        # /req/crs/fc-md-crs-list, /req/crs/fc-md-storageCrs
        "crs": list(OFFERED),
        "storageCrs": CRS84.uri,
        "links": _links(request, described),
    }
    if changed:
        body["updated"] = moment(changed)
    if box:
        # /req/core/fc-md-extent; nothing here has a time, so that there is no temporal extent
        body["extent"] = {"spatial": {"bbox": [list(box)], "crs": CRS84.uri}}
    return body


def moment(when: datetime) -> str:
    """A moment as RFC 3339 has it."""
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _links(request: Request, described: Collection) -> list[Link]:
    path = f"/collections/{described.id}"
    title = f"{described.title} {described.title_en}"
    return [
        link(request, path, "self", JSON, title),
        link(request, path, "alternate", HTML, title, {"f": "html"}),
        link(request, f"{path}/items", "items", GEOJSON, title),
        link(request, f"{path}/items", "items", HTML, title, {"f": "html"}),
        link(request, f"{path}/queryables", f"{REL}/queryables", SCHEMA, "可查询的属性 Queryables"),
        link(request, f"{path}/sortables", f"{REL}/sortables", SCHEMA, "可排序的属性 Sortables"),
        link(request, f"{path}/schema", f"{REL}/schema", SCHEMA, "属性 Schema"),
        *(
            link(request, f"/exports/{described.id}.{one}", "enclosure", form.media_type, f"下载 Download: {one}")
            for one, form in FORMATS.items()
        ),
        link(request, f"{path}/tiles", f"{REL}/tilesets-vector", JSON, "矢量瓦片 Vector tiles"),
        link(request, "/documents", "describedby", JSON, "规划文件 Plan documents"),
        link(request, "/credits", "license", HTML, "许可与来源 Licence and credits"),
    ]
