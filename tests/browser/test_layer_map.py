"""The map of one layer in a browser: a small one embedded, a large one by pieces, names that want to be programs."""

import re
from collections.abc import Iterator
from math import log10
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.conftest import connect, served, settings_for
from tests.maps.test_layer_maps import POINTS, large_url

from .conftest import PageLog, until

__all__ = ["large_url"]
SHOWN = "document.getElementById('map_0').dataset.pieces === 'shown'"
#: Options of everything drawn on the canvas, with the place on the screen.
DRAWN = """() => Object.values(map_0.options.renderer._layers).filter((one) => one._point).map((one) => {
  const at = map_0.latLngToContainerPoint(one.getLatLng());
  const box = document.getElementById("map_0").getBoundingClientRect();
  return { text: one.options.text ?? null, name: one.key?.name ?? null, x: box.left + at.x, y: box.top + at.y };
})"""
HOSTILE = '</script><img src=x onerror="window.hurt=1">\''


@pytest.fixture(scope="module")
def large_server(large_url: sa.URL) -> Iterator[str]:
    with connect(large_url).begin() as connection:
        connection.execute(sa.text("ALTER TABLE platform DISABLE TRIGGER USER"))
        connection.execute(
            sa.text("UPDATE platform SET name = :name WHERE id IN ('made-up-1', 'made-up-2')"), {"name": HOSTILE}
        )
    with connect(large_url).begin() as connection:
        connection.execute(sa.text("ALTER TABLE platform ENABLE TRIGGER USER"))
    with served(settings_for(large_url)) as address:
        yield address


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_small_layer_is_drawn_and_answers(live_server: str, page_log: PageLog, artifacts: Path, lang: str) -> None:
    page = page_log.page
    page.goto(f"{live_server}/maps/layers/platforms?within=haining&lang={lang}")
    until(page, "document.querySelectorAll('.leaflet-container canvas').length === 1")
    drawn = page.evaluate(DRAWN)
    # one that stands alone
    place = next(one for one in drawn if sum(abs(one["x"] - o["x"]) + abs(one["y"] - o["y"]) < 40 for o in drawn) == 1)
    name = place["name"]
    assert bool(re.search("[一-鿿]", name)) is (lang == "zh")
    page.mouse.move(place["x"], place["y"])
    assert page.locator(".leaflet-tooltip").inner_text() == name
    page.mouse.click(place["x"], place["y"])
    popup = page.locator(".leaflet-popup-content", has=page.locator(".source"))
    popup.wait_for()
    assert name in popup.inner_text()
    page.screenshot(path=artifacts / f"layer-platforms-{lang}.png")
    page_log.assert_clean()


def test_numbers_of_neighbours_stand_beside_each_other(large_server: str, page_log: PageLog) -> None:
    page = page_log.page
    cells = [{"count": 9_000, "at": [120.75, 30.7 + step / 1e4], "box": [120.7, 30.6, 120.8, 30.8]} for step in (0, 1)]
    pieces = iter([cells])
    page.route(re.compile(r"/layers/platforms/\d+/"), lambda route: route.fulfill(json={"cells": next(pieces, [])}))
    page.goto(f"{large_server}/maps/layers/platforms?lang=zh&kind=maker_space")
    until(page, SHOWN)
    circles = [complex(one["x"], one["y"]) for one in page.evaluate(DRAWN) if one["text"]]
    assert len(circles) == 2
    assert abs(circles[0] - circles[1]) > 2 * (11 + 3.5 * log10(9_000)) - 2


def test_a_large_layer_is_counted_then_shown(large_server: str, page_log: PageLog, artifacts: Path) -> None:
    page = page_log.page
    page.goto(f"{large_server}/maps/layers/platforms?lang=zh&kind=maker_space")
    until(page, SHOWN)
    page.screenshot(path=artifacts / "layer-large.png")
    counts = [int(one["text"].replace(",", "")) for one in page.evaluate(DRAWN) if one["text"]]
    singles = [one for one in page.evaluate(DRAWN) if one["name"]]
    assert sum(counts) + len(singles) >= POINTS
    # a click on a count goes nearer
    before = page.evaluate("map_0.getZoom()")
    largest = max((one for one in page.evaluate(DRAWN) if one["text"]), key=lambda one: int(one["text"]))
    page.mouse.click(largest["x"], largest["y"])
    until(page, f"map_0.getZoom() > {before} && !map_0._animatingZoom")
    # the three in one spot are listed, and their names are text
    page.evaluate("void map_0.setView([30.6, 120.9375], 16, {animate: false})")
    until(page, SHOWN)
    spot = next(one for one in page.evaluate(DRAWN) if one["name"] == HOSTILE)
    page.mouse.move(spot["x"], spot["y"])
    page.mouse.click(spot["x"], spot["y"])
    names = page.locator(".popup.list button").all_inner_texts()
    assert sorted(names) == sorted([HOSTILE, HOSTILE, "测试点3"])
    page.locator(".popup.list button").first.click()
    page.locator(".leaflet-popup-content h2").wait_for()
    assert page.evaluate("window.hurt") is None
    assert page.locator("img[src=x]").count() == 0
    assert any("/maps/popups/platforms/made-up-" in url for url in page_log.requests)
    # leaving and coming back leaves no feature twice
    page.evaluate("void map_0.setView([30.6, 120.9375], 9, {animate: false})")
    until(page, SHOWN)
    again = [one for one in page.evaluate(DRAWN) if one["text"]]
    assert sum(int(one["text"].replace(",", "")) for one in again) <= POINTS + 300
    # what has left the view is not waited for
    page_log.failures = [one for one in page_log.failures if not one.endswith("net::ERR_ABORTED")]
    page_log.assert_clean()
