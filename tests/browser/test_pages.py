"""The pages of resources in a browser: clean, readable on a phone, usable by keyboard and without scripts."""

from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from tests.browser.conftest import PageLog
from tests.conftest import served, settings_for

PAGES = {
    "collections": "/collections",
    "collection": "/collections/platforms",
    "items": "/collections/platforms/items?within=haining&limit=20",
    "elements": "/collections/layout_elements/items",
    "indicators": "/collections/region_indicators/items?region=330481&limit=20",
    "county": "/collections/counties/items/330481",
    "element": "/collections/layout_elements/items/jx-corridor",
    "queryables": "/collections/platforms/queryables",
    "functions": "/functions",
    "conformance": "/conformance",
    "aggregate": "/collections/platforms/aggregate?group_by=county&stat=count,sum:area_km2",
    "credits": "/credits",
}
MAPPED = ("collection", "items", "elements", "indicators", "county", "element")
#: Contrast of text with what is behind it (WCAG 2.2, 1.4.3), lowest on the page.
CONTRAST = """() => {
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
  const paper = numbers(getComputedStyle(document.body).backgroundColor);
  let least = 21;
  for (const one of document.querySelectorAll("main *, nav *, footer *")) {
    if (one.closest(".leaflet-container")) continue;
    if (![...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [light(numbers(getComputedStyle(one).color)), light(paper)].sort((x, y) => y - x);
    least = Math.min(least, (a + 0.05) / (b + 0.05));
  }
  return least;
}"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desk", "phone"])
def test_page_is_clean(page_log: PageLog, live_server: str, artifacts: Path, name: str, size: tuple[int, int]) -> None:
    page = page_log.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto(f"{live_server}{PAGES[name]}")
    if name in MAPPED:
        page.wait_for_selector(".map[data-ready]")
        assert page.locator(".map path").count() > 7
    page.screenshot(path=artifacts / f"page-{name}-{size[0]}.png")
    page_log.assert_clean()
    # no sideways scrolling of the page itself
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert page.evaluate(CONTRAST) >= 4.5
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert page.locator("main [lang=en]").count() > 0
    for region in page.locator(".scroll").all():
        assert region.get_attribute("tabindex") == "0"
        assert region.get_attribute("aria-label")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_in_both_schemes(page_log: PageLog, live_server: str, scheme: str) -> None:
    page_log.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page_log.page.goto(f"{live_server}{PAGES['items']}")
    assert page_log.page.evaluate(CONTRAST) >= 4.5


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
    with browser.new_context(java_script_enabled=False, locale="zh-CN") as context:
        page = context.new_page()
        page.goto(f"{live_server}/collections/towns/items?limit=30")
        seen: list[str] = []
        while True:
            seen += [one.partition("\n")[0] for one in page.locator("tbody th a").all_inner_texts()]
            following = page.locator("a[rel=next]")
            if not following.count():
                break
            following.first.click()
        assert seen == expected
        while page.locator("a[rel=prev]").count():
            page.locator("a[rel=prev]").first.click()
        assert page.locator("tbody th a").first.inner_text().startswith(expected[0])


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
