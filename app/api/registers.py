"""Registers over HTTP: one route each, all alike."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response

from app.api import asking, params
from app.api.html import page, wants_html
from app.api.language import VARY, language
from app.api.links import HTML, JSON, link
from app.api.openapi import listed
from app.api.params import Paging
from app.api.problems import Problem, closest
from app.catalog import Field
from app.db.engine import snapshot
from app.queries.names import english
from app.queries.registers import listing
from app.registers import REGISTERS, Register

router = APIRouter(tags=["registers"])
#: A text in Chinese and in English.
Text = tuple[str, str]
DEFAULT_LIMIT = 1000
#: A page for people is shorter.
HTML_LIMIT = 100


def answer(
    request: Request,
    given: Mapping[str, str],
    path: str,
    title: Text,
    description: Text,
    fields: Sequence[Field],
    rows: Sequence[Mapping[str, Any]],
    more: Mapping[str, Any],
    form: Sequence[Field] = (),
    paged: Paging | None = None,
    note: Text | None = None,
    template: str = "register.html",
    english: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Response:
    """Rows as JSON, or as a page with a table, whichever is asked for; ``form`` are the fields a person may fill in.

    ``title``, ``description`` and ``note`` are texts in Chinese and English; ``english`` are names of what the rows
    refer to, for a page in English.

    Where ``paged`` is given, ``more`` says in ``numberMatched`` how many rows there are, and links lead to the rest.
    """
    html = wants_html(request, given)
    kind = HTML if html else JSON
    # an address that a browser opens as what it was
    asked = {**given, "f": "html"} if html else dict(given)
    name = " ".join(title)
    links = [
        link(request, path, "self", kind, name, asked),
        link(request, path, "alternate", JSON if html else HTML, name, {**given, "f": "json" if html else "html"}),
    ]
    if paged and paged.offset:
        before = {**asked, "limit": str(paged.limit), "offset": str(max(paged.offset - paged.limit, 0))}
        links.append(link(request, path, "prev", kind, name, before))
    most = request.app.state.settings.max_offset
    if paged and paged.offset + len(rows) < more["numberMatched"] and paged.offset + paged.limit <= most:
        after = {**asked, "limit": str(paged.limit), "offset": str(paged.offset + paged.limit)}
        links.append(link(request, path, "next", kind, name, after))
    if html:
        return page(
            request, template, heading=title, description=description, path=path, fields=fields, rows=rows,
            more=more, note=note, english=english, form=form, given=given,
            links={one["rel"]: one["href"] for one in links},
        )  # fmt: skip
    columns = [
        {
            "name": f.name,
            "title": f.title,
            "title_en": f.title_en,
            "type": f.type,
            **({"unit": f.unit} if f.unit else {}),
        }
        for f in fields
    ]
    body = {
        "title": name,
        "description": " ".join(description),
        **more,
        **({"note": " ".join(note)} if note else {}),
        "columns": columns,
        "items": rows,
        "links": links,
    }
    return JSONResponse(jsonable_encoder(body, custom_encoder=params.NUMBERS), headers={"Vary": VARY})


def _route(register: Register) -> Callable[[Request], Awaitable[Response]]:
    queryables = [field for field in register.fields if field.queryable]
    names = [field.name for field in queryables]

    async def get(request: Request) -> Response:
        given = params.only(request, (*names, "sortby", "limit", "offset", "f", "lang"))
        params.formats(given, "json", "html")
        usual = HTML_LIMIT if wants_html(request, given) else DEFAULT_LIMIT
        start = params.paging({"limit": str(usual), **given}, request.app.state.settings)
        async with snapshot(request.app.state.reader) as connection:
            filters = await asking.filtering(connection, queryables, given)
            found = await listing(connection, register, filters, _order(given, names), start.limit, start.offset)
            in_english = wants_html(request, given) and language(request) == "en"
            named = await english(connection) if in_english else {}
        title = register.title, register.title_en
        description = register.description, register.description_en
        more = {"numberMatched": found.matched, "numberReturned": len(found.rows), "offset": start.offset}
        return answer(
            request,
            given,
            register.path,
            title,
            description,
            register.fields,
            found.rows,
            more,
            queryables,
            start,
            english=named,
        )

    get.__doc__ = f"{register.title}。 {register.title_en}."
    return get


def _order(given: Mapping[str, str], names: Sequence[str]) -> list[tuple[str, bool]]:
    order = []
    for part in given["sortby"].split(",") if "sortby" in given else []:
        part = part.strip()  # a + in an address is a space
        name = part.lstrip("+-")
        if name not in names:
            raise Problem(
                400,
                f"没有属性 {name!r}。 No property {name!r}.{closest(name, names)}",
                parameter="sortby",
                allowed=names,
            )
        order.append((name, part.startswith("-")))
    return order


for one in REGISTERS:
    router.add_api_route(
        one.path, _route(one), methods=["GET"], openapi_extra=listed(one), name=one.path.strip("/").replace("/", "-")
    )
