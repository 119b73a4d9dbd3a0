"""Base maps from a tile server on this machine: vectors lie where each kind of tiles draws the same places."""

import json
import struct
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import cos, log, pi, radians, tan
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import sqlalchemy as sa

from app.base_maps import BaseMap
from app.gcj02 import gcj02_to_wgs84, wgs84_to_gcj02
from tests.conftest import http, served, settings_for

from .conftest import PageLog, settle, until

KEY = "0123456789geheim"
RADIUS = 6378137.0


def picture(shade: int) -> bytes:
    """A grey tile with a darker edge, as PNG."""
    rows = [bytes([0, *([shade - 40] * 256 if row == 0 else [shade - 40] + [shade] * 255)]) for row in range(256)]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 256, 256, 8, 0, 0, 0, 0)
    body = zlib.compress(b"".join(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def tile_server() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = picture(220 if sum(map(int, self.path.partition("?")[0].split("/")[-2:])) % 2 else 200)
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Keep the test's output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def map_server(loaded_url: sa.URL, tile_server: str) -> Iterator[str]:
    address = f"{tile_server}/{{z}}/{{x}}/{{y}}?tk={KEY}"
    offered = [
        {"name": "内网地图", "name_en": "Intranet", "url": address, "attribution": "© <b>内网</b>"},
        {"name": "偏移地图", "name_en": "Shifted", "url": address, "datum": "gcj02", "max_zoom": 17},
    ]
    parsed = [BaseMap.model_validate(one) for one in offered]
    with served(settings_for(loaded_url, base_maps=parsed)) as running:
        yield running


def mercator(lon: float, lat: float) -> tuple[float, float]:
    return RADIUS * radians(lon), RADIUS * log(tan(pi / 4 + radians(lat) / 2))


#: Where a place is drawn, in metres of the tiles' own grid: from the map's projection, and from the picture that lies
#: under it on the screen.
DRAWN = """([lon, lat]) => {
  const zoom = map_0.getZoom(), point = map_0.project([lat, lon], zoom);
  const box = document.getElementById("map_0").getBoundingClientRect();
  const at = map_0.latLngToContainerPoint([lat, lon]);
  const [x, y] = [box.left + at.x, box.top + at.y];
  const tile = [...document.querySelectorAll(".leaflet-tile-loaded")].find((one) => {
    const {left, right, top, bottom} = one.getBoundingClientRect();
    return left <= x && x < right && top <= y && y < bottom;
  });
  const {left, top, width} = tile.getBoundingClientRect();
  const [level, column, row] = new URL(tile.src).pathname.split("/").slice(1).map(Number);
  const metres = (px, py, z) => {
    const size = 2 * Math.PI * 6378137 / (256 * 2 ** z);
    return [px * size - Math.PI * 6378137, Math.PI * 6378137 - py * size];
  };
  return {
    formula: metres(point.x, point.y, zoom),
    screen: metres((column + (x - left) / width) * 256, (row + (y - top) / width) * 256, level),
    pixel: 2 * Math.PI * 6378137 / (256 * 2 ** zoom),
  };
}"""


def test_without_settings_there_is_none(live_server: str, page_log: PageLog) -> None:
    page_log.page.goto(f"{live_server}/maps/jiaxing")
    assert page_log.page.locator("input[name=base]").count() == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_vectors_lie_where_the_tiles_have_the_place(
    map_server: str, tile_server: str, page_log: PageLog, artifacts: Path, lang: str
) -> None:
    page = page_log.page
    place = (120.8145, 30.7395)
    view = f"#map=17/{place[1]}/{place[0]}"
    page.goto(f"{map_server}/maps/jiaxing?lang={lang}{view}")
    assert not any(url.startswith(tile_server) for url in page_log.requests)
    shifted = tuple(float(one) for one in wgs84_to_gcj02(*place))
    for name, expected in (("内网地图", place), ("偏移地图", shifted), ("内网地图", place)):
        page.locator(f"input[name=base][value={name}]").check()
        until(page, "document.querySelectorAll('.leaflet-tile-loaded').length > 15")
        settle(page, 400)
        drawn = page.evaluate(DRAWN, place)
        metres = mercator(*expected)
        # of the ground, where Mercator's are longer
        scale = cos(radians(place[1]))
        apart = np.hypot(drawn["formula"][0] - metres[0], drawn["formula"][1] - metres[1]) * scale
        assert apart < 0.001, name
        seen = np.hypot(drawn["screen"][0] - metres[0], drawn["screen"][1] - metres[1])
        assert seen < 1.5 * drawn["pixel"], name
        # the view keeps its middle
        centre = page.evaluate("map_0.getCenter()")
        assert (centre["lng"], centre["lat"]) == pytest.approx(place, abs=5e-5)
        assert page.locator("#datum").is_visible() is (name == "偏移地图")
        page.screenshot(path=artifacts / f"map-base-{name}-{lang}.png")
    assert page.locator(".leaflet-control-attribution").inner_text() == "© <b>内网</b>"
    page_log.assert_clean()


def test_the_address_keeps_the_base_map(map_server: str, page_log: PageLog) -> None:
    page = page_log.page
    page.goto(f"{map_server}/maps/haining#map=12.0/30.5/120.6&base=%E5%81%8F%E7%A7%BB%E5%9C%B0%E5%9B%BE")
    page.locator(".leaflet-tile-loaded").first.wait_for()
    assert page.locator("input[name=base][value=偏移地图]").is_checked()
    page.locator("input[name=base][value='']").check()
    page.locator(".leaflet-tile").first.wait_for(state="detached")
    until(page, "!location.hash.includes('base')")
    page_log.assert_clean()


def test_only_the_servers_of_the_settings_are_allowed(map_server: str, tile_server: str) -> None:
    with http(map_server) as client:
        policy = client.get("/maps/jiaxing").headers["content-security-policy"]
        assert f"img-src 'self' data: {tile_server};" in policy
        # nowhere but on maps
        assert tile_server not in client.get("/collections?f=html").headers["content-security-policy"]


def test_keys_are_not_logged(map_server: str, page_log: PageLog, capfd: pytest.CaptureFixture[str]) -> None:
    page_log.page.goto(f"{map_server}/maps/jiaxing#base=%E5%86%85%E7%BD%91%E5%9C%B0%E5%9B%BE")
    page_log.page.locator(".leaflet-tile-loaded").first.wait_for()
    said = capfd.readouterr()
    assert KEY not in said.out + said.err


def test_both_forms_of_the_shift_agree(live_server: str, page_log: PageLog) -> None:
    page_log.page.goto(f"{live_server}/maps/jiashan")
    chance = np.random.default_rng(1)
    places = np.column_stack([chance.uniform(70, 140, 3000), chance.uniform(0, 57, 3000)])
    there = np.array(page_log.page.evaluate("places => places.map(one => gcj02.fromWgs84(...one))", places.tolist()))
    assert np.abs(there - np.column_stack(wgs84_to_gcj02(*places.T))).max() < 1e-9
    back = np.array(page_log.page.evaluate("places => places.map(one => gcj02.toWgs84(...one))", places.tolist()))
    assert np.abs(back - np.column_stack(gcj02_to_wgs84(*places.T))).max() < 2e-9
    assert json.dumps(there[0].tolist()) != json.dumps(places[0].tolist())
