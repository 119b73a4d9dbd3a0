"""Vector tiles over HTTP: what is in them, what they say, and that they stand where they should."""

import httpx
import numpy as np
import pyogrio
import pytest
import shapely
import sqlalchemy as sa

from tests.conftest import connect, http, served, settings_for
from tests.mvt import EXTENT, Grid, decode, fetch, items, limits

GRIDS = ("WebMercatorQuad", "CGCS2000Quad")


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("collection", ["platforms", "counties", "cities", "layout_elements", "corridors", "towns"])
def test_tiles_of_a_level_hold_every_item_once_over(client: httpx.Client, collection: str, grid: str) -> None:
    level = 8
    rows, cols = limits(client, collection, grid, level)
    found: set[str] = set()
    for row in rows:
        for col in cols:
            tile = fetch(client, f"/collections/{collection}/tiles/{grid}/{level}/{row}/{col}")
            if tile is not None:
                assert not tile["id"].duplicated().any()
                found |= set(tile["id"])
    assert found == set(items(client, collection))


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("level", [9, 13])
def test_vertices_stand_within_one_unit(client: httpx.Client, grid: str, level: int) -> None:
    """A county's vertex and the outline in the tile that holds it, both placed by the grid's document."""
    described = Grid(client, grid)
    outline = described.units(items(client, "counties")["330481"], level)
    vertices = shapely.get_coordinates(outline)
    for x, y in vertices[:: len(vertices) // 5]:
        tile = fetch(client, f"/collections/counties/tiles/{grid}/{level}/{int(y)}/{int(x)}")
        assert tile is not None
        drawn = tile.set_index("id").geometry["330481"]
        place = shapely.Point((x % 1) * EXTENT, (y % 1) * EXTENT)
        assert shapely.distance(place, shapely.boundary(drawn)) <= 1
        corners = shapely.get_coordinates(drawn)
        inside = corners[((corners > 0) & (corners < EXTENT)).all(axis=1)]
        true = shapely.transform(shapely.boundary(outline), lambda xy, x=x, y=y: (xy - [int(x), int(y)]) * EXTENT)
        assert len(inside)
        assert shapely.distance(shapely.points(inside), true).max() <= 1


@pytest.mark.parametrize("grid", GRIDS)
def test_a_polygon_across_tiles_is_whole(client: httpx.Client, grid: str) -> None:
    level = 10
    described, square = Grid(client, grid), shapely.box(0, 0, EXTENT, EXTENT)
    rows, cols = limits(client, "counties", grid, level)
    pieces: dict[str, list[shapely.Geometry]] = {}
    for row in rows:
        for col in cols:
            tile = fetch(client, f"/collections/counties/tiles/{grid}/{level}/{row}/{col}")
            for id, drawn in [] if tile is None else zip(tile["id"], tile.geometry, strict=True):
                own = shapely.intersection(drawn, square)
                pieces.setdefault(id, []).append(shapely.transform(own, lambda xy, r=row, c=col: xy / EXTENT + [c, r]))
    assert max(map(len, pieces.values())) > 1
    for id, true in items(client, "counties").items():
        outline = described.units(true, level)
        # half a unit on each side of every edge, and as much again where two tiles meet
        tolerance = 2 * outline.length / EXTENT
        assert shapely.union_all(pieces[id]).symmetric_difference(outline).area < tolerance
        assert np.isclose(sum(one.area for one in pieces[id]), outline.area, rtol=1e-3)


def test_features_carry_what_maps_need_and_no_more(client: httpx.Client) -> None:
    tile = fetch(client, "/collections/platforms/tiles/WebMercatorQuad/9/209/427")
    assert tile is not None
    fields = [name for name in tile.columns if name not in ("geometry", "mvt_id")]
    assert {"id", "name", "name_en", "kind", "geometry_method", "schematic"} <= set(fields)
    assert not {"sources", "tasks", "targets", "positioning"} & set(fields)
    one = tile.set_index("id").iloc[0]
    item = client.get(f"/collections/platforms/items/{one.name}").json()["properties"]
    assert {name: one[name] for name in ("name", "name_en", "kind", "schematic")} == {
        name: item[name] for name in ("name", "name_en", "kind", "schematic")
    }


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "lake_district"},
        {"kind": "lake_district,hightech_park", "county": "330481"},
        {"within": "海宁市"},
        {"within": "counties/330402", "relation": "declared"},
        {"filter": "kind = 'laboratory' AND schematic = FALSE"},
        {"near": "120.75,30.75", "distance": "5000"},
    ],
    ids=str,
)
@pytest.mark.parametrize("grid", GRIDS)
def test_parameters_of_the_items_choose_the_features(client: httpx.Client, grid: str, query: dict[str, str]) -> None:
    level = 6
    rows, cols = limits(client, "platforms", grid, level)
    found: set[str] = set()
    for row in rows:
        for col in cols:
            answer = client.get(f"/collections/platforms/tiles/{grid}/{level}/{row}/{col}", params=query)
            assert answer.status_code in (200, 204)
            if answer.content:
                found |= set(decode(answer.content)["id"])
    wanted = set(items(client, "platforms", **query))
    assert 0 < len(wanted) < len(items(client, "platforms"))
    # areas smaller than a unit are not drawn at this level, points always are
    assert found == wanted


