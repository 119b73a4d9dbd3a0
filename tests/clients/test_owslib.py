"""OWSLib's client of OGC API – Features."""

import httpx
import pytest
from owslib.ogcapi.features import Features

from app.catalog import COLLECTIONS
from app.conformance import CLASSES
from tests.clients.conftest import Recorder

Service = tuple[str, Recorder]


@pytest.fixture
def features(service: Service) -> Features:
    return Features(f"{service[0]}/")


def test_finds_what_there_is(features: Features) -> None:
    assert features.feature_collections() == list(COLLECTIONS)
    assert features.conformance()["conformsTo"] == list(CLASSES)
    assert features.api()["openapi"] == "3.0.3"
    assert features.collection("counties")["id"] == "counties"
    queryables = features.collection_queryables("platforms")["properties"]
    assert queryables["level"]["enum"]
    assert features.collection_schema("platforms")["properties"]["id"]["x-ogc-role"] == "id"


def test_items_and_item(features: Features) -> None:
    page = features.collection_items("counties", limit=3, properties=["name"])
    assert page["numberReturned"] == 3
    one = features.collection_item("counties", page["features"][0]["id"])
    assert one["properties"]["name"] == page["features"][0]["properties"]["name"]


def test_filter_reaches_the_server(features: Features, service: Service, client: httpx.Client) -> None:
    text = "level = 'national' AND S_INTERSECTS(geometry, BBOX(120, 30, 122, 31.2))"
    expected = client.get("/collections/platforms/items", params={"filter": text, "limit": 1}).json()["numberMatched"]
    found = features.collection_items("platforms", filter=text, limit=1000)
    assert found["numberMatched"] == len(found["features"]) == expected > 0
    assert service[1].asked("/collections/platforms/items")[0]["filter"] == text


def test_box_and_datetime(features: Features) -> None:
    box = [120.6, 30.4, 120.9, 30.7]
    found = features.collection_items("platforms", bbox=box, datetime_="2021-01-01/2025-12-31", limit=1000)
    assert found["numberMatched"] == len(found["features"]) > 0
