"""Every kind of page in a browser: clean, accessible, readable on a phone, usable by keyboard and without scripts."""

from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.conftest import PageLog, follow, new_context
from tests.conftest import served, settings_for

LAYOUTS = "a=haining-corridor-two-cities&b=haining-corridor-city-zone-points"
PAGES = {
    "home": "/?f=html",
    "search": "/search?q=jxkjc",
    "county": "/counties/330481?sortby=name",
    "bare-county": "/counties/330424?kind=lake_district",
    "compare": "/compare?a=330481&b=330421",
    "comparison": "/compare?f=html",
    "two-maps": f"/compare/maps?{LAYOUTS}",
    "collections": "/collections?f=html",
    "collection": "/collections/platforms?f=html",
    "items": "/collections/platforms/items?within=haining&limit=20",
    "item": "/collections/counties/items/330481?f=html",
    "element": "/collections/layout_elements/items/jx-corridor?f=html",
    "schema": "/collections/platforms/queryables?f=html",
    "functions": "/functions?f=html",
    "conformance": "/conformance?f=html",
    "aggregate": "/collections/platforms/aggregate?group_by=county&stat=count,sum:area_km2",
    "register": "/indicators/values?region=330481&limit=20",
    "index": "/index?f=html",
    "credits": "/credits?f=html",
    "api": "/api.html?f=html",
    "thematic": "/maps/thematic?f=html",
    "charts": "/charts?f=html",
    "chart": "/charts/progress?indicator=rd-gdp-share&region=330400",
    "matrix": "/charts/platforms?f=html",
    "layout": "/maps/jiaxing?system=corridor-core-zones",
    "tileset": "/collections/platforms/tiles/CGCS2000Quad?f=html",
    "grid": "/tileMatrixSets/CGCS2000Quad?f=html",
}
#: What tells that scripts have drawn.
READY = {
    "collection": ".map[data-ready]", "items": ".map[data-ready]",
    "item": ".map[data-ready]", "element": ".map[data-ready]", "county": "#sieve[data-ready]",
    "bare-county": "#sieve[data-ready]", "two-maps": ".frames[data-ready]", "api": ".opblock",
    "tileset": "[data-tileset][data-ready]",
}  # fmt: skip
#: What is not of this service: Swagger's page in the page of the API, and framed maps, which are pages of their own.
FOREIGN = {"api": ["#api > *"], "two-maps": ["iframe"]}
SIZES = {
    "desk": {"width": 1440, "height": 900},
    "tablet": {"width": 820, "height": 1180},
    "phone": {"width": 390, "height": 844},
}
#: Ways to look at a page: in each language at each size, light and dark.
VIEWS = {
    "zh": (("desk", "light"), ("tablet", "light"), ("phone", "dark")),
    "en": (("desk", "dark"), ("tablet", "dark"), ("phone", "light")),
}
axe = Axe()


def violations(page_log: PageLog, name: str) -> list[str]:
    """What axe finds wrong by any of its rules (WCAG 2.2 A and AA, and best practices)."""
    context = {"exclude": [[one] for one in FOREIGN.get(name, [])]}
    found = axe.run(page_log.page, context=context, options={"resultTypes": ["violations"]})
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("lang", VIEWS)
def test_page_is_clean_and_accessible(
    page_log: PageLog, live_server: str, artifacts: Path, name: str, lang: str
) -> None:
    page = page_log.page
    answer = page.goto(f"{live_server}{PAGES[name]}&lang={lang}")
    assert answer is not None
    assert len(answer.body()) < 300_000
    if name in READY:
        page.wait_for_selector(READY[name])
    for size, scheme in VIEWS[lang]:
        page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.screenshot(path=artifacts / f"page-{name}-{lang}-{size}-{scheme}.png")
        if size != "tablet":
            # between the others, made of the same parts
            assert violations(page_log, name) == []
        # no sideways scrolling of the page itself
        assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    page_log.assert_clean()
    assert page.locator("h1:not(#api *)").count() == 1
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[lang]
    if name in READY and READY[name].startswith(".map"):
        assert page.locator(".map path").count() > 7


