"""Thematic maps and charts in a real browser that reaches no other host."""

from pathlib import Path

import pytest

from .conftest import PageLog, follow, new_context

PAGES = {
    "counties": "/maps/thematic?over=counties",
    "areas": "/maps/thematic?over=haining-areas&indicator=rd-gdp-share&year=2020",
    "change": "/maps/thematic?over=haining-areas&indicator=rd-gdp-share&year=2025&from=2020",
    "progress": "/charts/progress?indicator=rd-gdp-share&region=330400",
}
MAPS = ("counties", "areas", "change")
#: Words on the map whose ground another word covers.
COVERED = """() => {
  const boxes = [...document.querySelectorAll(".canvas .label span")].filter((one) => one.checkVisibility())
    .map((one) => one.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return boxes.flatMap((a, n) => boxes.slice(n + 1).filter((b) => meet(a, b))).length;
}"""


def open_page(log: PageLog, address: str, *, mapped: bool) -> None:
    log.page.goto(address, wait_until="networkidle")
    if mapped:
        log.page.wait_for_selector(".canvas[data-ready]")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desk", "phone"])
def test_pages_are_clean(
    page_log: PageLog, live_server: str, artifacts: Path, size: tuple[int, int], lang: str
) -> None:
    page = page_log.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    for name, path in PAGES.items():
        open_page(page_log, f"{live_server}{path}{'&' if '?' in path else '?'}lang={lang}", mapped=name in MAPS)
        page.screenshot(path=artifacts / f"thematic-{name}-{lang}-{size[0]}.png", animations="disabled", full_page=True)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0], name
        # of a chart's two drawings the one that fits is shown
        shown = [one.get_attribute("width") for one in page.locator("svg.chart").all() if one.is_visible()]
        assert shown == ["760" if size[0] > 768 else "340"], name
        if name in MAPS:
            assert page.evaluate(COVERED) == 0, name
    page_log.assert_clean()


def test_areas_are_symbols_in_proportion_and_missing_is_hatched(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    open_page(page_log, f"{live_server}{PAGES['areas']}", mapped=True)
    shapes = page.locator(".canvas path[data-region]")
    assert shapes.count() == 13
    hatched = page.locator(".canvas path[data-region][fill='url(#hatch)']")
    assert {one.get_attribute("aria-label") for one in hatched.all()} == {
        "海洲街道 /", "硖石街道 /", "鹃湖国际科技城 /",
    }  # fmt: skip
    # area in proportion to the value: 6.84 against 3.67
    wide = {
        name: page.locator(f".canvas path[data-region='haining-area-{name}']").evaluate("one => one.getBBox().width")
        for name in ("jianshan", "dingqiao")
    }
    assert (wide["jianshan"] / wide["dingqiao"]) ** 2 == pytest.approx(6.84 / 3.67, rel=0.1)
    # the colour of a symbol is that of its class in the legend
    fills = {one.get_attribute("fill") for one in shapes.all()} - {"url(#hatch)"}
    assert fills <= {one.get_attribute("fill") for one in page.locator(".legend circle").all()}
    # no outline is made up for an area: the land is Haining's alone
    assert page.locator(".canvas path[data-region][d*='L']").count() == 0
    page_log.assert_clean()


def test_a_region_tells_its_source_by_mouse_and_by_keyboard(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    open_page(page_log, f"{live_server}{PAGES['areas']}", mapped=True)
    shape = page.locator(".canvas path[data-region='haining-area-jianshan']")
    shape.focus()
    page.keyboard.press("Enter")
    popup = page.locator(".leaflet-popup-content")
    popup.wait_for()
    text = popup.inner_text()
    for said in ("尖山新区（黄湾镇）", "6.84%", "2020年实际", "《海宁市科技创新发展“十四五”规划》", "1815–1818 行"):
        assert said in text
    page.keyboard.press("Escape")
    popup.wait_for(state="detached")
    page.locator(".canvas path[data-region='haining-area-yuanhua']").click()
    popup.wait_for()
    assert "6.14" in popup.inner_text()
    before = shape.get_attribute("stroke-width")
    page.locator("tr[data-region='haining-area-jianshan']").hover()
    assert (before, shape.get_attribute("stroke-width")) == ("1", "3")
    page_log.assert_clean()


def test_another_map_is_chosen_by_links_and_form(page_log: PageLog, live_server: str) -> None:
    page = page_log.page
    open_page(page_log, f"{live_server}/maps/thematic?over=haining-areas", mapped=True)
    page.get_by_label("指标").select_option("rd-gdp-share")
    follow(page.locator(".choices button"))
    page.wait_for_selector(".canvas[data-ready]")
    assert "2020年实际" in page.locator("h1").inner_text()
    follow(page.get_by_role("navigation", name="年份").get_by_role("link", name="2025年目标"))
    page.wait_for_selector(".canvas[data-ready]")
    assert page.locator(".badge").inner_text() == "目标"
    follow(page.get_by_role("navigation", name="与此相比的变化").get_by_role("link", name="2020年实际"))
    page.wait_for_selector(".canvas[data-ready]")
    assert "2020年实际至2025年目标的变化" in page.locator("h1").inner_text()
    follow(page.get_by_role("navigation", name="分级").get_by_role("link", name="等间距"))
    page.wait_for_selector(".canvas[data-ready]")
    assert page.locator("[aria-current='page']", has_text="等间距").count() == 1
    follow(page.locator("a.language"))
    assert "change from actual of 2020 to target for 2025" in page.locator("h1").inner_text()
    page_log.assert_clean()


def test_without_scripts_the_chart_and_the_table_remain(page_log: PageLog, live_server: str) -> None:
    browser = page_log.page.context.browser
    assert browser
    context = new_context(browser, java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{live_server}{PAGES['areas']}")
    assert page.locator("tbody tr[data-region]").count() == 13
    assert (page.locator("svg.chart title").first.text_content() or "").startswith("海宁市各片区")
    follow(page.locator(".choices button"))
    assert page.locator("h1").count() == 1
    context.close()
