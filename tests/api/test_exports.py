"""Downloads stream, are named, equal the items, and open in GDAL."""

import re
from pathlib import Path
from typing import Any

import httpx
import pyogrio
import pytest

from app.catalog import COLLECTIONS


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
