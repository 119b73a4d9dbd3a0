"""What lies inside a county: the answer of the service against shapely on the data files."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

COUNTIES = {
    "330402": ("南湖区", "南湖", "Nanhu"),
    "330411": ("秀洲区", "秀洲", "Xiuzhou"),
    "330421": ("嘉善县", "嘉善", "Jiashan"),
    "330424": ("海盐县", "海盐", "Haiyan"),
    "330481": ("海宁市", "海宁", "Haining"),
    "330482": ("平湖市", "平湖", "Pinghu"),
    "330483": ("桐乡市", "桐乡", "Tongxiang"),
}
Row = dict[str, str]


def ask(client: httpx.Client, **parameters: str) -> dict[str, Any]:
    answer = client.get("/collections/platforms/items", params={"limit": "10000", **parameters})
    assert answer.status_code == 200, answer.text[:300]
    body: dict[str, Any] = answer.json()
    assert body["numberMatched"] == body["numberReturned"] == len(body["features"])
    return body


def ids(answer: dict[str, Any]) -> set[str]:
    return {feature["id"] for feature in answer["features"]}


@pytest.fixture(scope="module")
def everything(client: httpx.Client) -> dict[str, Any]:
    return ask(client)


def test_every_row_of_the_files_is_there(everything: dict[str, Any], platform_rows: dict[str, Row]) -> None:
    assert ids(everything) == set(platform_rows)


@pytest.mark.parametrize("county", COUNTIES)
def test_by_position(client: httpx.Client, county_of: dict[str, str | None], county: str) -> None:
    expected = {id for id, found in county_of.items() if found == county}
    assert expected, "a county without any platform proves nothing"
    answer = ask(client, within=f"counties/{county}")
    assert ids(answer) == expected
    assert answer["relation"] == "position"
    assert {feature["properties"]["county"] for feature in answer["features"]} == {county}


@pytest.mark.parametrize(("county", "names"), COUNTIES.items())
def test_by_every_name(client: httpx.Client, county: str, names: tuple[str, ...]) -> None:
    expected = ids(ask(client, within=f"counties/{county}"))
    for name in (county, *names, names[-1].lower(), names[-1].upper()):
        answer = ask(client, within=name)
        assert ids(answer) == expected, name
        assert answer["within"] == [{"collection": "counties", "id": county, "name": names[0]}]


@pytest.mark.parametrize("county", COUNTIES)
def test_by_declaration(
    client: httpx.Client, platform_rows: dict[str, Row], town_county: dict[str, str], county: str
) -> None:
    """The county a document names; where it names a town alone, the county of that town."""
    named = {id: row["county"] or town_county.get(row["town"]) for id, row in platform_rows.items()}
    answer = ask(client, within=f"counties/{county}", relation="declared")
    assert ids(answer) == {id for id, declared in named.items() if declared == county}
    assert answer["relation"] == "declared"


def test_by_declaration_of_a_city(
    client: httpx.Client, platform_rows: dict[str, Row], town_county: dict[str, str]
) -> None:
    """The city itself, or one of its counties, and those of no other city; what is neither is named by none."""
    named = {id: row["county"] or town_county.get(row["town"]) for id, row in platform_rows.items()}
    assert ids(ask(client, within="lake_districts/juanhu-science-city", relation="declared")) == set()
    for city in ("330400", "330100", "330500"):
        expected = {
            id for id, row in platform_rows.items()
            if row["city"] == city or (named[id] in COUNTIES and city == "330400")
        }  # fmt: skip
        assert ids(ask(client, within=f"cities/{city}", relation="declared")) == expected
        assert expected


@pytest.mark.parametrize("county", COUNTIES)
def test_by_intersection(
    client: httpx.Client, everything: dict[str, Any], county_outlines: dict[str, BaseGeometry], county: str
) -> None:
    """The drawn shapes as served, the outlines as in the file."""
    outline = county_outlines[county]
    drawn = {feature["id"]: shape(feature["geometry"]) for feature in everything["features"] if feature["geometry"]}
    expected = {id for id, geometry in drawn.items() if geometry.intersects(outline) and not geometry.touches(outline)}
    answer = ask(client, within=f"counties/{county}", relation="intersects")
    assert ids(answer) == expected
    assert answer["relation"] == "intersects"


def test_lines_by_intersection(client: httpx.Client, county_outlines: dict[str, BaseGeometry]) -> None:
    """A line that crosses a county is found by it, and by that which it goes on in."""
    every = client.get("/collections/corridors/items").json()["features"]
    drawn = {one["id"]: shape(one["geometry"]) for one in every if one["geometry"]}
    for county, outline in county_outlines.items():
        expected = {id for id, line in drawn.items() if line.intersects(outline) and not line.touches(outline)}
        answer = client.get("/collections/corridors/items", params={"within": county, "relation": "intersects"}).json()
        assert ids(answer) == expected


def test_intersection_alone_finds_an_area_from_both_sides(client: httpx.Client) -> None:
    """Some circle reaches over a border; by position it lies in one county only."""
    counts = {
        relation: Counter(
            id for county in COUNTIES for id in ids(ask(client, within=f"counties/{county}", relation=relation))
        )
        for relation in ("position", "intersects")
    }
    assert max(counts["position"].values()) == 1
    assert max(counts["intersects"].values()) > 1


def test_counties_add_up(client: httpx.Client, everything: dict[str, Any], county_of: dict[str, str | None]) -> None:
    several = ask(client, within=",".join(f"counties/{county}" for county in COUNTIES))
    assert len(several["features"]) == sum(found is not None for found in county_of.values())
    groups = client.get("/collections/platforms/aggregate", params={"group_by": "county"}).json()
    counted = {group["key"]: group["count"] for group in groups["groups"]}
    assert counted == {county: Counter(county_of.values())[county] for county in COUNTIES}
    assert groups["unassigned"] == Counter(county_of.values())[None]
    assert groups["total"] == len(everything["features"]) == sum(counted.values()) + groups["unassigned"]


@pytest.mark.parametrize("kind", ["lake_district", "hightech_park", "research_institute"])
def test_with_kind(
    client: httpx.Client, county_of: dict[str, str | None], platform_rows: dict[str, Row], kind: str
) -> None:
    for county in COUNTIES:
        expected = {id for id, row in platform_rows.items() if row["kind"] == kind and county_of[id] == county}
        assert ids(ask(client, within=f"counties/{county}", kind=kind)) == expected


def test_with_industry(client: httpx.Client, geodata: Path, county_of: dict[str, str | None]) -> None:
    links: dict[str, set[str]] = {}
    for path in geodata.glob("*/industry_links.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for term in {row["words"], row["industry"]} - {""}:
                    links.setdefault(term, set()).add(row["platform"])
    common = sorted(links, key=lambda term: (-len(links[term]), term))[:6]
    for term in common:
        assert ids(ask(client, industry=term)) == links[term], term
        expected = {id for id in links[term] if county_of[id] == "330481"}
        assert ids(ask(client, industry=term, within="海宁")) == expected, term


def test_with_part_of_an_industry(client: httpx.Client, geodata: Path) -> None:
    """Any part of the printed words; what is a wildcard elsewhere is a letter here."""
    words: dict[str, set[str]] = {}
    for path in geodata.glob("*/industry_links.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                words.setdefault(row["platform"], set()).add(row["words"])
    for part in ("材料", "材料,研发", "科_研发", "%"):
        expected = {id for id, found in words.items() if any(one in word for one in part.split(",") for word in found)}
        assert ids(ask(client, industry_contains=part)) == expected
        assert bool(expected) is not ("_" in part or "%" in part)


def test_a_zone_is_no_county_and_says_so(client: httpx.Client) -> None:
    """嘉兴高新技术产业园区 belongs to 嘉兴经开区, yet a question by county finds it where it lies."""
    answer = client.get("/collections/platforms/items/jiaxing-hightech-park").json()
    properties = answer["properties"]
    assert properties["zone_name"] == "嘉兴经济技术开发区（国际商务区）"
    assert properties["declared_county"] is None
    assert properties["county"] in COUNTIES
    assert properties["zone_name"] in properties["zone_note"]
    assert properties["county_name"] in properties["zone_note"]
    assert "jiaxing-hightech-park" in ids(ask(client, within=f"counties/{properties['county']}"))


#: Platforms whose county by position is not the county that a document names, and why that is right.
DIFFERENCES: dict[str, tuple[str, str | None, str]] = {}


def test_position_and_document_agree(client: httpx.Client, everything: dict[str, Any]) -> None:
    """Each row's county by position is the one its document names, except as listed and explained above."""
    differing = {}
    compared = 0
    for feature in everything["features"]:
        properties = feature["properties"]
        if properties["declared_county"] and properties["geometry_method"] != "none":
            compared += 1
            if properties["declared_county"] != properties["county"]:
                differing[feature["id"]] = (properties["declared_county"], properties["county"])
    assert compared >= 100
    assert differing == {id: (declared, found) for id, (declared, found, _) in DIFFERENCES.items()}
