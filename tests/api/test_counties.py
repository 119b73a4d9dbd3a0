"""The page of a county: what it lists, how it is reached, and that its downloads hold just what is shown."""

import json
import re
from html import unescape

import httpx
import pytest

BROWSER = {"Accept": "text/html"}


def page(client: httpx.Client, path: str, **params: str) -> str:
    answer = client.get(path, params=params or None, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < 300_000
    return answer.text


def listed(text: str) -> list[str]:
    return re.findall(r'<tr data-id="([^"]+)"', text)


def ids(client: httpx.Client, **params: str) -> list[str]:
    asked = {"within": "counties/330481", "limit": "1000", "properties": "name", **params}
    return [one["id"] for one in client.get("/collections/platforms/items", params=asked).json()["features"]]


def test_it_lists_the_countys_platforms_and_nothing_else(client: httpx.Client) -> None:
    text = page(client, "/counties/330481")
    assert sorted(listed(text)) == sorted(ids(client))
    drawn = json.loads(re.findall(r'id="shapes">(.*?)</script>', text)[0])
    # whatever has a position is on the map, by the symbol of its kind
    assert {one["id"] for one in drawn["places"]} == set(ids(client))
    assert {one["icon"] for one in drawn["places"]} <= set(drawn["icons"])
    hollow = {one["id"] for one in drawn["places"] if one["icon"].endswith("-hollow")}
    assert hollow == set(ids(client, geometry_method="county_only,city_only"))
    dashed = {one["id"] for one in drawn["places"] if one.get("area", {}).get("style", {}).get("dashArray")}
    assert dashed == set(ids(client, geometry_method="schematic"))


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "research_institute,university"},
        {"industry_contains": "智能", "relation": "declared"},
        {"level": "provincial", "sortby": "-name"},
    ],
)
def test_what_is_chosen_is_shown_and_what_is_shown_is_downloaded(client: httpx.Client, asked: dict[str, str]) -> None:
    text = page(client, "/counties/330481", **asked)
    chosen = {name: value for name, value in asked.items() if name != "sortby"}
    assert listed(text)
    assert set(listed(text)) == set(ids(client, **chosen))
    downloads = re.findall(r'<a data-export href="([^"]+)"', text)
    assert len(downloads) >= 9
    address = next(one for one in map(unescape, downloads) if ".geojson?" in one)
    assert [one["id"] for one in client.get(address).json()["features"]] == ids(client, **chosen)


def test_the_table_is_sorted_by_links_alone(client: httpx.Client) -> None:
    heading = re.compile(
        r'<th scope="col" class="number"(?: aria-sort="(\w+)")?><a id="sort-area_km2"[^>]* href="([^"]+)"'
    )
    text = page(client, "/counties/330481")
    for direction in ("ascending", "descending"):
        found = heading.search(text)
        assert found is not None
        text = page(client, unescape(found[2]))
        shown = heading.search(text)
        assert shown is not None
        assert shown[1] == direction
        areas = [float(one) for one in re.findall(r'<td class="number">([\d.]+)</td><td>', text)]
        assert len(areas) > 1
        assert areas == sorted(areas, reverse=direction == "descending")


def test_pages_follow_each_other(client: httpx.Client) -> None:
    seen, address = [], "/counties/330481?f=html&limit=30&sortby=name"
    while address:
        text = page(client, address)
        seen += listed(text)
        following = re.search(r'<a rel="next" data-swap href="([^"]+)"', text)
        address = unescape(following[1]) if following else ""
    assert sorted(seen) == sorted(ids(client))


def test_values_of_its_indicators_stand_by_year_with_their_documents(client: httpx.Client) -> None:
    text = page(client, "/counties/330481")
    rows = client.get("/indicators/values", params={"region": "330481", "limit": "1000"}).json()["items"]
    table = text[text.index('id="indicators"') :]
    columns = re.findall(r'<th scope="col" class="number[^"]*">(\d{4})<br>([^<]+)</th>', table)
    told = {"actual": "实际", "flash": "快报", "target": "目标"}
    assert set(columns) == {(str(row["year"]), told[row["kind"]]) for row in rows}
    assert columns == sorted(columns, key=lambda one: (one[0], list(told.values()).index(one[1])))
    for row in rows:
        assert f"indicator={row['indicator']}&amp;region=330481" in table
        assert row["document_title"] in table
    # a number with its sign and unit
    share = next(row for row in rows if row["indicator"] == "rd-gdp-share" and row["kind"] == "target")
    assert f"{'≥' if share['operator'] == 'ge' else ''}{share['value']:g}{share['unit']}<" in table
    assert "没有该县" in page(client, "/counties/330483")


@pytest.mark.parametrize("name", ["海宁市", "海宁", "haining", "Haining City"])
def test_a_name_leads_to_the_county(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/counties/{name}?kind=university")
    assert answer.status_code == 307
    assert answer.headers["location"].endswith("/counties/330481?kind=university")


@pytest.mark.parametrize("name", ["330499", "海宁县城", "嘉兴市", "nowhere"])
def test_what_is_no_county_is_answered_with_those_there_are(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/counties/{name}")
    assert answer.status_code == 404
    problem = answer.json()
    assert problem["parameter"] == "countyId"
    assert problem["allowed"]
    shown = client.get(f"/counties/{name}", headers=BROWSER)
    assert shown.status_code == 404
    assert shown.headers["content-type"].startswith("text/html")
    candidates = re.findall(r'<li><a href="([^"]+)"', shown.text)
    assert len(candidates) == len(problem["allowed"])
    assert client.get(unescape(candidates[0]), follow_redirects=True).status_code == 200


def test_it_is_data_for_programs(client: httpx.Client) -> None:
    body = client.get("/counties/330481", params={"kind": "university"}).json()
    assert body["id"] == "330481"
    assert body["relation"] == "position"
    found = [one["id"] for one in body["platforms"]["items"]]
    assert sorted(found) == sorted(ids(client, kind="university"))
    assert body["platforms"]["numberMatched"] == len(found)
    # of each kind as many as there would be, whichever are chosen
    assert sum(one["count"] for one in body["platforms"]["kinds"]) == len(ids(client))
    assert body["indicators"]
    for one in body["links"]:
        assert client.get(one["href"]).status_code == 200, one


def test_wrong_questions_are_refused(client: httpx.Client) -> None:
    for params, parameter in (({"kind": ""}, "kind"), ({"sortby": "geometry"}, "sortby"), ({"bbox": "1"}, "bbox")):
        answer = client.get("/counties/330481", params=params)
        assert (answer.status_code, answer.json()["parameter"]) == (400, parameter)
    # a form sends the field that was left empty
    assert client.get("/counties/330481", params={"industry_contains": ""}).status_code == 200
