"""The layout map in a real browser that reaches no other host."""

import re
from itertools import combinations
from pathlib import Path

import pytest
import shapely
from playwright.sync_api import Browser
from pyproj import Geod
from shapely.geometry import Point, Polygon

from .conftest import PageLog, new_context, settle, until

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
#: Corners of the names that are shown, a little within, for their boxes hold air above and below.
WORDS = """() => [...document.querySelectorAll(".label span")].filter((one) => one.style.visibility === "visible")
  .map((one) => {
    const {left, right, top, bottom} = one.getBoundingClientRect();
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const turn = parseFloat(one.style.rotate) || 0;
    const [c, s, w, h] = [Math.cos(turn), Math.sin(turn), one.offsetWidth / 2 - 1, one.offsetHeight / 2 - 3];
    return [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([i, j]) => [x + i * w * c - j * h * s, y + i * w * s + j * h * c]);
  })"""


def open_map(page_log: PageLog, address: str) -> None:
    """Open a map and wait until its symbols have found their places."""
    page_log.page.goto(address)
    page_log.page.locator(".symbol").first.wait_for()
    page_log.page.evaluate("document.fonts.ready")
    settle(page_log.page, 200)


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
    settle(page, 300)
    page.screenshot(path=artifacts / "map-jiaxing-popup.png", animations="disabled")
    text = popup.inner_text()
    for said in (
        "祥符荡科创绿谷 Xiangfudang Science Green Valley", "科创湖区 Science-lake district", "42.7 km²", "嘉善县",
        "《嘉兴市科技创新发展“十四五”规划》", "251 行", "示意图形，不是边界", "±2.5 km",
    ):  # fmt: skip
        assert said in text
    assert page.locator("path[stroke-dasharray='1 5']").count() == 1
    # in dark surroundings the map stays a light sheet, with all that lies on it
    look = "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
    places = [page.locator(one) for one in (".leaflet-popup-content-wrapper", ".folium-map", "#panel")]
    light = [one.evaluate(look) for one in places]
    page.emulate_media(color_scheme="dark")
    assert [one.evaluate(look) for one in places] == [*light[:2], ["rgb(230, 234, 238)", "rgb(20, 25, 30)"]]
    link = popup.get_by_role("link", name="GeoJSON").get_attribute("href")
    assert link == f"{live_server}/collections/lake_districts/items/xiangfudang-green-valley?f=geojson"
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
    assert panel.get_by_role("button", name="嘉兴南湖高新技术产业园区").is_hidden()
    panel.get_by_label("高新区 High-tech park").check()
    park.wait_for()
    assert page.locator(".cluster.others").count() == 0
    panel.get_by_label("文件所列其他平台").check()
    page.locator(".cluster.others").first.wait_for()
    before = page.locator(".cluster.institute").count()
    page.locator(".cluster.institute", has_text="6").click()
    until(page, f"document.querySelectorAll('.cluster.institute').length !== {before}")
    page_log.assert_clean()


def test_the_address_keeps_the_view_and_the_layers(live_server: str, page_log: PageLog, browser: Browser) -> None:
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/jiaxing?lang=en")
    page.locator("[data-layer=lake]").uncheck()
    page.locator("[data-layer=rings]").check()
    page.locator(".leaflet-control-zoom-in").click()
    until(page, "location.hash.includes('map=') && !map_0._animatingZoom")
    settle(page, 400)
    view = "[map_0.getZoom().toFixed(1), ...Object.values(map_0.getCenter()).map(one => one.toFixed(3))]"
    seen = page.evaluate(view)
    assert page.locator("header a[hreflang]").evaluate("link => link.hash") == page.evaluate("location.hash")
    page.locator("[data-act=share]").click()
    until(page, "document.getElementById('said').textContent")
    with new_context(browser, viewport=DESKTOP) as context:  # type: ignore[arg-type]
        other = context.new_page()
        other.goto(page.url)
        assert other.evaluate(view) == seen
        checked = "[...document.querySelectorAll('[data-layer]:checked')].map(one => one.dataset.layer)"
        assert other.evaluate(checked) == ["corridor", "core", "park", "place", "institute", "names", "rings"]
        assert other.locator("header a[hreflang]").evaluate("link => link.hash") in (
            "",
            other.evaluate("location.hash"),
        )
        # back to the whole
        other.get_by_role("button", name="Whole map").click()
        until(other, f"map_0.getZoom() < {seen[0]}")
    page_log.assert_clean()


