"""The map of any layer: small ones in the page, large ones piece by piece, with nothing lost and nothing twice."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.api.layer_maps import EMBEDDED
from app.queries.pieces import FEATURES
from tests.conftest import connect, http, served, settings_for

POINTS = 3_000
#: Made-up places in a square around Jiaxing, a few of them in one spot and one at the corner of pieces.
FILL = """
INSERT INTO platform (id, kind, name, name_en, name_en_source, geometry_method, position_source, position, geom)
SELECT 'made-up-' || number, 'maker_space', '测试点' || number, 'Made-up point ' || number, 'own translation', 'point',
       'made up', place, place
FROM (SELECT number, CASE WHEN number <= 3 THEN ST_SetSRID(ST_MakePoint(120.9375, 30.6), 4326)
             ELSE ST_SetSRID(ST_MakePoint(120.5 + random() * 0.6, 30.4 + random() * 0.5), 4326) END AS place
      FROM generate_series(1, :points) AS number) AS made
"""


@pytest.fixture(scope="module")
def large_url(make_database: Callable[..., sa.URL], template_url: sa.URL) -> sa.URL:
    url = make_database(template_url.database)
    with connect(url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ALTER TABLE platform DISABLE TRIGGER USER"))
        connection.execute(sa.text("SELECT setseed(0.5)"))
        connection.execute(sa.text(FILL), {"points": POINTS})
        connection.execute(sa.text("ALTER TABLE platform ENABLE TRIGGER USER"))
    return url


@pytest.fixture(scope="module")
def large(large_url: sa.URL) -> Iterator[httpx.Client]:
    with served(settings_for(large_url)) as address, http(address) as client:
        yield client


def given(text: str) -> dict[str, Any]:
    """What the page's script reads."""
    block = re.search(r'<script type="application/json" id="layer">(.*?)</script>', text, re.DOTALL)
    assert block
    found: dict[str, Any] = json.loads(block[1])
    return found


def counted(piece: dict[str, Any]) -> int:
    return sum(one["count"] for one in piece["cells"]) if "cells" in piece else len(piece["features"])


@pytest.mark.parametrize("collection", ["platforms", "counties", "layout_elements", "towns"])
def test_a_small_layer_stands_in_the_page(client: httpx.Client, collection: str) -> None:
    answer = client.get(f"/maps/layers/{collection}")
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < 300_000
    layer = given(answer.text)
    items = client.get(f"/collections/{collection}/items?limit=1000").json()["features"]
    assert layer["pieces"] is None
    assert {one["id"] for one in layer["features"]} == {one["id"] for one in items if one["geometry"]}
    assert {one["symbol"] for one in layer["features"]} <= set(layer["signs"])
    assert all(0 <= one["shape"] < len(layer["shapes"]) for one in layer["features"])


def test_points_without_a_kind_stand_in_the_legend(client: httpx.Client) -> None:
    legend = re.search(r"<legend>要素.*?</fieldset>", client.get("/maps/layers/towns").text, re.DOTALL)
    assert legend
    assert "Town seats" in legend[0]


def test_parameters_of_the_items_choose(client: httpx.Client) -> None:
    chosen = {"within": "海宁", "kind": "research_institute"}
    layer = given(client.get("/maps/layers/platforms", params=chosen).text)
    items = client.get("/collections/platforms/items", params={**chosen, "limit": 1000}).json()["features"]
    assert {one["id"] for one in layer["features"]} == {one["id"] for one in items}
    assert list(layer["signs"]) == ["institute"]
    assert {one["id"] for one in layer["features"] if one.get("hollow")} == {
        one["id"] for one in items if one["properties"]["geometry_method"] in ("county_only", "city_only")
    }


def test_a_large_layer_is_fetched(large: httpx.Client) -> None:
    answer = large.get("/maps/layers/platforms")
    assert len(answer.content) < 300_000
    layer = given(answer.text)
    assert POINTS > EMBEDDED
    assert "features" not in layer
    assert layer["pieces"].endswith("/maps/layers/platforms/{level}/{row}/{column}?lang=zh")
    shown = re.search(r"共 (\d+) 个要素", answer.text)
    assert shown
    west, south, east, north = layer["box"]
    assert (west, east) < (120.5, 121.2)
    assert south < 30.4 < 30.9 < north


@pytest.mark.parametrize("level", [8, 10, 11])
def test_pieces_of_every_level_add_up(large: httpx.Client, level: int) -> None:
    """The piece of level 8 that holds most, and those that make it up; a spot on an edge belongs to one of them."""
    count = 1 << (level - 8)
    pieces = [
        large.get(f"/maps/layers/platforms/{level}/{row}/{column}?kind=maker_space").json()
        for row in range(105 * count, 106 * count)
        for column in range(213 * count, 214 * count)
    ]
    whole = large.get("/maps/layers/platforms/7/52/106?kind=maker_space").json()
    quarters = [(row, column) for row in (104, 105) for column in (212, 213) if (row, column) != (105, 213)]
    others = [large.get(f"/maps/layers/platforms/8/{row}/{column}?kind=maker_space").json() for row, column in quarters]
    features = {one["id"] for piece in pieces for one in piece.get("features", ())}
    cells = sum(counted(piece) for piece in pieces if "cells" in piece)
    assert cells + len(features) + sum(map(counted, others)) == counted(whole) > POINTS // 2
    assert level < 11 or features
    for piece in pieces:
        assert "cells" not in piece or counted(piece) > FEATURES
        for cell in piece.get("cells", ()):
            assert cell["box"][0] <= cell["at"][0] <= cell["box"][2]
            assert cell["box"][1] <= cell["at"][1] <= cell["box"][3]


def test_an_outline_of_many_values_is_sent_once(client: httpx.Client) -> None:
    piece = client.get("/maps/layers/region_indicators/8/105/214", params={"region": "330402,330421"}).json()
    assert len(piece["features"]) > len(piece["shapes"]) > 0
    assert len({json.dumps(one) for one in piece["shapes"]}) == len(piece["shapes"])


def test_pieces_are_marked_and_kept(large: httpx.Client) -> None:
    first = large.get("/maps/layers/platforms/8/105/213")
    again = large.get("/maps/layers/platforms/8/105/213", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        ("/maps/layers/nothing", 404, "collectionId"),
        ("/maps/layers/platforms?kinds=a", 400, "kinds"),
        ("/maps/layers/platforms?nearest=120,30", 400, "nearest"),
        ("/maps/layers/platforms?lang=fr", 400, "lang"),
        ("/maps/layers/platforms/19/0/0", 404, "level, row, column"),
        ("/maps/layers/platforms/2/4/0", 404, "level, row, column"),
        ("/maps/layers/platforms/-1/0/0", 404, "level, row, column"),
        ("/maps/layers/platforms/8/1e2/0", 404, "level, row, column"),
        ("/maps/layers/platforms/8/105/213?bbox=1,2", 400, "bbox"),
    ],
)
def test_what_is_wrong_is_named(client: httpx.Client, path: str, status: int, parameter: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["parameter"] == parameter
