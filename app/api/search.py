"""Search over everything that has a name."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api import params
from app.api.links import base
from app.api.openapi import documented
from app.api.problems import Problem
from app.api.registers import answer
from app.catalog import COLLECTIONS, Field
from app.db.engine import snapshot
from app.queries.names import english_names
from app.queries.search import MAX_ENTRIES, MAX_WORDS, search

router = APIRouter(tags=["search"])
SEARCHED = ("platforms", "counties", "cities", "towns", "regions", "places", "layout_elements", "indicators", "tasks")
DEFAULT_LIMIT = 20
MAX_LENGTH = 200
TITLE = ("搜索", "Search")
DESCRIPTION = (
    "名称、别名、产业、说明的任一部分，或拼音、拼音首字母；多个词须都出现。",
    "Any part of a name, another name, an industry or a text; pinyin or its initials; of several words each occurs.",
)
FORM = (Field("q", "词", "Words"), Field("collections", "类别", "Collection", values=SEARCHED))
FIELDS = (
    Field("name", "名称", "Name"),
    Field("name_en", "英文名", "English name"),
    Field("text", "匹配文字", "Matching text"),
    Field("matched", "匹配处", "Where it matches"),
    Field("collection", "类别", "Collection"),
    Field("id", "代号", "Id"),
    Field("href", "地址", "Address"),
    Field("page", "网页", "Page for people"),
)
TOO_MANY = (
    f"匹配太多：每类文字只看了 {MAX_ENTRIES} 条，实际更多；请加一个词。",
    f"Too many match: only {MAX_ENTRIES} texts of a kind were compared and there are more; add a word.",
)
#: Where it stands what is known of items that are no layer.
KNOWN_BY = {
    "indicators": "/indicators/values?indicator",
    "regions": "/indicators/values?region",
    "places": "/regions?id",
    "tasks": "/tasks?id",
}
MATCHED = {1: "name", 2: "other name", 3: "text"}


@router.get("/search", openapi_extra=documented("search"))
async def get_search(request: Request) -> Response:
    """搜索名称、别名、产业、说明与拼音。 Search names, other names, industries, texts and pinyin."""
    given = params.only(request, ("q", "collections", "limit", "offset", "f", "lang"))
    params.formats(given, "json", "html")
    words = given.get("q", "").strip()
    if not words or len(words) > MAX_LENGTH:
        raise Problem(400, f"须为 1–{MAX_LENGTH} 个字。 Must be 1–{MAX_LENGTH} characters.", parameter="q")
    if len(words.split()) > MAX_WORDS:
        raise Problem(400, f"至多 {MAX_WORDS} 个词。 At most {MAX_WORDS} words.", parameter="q")
    collections = params.parts("collections", given["collections"]) if "collections" in given else []
    for one in collections:
        if one not in SEARCHED:
            raise Problem(
                400, f"不可搜索 {one!r}。 {one!r} is not searched.", parameter="collections", allowed=SEARCHED
            )
    start = params.paging({"limit": str(DEFAULT_LIMIT), **given}, request.app.state.settings)
    async with snapshot(request.app.state.reader) as connection:
        found = await search(connection, words, collections, start.limit, start.offset)
        english = await english_names(connection, [(hit.collection, hit.id) for hit in found.hits])
    rows = [
        {
            "collection": hit.collection,
            "id": hit.id,
            "name": hit.name,
            "name_en": english.get((hit.collection, hit.id)),
            "matched": MATCHED[hit.rank],
            "text": hit.text,
            "href": _address(request, hit.collection, hit.id),
            "page": _page(request, hit.collection, hit.id),
        }
        for hit in found.hits
    ]
    more: dict[str, Any] = {"q": words, "numberMatched": found.matched, "numberReturned": len(rows)}
    note = None if found.complete else TOO_MANY
    return answer(
        request, given, "/search", TITLE, DESCRIPTION, FIELDS, rows, more, FORM, start, note, template="search.html"
    )


def _address(request: Request, collection: str, item: str) -> str:
    if collection in COLLECTIONS:
        return f"{base(request)}/collections/{collection}/items/{item}"
    return f"{base(request)}{KNOWN_BY[collection]}={item}"


def _page(request: Request, collection: str, item: str) -> str:
    if collection == "counties":
        return f"{base(request)}/counties/{item}"
    address = _address(request, collection, item)
    return f"{address}{'&' if '?' in address else '?'}f=html"
