"""The county page in a browser: map, table and downloads in step, by mouse, by keyboard, and without scripts."""

from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from app.ingest.search import refresh
from tests.browser.conftest import PageLog, follow, new_context, settle
from tests.conftest import served, settings_for

ROWS = "tr[data-id]"
HOSTILE = '<img src=x onerror="window.hurt=1">'


def opened(page_log: PageLog, address: str) -> Page:
    page = page_log.page
    page.goto(address)
    page.wait_for_selector("#sieve[data-ready]")
    return page


def shown(page: Page) -> list[str]:
    """The rows that are listed."""
    return page.locator(f"{ROWS}:not([hidden])").evaluate_all("(rows) => rows.map((row) => row.dataset.id)")


def downloaded(page: Page, client: httpx.Client) -> set[str]:
    """What the GeoJSON download on the page holds."""
    address = page.locator("a[data-export]", has_text="geojson").first.get_attribute("href")
    return {one["id"] for one in client.get(str(address)).json()["features"]}


def test_a_row_and_its_point_are_marked_together(page_log: PageLog, live_server: str) -> None:
    page = opened(page_log, f"{live_server}/counties/330424")
    row = page.locator(ROWS).first
    row.hover()
    expect(page.locator(".symbol.on")).to_have_count(1)
    page.locator("h1").hover()
    expect(page.locator(".symbol.on")).to_have_count(0)
    row.locator("a").focus()
    expect(page.locator(".symbol.on")).to_have_count(1)
    # what is marked stays where it is
    middle = "(at) => at.getBoundingClientRect().x + at.getBoundingClientRect().width / 2"
    before = page.locator(".symbol").last.evaluate(middle)
    page.locator(".symbol").last.hover()
    expect(page.locator(".symbol.on")).to_have_count(2)
    settle(page, 200)
    assert page.locator(".symbol").last.evaluate(middle) == pytest.approx(before, abs=1)
    assert page.locator(".symbol svg").last.evaluate(middle) == pytest.approx(before, abs=1)
    expect(page.locator(f"{ROWS}.on")).to_have_count(2)
    # a click tells which it is, and leads to it
    page.locator(".symbol").last.click()
    name = page.locator(".leaflet-popup p a").inner_text()
    assert name in page.locator(f"{ROWS}.chosen").inner_text()
    page.locator(".leaflet-popup-close-button").click()
    expect(page.locator(f"{ROWS}.chosen")).to_have_count(0)
    page_log.assert_clean()


def test_rows_and_downloads_follow_the_view(page_log: PageLog, live_server: str, client: httpx.Client) -> None:
    page = opened(page_log, f"{live_server}/counties/330481")
    every = shown(page)
    assert set(every) == downloaded(page, client)
    page.locator(".leaflet-control-zoom-in").click()
    expect(page.locator("#whole")).to_be_visible()
    some = shown(page)
    assert 0 < len(some) < len(every)
    assert set(some) == downloaded(page, client)
    assert str(len(some)) in page.locator("#seen").inner_text()
    page.locator(".map").press("ArrowLeft")
    page.wait_for_function(
        "(before) => document.querySelectorAll('tr[data-id]:not([hidden])').length !== before", arg=len(some)
    )
    assert set(shown(page)) == downloaded(page, client)
    page.locator("#whole").click()
    expect(page.locator("#whole")).to_be_hidden()
    assert shown(page) == every
    page_log.assert_clean()


def test_filters_and_sorting_change_the_page_in_place(
    page_log: PageLog, live_server: str, client: httpx.Client
) -> None:
    page = opened(page_log, f"{live_server}/counties/330481")
    page.evaluate("window.same = true")
    page.locator("#kind-research_institute").click()
    expect(page.locator(ROWS)).to_have_count(10)
    assert page.locator(".symbol").count() == 10
    assert parse_qs(urlsplit(page.url).query)["kind"] == ["research_institute"]
    page.locator("#sort-name").press("Enter")
    expect(page.locator("th[aria-sort=ascending] #sort-name")).to_be_focused()
    page.locator("[name=industry_contains]").fill("材料")
    page.wait_for_function("() => location.search.includes('industry_contains')")
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["kind"] == ["research_institute"]
    assert asked["sortby"] == ["name"]
    assert set(shown(page)) == downloaded(page, client)
    assert page.evaluate("window.same") is True
    # the address is the question: opened anew it gives the same rows
    before = shown(page)
    page.reload()
    page.wait_for_selector("#sieve[data-ready]")
    assert shown(page) == before
    page_log.assert_clean()


