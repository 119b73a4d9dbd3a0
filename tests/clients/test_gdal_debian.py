"""Debian's GDAL (3.6), which knows Part 1 alone: ``ogrinfo`` and ``ogr2ogr`` on the address of the service."""

import json
import re
from pathlib import Path

import httpx
import pyogrio
import pytest

from app.catalog import COLLECTIONS
from tests.clients.conftest import Recorder, run

Service = tuple[str, Recorder]
ITEMS = "/collections/platforms/items"


def count(*arguments: str) -> int:
    found = re.search(r"Feature Count: (\d+)", run("ogrinfo", "-ro", "-so", *arguments))
    assert found is not None
    return int(found[1])


def matched(client: httpx.Client, **query: str) -> int:
    number: int = client.get(ITEMS, params={"limit": "1", **query}).json()["numberMatched"]
    return number


def test_lists_every_collection(service: Service) -> None:
    listed = run("ogrinfo", "-ro", f"OAPIF:{service[0]}")
    assert re.findall(r"^\d+: (\w+) ", listed, re.MULTILINE) == list(COLLECTIONS)


def test_where_reaches_the_server(service: Service, client: httpx.Client) -> None:
    """GDAL takes the queryables of a layer from the API definition, and asks by them"""
    address, recorder = service
    expected = matched(client, level="national")
    assert 0 < expected < matched(client)
    assert count(f"OAPIF:{address}", "platforms", "-where", "level = 'national'") == expected
    asked = recorder.asked(ITEMS)
    assert [one for one in asked if one.get("level") == "national"]


def test_spat_reaches_the_server(service: Service, client: httpx.Client) -> None:
    address, recorder = service
    assert count(f"OAPIF:{address}", "platforms", "-spat", "120.6", "30.4", "120.9", "30.7") == matched(
        client, bbox="120.6,30.4,120.9,30.7"
    )
    (box, *_) = [one["bbox"] for one in recorder.asked(ITEMS) if "bbox" in one]
    assert [float(part) for part in box.split(",")] == pytest.approx([120.6, 30.4, 120.9, 30.7])


def test_pages_of_a_large_layer(service: Service, client: httpx.Client, tmp_path: Path) -> None:
    """Every item once, by the next links, into another file"""
    address, recorder = service
    target = tmp_path / "platforms.geojson"
    run("ogr2ogr", "-f", "GeoJSON", str(target), f"OAPIF:{address}", "platforms", "-oo", "PAGE_SIZE=50")
    ids = [one["properties"]["id"] for one in json.loads(target.read_text(encoding="utf-8"))["features"]]
    assert len(ids) == len(set(ids)) == matched(client)
    tokens = {one["cursor"] for one in recorder.asked(ITEMS) if one["limit"] == "50" and "cursor" in one}
    assert len(tokens) == (len(ids) - 1) // 50


def test_reprojects_to_gauss_kruger(service: Service, tmp_path: Path) -> None:
    target = tmp_path / "counties.gpkg"
    run("ogr2ogr", str(target), f"OAPIF:{service[0]}", "counties", "-t_srs", "EPSG:4549")
    counties = pyogrio.read_dataframe(target)
    assert counties.crs.to_epsg() == 4549
    # full extent with the sea, as its own property says
    areas = counties.geometry.area / 1e6
    assert areas.to_numpy() == pytest.approx(counties["area_km2"].to_numpy(), rel=1e-3)
