"""Items over HTTP: pages, filters, one item, and what an answer says of itself."""

import asyncio
import json
import re
from typing import Any

import httpx
import numpy as np
import pytest
import shapely
import sqlalchemy as sa

from app.api import feature_pages
from app.catalog import COLLECTIONS
from app.db import tables as t
from app.db.engine import reader, snapshot
from app.filters.guard import LIMITS
from app.queries import items
from app.queries.selection import Selection
from app.settings import QuestionLimits, Settings
from tests.conftest import connect, served, settings_for
from tests.conftest import http as client_of

PLATFORMS = "/collections/platforms/items"


def get(client: httpx.Client, path: str, **parameters: str) -> dict[str, Any]:
    # an empty dict would take the query off the address
    answer = client.get(path, params=parameters or None)
    assert answer.status_code == 200, answer.text[:300]
    body: dict[str, Any] = answer.json()
    return body


def ids(answer: dict[str, Any]) -> list[str]:
    return [feature["id"] for feature in answer["features"]]


@pytest.fixture(scope="module")
def everything(client: httpx.Client) -> list[dict[str, Any]]:
    features: list[dict[str, Any]] = get(client, PLATFORMS, limit="10000")["features"]
    return features


def where(features: list[dict[str, Any]], test: Any) -> list[str]:
    return [feature["id"] for feature in features if test(feature["properties"])]


def links(answer: dict[str, Any]) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in answer["links"]}


# ------------------------------------------------------------------------------------------------------------- paging


def test_pages_stand_while_rows_come_and_go(database_url: sa.URL) -> None:
    """One appears before the page already read, and its very last one goes: the rest comes once, and nothing else."""

    def retire(item: str, retired: bool) -> None:
        with connect(database_url).begin() as connection:
            connection.execute(sa.update(t.platform).values(retired=retired).where(t.platform.c.id == item))

    with served(settings_for(database_url)) as address, client_of(address) as client:
        every = ids(get(client, PLATFORMS, limit="10000"))
        retire(every[0], True)
        read = get(client, PLATFORMS, limit="150")
        retire(every[0], False)
        retire(ids(read)[-1], True)
        rest = []
        while "next" in links(read):
            read = get(client, links(read)["next"])
            rest += ids(read)
    assert rest == every[151:]


def test_the_nearest_page_too(client: httpx.Client) -> None:
    """More than a page of them, nearest first, each once; files and counts know the same ones."""
    asked = {"nearest": "120.7,30.5", "k": "150"}
    pages = [get(client, PLATFORMS, **asked, limit="40")]
    while "next" in links(pages[-1]):
        pages.append(get(client, links(pages[-1])["next"]))
    features = [feature for page in pages for feature in page["features"]]
    distances = [feature["properties"]["distance_m"] for feature in features]
    assert distances == sorted(distances)
    found = {feature["id"] for feature in features}
    assert len(found) == len(features) == pages[0]["numberMatched"] == 150
    exported = get(client, "/exports/platforms.geojson", **asked)["features"]
    assert {feature["id"] for feature in exported} == found
    assert get(client, "/collections/platforms/aggregate", **asked, group_by="kind")["total"] == len(found)
    nearest = get(client, PLATFORMS, near="120.7,30.5", distance="300000", limit="10000")["features"]
    assert distances == sorted(feature["properties"]["distance_m"] for feature in nearest)[:150]
    few = get(client, PLATFORMS, **{**asked, "k": "50"}, limit="40", sortby="-name")
    assert (few["numberMatched"], few["numberReturned"]) == (50, 40)
    names = [feature["properties"]["name"] for feature in few["features"]]
    assert names == sorted(names, reverse=True)


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_give_each_item_once(client: httpx.Client, everything: list[dict[str, Any]], limit: int) -> None:
    found: list[str] = []
    where = "&kind=lake_district,laboratory" if limit == 1 else ""
    expected = [f["id"] for f in everything if limit > 1 or f["properties"]["kind"] in ("lake_district", "laboratory")]
    address: str | None = f"{PLATFORMS}?limit={limit}{where}"
    while address:
        page = get(client, address)
        assert page["numberMatched"] == len(expected)
        assert page["numberReturned"] == len(page["features"]) <= limit
        found += ids(page)
        address = links(page).get("next")
    assert found == expected