def test_an_error_is_a_page_that_leads_on(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    page.goto(f"{live_server}/counties/嘉兴市?kind=university")
    assert violations(page_log, "problem") == []
    follow(page.get_by_role("link", name="海宁市"))
    assert page.url.endswith("/counties/330481?kind=university")
    assert page.locator("tr[data-id]").count() == 6


def test_the_language_stays_once_chosen(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    page.goto(f"{live_server}/collections/platforms/items?within=haining&limit=5")
    follow(page.get_by_role("link", name="English"))
    assert "within=haining&limit=5&lang=en" in page.url
    follow(page.get_by_role("link", name="Layers").first)
    assert "lang=" not in page.url
    assert page.locator("html").get_attribute("lang") == "en"
    # back and forth through the browser's own copies
    for name, lang in (("中文", "zh-CN"), ("English", "en"), ("中文", "zh-CN")):
        follow(page.locator(".language"))
        assert page.locator("html").get_attribute("lang") == lang, name
        page.reload()
        assert page.locator("html").get_attribute("lang") == lang


def test_map_marks_what_is_schematic_and_what_is_uncertain(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    page.goto(f"{live_server}/collections/lake_districts/items")
    page.wait_for_selector(".map[data-ready]")
    assert page.locator(".map path[stroke-dasharray]").count() > 0
    page.goto(f"{live_server}/collections/platforms/items?geometry_method=county_only,point&limit=1000")
    page.wait_for_selector(".map[data-ready]")
    fills = {one.get_attribute("fill") for one in page.locator(".map .leaflet-overlay-pane path").all()}
    assert len(fills) == 2


def test_a_shape_leads_to_its_item(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    page.goto(f"{live_server}/collections/counties/items")
    page.wait_for_selector(".map[data-ready]")
    page.locator(".map .leaflet-overlay-pane path").first.click()
    page.wait_for_url("**/collections/counties/items/*?f=html")
    assert page.locator("h1").inner_text()


def test_paging_without_scripts(browser: Browser, live_server: str, client: httpx.Client) -> None:
    """Names read page by page with scripts switched off, and back to the first"""
    expected = [
        one["properties"]["name"] for one in client.get("/collections/towns/items?limit=1000").json()["features"]
    ]
    with new_context(browser, java_script_enabled=False, locale="zh-CN") as context:
        page = context.new_page()
        page.goto(f"{live_server}/collections/towns/items?limit=30")
        seen: list[str] = []
        while True:
            seen += [one.partition("\n")[0] for one in page.locator("tbody th a").all_inner_texts()]
            following = page.locator("a[rel=next]")
            if not following.count():
                break
            follow(following.first)
        assert seen == expected
        while page.locator("a[rel=prev]").count():
            follow(page.locator("a[rel=prev]").first)
        assert page.locator("tbody th a").first.inner_text().startswith(expected[0])


def test_a_form_without_scripts(browser: Browser, live_server: str) -> None:
    """What is left empty is not asked for; what is chosen says what it means."""
    with new_context(browser, java_script_enabled=False, locale="zh-CN") as context:
        page = context.new_page()
        page.goto(f"{live_server}/collections/platforms/items?limit=10")
        page.locator("summary", has_text="筛选").click()
        page.locator("form.filter [name=level]").select_option(label="国家级")
        follow(page.locator("form.filter button"))
        assert "level=national" in page.url
        assert "kind=&" in page.url
        assert page.locator("tbody tr").count() > 1


def test_everything_is_reached_by_keyboard(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    page.goto(f"{live_server}/collections/counties/items")
    page.wait_for_selector(".map[data-ready]")
    links = page.locator("main a[href], nav a[href], footer a[href]").count()
    reached = set()
    for _ in range(links + 40):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('href')"))
    assert page.evaluate("[...document.querySelectorAll('tbody th a')].map((a) => a.getAttribute('href'))") == [
        one for one in page.evaluate("[...document.querySelectorAll('tbody th a')].map((a) => a.getAttribute('href'))")
        if one in reached
    ]  # fmt: skip


HOSTILE = """</script><script>window.hurt = 1</script><img src=x onerror="window.hurt = 1">'&amp;"""


def test_hostile_text_stays_text(page_log: PageLog, connection: sa.Connection, database_url: sa.URL) -> None:
    """In the data, in the address, and in the small map's data"""
    connection.execute(
        sa.text("UPDATE platform SET name = :name, note = :name WHERE id = 'grand-canal-knowledge-city'"),
        {"name": HOSTILE},
    )
    page = page_log.page
    with served(settings_for(database_url)) as address:
        for path in (
            "/collections/lake_districts/items?limit=50",
            "/collections/lake_districts/items/grand-canal-knowledge-city",
        ):
            page.goto(f"{address}{path}")
            page.wait_for_selector(".map[data-ready]")
            assert HOSTILE in page.inner_text("main")
            page.locator(".map .leaflet-overlay-pane path").first.hover()
            assert page.evaluate("window.hurt") is None
        page.goto(str(httpx.URL(f"{address}/collections/lake_districts/items", params={"name": HOSTILE})))
        assert HOSTILE in page.inner_text(".chosen")
        assert page.evaluate("window.hurt") is None
    page_log.assert_clean()