@pytest.mark.parametrize(
    ("address", "status", "parameter"),
    [
        ("nowhere/tiles/WebMercatorQuad/0/0/0", 404, "collectionId"),
        ("platforms/tiles/WorldCRS84Quad/0/0/0", 404, "tileMatrixSetId"),
        ("platforms/tiles/WebMercatorQuad/23/0/0", 404, "tileMatrix"),
        ("platforms/tiles/WebMercatorQuad/-1/0/0", 404, "tileMatrix"),
        ("platforms/tiles/WebMercatorQuad/01/0/0", 404, "tileMatrix"),
        ("platforms/tiles/CGCS2000Quad/0/0/0", 404, "tileMatrix"),
        ("platforms/tiles/CGCS2000Quad/1/1/0", 404, "tileRow"),
        ("platforms/tiles/CGCS2000Quad/1/0/2", 404, "tileCol"),
        ("platforms/tiles/WebMercatorQuad/1/0/2", 404, "tileCol"),
        ("platforms/tiles/WebMercatorQuad/1/x/0", 404, "tileRow"),
        ("platforms/tiles/WebMercatorQuad/1/99999999999999999999/0", 404, "tileRow"),
        ("platforms/tiles/WebMercatorQuad/8/0/0", 404, "tileRow, tileCol"),
        ("platforms/tiles/WebMercatorQuad/9/209/427?kin=x", 400, "kin"),
        ("platforms/tiles/WebMercatorQuad/9/209/427?f=png", 400, "f"),
        ("platforms/tiles/WebMercatorQuad/9/209/427?nearest=120,30&k=1", 400, "nearest"),
        ("platforms/tiles/WebMercatorQuad?within=towns/x", 400, "within"),
        ("platforms/tiles/CGCS2000Quad?f=tilejson", 400, "f"),
        ("platforms/style.json?lang=fr", 400, "lang"),
    ],
)
def test_what_is_wrong_is_named(client: httpx.Client, address: str, status: int, parameter: str) -> None:
    answer = client.get(f"/collections/{address}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["parameter"] == parameter


def test_an_empty_tile_within_the_limits_has_no_content(client: httpx.Client) -> None:
    rows, cols = limits(client, "platforms", "WebMercatorQuad", 14)
    address = f"/collections/platforms/tiles/WebMercatorQuad/14/{rows[0]}/{cols[0]}"
    answer = client.get(address)
    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get(address, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_an_unchanged_tile_is_not_sent_again(database_url: sa.URL) -> None:
    """The mark holds while nothing changes, differs by parameters, and falls with an edit of a layer the tile reads."""
    address = "/collections/platforms/tiles/WebMercatorQuad/9/209/427"
    # what the cache in front may give for a moment after an edit is tested with the cache
    with served(settings_for(database_url, response_cache_mb=0)) as base, http(base) as client:
        first = client.get(address)
        mark = {"If-None-Match": first.headers["etag"]}
        again = client.get(address, headers=mark)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert "cache-control" in again.headers
        assert client.get(address, params={"kind": "lake_district"}, headers=mark).status_code == 200
        with connect(database_url).begin() as connection:
            connection.execute(sa.text("UPDATE platform SET name = name || '？' WHERE kind = 'lake_district'"))
        changed = client.get(address, headers=mark)
        assert changed.status_code == 200
        assert decode(changed.content)["name"].str.endswith("？").any()


def test_a_tile_that_reaches_the_greatest_number_says_so(client: httpx.Client, loaded_url: sa.URL) -> None:
    address = "/collections/platforms/tiles/WebMercatorQuad/6/26/53"
    whole = client.get(address)
    assert "innomap-capped" not in whole.headers
    with served(settings_for(loaded_url, tile_max_features=3)) as lower, http(lower) as other:
        capped = other.get(address)
    assert capped.headers["innomap-capped"] == "3"
    assert len(decode(capped.content)) == 3 < len(decode(whole.content))


def test_tilejson_leads_to_the_tiles(client: httpx.Client) -> None:
    query = {"kind": "lake_district", "f": "tilejson"}
    body = client.get("/collections/platforms/tiles/WebMercatorQuad", params=query).raise_for_status().json()
    assert body["tilejson"] == "3.0.0"
    west, south, east, north = body["bounds"]
    assert west < 120.75 < east
    assert south < 30.75 < north
    address = body["tiles"][0].format(z=9, y=209, x=427)
    tile = fetch(client, address)
    assert tile is not None
    assert set(tile["kind"]) == {"lake_district"}
    (layer,) = body["vector_layers"]
    assert set(tile.columns) - {"geometry", "mvt_id"} <= set(layer["fields"])
    assert (body["minzoom"], body["maxzoom"]) == (0, 22)


def test_gdal_reads_a_tile_from_its_address_and_places_it(client: httpx.Client, live_server: str) -> None:
    address = f"/vsicurl/{live_server}/collections/counties/tiles/WebMercatorQuad/9/209/427?f=mvt"
    frame = pyogrio.read_dataframe(f"MVT:{address}", Z="9", X="427", Y="209")
    assert frame.crs.to_epsg() == 3857
    true = items(client, "counties")
    assert set(frame["id"]) <= set(true)
    placed = frame.to_crs(4326).set_index("id").geometry
    for id, drawn in placed.items():
        # one unit of this level is 19 m, 0.0002 degrees
        assert drawn.difference(true[id].buffer(0.0003)).is_empty


@pytest.mark.parametrize(("lang", "field"), [("zh", "name"), ("en", "name_en")])
def test_a_style_fetches_the_tiles_and_nothing_else(
    client: httpx.Client, live_server: str, lang: str, field: str
) -> None:
    query = {"kind": "lake_district", "lang": lang}
    style = client.get("/collections/platforms/style.json", params=query).raise_for_status().json()
    assert style["version"] == 8
    assert not {"sprite", "glyphs"} & set(style)
    (source,) = style["sources"].values()
    assert source["url"].startswith(f"{live_server}/collections/platforms/tiles/WebMercatorQuad?")
    assert client.get(source["url"]).raise_for_status().json()["tiles"][0].count("kind=lake_district") == 1
    (labels,) = [one for one in style["layers"] if one["type"] == "symbol"]
    assert labels["layout"]["text-field"] == ["get", field]
