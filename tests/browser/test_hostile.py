"""A name that wants to be a program stays text wherever it is shown, with the pages' own policy out of the way."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser

from tests.conftest import connect, served, settings_for

from .conftest import PageLog, new_context

HOSTILE = """</script><script>window.hurt=1</script><img src=x onerror="window.hurt=1">'`${window.hurt=1}&amp;"""
#: What is renamed: a platform with a symbol and a number, an element of the layout with a name on the map, a county.
RENAMED = {"platform": "juanhu-science-city", "layout_element": "jx-core", "region": "330481"}


@pytest.fixture(scope="module")
def hostile_server(make_database: object, template_url: sa.URL) -> Iterator[str]:
    url: sa.URL = make_database(template_url.database)  # type: ignore[operator]
    with connect(url).begin() as connection:
        for table, item in RENAMED.items():
            connection.execute(
                sa.text(f"UPDATE {table} SET name = :name, name_en = :name WHERE id = :item"),  # noqa: S608
                {"name": HOSTILE, "item": item},
            )
        connection.execute(
            sa.text("UPDATE alias SET name = :name WHERE platform = 'juanhu-science-city'"), {"name": HOSTILE}
        )
    with served(settings_for(url)) as address:
        yield address


@pytest.fixture
def unguarded(browser: Browser) -> Iterator[PageLog]:
    """A page on which the Content-Security-Policy stops nothing."""
    with new_context(browser, viewport={"width": 1440, "height": 900}, bypass_csp=True) as context:
        yield PageLog(context.new_page())


def assert_unhurt(log: PageLog) -> None:
    assert log.page.evaluate("window.hurt") is None
    assert log.page.locator("img[src=x]").count() == 0
    assert log.page.locator("script", has_text="window.hurt=1</").count() == 0
    log.assert_clean()


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_on_a_layout_map(hostile_server: str, unguarded: PageLog, lang: str) -> None:
    page = unguarded.page
    page.goto(f"{hostile_server}/maps/jiaxing?lang={lang}")
    symbol = page.locator(".symbol[aria-label*='window.hurt']")
    symbol.wait_for()
    assert HOSTILE in str(symbol.get_attribute("aria-label"))
    symbol.hover()
    assert HOSTILE in page.locator(".leaflet-tooltip").inner_text()
    symbol.click()
    assert HOSTILE in page.locator(".leaflet-popup-content h2").inner_text()
    assert HOSTILE in page.locator(".leaflet-popup-content dd").first.inner_text()
    page.keyboard.press("Escape")
    page.locator("#find").fill("window.hurt")
    assert HOSTILE in page.locator("#found").inner_text()
    # legend, structure, and the names of the element and of the county on the map
    assert page.locator("#panel ol").get_by_role("button", name=HOSTILE).count() >= 1
    assert page.locator(".tree").get_by_role("button", name=HOSTILE).count() == 1
    # too long for any place they may be hidden
    assert page.locator(".label.element.core").text_content() == HOSTILE
    assert HOSTILE in page.locator(".label.ground").all_text_contents()
    page.locator(".tree").get_by_role("button", name=HOSTILE).click()
    page.locator(".leaflet-popup-content", has_text="“一核”").wait_for()
    assert_unhurt(unguarded)


def test_as_a_popup_that_is_fetched(hostile_server: str, unguarded: PageLog) -> None:
    page = unguarded.page
    page.goto(f"{hostile_server}/maps/popups/lake_districts/juanhu-science-city")
    assert page.locator("h2").inner_text() == HOSTILE
    assert_unhurt(unguarded)


def test_on_a_printed_map(hostile_server: str, unguarded: PageLog) -> None:
    """The picture has words as outlines; the document keeps them as text."""
    page = unguarded.page
    page.goto(f"{hostile_server}/maps/jiaxing.svg")
    assert page.locator("svg").count() == 1
    assert page.locator("script, img, foreignObject").count() == 0
    assert_unhurt(unguarded)


def test_in_what_is_taken_away(hostile_server: str, unguarded: PageLog) -> None:
    page = unguarded.page
    page.goto(f"{hostile_server}/collections/platforms/items/juanhu-science-city?f=html")
    assert HOSTILE in page.locator("h1").inner_text()
    assert_unhurt(unguarded)
    found = page.request.get(f"{hostile_server}/collections/platforms/items/juanhu-science-city?f=json")
    assert found.json()["properties"]["name"] == HOSTILE
    for extension in ("geojson", "csv"):
        # a download is never a page
        answer = page.request.get(f"{hostile_server}/exports/lake_districts.{extension}")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "html" not in answer.headers["content-type"]
        assert "window.hurt" in answer.text()


def test_on_a_thematic_map_and_its_charts(hostile_server: str, unguarded: PageLog) -> None:
    page = unguarded.page
    page.goto(f"{hostile_server}/maps/thematic?over=counties&lang=zh")
    page.wait_for_selector(".canvas[data-ready]")
    # too long for its place it may be shortened to its value
    assert HOSTILE in page.locator(".canvas .label i").all_text_contents()
    shape = page.locator(".canvas path[data-region='330481']")
    assert HOSTILE in str(shape.get_attribute("aria-label"))
    shape.focus()
    page.keyboard.press("Enter")
    assert HOSTILE in page.locator(".leaflet-popup-content h2").inner_text()
    assert page.locator("svg.chart text", has_text="window.hurt").count() == 2
    assert_unhurt(unguarded)
    page.goto(f"{hostile_server}/charts/progress?f=html&indicator=rd-gdp-share&region=330481")
    assert HOSTILE in page.locator("h1").inner_text()
    assert_unhurt(unguarded)