@pytest.mark.parametrize(
    ("typed", "name"),
    [("gtxc", "高铁新城"), ("嘉兴科技城", "嘉兴南湖高新技术产业园区"), ("tianehu", "天鹅湖未来科学城")],
)
def test_a_place_is_found_by_alias_and_pinyin(live_server: str, page_log: PageLog, typed: str, name: str) -> None:
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/jiaxing")
    page.locator("#find").fill(typed)
    assert page.locator("#found button").first.inner_text().startswith(name)
    page.keyboard.press("Enter")
    page.locator(".leaflet-popup-content h2", has_text=name).wait_for()
    page_log.assert_clean()


def test_an_institute_in_a_cluster_and_one_in_a_hidden_layer_are_found(live_server: str, page_log: PageLog) -> None:
    """The second has its words fetched."""
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/jiaxing")
    for name in ("浙江清华长三角研究院", "长三角人才大厦"):
        page.locator("#find").fill(name)
        page.keyboard.press("Enter")
        popup = page.locator(".leaflet-popup-content", has=page.locator("h2", has_text=name))
        popup.locator(".source").wait_for()
    assert page.locator("[data-layer=others]").is_checked()
    page_log.assert_clean()


def test_an_element_without_a_shape_shows_its_members(live_server: str, page_log: PageLog) -> None:
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/jiaxing")
    page.locator(".tree").get_by_role("button", name="高新区", exact=True).click()
    popup = page.locator(".leaflet-popup-content")
    assert "“两区”即高新区+科创湖区" in popup.inner_text()
    assert page.locator(".symbol.picked").count() == 8
    # a member leads on to its own
    popup.get_by_role("button", name="嘉兴海宁高新技术产业园区").click()
    page.locator(".leaflet-popup-content h2", has_text="嘉兴海宁高新技术产业园区").wait_for()
    assert page.locator(".symbol.picked").count() == 1
    page_log.assert_clean()


def test_all_rings_at_once(live_server: str, page_log: PageLog) -> None:
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/jiaxing")
    rings = page.locator("path[stroke-dasharray='1 5']")
    page.locator("[data-layer=rings]").check()
    rings.first.wait_for()
    every = rings.count()
    assert every > 20
    page.locator("[data-layer=institute]").uncheck()
    until(page, f"document.querySelectorAll(\"path[stroke-dasharray='1 5']\").length < {every}")
    page.locator("[data-layer=rings]").uncheck()
    assert rings.count() == 0


def test_lengths_and_areas_are_those_of_the_ellipsoid(live_server: str, page_log: PageLog) -> None:
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/jiaxing")
    ring = [(120.4, 30.4), (121.2, 30.5), (121.1, 30.95), (120.5, 30.9)]
    places = [{"lng": lng, "lat": lat} for lng, lat in ring]
    geod = Geod(ellps="WGS84")
    # edges are straight in degrees, geodesics between many places on them as good as that
    fine = shapely.segmentize(Polygon(ring), 0.001).exterior.coords
    area, _ = geod.polygon_area_perimeter(*zip(*fine, strict=True))
    assert page.evaluate("places => innomap.length(places)", places) == pytest.approx(
        geod.line_length(*zip(*ring, strict=True)), rel=1e-4
    )
    assert page.evaluate("places => innomap.area(places)", places) == pytest.approx(abs(area), rel=1e-6)
    page.locator(".measure button").click()
    page.mouse.click(300, 300)
    page.mouse.click(600, 300)
    page.mouse.dblclick(600, 600)
    # measured across everything that can be clicked otherwise
    assert re.fullmatch(r"[\d.]+ km · [\d.]+ km²", page.locator(".measured").inner_text())
    assert page.locator(".leaflet-popup").count() == 0
    page.keyboard.press("Escape")
    assert page.locator(".measured").is_hidden()
    page_log.assert_clean()