@pytest.mark.parametrize("order", ["schematic", "-area_km2", "level,-name", "-position_accuracy_m,kind"])
def test_pages_in_another_order(client: httpx.Client, everything: list[dict[str, Any]], order: str) -> None:
    """Whatever the items are sorted by, missing values included, pages give each once and in that order."""
    found: list[str] = []
    address: str | None = f"{PLATFORMS}?limit=60&properties=name&sortby={order}"
    while address:
        page = get(client, address)
        found += ids(page)
        address = links(page).get("next")
    assert sorted(found) == sorted(feature["id"] for feature in everything)
    assert found == ids(get(client, PLATFORMS, limit="10000", properties="name", sortby=order))


def test_order_is_by_bytes_of_the_id(everything: list[dict[str, Any]]) -> None:
    found = [feature["id"] for feature in everything]
    assert found == sorted(found, key=str.encode)


def test_offset(client: httpx.Client, everything: list[dict[str, Any]]) -> None:
    assert ids(get(client, PLATFORMS, offset="5", limit="3")) == [feature["id"] for feature in everything[5:8]]
    assert ids(get(client, PLATFORMS, offset="10000")) == []


def test_next_keeps_the_question(client: httpx.Client) -> None:
    page = get(client, PLATFORMS, within="海宁市", kind="research_institute,innovation_park", limit="1", offset="1")
    following = httpx.URL(links(page)["next"])
    assert dict(following.params) | {"cursor": ""} == {
        "within": "海宁市", "kind": "research_institute,innovation_park", "limit": "1", "cursor": "",
    }  # fmt: skip


def test_a_page_ends_where_it_would_be_too_large(loaded_url: sa.URL) -> None:
    """It is gone on with by the next link, forwards and on pages for people too; nothing is left out or told twice."""
    path = "/collections/region_indicators/items"
    with served(settings_for(loaded_url, max_page_mb=1)) as address, client_of(address) as client:
        pages, following = [], f"{path}?limit=10000&sortby=-year"
        while following:
            answer = client.get(following)
            assert len(answer.content) < (1 << 20) + 5_000
            pages.append(answer.json())
            following = links(pages[-1]).get("next", "")
        assert len(pages) > 3
        assert all(len(ids(one)) == one["numberReturned"] for one in pages)
        told = [one for page in pages for one in ids(page)]
        assert len(set(told)) == len(told) == pages[0]["numberMatched"] == pages[-1]["numberMatched"]
        # a page for people ends sooner, and the next one begins there
        html = client.get(f"{path}?limit=10000&f=html").text
        (begun,) = set(re.findall(r"offset=(\d+)", html))
        assert 0 < int(begun) < get(client, path, limit="10000")["numberReturned"]
        shown = re.findall(rf'href="[^"]*{path}/([^"?]+)', html)
        everything = get(client, path, limit="10000")
        assert list(dict.fromkeys(shown)) == ids(everything)[: int(begun)]


def test_the_map_of_a_page_is_as_coarse_as_it_must_be() -> None:
    """Outlines with more vertices than a browser should be sent, of one part and of thousands, and of few."""
    angles = np.linspace(0, 2 * np.pi, 20_000)
    jagged = shapely.Polygon(
        np.column_stack((np.cos(angles), np.sin(angles))) * (1 + 0.1 * (np.arange(20_000) % 2))[:, None]
    )
    few = shapely.Point(120.123456, 30.5).buffer(0.01)
    parts = shapely.MultiPolygon([shapely.box(x, 0, x + 0.5, 0.5) for x in range(12_000)])
    (alone,) = feature_pages._simple(np.array([few]))
    assert alone.hausdorff_distance(few) <= 2 * feature_pages.TOLERANCE
    assert shapely.get_coordinates(alone).round(5).tolist() == shapely.get_coordinates(alone).tolist()
    small = shapely.box(120, 30, 120.0001, 30.0001)
    (alone,) = feature_pages._simple(np.array([small]))
    assert alone.equals(small)
    for many in ([jagged] * 3, [parts]):
        shown = feature_pages._simple(np.array(many))
        assert 0 < shapely.get_num_coordinates(shown).sum() <= feature_pages.MOST_VERTICES
        assert shapely.bounds(shown) == pytest.approx(shapely.bounds(many), abs=0.2)


def test_a_page_has_one_item_however_large(loaded_url: sa.URL) -> None:
    async def asked() -> list[items.Page]:
        LIMITS.set(QuestionLimits.model_construct(max_page_mb=0))
        engine = reader(loaded_url, settings_for(loaded_url))
        async with snapshot(engine) as connection:
            selection = Selection(COLLECTIONS["counties"])
            first = await items.page(connection, selection, 5)
            last = await items.page(connection, selection, 5, offset=first.matched - 1)
        await engine.dispose()
        return [first, last]

    first, last = asyncio.run(asked())
    assert [one.returned for one in (first, last)] == [1, 1]
    assert first.next == [json.loads(first.features)["id"]]
    assert last.next is None


