"""Downloads stream, are named, equal the items, and open in GDAL."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import geopandas
import httpx
import pyogrio
import pytest
import sqlalchemy as sa

from app.catalog import COLLECTIONS
from tests.conftest import http, served, settings_for


def items(client: httpx.Client, collection: str, **parameters: str) -> dict[str, Any]:
    answer = client.get(f"/collections/{collection}/items", params={"limit": "10000", **parameters})
    assert answer.status_code == 200, answer.text[:300]
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_layer_equals_its_items(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/exports/{name}.geojson")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/geo+json")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.geojson"'
    body = answer.json()
    assert (body["type"], body["name"]) == ("FeatureCollection", name)
    assert body["features"] == items(client, name)["features"]


def test_it_streams(client: httpx.Client) -> None:
    """No length is known before the end: the layer is not gathered in memory first."""
    with client.stream("GET", "/exports/platforms.geojson", headers={"Accept-Encoding": "identity"}) as answer:
        assert "content-length" not in answer.headers
        assert answer.headers["transfer-encoding"] == "chunked"
        pieces = list(answer.iter_raw())
    assert len(pieces) > 1
    assert b"".join(pieces).endswith(b"]}\n")


@pytest.mark.parametrize(
    ("parameters", "filename"),
    [
        ({"within": "海宁市"}, "platforms-330481.geojson"),
        ({"within": "counties/330421,海盐"}, "platforms-330421-330424.geojson"),
        ({"kind": "lake_district"}, "platforms.geojson"),
        ({"bbox": "120.5,30.3,120.8,30.6", "kind": "hightech_park,lake_district"}, "platforms.geojson"),
        ({"name": "无此名"}, "platforms.geojson"),
    ],
)
def test_a_selection_equals_its_items(client: httpx.Client, parameters: dict[str, str], filename: str) -> None:
    answer = client.get("/exports/platforms.geojson", params=parameters)
    assert answer.headers["content-disposition"] == f'attachment; filename="{filename}"'
    assert re.fullmatch(r"[\x21-\x7e]+", filename)
    assert answer.json()["features"] == items(client, "platforms", **parameters)["features"]


def test_a_client_that_leaves_frees_its_connection(client: httpx.Client) -> None:
    """More broken downloads than the pool has connections, and the service still answers."""
    for _ in range(20):
        with client.stream("GET", "/exports/platforms.geojson") as answer:
            next(answer.iter_raw())
    assert client.get("/collections/platforms/items", params={"limit": "1"}).status_code == 200


@pytest.mark.parametrize("name", COLLECTIONS)
@pytest.mark.parametrize("address", ["/collections/{}/items?limit=10000", "/exports/{}.geojson"])
def test_gdal_opens_it(client: httpx.Client, tmp_path: Path, name: str, address: str) -> None:
    path = tmp_path / "answer.geojson"
    path.write_bytes(client.get(address.format(name)).content)
    assert pyogrio.read_info(path)["driver"] == "GeoJSON"
    table = pyogrio.read_dataframe(path)
    features = items(client, name)["features"]
    assert len(table) == len(features) > 0
    assert table.crs == "EPSG:4326"
    assert list(table["name"]) == [feature["properties"]["name"] for feature in features]
    assert any("\u4e00" <= character <= "\u9fff" for character in "".join(table["name"]))
    assert [geometry is None for geometry in table.geometry] == [feature["geometry"] is None for feature in features]
    assert table.geometry.dropna().is_valid.all()


def test_the_nearest_come_nearest_first_and_no_more(client: httpx.Client) -> None:
    query = {"nearest": "120.75,30.75", "k": "3"}
    found = client.get("/exports/platforms.geojson", params=query).json()["features"]
    assert found == items(client, "platforms", **query)["features"]
    assert len(found) == 3
    rows = client.get("/exports/platforms.csv", params={**query, "properties": "name"}).text.splitlines()
    assert "distance_m" in rows[0]
    assert len(rows) == 4


def test_order_and_number_are_as_asked(client: httpx.Client) -> None:
    query = {"sortby": "-area_km2", "limit": "4"}
    found = client.get("/exports/platforms.geojson", params=query).json()["features"]
    assert [one["id"] for one in found] == [one["id"] for one in items(client, "platforms", **query)["features"]]


def test_a_broken_download_goes_on_where_it_broke(client: httpx.Client) -> None:
    address = "/exports/towns.fgb"
    whole = client.get(address)
    mark = whole.headers["etag"]
    assert whole.headers["accept-ranges"] == "bytes"
    assert not mark.startswith("W/")
    rest = client.get(address, headers={"Range": "bytes=1000-", "If-Range": mark})
    assert rest.status_code == 206
    assert whole.content == whole.content[:1000] + rest.content
    assert rest.headers["content-range"] == f"bytes 1000-{len(whole.content) - 1}/{len(whole.content)}"
    # the data have changed meanwhile: all of it anew
    anew = client.get(address, headers={"Range": "bytes=1000-", "If-Range": '"other"'})
    assert (anew.status_code, anew.content) == (200, whole.content)
    assert client.get(address, headers={"If-None-Match": mark}).status_code == 304


@pytest.mark.parametrize("extension", ["gpkg", "csv"])
def test_a_checksum_stands_beside_it(client: httpx.Client, extension: str) -> None:
    query = {"within": "海宁", "crs": "EPSG:4549"}
    content = client.get(f"/exports/platforms.{extension}", params=query)
    digest = hashlib.sha256(content.content)
    summed = client.get(f"/exports/platforms.{extension}.sha256", params=query)
    assert summed.text == f"{digest.hexdigest()}  platforms-330481.{extension}\n"
    if extension == "gpkg":
        told = base64.b64decode(content.headers["repr-digest"].removeprefix("sha-256=:").removesuffix(":"))
        assert told == digest.digest()


@pytest.mark.parametrize("extension", ["gpkg", "fgb", "parquet", "shp.zip", "xlsx"])
def test_nothing_chosen_is_a_file_too(client: httpx.Client, tmp_path: Path, extension: str) -> None:
    answer = client.get(f"/exports/platforms.{extension}", params={"name": "无此名"})
    assert answer.status_code == 200
    path = tmp_path / f"empty.{extension}"
    path.write_bytes(answer.content)
    if extension == "parquet":
        assert len(geopandas.read_parquet(path)) == 0
    elif extension == "gpkg":
        assert pyogrio.read_info(path)["features"] == 0


def test_a_file_too_large_is_refused(loaded_url: sa.URL) -> None:
    with served(settings_for(loaded_url, max_export_mb=1)) as address, http(address) as client:
        answer = client.get("/exports/region_indicators.gpkg")
        assert answer.status_code == 400
        assert "1 MiB" in answer.json()["detail"]
        assert client.get("/exports/towns.gpkg").status_code == 200
        assert client.get("/exports/region_indicators.geojsonl").status_code == 200