def test_the_panel_goes_along_into_full_screen_and_the_overview_comes_with_a_part(
    live_server: str, page_log: PageLog
) -> None:
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/haining")
    assert page.locator(".leaflet-control-minimap").is_hidden()
    page.locator(".leaflet-control-zoom-in").click()
    page.locator(".leaflet-control-minimap").wait_for()
    page.locator(".leaflet-control-zoom-fullscreen").click()
    until(page, "document.fullscreenElement?.tagName === 'MAIN'")
    assert page.locator("#panel").is_visible()
    page_log.assert_clean()


def test_on_paper_the_whole_view_stays(live_server: str, page_log: PageLog) -> None:
    page = page_log.page
    open_map(page_log, f"{live_server}/maps/jiaxing")
    before = page.evaluate("map_0.getBounds().toBBoxString().split(',').map(Number)")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    paper = page.evaluate("map_0.getBounds().toBBoxString().split(',').map(Number)")
    assert page.evaluate("document.body.offsetWidth") == pytest.approx(277 / 25.4 * 96, abs=1)
    assert (paper[0] < before[0], paper[1] < before[1] + 0.02) == (True, True)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    after = page.evaluate("map_0.getBounds().toBBoxString().split(',').map(Number)")
    assert after == pytest.approx(before, abs=0.002)


def test_the_legend_leads_to_the_place(live_server: str, page_log: PageLog) -> None:
    open_map(page_log, f"{live_server}/maps/jiaxing?lang=en")
    page_log.page.locator("#panel").get_by_role("button", name="Wuzhen Big Data High-Tech Industrial Park").click()
    popup = page_log.page.locator(".leaflet-popup-content")
    popup.wait_for()
    assert popup.locator("h2").inner_text().startswith("Wuzhen Big Data High-Tech Industrial Park")
    page_log.assert_clean()


MAPS = {
    "jiaxing": "", "jiashan": "", "haining": "corridor-two-cities", "haining ": "corridor-city-zone-points",
    "zhejiang": "innovation-spaces", "zhejiang ": "innovation-platforms", "zhejiang  ": "one-corridor-many",
}  # fmt: skip


@pytest.mark.parametrize(("name", "system"), MAPS.items())
def test_nothing_on_a_map_covers_another(
    live_server: str, page_log: PageLog, artifacts: Path, name: str, system: str
) -> None:
    """Every layout with all its layers on, at both sizes."""
    page, name = page_log.page, name.strip()
    for lang, size in (("zh", DESKTOP), ("en", PHONE)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        open_map(page_log, f"{live_server}/maps/{name}?lang={lang}" + (f"&system={system}" if system else ""))
        page.evaluate("document.querySelectorAll('[data-layer]:not(:checked)').forEach(box => box.click())")
        settle(page, 300)
        page.screenshot(path=artifacts / f"map-{name}-{system or 'only'}-{lang}-{size['width']}.png")
        centres = [
            ((box["left"] + box["right"]) / 2, (box["top"] + box["bottom"]) / 2)
            for box in boxes(page_log, ".symbol, .cluster")
        ]
        assert centres
        near = [
            (one, other)
            for one, other in combinations(centres, 2)
            if (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 < 20**2
        ]
        assert near == []
        words: list[list[list[float]]] = page.evaluate(WORDS)
        assert len(words) >= 2
        shapes = [Polygon(one) for one in words]
        assert [(a, b) for a, b in combinations(range(len(shapes)), 2) if shapes[a].intersects(shapes[b])] == []
        around = [Point(one).buffer(9) for one in centres]
        assert [one for one in shapes if any(one.intersects(symbol) for symbol in around)] == []
        view = page.locator("#map_0").bounding_box()
        assert view
        whole = shapely.box(view["x"], view["y"], view["x"] + view["width"], view["y"] + view["height"])
        assert [one for one in shapes if not whole.buffer(1).contains(one)] == []
    page_log.assert_clean()
