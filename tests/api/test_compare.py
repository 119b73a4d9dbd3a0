"""Two counties or two layouts side by side."""

import re

import httpx
import pytest

BROWSER = {"Accept": "text/html"}
HAINING, JIASHAN = "330481", "330421"


def test_counts_areas_and_common_indicators_are_those_of_each(client: httpx.Client) -> None:
    body = client.get("/compare", params={"a": "海宁", "b": JIASHAN}).json()
    counted = client.get("/collections/platforms/aggregate", params={"group_by": "county", "stat": "sum:area_km2"})
    groups = {one["key"]: one for one in counted.json()["groups"]}
    values = {}
    for name, adcode in (("a", HAINING), ("b", JIASHAN)):
        side = body[name]
        assert side["id"] == adcode
        assert side["platforms"] == groups[adcode]["count"] == sum(one["count"] for one in side["kinds"])
        assert side["published_area_km2"] == pytest.approx(groups[adcode]["stats"]["sum:area_km2"])
        assert side["platforms_per_100_km2_land"] == round(side["platforms"] / side["land_area_km2"] * 100, 2)
        rows = client.get("/indicators/values", params={"region": adcode, "limit": "1000"}).json()["items"]
        values[name] = {row["indicator"] for row in rows}
    assert {one["indicator"] for one in body["indicators"]} == values["a"] & values["b"]
    assert all({row["region"] for row in one["a"]} == {HAINING} for one in body["indicators"])


def test_a_year_leaves_the_indicators_both_have_for_it(client: httpx.Client) -> None:
    every = client.get("/compare", params={"a": HAINING, "b": JIASHAN}).json()
    for year in every["years"]:
        one = client.get("/compare", params={"a": HAINING, "b": JIASHAN, "year": year}).json()
        assert {row["year"] for found in one["indicators"] for side in "ab" for row in found[side]} <= {year}
        expected = {
            found["indicator"]
            for found in every["indicators"]
            if all(any(row["year"] == year for row in found[side]) for side in "ab")
        }
        assert {found["indicator"] for found in one["indicators"]} == expected
    text = client.get("/compare", params={"a": HAINING, "b": JIASHAN}, headers=BROWSER).text
    assert all(f"&year={year}" in text for year in every["years"])


def test_the_page_names_every_platform_of_both(client: httpx.Client) -> None:
    text = client.get("/compare", params={"a": HAINING, "b": JIASHAN}, headers=BROWSER).text
    for adcode in (HAINING, JIASHAN):
        asked = {"within": f"counties/{adcode}", "limit": "1000"}
        for one in client.get("/collections/platforms/items", params=asked).json()["features"]:
            assert f"/collections/platforms/items/{one['id']}?f=html" in text


def test_without_two_counties_a_page_asks_and_data_is_refused(client: httpx.Client) -> None:
    text = client.get("/compare", headers=BROWSER).text
    assert text.count("<select") == 4
    assert all(f'<option value="{one}"' in text for one in (HAINING, JIASHAN, "jiaxing-corridor-core-zones"))
    for params, status, parameter in (
        ({}, 400, "a"), ({"a": HAINING}, 400, "b"), ({"a": HAINING, "b": "x"}, 404, "b"),
        ({"a": HAINING, "b": JIASHAN, "year": "soon"}, 400, "year"),
    ):  # fmt: skip
        answer = client.get("/compare", params=params)
        assert (answer.status_code, answer.json()["parameter"]) == (status, parameter)


def test_two_layouts_are_framed_in_the_readers_language(client: httpx.Client) -> None:
    asked = {"a": "haining-corridor-two-cities", "b": "jiaxing-corridor-core-zones", "lang": "en"}
    text = client.get("/compare/maps", params=asked, headers=BROWSER).text
    frames = re.findall(r'<iframe src="([^"]+)"', text)
    assert len(frames) == 2
    for one in frames:
        assert '<html lang="en">' in client.get(one.replace("&amp;", "&")).text
    answer = client.get("/compare/maps", params={**asked, "b": "jiaxing-corridor"})
    assert answer.status_code == 404
    assert "jiaxing-corridor-core-zones" in answer.json()["allowed"]
