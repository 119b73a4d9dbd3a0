"""A Folium page with every supported plugin, opened where no other host can be reached."""

from collections.abc import Callable
from pathlib import Path

import folium
import pytest
from folium import plugins

from app.maps.assets import asset_url, use_local_assets

from .conftest import PageLog

FONTS = '"Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", sans-serif'
SQUARE = [[120.6, 30.65], [120.9, 30.65], [120.9, 30.85], [120.6, 30.85], [120.6, 30.65]]


@pytest.fixture
def html() -> str:
    use_local_assets()
    base = folium.Map(location=[30.75, 120.75], tiles=None, zoom_start=10, maxZoom=18)
    base.get_root().header.add_child(
        folium.Element(f"<style>body, .leaflet-container {{font-family: {FONTS}}}</style>")
    )
    outline = folium.GeoJson(
        {
            "type": "FeatureCollection",
            "features": [
                {
                    "type": "Feature",
                    "properties": {"name": "嘉善 / Jiashan"},
                    "geometry": {"type": "Polygon", "coordinates": [SQUARE]},
                }
            ],
        },
        name="轮廓 / outline",
        tooltip=folium.GeoJsonTooltip(["name"]),
    ).add_to(base)
    parks = folium.FeatureGroup("高新区 / high-tech parks", control=False).add_to(base)
    folium.Marker(
        [30.8, 120.65],
        icon=folium.Icon(color="blue", icon="industry", prefix="fa"),
        popup=folium.Popup("<b>南湖高新区</b> / Nanhu"),
    ).add_to(parks)
    folium.Marker([30.8, 120.85], icon=folium.Icon(color="red")).add_to(parks)
    folium.Marker([30.7, 120.85]).add_to(parks)
    labels = folium.FeatureGroup("标注 / labels", control=False).add_to(base)
    folium.Marker(
        [30.75, 120.75],
        icon=folium.DivIcon(html='<div class="label">嘉兴</div>', icon_size=(60, 20)),
    ).add_to(labels)
    plugins.MarkerCluster(
        [[30.62, 120.6], [30.621, 120.601], [30.622, 120.602]], name="聚合 / cluster", maxZoom=18
    ).add_to(base)
    plugins.Fullscreen(title="全屏 / Full screen").add_to(base)
    tile = asset_url("leaflet", "dist/images/layers.png")
    plugins.MiniMap(folium.TileLayer(tile, attr="示意 / schematic"), toggle_display=True).add_to(base)
    plugins.MeasureControl(primary_length_unit="kilometers").add_to(base)
    plugins.Search(outline, search_label="name", geom_type="Polygon", placeholder="查找 / find", collapsed=True).add_to(
        base
    )
    plugins.GroupedLayerControl({"平台 / platforms": [parks, labels]}, exclusive_groups=False, collapsed=False).add_to(
        base
    )
    folium.LayerControl(collapsed=False).add_to(base)
    rendered: str = base.get_root().render()
    return rendered


def test_every_plugin_works_without_another_host(
    html: str, serve_page: Callable[[str], str], page_log: PageLog, artifacts: Path
) -> None:
    page = page_log.page
    page.goto(serve_page(html), wait_until="networkidle")
    page.locator(".awesome-marker-icon-blue").click()
    page.evaluate("document.fonts.ready")
    page.screenshot(path=artifacts / "folium-offline.png", animations="disabled")

    box = page.locator(".folium-map.leaflet-container").bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (1440, 900)
    assert page.locator(".marker-cluster").inner_text() == "3"
    assert page.locator(".awesome-marker-icon-blue .fa-industry").count() == 1
    assert page.locator(".awesome-marker-icon-red .glyphicon-info-sign").count() == 1
    assert page.locator(".label").inner_text() == "嘉兴"
    assert page.locator(".leaflet-popup-content").inner_text() == "南湖高新区 / Nanhu"
    assert page.locator(".leaflet-control-layers-group-name").inner_text() == "平台 / platforms"
    for control in (
        ".leaflet-control-zoom-fullscreen",
        ".leaflet-control-minimap .leaflet-tile-loaded",
        ".leaflet-control-measure",
        ".leaflet-control-search",
        ".leaflet-control-layers-group",
    ):
        assert page.locator(control).first.is_visible(), control
    loaded = page.evaluate("[...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)")
    assert {family.strip('"') for family in loaded} >= {"Font Awesome 6 Free", "Glyphicons Halflings"}
    broken = "[...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
    assert page.evaluate(broken) == []
    page_log.assert_clean()


def test_the_controls_answer(html: str, serve_page: Callable[[str], str], page_log: PageLog) -> None:
    page = page_log.page
    page.goto(serve_page(html), wait_until="networkidle")

    page.locator(".leaflet-control-layers-group input").first.uncheck()
    page.locator(".awesome-marker-icon-blue").wait_for(state="detached")
    page.locator(".leaflet-control-search .search-button").click()
    # leaflet-search listens to keyup, which an input method sends too; the space stands for its last key
    page.get_by_placeholder("查找 / find").press_sequentially("嘉善 ")
    page.locator(".search-tip", has_text="嘉善 / Jiashan").wait_for()
    page.locator(".marker-cluster").click()
    page.locator(".marker-cluster").wait_for(state="detached")
    page.locator(".leaflet-control-measure").hover()
    page.locator(".leaflet-control-measure .js-start").click()
    page.mouse.click(500, 400)
    page.mouse.click(600, 500)
    assert "Kilometers" in page.locator(".leaflet-control-measure .js-results").inner_text()
    page.locator(".leaflet-control-zoom-fullscreen").click()
    page.wait_for_function("document.fullscreenElement !== null")
    page_log.assert_clean()


def test_a_page_that_asks_for_another_host_is_noticed(serve_page: Callable[[str], str], page_log: PageLog) -> None:
    remote = "https://cdn.example.org/leaflet.js"
    page_log.page.goto(
        serve_page(f'<script src="{remote}"></script><script>L.map("map")</script><img src="/none.png">'),
        wait_until="networkidle",
    )
    assert page_log.foreign_requests() == [remote]
    assert any(failure.startswith(f"{remote}: net::ERR_NAME_NOT_RESOLVED") for failure in page_log.failures)
    assert any(failure.endswith("/none.png: 404") for failure in page_log.failures)
    assert page_log.page_errors == ["L is not defined"]
    with pytest.raises(AssertionError):
        page_log.assert_clean()
