"""The layout map in a real browser that reaches no other host."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import connect, served, settings_for

from .conftest import PageLog

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
ATTACK = "<img src=x onerror=alert(1)>"


def open_map(page_log: PageLog, address: str) -> None:
    """Open a map and wait until its symbols have found their places."""
    page_log.page.goto(address, wait_until="networkidle")
    page_log.page.locator(".symbol").first.wait_for()
    page_log.page.evaluate("document.fonts.ready")
    page_log.page.wait_for_timeout(200)


def boxes(page_log: PageLog, selector: str) -> list[dict[str, float]]:
    """Left, right, top and bottom of the visible elements."""
    script = """elements => elements.filter(e => e.checkVisibility()).map(e => {
        const {left, right, top, bottom} = e.getBoundingClientRect(); return {left, right, top, bottom}; })"""
    found: list[dict[str, float]] = page_log.page.locator(selector).evaluate_all(script)
    return found


def apart(one: dict[str, float], other: dict[str, float]) -> bool:
    return (
        one["right"] <= other["left"]
        or one["left"] >= other["right"]
        or one["bottom"] <= other["top"]
        or one["top"] >= other["bottom"]
    )


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_map_opens_without_another_host(
    live_server: str, page_log: PageLog, artifacts: Path, size: dict[str, int], lang: str
) -> None:
    page = page_log.page
    page.set_viewport_size(size)  # type: ignore[arg-type]
    open_map(page_log, f"{live_server}/maps/jiaxing?lang={lang}")
    page.screenshot(path=artifacts / f"map-jiaxing-{lang}-{size['width']}.png", animations="disabled")

    assert page.locator(".leaflet-interactive[stroke='#009E73']").count() == 8
    assert page.locator(".leaflet-interactive[stroke='#0072B2']").count() == 2
    assert page.locator(".cluster").count() >= 3
    legend = page.locator("#panel")
    assert legend.evaluate("panel => panel.open") is (size is DESKTOP)
    controls = boxes(page_log, ".leaflet-control, #panel, header, footer")
    for number, one in enumerate(controls):
        assert all(apart(one, other) for other in controls[number + 1 :] if other != one and not _within(one, other))
    broad = page.evaluate("document.documentElement.scrollWidth")
    assert broad == size["width"]
    page_log.assert_clean()


def _within(one: dict[str, float], other: dict[str, float]) -> bool:
    """Whether ``other`` is part of ``one``, as the layer control is of the panel."""
    return (
        one["left"] <= other["left"] and other["right"] <= one["right"] and one["top"] <= other["top"]
    )  # fmt: skip


def test_a_lake_district_tells_what_the_plan_says(live_server: str, page_log: PageLog, artifacts: Path) -> None:
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/jiaxing")
    circle = page.locator(".leaflet-interactive[stroke='#009E73']").first
    circle.hover(position={"x": 12, "y": 34})
    assert page.locator(".leaflet-tooltip").inner_text() == "祥符荡科创绿谷 Xiangfudang Science Green Valley"
    circle.click(position={"x": 12, "y": 34})
    popup = page.locator(".leaflet-popup-content")
    popup.wait_for()
    page.wait_for_timeout(300)
    page.screenshot(path=artifacts / "map-jiaxing-popup.png", animations="disabled")
    text = popup.inner_text()
    for said in (
        "祥符荡科创绿谷 Xiangfudang Science Green Valley", "科创湖区 Science-lake district", "42.7 km²", "嘉善县",
        "《嘉兴市科技创新发展“十四五”规划》", "251 行", "示意图形，不是边界", "±2.5 km",
    ):  # fmt: skip
        assert said in text
    assert page.locator("path[stroke-dasharray='1 5']").count() == 1
    link = popup.get_by_role("link", name="GeoJSON").get_attribute("href")
    assert link == "/collections/lake_districts/items/xiangfudang-green-valley?f=geojson"
    page.keyboard.press("Escape")
    page.locator("path[stroke-dasharray='1 5']").wait_for(state="detached")
    page_log.assert_clean()


def test_layers_are_switched_and_clusters_open(live_server: str, page_log: PageLog) -> None:
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/jiaxing")
    panel = page.locator("#panel")
    park = page.locator(".symbol[aria-label^='嘉兴南湖高新技术产业园区']")
    assert park.count() == 1
    panel.get_by_label("高新区 High-tech park").uncheck()
    park.wait_for(state="detached")
    panel.get_by_label("高新区 High-tech park").check()
    park.wait_for()
    assert page.locator(".cluster.other").count() == 0
    panel.get_by_label("文件所列其他平台").check()
    page.locator(".cluster.other").first.wait_for()
    before = page.locator(".cluster.institute").count()
    page.locator(".cluster.institute", has_text="6").click()
    page.wait_for_function(f"document.querySelectorAll('.cluster.institute').length !== {before}")
    page_log.assert_clean()


def test_the_legend_leads_to_the_place(live_server: str, page_log: PageLog) -> None:
    open_map(page_log, f"{live_server}/maps/jiaxing?lang=en")
    page_log.page.locator("#panel").get_by_role("button", name="Wuzhen Big Data High-Tech Industrial Park").click()
    popup = page_log.page.locator(".leaflet-popup-content")
    popup.wait_for()
    assert popup.locator("h2").inner_text().startswith("Wuzhen Big Data High-Tech Industrial Park")
    page_log.assert_clean()


def test_symbols_do_not_cover_each_other(live_server: str, page_log: PageLog) -> None:
    open_map(page_log, f"{live_server}/maps/jiaxing")
    centres = [
        ((box["left"] + box["right"]) / 2, (box["top"] + box["bottom"]) / 2)
        for box in boxes(page_log, ".symbol, .cluster")
    ]
    assert len(centres) > 20
    near = [
        (one, other)
        for number, one in enumerate(centres)
        for other in centres[number + 1 :]
        if (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 < 20**2
    ]
    assert near == []


def test_a_hostile_name_is_shown_as_text(database_url: sa.URL, page_log: PageLog) -> None:
    page = page_log.page
    with connect(database_url).begin() as connection:
        connection.execute(
            sa.text("UPDATE platform SET name = :name, name_en = :name WHERE id = 'juanhu-science-city'"),
            {"name": ATTACK},
        )
    alerts: list[str] = []
    page.on("dialog", lambda dialog: (alerts.append(dialog.message), dialog.dismiss()))
    with served(settings_for(database_url)) as address:
        open_map(page_log, f"{address}/maps/jiaxing")
        symbol = page.locator(f".symbol[aria-label^='{ATTACK}']")
        symbol.hover()
        assert ATTACK in page.locator(".leaflet-tooltip").inner_text()
        symbol.click()
        assert ATTACK in page.locator(".leaflet-popup-content h2").inner_text()
        assert page.locator("#panel").get_by_role("button", name=ATTACK).is_visible()
    assert alerts == []
    assert page.locator("img").count() == 0
    page_log.assert_clean()
