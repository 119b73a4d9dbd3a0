"""OGC API – Features Part 1, class HTML (annex A.4): every resource of the core as a page, with its links."""

from html.parser import HTMLParser

import httpx
import pytest

from tests.conformance.helpers import EVERY, get, items

CLASSES = ["http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html"]


class Page(HTMLParser):
    """Tags with their attributes, and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "input", "br", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def addresses(self) -> list[str]:
        return [str(attributes["href"]) for tag, attributes in self.tags if tag == "a"]


def page(client: httpx.Client, path: str) -> Page:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200
    # /req/html/definition
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")
    read = Page(answer.text)
    assert not read.open
    assert ("html", {"lang": "zh-CN"}) in read.tags
    return read


TILES = "/collections/platforms/tiles"
RESOURCES = [
    "/", "/conformance", "/functions", "/collections", "/api", "/credits", "/tileMatrixSets",
    "/tileMatrixSets/CGCS2000Quad", TILES, f"{TILES}/WebMercatorQuad",
]  # fmt: skip


@pytest.mark.parametrize("path", RESOURCES)
def test_html_definition(client: httpx.Client, path: str) -> None:
    """/conf/html/definition, /conf/html/content: well-formed HTML 5 by negotiation and by ``f``"""
    assert page(client, path).words
    if path != "/credits":
        assert client.get(path, params={"f": "html"}).headers["content-type"] == "text/html; charset=utf-8"
        assert "html" not in client.get(path, headers={"Accept": "application/json"}).headers["content-type"]


@pytest.mark.parametrize("collection", EVERY)
def test_html_content(client: httpx.Client, collection: str) -> None:
    """/conf/html/content: what the JSON says is on the page, its links are hyperlinks"""
    path = f"/collections/{collection}"
    described = get(client, path).json()
    shown = page(client, path)
    for text in (described["title"], *described["description"].splitlines(), *described["crs"]):
        assert all(part in shown.words for part in text.split("。 "))
    for link in described["links"]:
        if link["rel"] not in ("self", "alternate"):
            assert any(address.startswith(link["href"]) for address in shown.addresses()), link
    for resource in ("queryables", "sortables", "schema"):
        properties = get(client, f"{path}/{resource}").json()["properties"]
        table = page(client, f"{path}/{resource}")
        assert all(name in table.words and one["title"] in table.words for name, one in properties.items())


@pytest.mark.parametrize("collection", EVERY)
def test_html_items(client: httpx.Client, collection: str) -> None:
    """/conf/html/content: every item of a page by name, a link to each, and each on a page of its own"""
    body = get(client, f"/collections/{collection}/items", limit=4).json()
    table = page(client, f"/collections/{collection}/items?limit=4")
    for one in body["features"]:
        name = one["properties"]["name"]
        assert name in table.words
        address = f"/collections/{collection}/items/{one['id']}?f=html"
        assert any(found.endswith(address) for found in table.addresses())
        alone = page(client, f"/collections/{collection}/items/{one['id']}")
        assert one["id"] in alone.words
        for value in one["properties"].values():
            if isinstance(value, str) and value not in ("own translation", *METHODS):
                assert value in alone.words
        for source in one["properties"].get("sources") or []:
            assert source["document"] in alone.words
            assert str(source["line_start"]) in alone.words


#: Said in words instead.
METHODS = ("administrative", "traced", "point", "schematic", "county_only", "city_only", "none", "printed")


def test_html_paging_without_scripts(client: httpx.Client) -> None:
    """Links alone lead through all items, and back"""
    ids = [one["id"] for one in items(client, "towns", properties="name")["features"]]
    address, seen, pages = "/collections/towns/items?limit=30&f=html", [], 0
    while address:
        shown = page(client, address)
        seen += [one.rsplit("/", 1)[1].removesuffix("?f=html") for one in shown.addresses() if one.endswith("?f=html")
                 and "/collections/towns/items/" in one]  # fmt: skip
        following = [a["href"] for tag, a in shown.tags if tag == "link" and a.get("rel") == "next"]
        before = [a["href"] for tag, a in shown.tags if tag == "link" and a.get("rel") == "prev"]
        assert bool(before) == (pages > 0)
        pages += 1
        address = str(following[0]) if following else ""
    assert seen == ids
    assert pages == -(-len(ids) // 30)
