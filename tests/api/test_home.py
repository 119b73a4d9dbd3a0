"""The home page: maps as pictures, counts that add up, and a way to everything there is."""

import re
from html import unescape

import httpx
import sqlalchemy as sa

from app.catalog import COLLECTIONS
from app.registers import REGISTERS
from tests.conftest import http, served, settings_for

BROWSER = {"Accept": "text/html"}


def test_every_county_has_a_tile_whose_counts_add_up(client: httpx.Client) -> None:
    text = client.get("/", headers=BROWSER).text
    tiles = re.findall(r'<a href="[^"]*/counties/(\d+)">(.*?)</a>', text, re.DOTALL)
    counted = client.get("/collections/platforms/aggregate?group_by=county").json()
    assert {adcode: int(re.findall(r"<strong>(\d+)</strong>", tile)[0]) for adcode, tile in tiles} == {
        one["key"]: one["count"] for one in counted["groups"]
    }
    for _, tile in tiles:
        total = int(re.findall(r"<strong>(\d+)</strong>", tile)[0])
        assert sum(map(int, re.findall(r"</span> (\d+)</span>", tile))) == total


def test_every_map_is_a_small_picture_of_its_data(client: httpx.Client) -> None:
    text = client.get("/", headers=BROWSER).text
    pictures = [unescape(one) for one in re.findall(r'<img src="([^"]+thumbnail[^"]+)"', text)]
    layouts = client.get("/collections/layout_elements/aggregate?group_by=layout").json()["groups"]
    assert len(pictures) == len(set(pictures)) == len(layouts)
    for address in pictures:
        answer = client.get(address)
        assert answer.headers["content-type"] == "image/svg+xml"
        assert len(answer.content) < 60_000
        assert "<path" in answer.text
        assert "<text" not in answer.text
        again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    assert client.get("/maps/jiaxing/thumbnail.svg?system=none").status_code == 400
    assert client.get("/maps/nowhere/thumbnail.svg").status_code == 404


def test_every_layer_and_register_is_reached_in_every_format(client: httpx.Client) -> None:
    text = client.get("/", headers=BROWSER).text
    for one in COLLECTIONS:
        formats = re.findall(rf'/exports/{one}\.([a-z.]+)"', text)
        assert {"geojson", "gpkg", "csv", "xlsx"} <= set(formats)
        assert f"/collections/{one}?f=html" in text
    for register in REGISTERS:
        assert f"{register.path}?f=html" in text
    # no dead end
    own = {one for one in map(unescape, re.findall(r'href="(http[^"#]+)', text)) if "/exports/" not in one}
    for address in sorted(own):
        assert client.get(address, headers=BROWSER, follow_redirects=True).status_code == 200, address


def test_data_version_and_pictures_follow_the_data(connection: sa.Connection, database_url: sa.URL) -> None:
    def seen(client: httpx.Client) -> tuple[str, str]:
        version = re.findall(r"<code>([0-9a-f]{8})</code>", client.get("/", headers=BROWSER).text)
        return version[0], client.get("/maps/jiaxing/thumbnail.svg").text

    with served(settings_for(database_url, response_cache_mb=0)) as address, http(address) as client:
        before = seen(client)
        connection.execute(
            sa.text(
                "UPDATE platform SET position = ST_SetSRID(ST_MakePoint(120.9, 30.7), 4326),"
                " geom = ST_SetSRID(ST_MakePoint(120.9, 30.7), 4326) WHERE id = 'jiaxing-gaotie-newtown'"
            )
        )
        after = seen(client)
    assert before[0] != after[0]
    assert before[1] != after[1]
