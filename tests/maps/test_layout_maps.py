"""The pages of the layout maps, over HTTP, on the data of the plans."""

import csv
import html
import re
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from app.maps.assets import foreign_urls
from tests.conftest import connect, http, served, settings_for

LAYOUTS = {
    "/maps/jiaxing": 8, "/maps/jiashan": 6, "/maps/haining?system=corridor-two-cities": 0,
    "/maps/haining?system=corridor-city-zone-points": 6, "/maps/zhejiang?system=innovation-spaces": 15,
    "/maps/zhejiang?system=innovation-platforms": 0, "/maps/zhejiang?system=one-corridor-many": 8,
}  # fmt: skip
ATTACK = "<img src=x onerror=alert(1)>"
LANGUAGES = ("zh", "en")


def page(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.text


def rows(geodata: Path, table: str) -> list[dict[str, str]]:
    found = []
    for file in sorted(geodata.glob(f"*/{table}.csv")):
        with file.open(encoding="utf-8") as opened:
            found += list(csv.DictReader(opened))
    return found


def numbered(text: str) -> list[tuple[str, str]]:
    """Number and name of each line of the legend's lists."""
    lines = re.findall(r"<li><b>(\d+)</b><button [^>]*>([^<]*)</button></li>", text)
    return [(number, html.unescape(name)) for number, name in lines]


@pytest.mark.parametrize("path", LAYOUTS)
def test_every_page_is_small_and_asks_nobody_else(client: httpx.Client, path: str) -> None:
    for lang in LANGUAGES:
        text = page(client, f"{path}{'&' if '?' in path else '?'}lang={lang}")
        assert foreign_urls(text.replace(str(client.base_url).rstrip("/"), "")) == []
        assert len(text.encode()) < 300_000
        assert max((int(number) for number, _ in numbered(text)), default=0) == LAYOUTS[path]


def test_behind_a_proxy_every_address_has_its_prefix(client: httpx.Client) -> None:
    seen = {"X-Forwarded-Prefix": "/kc", "X-Forwarded-Host": "map.example", "X-Forwarded-Proto": "https"}
    text = client.get("/maps/jiashan", headers=seen).text
    addresses = re.findall(r'(?:href|src|data-popups)="([^"]+)"', text)
    assert [one for one in addresses if not one.startswith(("https://map.example/kc/", "?"))] == []


def test_the_same_data_give_the_same_page(client: httpx.Client) -> None:
    first = client.get("/maps/jiaxing")
    assert client.get("/maps/jiaxing").text == first.text
    again = {"If-None-Match": first.headers["etag"]}
    assert client.get("/maps/jiaxing", headers=again).status_code == 304
    assert client.get("/maps/jiaxing?lang=en", headers=again).status_code == 200


def test_lake_districts_and_parks_are_numbered_as_the_plan_lists_them(client: httpx.Client, geodata: Path) -> None:
    members = rows(geodata, "layout_members")
    names = {row["id"]: row["name"] for row in rows(geodata, "platforms")}
    expected = [
        (row["ord"], names[row["platform"]])
        for zone in ("jx-zone-lakes", "jx-zone-hightech")
        for row in members
        if row["element"] == zone
    ]
    assert len(expected) == 16
    assert numbered(page(client, "/maps/jiaxing")) == expected


def test_everything_drawn_has_its_popup_with_source_and_accuracy(client: httpx.Client) -> None:
    """In the page or, beyond its budget, at an address of its own."""
    text = page(client, "/maps/jiaxing")
    templates = dict(re.findall(r'<template data-key="([^"]+)"(.*?)</template>', text, re.DOTALL))
    drawn = set(re.findall(r'"id": "([a-z_]+/[a-z0-9-]+)"', text))
    assert drawn <= set(templates)
    assert {"layout_elements/jx-corridor", "layout_elements/jx-core", "platforms/jiaxing-gaotie-newtown"} <= drawn
    embedded = {key: one for key, one in templates.items() if "<article" in one}
    assert 30 < len(embedded) < len(templates)
    fetched = {key: page(client, f"/maps/popups/{key}") for key in sorted(set(templates) - set(embedded))[::5]}
    for popup in (*embedded.values(), *fetched.values()):
        assert "出处" in popup
        assert re.search(r"\d+(–\d+)? 行", popup), popup
        assert "?f=geojson" in popup


def test_every_link_of_a_popup_leads_to_an_item(client: httpx.Client) -> None:
    text = page(client, "/maps/jiaxing")
    links = sorted(set(re.findall(r'href="[^"]*(/collections/[^"?]+/items/[^"?]+)"', text)))
    assert len(links) > 30
    for link in links[::7]:
        assert client.get(link).status_code == 200, link


def test_the_structure_has_every_element_and_each_its_popup(client: httpx.Client, geodata: Path) -> None:
    for layout in ("jiashan-1-4-n", "zhejiang-innovation-spaces"):
        name, _, system = layout.partition("-")
        text = page(client, f"/maps/{name}?system={system}")
        tree = text[text.index('class="tree"') : text.index('id="plan"')]
        elements = [row["id"] for row in rows(geodata, "layout_elements") if row["layout"] == layout]
        assert sorted(re.findall(r'data-show="layout_elements/([^"]+)"', tree)) == sorted(elements)
        for element in elements:
            assert re.search(rf'<template data-key="layout_elements/{element}"[^>]*><article', text), element


def test_an_element_tells_its_members_industries_indicators_and_its_sentence(client: httpx.Client) -> None:
    text = page(client, "/maps/popups/layout_elements/jx-core")
    for said in (
        "嘉兴科技城", "秀洲国家高新区", "高铁新城", 'data-show="hightech_parks/jiaxing-nanhu-hightech-park"',
        "新一代电子信息技术产业", "成员的指标", "达到8%左右", "“一核”即嘉兴科创核心区", "（四）空间布局” 239",
        "规划未给出范围",
    ):  # fmt: skip
        assert said in text, said


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("counties/330481", ("330481", "863.414 km²", "嘉兴市")),
        ("corridors/jx-corridor", ("形成嘉兴创新发展的主动脉", "237 行")),
        ("towns/haining-changan", ("长安",)),
    ],
)
def test_a_feature_of_any_collection_has_a_popup(client: httpx.Client, path: str, said: tuple[str, ...]) -> None:
    answer = client.get(f"/maps/popups/{path}")
    assert answer.status_code == 200, answer.text
    assert all(one in answer.text for one in said), answer.text


