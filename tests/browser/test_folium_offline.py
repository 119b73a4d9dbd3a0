"""A page that Folium writes by itself, with every supported plugin, where no other host can be reached."""

from collections.abc import Callable

import folium
import pytest
from folium import plugins

from app.maps.assets import use_local_assets
from app.maps.vendored import asset_url

from .conftest import PageLog


def test_every_plugin_works_without_another_host(serve_page: Callable[[str], str], page_log: PageLog) -> None:
    use_local_assets()
    base = folium.Map(location=[30.75, 120.75], tiles=None, zoom_start=10, maxZoom=18)
    places = [[30.62, 120.6], [30.621, 120.601], [30.622, 120.602]]
    plugins.MarkerCluster(places, name="聚合 / cluster", maxZoom=18).add_to(base)
    plugins.Fullscreen(title="全屏 / Full screen").add_to(base)
    tile = asset_url("leaflet", "dist/images/layers.png")
    plugins.MiniMap(folium.TileLayer(tile, attr="示意 / schematic"), toggle_display=True).add_to(base)
    folium.LayerControl(collapsed=False).add_to(base)
    page = page_log.page
    page.goto(serve_page(base.get_root().render()), wait_until="networkidle")
    assert page.locator(".marker-cluster").inner_text() == "3"
    assert page.locator(".leaflet-control-minimap .leaflet-tile-loaded").first.is_visible()
    page.get_by_label("聚合 / cluster").uncheck()
    page.locator(".marker-cluster").wait_for(state="detached")
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
