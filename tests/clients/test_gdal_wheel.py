"""GDAL of the pyogrio wheel (3.12), which knows Parts 2 and 3: filters and reference systems asked of the server."""

import json
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import geopandas
import httpx
import pyogrio
import pytest
import shapely

from app.catalog import COLLECTIONS
from tests.clients.conftest import Recorder
from tests.conftest import PATIENCE_S

Service = tuple[str, Recorder]
Read = Callable[..., geopandas.GeoDataFrame]
ITEMS = "/collections/platforms/items"


@pytest.fixture(scope="module")
def workers() -> Iterator[ProcessPoolExecutor]:
    """GDAL keeps the interpreter to itself while it waits, so that it must not share one with the server."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def read(workers: ProcessPoolExecutor, service: Service) -> Callable[..., geopandas.GeoDataFrame]:
    """``pyogrio.read_dataframe`` of a layer of the service."""

    def read(**options: Any) -> geopandas.GeoDataFrame:
        return workers.submit(pyogrio.read_dataframe, f"OAPIF:{service[0]}", **options).result(timeout=PATIENCE_S)

    return read


def matched(client: httpx.Client, **query: str) -> int:
    number: int = client.get(ITEMS, params={"limit": "1", **query}).json()["numberMatched"]
    return number


def test_lists_every_collection(service: Service, workers: ProcessPoolExecutor) -> None:
    layers = workers.submit(pyogrio.list_layers, f"OAPIF:{service[0]}").result(timeout=PATIENCE_S)
    assert [name for name, _ in layers] == list(COLLECTIONS)


def test_where_reaches_the_server(service: Service, read: Read, client: httpx.Client) -> None:
    """Equalities go as the queryables' own parameters, which GDAL finds in the API definition"""
    found = read(layer="platforms", where="level = 'national' AND status = 'existing'")
    assert len(found) == matched(client, level="national", status="existing") > 0
    asked = service[1].asked(ITEMS)
    assert [one for one in asked if (one.get("level"), one.get("status")) == ("national", "existing")]


def test_where_beyond_equality_is_right(read: Read, client: httpx.Client) -> None:
    """GDAL 3.12 knows a draft of CQL alone, asks for everything and filters by itself"""
    where = "name LIKE '%研究院%' OR status IN ('planned')"
    assert len(read(layer="platforms", where=where)) == matched(client, filter=where) > 0


def test_numbers_are_compared_once_gdal_has_seen_some(read: Read, client: httpx.Client) -> None:
    """GDAL takes types from the first items; the open option lets it see them all"""
    found = read(layer="platforms", where="area_km2 > 10", INITIAL_REQUEST_PAGE_SIZE="1000")
    assert (found["area_km2"] > 10).all()
    assert len(found) == matched(client, filter="area_km2 > 10") > 0


def test_bbox_reaches_the_server(service: Service, read: Read, client: httpx.Client) -> None:
    found = read(layer="platforms", bbox=(120.6, 30.4, 120.9, 30.7))
    assert len(found) == matched(client, bbox="120.6,30.4,120.9,30.7")
    assert any("bbox" in one for one in service[1].asked(ITEMS))


@pytest.mark.parametrize("code", ["EPSG:4549", "EPSG:4490", "EPSG:3857"])
def test_reference_systems(service: Service, read: Read, client: httpx.Client, code: str) -> None:
    """East first in GDAL, whatever order the server answers in"""
    counties = read(layer="counties", CRS=code).set_index("id")
    assert counties.crs.to_string() == code
    asked = service[1].asked("/collections/counties/items")
    assert any(one.get("crs", "").endswith(code.split(":")[1]) for one in asked)
    plain = client.get("/collections/counties/items").json()["features"]
    for one in plain:
        degrees = geopandas.GeoSeries([shapely.from_geojson(json.dumps(one["geometry"]))], crs="EPSG:4326")
        expected = degrees.to_crs(code).iloc[0]
        assert counties.geometry[one["id"]].hausdorff_distance(expected) < (1e-5 if code == "EPSG:4490" else 1)


def test_pages_of_a_large_layer(service: Service, read: Read, client: httpx.Client) -> None:
    found = read(layer="platforms", PAGE_SIZE="50")
    assert found["id"].is_unique
    assert len(found) == matched(client)
    assert len([one for one in service[1].asked(ITEMS) if "cursor" in one]) >= len(found) // 50


@pytest.mark.parametrize("path", [ITEMS, "/exports/platforms.geojson"])
def test_geopandas_reads_addresses(service: Service, client: httpx.Client, path: str) -> None:
    """Items and downloads, with the question in the address"""
    address, recorder = service
    found = geopandas.read_file(f"{address}{path}?within=haining" + ("&limit=1000" if path == ITEMS else ""))
    assert len(found) == matched(client, within="haining") > 0
    assert found.crs.to_epsg() == 4326
    assert (found["county"] == "330481").all()
    assert recorder.asked(path)[0]["within"] == "haining"