def test_links_and_a_form_do_without_scripts(browser: Browser, live_server: str) -> None:
    with new_context(browser, java_script_enabled=False, locale="zh-CN") as context:
        page = context.new_page()
        page.goto(f"{live_server}/")
        page.get_by_role("searchbox").fill("hns")
        follow(page.get_by_role("button", name="搜索"))
        follow(page.locator(".results a", has_text="海宁市 Haining City"))
        assert "/counties/330481" in page.url
        follow(page.locator("#kind-university"))
        assert page.locator(ROWS).count() == 6
        follow(page.locator("#sort-name"))
        assert page.locator(ROWS).count() == 6
        names = page.locator(f"{ROWS} th a").evaluate_all("(links) => links.map((a) => a.firstChild.data.trim())")
        assert names == sorted(names)
        follow(page.get_by_role("button", name="筛选"))
        assert page.locator(ROWS).count() == 6
        page.locator("[name=industry_contains]").fill("没有这个产业")
        follow(page.get_by_role("button", name="筛选"))
        assert page.locator(ROWS).count() == 0
        assert parse_qs(urlsplit(page.url).query)["kind"] == ["university"]


def test_by_keyboard_from_home_to_a_countys_table(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    page.goto(f"{live_server}/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("[name=q]")).to_be_focused()
    page.keyboard.type("haining")
    # not those of the first letters, which go when these come
    expect(page.get_by_role("option").first).to_contain_text("海宁市")
    page.keyboard.press("ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(chosen).to_contain_text("海宁市")
    assert page.locator("[name=q]").get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("Enter")
    page.wait_for_selector("#sieve[data-ready]")
    assert "/counties/330481" in page.url
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('tr[data-id]') !== null"):
            break
    expect(page.locator(f"{ROWS} a:focus")).to_have_count(1)
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url("**/collections/platforms/items/*")
    page_log.assert_clean()


@pytest.mark.parametrize("key", ["Escape", "Tab"])
def test_suggestions_go_away(page_log: PageLog, live_server: str, key: str) -> None:
    page = page_log.page
    page.goto(f"{live_server}/credits")
    page.locator("[name=q]").fill("鹃湖")
    expect(page.get_by_role("listbox")).to_be_visible()
    page.keyboard.press(key)
    expect(page.get_by_role("listbox")).to_be_hidden()
    assert page.locator("[name=q]").get_attribute("aria-expanded") == "false"


def test_two_maps_move_in_step(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    page.goto(f"{live_server}/compare/maps?a=haining-corridor-two-cities&b=jiaxing-corridor-core-zones")
    page.wait_for_selector(".frames[data-ready]")
    views = """() => [...document.querySelectorAll("iframe")].map((frame) => {
      const map = frame.contentWindow.map_0;
      return [map.getZoom(), map.getCenter().lat.toFixed(4), map.getCenter().lng.toFixed(4)].join();
    })"""
    first, second = page.evaluate(views)
    assert first != second
    page.evaluate("document.querySelector('iframe').contentWindow.map_0.setView([30.6, 120.7], 11, {animate: false})")
    first, second = page.evaluate(views)
    assert first == second
    page.locator("#step").uncheck()
    page.evaluate("document.querySelectorAll('iframe')[1].contentWindow.map_0.setZoom(9, {animate: false})")
    first, second = page.evaluate(views)
    assert first != second
    page_log.assert_clean()


def test_a_hostile_name_is_text_everywhere(page_log: PageLog, connection: sa.Connection, database_url: sa.URL) -> None:
    for statement in (
        "UPDATE platform SET name = :name, name_en = :name WHERE id = 'juanhu-science-city'",
        "UPDATE region SET name = :name, name_en = :name WHERE id = '330424'",
        "UPDATE layout SET name = :name WHERE id LIKE 'haining%'",
    ):
        connection.execute(sa.text(statement), {"name": HOSTILE})
    refresh(connection)
    page = page_log.page
    with served(settings_for(database_url)) as address:
        for path in (
            "/", "/counties/330481", "/counties/330424", "/compare?a=330481&b=330424", "/compare",
            "/collections/platforms/items/juanhu-science-city", "/collections/platforms/aggregate?group_by=county",
        ):  # fmt: skip
            page.goto(f"{address}{path}", wait_until="networkidle")
            assert HOSTILE in page.inner_text("body"), path
            assert page.evaluate("window.hurt") is None, path
        page.goto(f"{address}/counties/330481")
        page.wait_for_selector("#sieve[data-ready]")
        page.locator('.symbol[data-id="juanhu-science-city"]').hover()
        expect(page.locator(".leaflet-tooltip")).to_contain_text("<img")
        page.locator('.symbol[data-id="juanhu-science-city"]').click()
        expect(page.locator(".leaflet-popup")).to_contain_text("<img")
        page.locator("[name=q]").fill("<img src")
        expect(page.get_by_role("option").first).to_contain_text("<img")
        page.locator("[name=q]").press("Enter")
        page.wait_for_selector(".results li")
        assert HOSTILE in page.inner_text("main")
        assert page.evaluate("window.hurt") is None
    page_log.assert_clean()