def hollow(text: str) -> set[str]:
    """Keys of the institutes whose symbol is hollow, from the styles of their layer."""
    body = next(
        part for part in text.split("_styler(feature) {")[1:] if '"research_institutes/' in part.split("default:")[0]
    )
    keys = set(re.findall(r'"id": "(research_institutes/[a-z0-9-]+)"', body))
    styles = re.findall(r'((?:case "[^"]+": *)+)return ({.*?});', body.replace("\n", " "))
    default = re.search(r"default: *return ({.*?});", body.replace("\n", " "))
    assert default
    named = {key: style for cases, style in styles for key in re.findall(r'"([^"]+)"', cases)}
    return {key for key in keys if "symbol hollow" in named.get(key, default[1])}


def test_a_county_known_alone_is_never_a_site(client: httpx.Client) -> None:
    text = page(client, "/maps/jiaxing")
    institutes = client.get("/collections/research_institutes/items?limit=1000").json()["features"]
    drawn = {
        f"research_institutes/{one['id']}": one["properties"]["geometry_method"]
        for one in institutes
        if "jiaxing-sti-14fyp" in one["properties"]["documents"] and one["geometry"]
    }
    assert set(drawn.values()) >= {"county_only", "point"}
    assert hollow(text) == {key for key, method in drawn.items() if method in ("county_only", "city_only")}
    for key, method in drawn.items():
        popup = re.search(rf'<template data-key="{key}".*?</template>', text, re.DOTALL)
        assert popup
        said = popup[0] if "<article" in popup[0] else page(client, f"/maps/popups/{key}")
        assert ("符号不是地址" in said) is (method in ("county_only", "city_only"))


def test_the_page_says_what_it_is_not(client: httpx.Client) -> None:
    text = page(client, "/maps/jiaxing")
    footer = re.search(r"<footer>(.*?)</footer>", text, re.DOTALL)
    assert footer
    assert "示意，不是边界；无审图号" in footer[1]
    assert re.search(r"数据 .*\d{4}-\d\d-\d\d", footer[1])
    assert "GeoNames (CC BY 4.0)" in text
    assert "© OpenStreetMap contributors, ODbL 1.0" in text


def test_every_layout_of_the_data_has_its_map(geodata: Path) -> None:
    names = [re.sub(r"\?system=", "-", path.removeprefix("/maps/")) for path in LAYOUTS]
    layouts = [row["id"] for row in rows(geodata, "layouts")]
    assert len(layouts) == len(LAYOUTS)
    assert all(any(layout.startswith(name) for name in names) for layout in layouts)


@pytest.mark.parametrize(
    ("path", "status", "parameter", "allowed"),
    [
        ("/maps/jiaxin", 404, "mapId", "jiaxing"),
        ("/maps/haining?system=corridor", 400, "system", "corridor-two-cities"),
        ("/maps/jiaxing?lang=fr", 400, "lang", "en"),
        ("/maps/jiaxing?zoom=3", 400, "zoom", "lang"),
        ("/maps/popups/platforms/nowhere", 404, "featureId", ""),
        ("/maps/popups/platform/nowhere", 404, "collectionId", "platforms"),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_right(
    client: httpx.Client, path: str, status: int, parameter: str, allowed: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["parameter"] == parameter
    assert allowed in (answer.json().get("allowed") or "")


def test_a_hostile_name_is_text(database_url: sa.URL) -> None:
    with connect(database_url).begin() as connection:
        for table, item in (("platform", "juanhu-science-city"), ("layout_element", "jx-core"), ("region", "330481")):
            connection.execute(
                sa.text(f"UPDATE {table} SET name = :name, name_en = :name WHERE id = :item"),  # noqa: S608
                {"name": ATTACK, "item": item},
            )
    with served(settings_for(database_url)) as address, http(address) as client:
        for lang in LANGUAGES:
            text = page(client, f"/maps/jiaxing?lang={lang}")
            assert ATTACK not in text
            assert html.escape(ATTACK) in text
            assert r"\u003cimg" not in text.lower()
