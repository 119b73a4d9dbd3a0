"""Counts and sums equal those counted and summed from the items."""

from collections import Counter
from typing import Any

import httpx
import pytest

from app.catalog import COLLECTIONS


def get(client: httpx.Client, path: str, **parameters: str) -> dict[str, Any]:
    answer = client.get(f"/collections/{path}", params=parameters)
    assert answer.status_code == 200, answer.text[:300]
    body: dict[str, Any] = answer.json()
    return body


def properties(client: httpx.Client, collection: str, **parameters: str) -> list[dict[str, Any]]:
    features = get(client, f"{collection}/items", limit="10000", **parameters)["features"]
    return [feature["properties"] for feature in features]


def key(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    "by",
    ["kind", "county", "declared_county", "city", "level", "status", "geometry_method", "schematic", "town", "zone"],
)
def test_counts(client: httpx.Client, by: str) -> None:
    values = [item[by] for item in properties(client, "platforms")]
    answer = get(client, "platforms/aggregate", group_by=by)
    counted = {group["key"]: group["count"] for group in answer["groups"]}
    expected = Counter(key(value) for value in values if value is not None)
    assert {name: number for name, number in counted.items() if number} == expected
    assert answer["total"] == len(values)
    assert answer["unassigned"] == values.count(None)
    assert sum(counted.values()) + answer["unassigned"] == answer["total"]


@pytest.mark.parametrize("by", ["industries", "documents", "aliases"])
def test_an_item_counts_in_each_of_its_values(client: httpx.Client, by: str) -> None:
    values = [item[by] or [] for item in properties(client, "platforms")]
    answer = get(client, "platforms/aggregate", group_by=by)
    assert Counter({group["key"]: group["count"] for group in answer["groups"]}) == Counter(
        one for many in values for one in many
    )
    assert answer["unassigned"] == sum(not many for many in values)
    assert answer["total"] == len(values)


@pytest.mark.parametrize(
    ("by", "known"), [("county", 7), ("declared_county", 7), ("city", 11), ("level", 4), ("kind", 22)]
)
def test_groups_without_items_are_there(client: httpx.Client, by: str, known: int) -> None:
    answer = get(client, "platforms/aggregate", group_by=by, name="鹃湖国际科技城")
    assert len(answer["groups"]) == known
    assert any(group["count"] == 0 for group in answer["groups"])
    assert sum(group["count"] for group in answer["groups"]) + answer["unassigned"] == answer["total"]


def test_no_item_at_all(client: httpx.Client) -> None:
    answer = get(client, "platforms/aggregate", group_by="county", name="无此名")
    assert (answer["total"], answer["unassigned"]) == (0, 0)
    assert [group["count"] for group in answer["groups"]] == [0] * 7


def test_labels_are_names(client: httpx.Client) -> None:
    labels = {group["key"]: group["label"] for group in get(client, "platforms/aggregate", group_by="county")["groups"]}
    assert labels["330481"] == "海宁市"
    kinds = {group["key"]: group["label"] for group in get(client, "platforms/aggregate", group_by="kind")["groups"]}
    assert kinds["lake_district"] == "科创湖区"


def test_statistics(client: httpx.Client) -> None:
    items = properties(client, "lake_districts")
    answer = get(
        client, "lake_districts/aggregate", group_by="county",
        stat="count,sum:area_km2,avg:area_km2,min:area_km2,max:area_km2",
    )  # fmt: skip
    assert len(items) == 8
    for group in answer["groups"]:
        areas = [item["area_km2"] for item in items if item["county"] == group["key"] and item["area_km2"] is not None]
        expected: dict[str, Any] = dict.fromkeys(group["stats"])
        if areas:
            expected = {
                "sum:area_km2": pytest.approx(sum(areas)),
                "avg:area_km2": pytest.approx(sum(areas) / len(areas)),
                "min:area_km2": min(areas),
                "max:area_km2": max(areas),
            }
        assert group["stats"] == expected
    total = sum(group["stats"]["sum:area_km2"] or 0 for group in answer["groups"])
    assert total == pytest.approx(sum(item["area_km2"] for item in items))


def test_a_filtered_selection(client: httpx.Client) -> None:
    expected = Counter(item["kind"] for item in properties(client, "platforms", within="海宁"))
    answer = get(client, "platforms/aggregate", group_by="kind", within="海宁")
    assert {group["key"]: group["count"] for group in answer["groups"] if group["count"]} == expected


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_collection_counts(client: httpx.Client, name: str) -> None:
    answer = get(client, f"{name}/aggregate", group_by="name")
    assert answer["total"] == get(client, f"{name}/items", limit="1")["numberMatched"]