def test_limit_has_a_default_and_a_maximum(client: httpx.Client, everything: list[dict[str, Any]]) -> None:
    assert len(get(client, PLATFORMS)["features"]) == min(len(everything), Settings().default_limit)
    assert len(get(client, PLATFORMS, limit="999999999")["features"]) == len(everything)


# ------------------------------------------------------------------------------------------------------------ filters


def test_comma_is_or_and_parameters_are_and(client: httpx.Client, everything: list[dict[str, Any]]) -> None:
    kinds = ("hightech_park", "lake_district")
    either = where(everything, lambda p: p["kind"] in kinds)
    assert ids(get(client, PLATFORMS, kind=",".join(kinds), limit="10000")) == either
    both = where(everything, lambda p: p["kind"] in kinds and p["county"] == "330481")
    assert 0 < len(both) < len(either)
    assert ids(get(client, PLATFORMS, kind=",".join(kinds), county="330481")) == both


@pytest.mark.parametrize(
    ("name", "value", "test"),
    [
        ("name", "鹃湖国际科技城", lambda p: p["name"] == "鹃湖国际科技城"),
        ("schematic", "true", lambda p: p["schematic"] is True),
        ("schematic", "false", lambda p: p["schematic"] is False),
        ("area_km2", "42.7", lambda p: p["area_km2"] == 42.7),
        ("area_km2", "42.70", lambda p: p["area_km2"] == 42.7),
        ("geometry_method", "county_only", lambda p: p["geometry_method"] == "county_only"),
        ("level", "national,provincial", lambda p: p["level"] in ("national", "provincial")),
        ("aliases", "南湖高新区", lambda p: "南湖高新区" in p["aliases"]),
        ("documents", "jiashan-sti-2035", lambda p: "jiashan-sti-2035" in p["documents"]),
        ("industries", "科技研发", lambda p: "科技研发" in p["industries"]),
        ("zone_name", "嘉兴经济技术开发区（国际商务区）", lambda p: p["zone_name"] is not None),
    ],
)  # fmt: skip
def test_property_filters(
    client: httpx.Client, everything: list[dict[str, Any]], name: str, value: str, test: Any
) -> None:
    expected = where(everything, test)
    assert 0 < len(expected) < len(everything)
    assert ids(get(client, PLATFORMS, limit="10000", **{name: value})) == expected


def test_a_comma_in_a_value_is_escaped(client: httpx.Client, everything: list[dict[str, Any]]) -> None:
    value = next(f["properties"]["name_en"] for f in everything if "," in (f["properties"]["name_en"] or ""))
    found = get(client, PLATFORMS, name_en=value.replace(",", "\\,"))
    assert [feature["properties"]["name_en"] for feature in found["features"]] == [value]


def as_text(value: Any) -> str:
    one = value[0] if isinstance(value, list) else value
    text = str(one).lower() if isinstance(one, bool) else str(one)
    return text.replace(",", "\\,")


@pytest.mark.parametrize("described", COLLECTIONS.values(), ids=COLLECTIONS)
def test_every_queryable_of_every_collection(client: httpx.Client, described: Any) -> None:
    """Asked for the value of some item, a filter gives that item."""
    path = f"/collections/{described.id}/items"
    features = get(client, path, limit="50")["features"]
    assert features
    for field in described.queryables:
        example = next((f for f in features if f["properties"][field.name] not in (None, [])), None)
        if example is not None:
            value = as_text(example["properties"][field.name])
            found = get(client, path, limit="10000", properties="name", **{field.name: value})
            assert example["id"] in ids(found), field.name


@pytest.mark.parametrize(
    ("bbox", "test"),
    [
        ("120.9,30.9,121.0,31.0", lambda x, y: 120.9 <= x <= 121.0 and 30.9 <= y <= 31.0),
        ("120.9,30.9,0,121.0,31.0,100", lambda x, y: 120.9 <= x <= 121.0 and 30.9 <= y <= 31.0),
        ("170,-10,121,31", lambda x, y: (x >= 170 or x <= 121) and y <= 31),
        ("0,0,1,1", lambda x, y: False),
    ],
)
def test_bbox(client: httpx.Client, bbox: str, test: Any) -> None:
    """Towns are points, for which a box is plain arithmetic."""
    towns = get(client, "/collections/towns/items", limit="10000")["features"]
    expected = [town["id"] for town in towns if test(*town["geometry"]["coordinates"])]
    assert ids(get(client, "/collections/towns/items", bbox=bbox, limit="10000")) == expected
    assert len(expected) < len(towns)


# ----------------------------------------------------------------------------------------------------------- one item


def test_one_item_is_a_feature(client: httpx.Client) -> None:
    answer = client.get(f"{PLATFORMS}/juanhu-science-city")
    assert answer.headers["content-type"].startswith("application/geo+json")
    item = answer.json()
    assert (item["type"], item["id"]) == ("Feature", "juanhu-science-city")
    assert item["properties"]["name"] == "鹃湖国际科技城"
    assert item["geometry"]["type"] == "Polygon"
    assert client.get(links(item)["self"]).json()["id"] == item["id"]


def test_the_item_is_that_of_the_list(client: httpx.Client, everything: list[dict[str, Any]]) -> None:
    for feature in everything[::40]:
        item = get(client, f"{PLATFORMS}/{feature['id']}")
        assert {name: item[name] for name in feature} == feature


def test_every_platform_cites_its_lines(everything: list[dict[str, Any]]) -> None:
    for feature in everything:
        sources = feature["properties"]["sources"]
        assert sources, feature["id"]
        for source in sources:
            assert source["document"]
            assert source["title"]
            assert source["quote"]
            assert 1 <= source["line_start"] <= source["line_end"]


def test_every_geometry_says_how_it_is_known(everything: list[dict[str, Any]]) -> None:
    for feature in everything:
        properties = feature["properties"]
        assert properties["schematic"] is (properties["geometry_method"] == "schematic")
        if feature["geometry"] is None:
            assert properties["geometry_method"] == "none"
        else:
            assert properties["position_source"], feature["id"]
            assert properties["position_accuracy_m"] is not None, feature["id"]


# --------------------------------------------------------------------------------------------- what an answer tells


@pytest.mark.parametrize("relation", ["position", "intersects", "declared"])
def test_every_answer_says_its_relation(client: httpx.Client, relation: str) -> None:
    for path in (PLATFORMS, "/exports/platforms.geojson"):
        answer = get(client, path, within="海宁", relation=relation)
        assert answer["relation"] == relation
        assert answer["within"] == [{"collection": "counties", "id": "330481", "name": "海宁市"}]
    answer = get(client, "/collections/platforms/aggregate", group_by="kind", within="海宁", relation=relation)
    assert answer["relation"] == relation


def test_the_relation_is_said_unasked(client: httpx.Client) -> None:
    assert get(client, PLATFORMS)["relation"] == "position"


def test_a_question_by_a_drawing_says_so(client: httpx.Client) -> None:
    answer = get(client, PLATFORMS, within="lake_districts/juanhu-science-city")
    assert answer["schematic"] is True
    assert "schematic" not in get(client, PLATFORMS, within="海宁")


def test_credits_travel_with_the_data(client: httpx.Client) -> None:
    for name in COLLECTIONS:
        assert get(client, f"/collections/{name}/items", limit="1")["attribution"] == list(COLLECTIONS[name].credits)


def test_collections_describe_themselves(client: httpx.Client) -> None:
    described = {one["id"]: one for one in get(client, "/collections")["collections"]}
    assert set(described) == set(COLLECTIONS)
    for name, one in described.items():
        assert get(client, f"/collections/{name}")["id"] == name
        west, south, east, north = one["extent"]["spatial"]["bbox"][0]
        assert 110 < west <= east < 130, name
        assert 25 < south <= north < 35, name
        assert client.get(links(one)["items"], params={"limit": "1"}).status_code == 200


def test_landing_page_links_work(client: httpx.Client) -> None:
    landing = get(client, "/")
    for link in landing["links"]:
        assert client.get(link["href"]).status_code == 200, link


def test_landing_page_for_people(client: httpx.Client) -> None:
    answer = client.get("/", headers={"Accept": "text/html"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "嘉兴创新地图" in answer.text
    # the switch of language keeps the address it stands on
    assert client.get("/?f=html").text.replace("?f=html&amp;lang=en", "?lang=en") == answer.text


def test_is_ready(client: httpx.Client) -> None:
    assert get(client, "/livez") == {"status": "ok"}
    assert get(client, "/readyz")["data_changed_at"]
