"""Thematic maps as data, held against the registers, the aggregates and the exports that say the same otherwise."""

import csv
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa

from tests.conftest import connect, http, served, settings_for

PATH = "/maps/thematic"
SHARES = {"over": "haining-areas", "indicator": "rd-gdp-share", "f": "json"}
HOSTILE = "<img src=x onerror=alert(1)></script><!-- & \"'"


def thematic(client: httpx.Client, **parameters: str) -> dict[str, Any]:
    answer = client.get(PATH, params={"f": "json", **parameters})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def file_rows(client: httpx.Client, told: dict[str, Any], extension: str = "csv") -> list[dict[str, str]]:
    """The rows of the export that a map names."""
    address = next(one["href"] for one in told["links"] if f".{extension}?" in one["href"])
    parts = urlsplit(address)
    answer = client.get(f"{parts.path}?{parts.query}")
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))


def test_values_are_those_of_the_register_and_missing_stays_missing(client: httpx.Client) -> None:
    told = thematic(client, **SHARES, year="2020", kind="actual")
    register = client.get(
        "/indicators/values?f=json&indicator=rd-gdp-share&region_parent=330481&region_level=area&year=2020&kind=actual"
    ).json()["items"]
    assert len(register) == 13
    assert {one["region"]: one["value"] for one in told["items"]} == {one["region"]: one["value"] for one in register}
    without = {one["region"] for one in register if one["value"] is None}
    assert set(told["missing"]) == without == {f"haining-area-{one}" for one in ("haizhou", "xiashi", "juanhu")}
    # the mark is shown as it is printed, and no class holds it
    assert {(one["label"], one["class"]) for one in told["items"] if one["region"] in without} == {("/", None)}
    assert sum(one["count"] for one in told["classes"]) == 10
    assert (
        told["title"] == "海宁市各片区全社会R&D经费支出占GDP比重（%），2020年实际，《海宁市科技创新发展“十四五”规划》"
    )
    assert told["reference"]["value"] == 3.08
    # zero is a value
    zeros = thematic(client, over="haining-areas", indicator="incubators-municipal", year="2020")
    assert sum(one["value"] == 0 for one in zeros["items"]) == 5
    assert zeros["classes"][0]["text"] == "0 家"


@pytest.mark.parametrize("method", ["jenks", "quantile", "equal"])
def test_each_value_lies_in_its_class(client: httpx.Client, method: str) -> None:
    told = thematic(client, over="haining-areas", indicator="invention-patents", year="2025", classes=method)
    assert told["method"] == method
    assert len(told["classes"]) <= 5
    for one in told["items"]:
        if one["value"] is not None:
            held = told["classes"][one["class"]]
            assert held["low"] <= one["value"] <= held["high"]
            assert one["value"] > held["low"] or held["includes_low"]


def test_a_change_is_a_difference_and_says_that_one_end_is_a_target(client: httpx.Client) -> None:
    told = thematic(client, **SHARES, year="2025", kind="target", **{"from": "2020"})
    before, after = (
        {one["region"]: one["value"] for one in thematic(client, **SHARES, year=year)["items"]}
        for year in ("2020", "2025")
    )
    expected = {
        region: None
        if before[region] is None or after[region] is None
        else pytest.approx(after[region] - before[region])
        for region in before
    }
    assert {one["region"]: one["value"] for one in told["items"]} == expected
    assert (told["unit"], told["change"], told["target"]) == ("百分点", True, True)
    assert told["from"] == {"year_from": None, "year": 2020, "kind": "actual"}
    assert any("一端是目标" in one["text"] for one in told["notes"])
    assert {len(one["printed"]) for one in told["items"]} == {2}
    assert len(file_rows(client, told)) == 26


def test_bounds_words_and_flash_figures_are_shown_as_printed(client: httpx.Client) -> None:
    told = thematic(client, over="counties", indicator="rd-gdp-share", year="2025", kind="target")
    jiashan = next(one for one in told["items"] if one["region"] == "330421")
    assert (jiashan["value"], jiashan["printed"][0]["printed"]) == (None, "实现提升")
    assert any("目标" in one["text"] for one in told["notes"])
    assert told["not_comparable"][0]["indicator"] == "rd-gdp-share-change"
    flash = thematic(client, over="counties", indicator="rd-gdp-share", year="2020", kind="actual")
    assert any("快报" in one["text"] for one in flash["notes"])
    bounded = thematic(client, over="counties", indicator="fiscal-sci-tech", year="2025", kind="target")
    haining = next(one for one in bounded["items"] if one["region"] == "330481")
    assert (haining["printed"][0]["operator"], haining["label"][0]) in {("ge", "≥"), ("approx", "≈"), ("gt", ">")}
    assert any("限定词" in one["text"] for one in bounded["notes"])
    # a number printed otherwise elsewhere is not lost
    assert haining["also_printed"]


def test_counts_are_those_of_the_aggregate(client: httpx.Client) -> None:
    aggregate = client.get(
        "/collections/platforms/aggregate?f=json&group_by=county&stat=sum:area_km2&kind=lake_district"
    ).json()
    groups = {one["key"]: one for one in aggregate["groups"]}
    land = {
        one["id"]: one["properties"]["land_area_km2"]
        for one in client.get("/collections/counties/items?f=json").json()["features"]
    }
    measured = {
        measure: {
            one["region"]: one["value"]
            for one in thematic(client, indicator=f"platforms.{measure}", platform_kind="lake_district")["items"]
        }
        for measure in ("count", "density", "area")
    }
    assert measured["count"] == {key: one["count"] for key, one in groups.items()}
    assert measured["area"] == {key: one["stats"]["sum:area_km2"] for key, one in groups.items()}
    assert measured["density"] == {
        key: pytest.approx(one["count"] / land[key] * 100, abs=0.005) for key, one in groups.items()
    }
    told = thematic(client, platform_kind="lake_district")
    assert len(file_rows(client, told)) == sum(measured["count"].values()) == 8
    # an area of which nothing is published is missing, not nought
    some = thematic(client, indicator="platforms.area", platform_kind="incubator")
    assert {one["value"] for one in some["items"]} == {None}
    assert some["classes"] == []


def test_the_export_is_what_is_shown(client: httpx.Client) -> None:
    told = thematic(client, over="counties", indicator="hightech-enterprises", year="2020", kind="actual")
    shown = [
        (row["document"], row["printed"]) for one in told["items"] for row in (*one["printed"], *one["also_printed"])
    ]
    assert sorted((row["document"], row["printed"]) for row in file_rows(client, told)) == sorted(shown)
    years = thematic(client, over="counties", indicator="new-municipal-sti-projects")
    assert years["at"] == {"year_from": 2016, "year": 2020, "kind": "actual"}
    assert "year=2016-2020" in years["links"][0]["href"]
    assert len(file_rows(client, years)) == 1


@pytest.mark.parametrize(
    ("query", "parameter", "allowed"),
    [
        ("over=towns", "over", "haining-areas"),
        ("indicator=rd-gdp-shar", "indicator", "rd-gdp-share"),
        ("over=haining-areas&indicator=platforms.count", "indicator", "rd-gdp-share"),
        ("over=cities&indicator=platforms.density", "indicator", "platforms.count"),
        ("over=haining-areas&indicator=rd-gdp-share&year=2021", "year", "2020"),
        ("over=haining-areas&indicator=rd-gdp-share&year=2020&kind=target", "year", "2025"),
        ("over=haining-areas&indicator=rd-gdp-share&kind=flash", "kind", "target"),
        ("over=haining-areas&indicator=rd-gdp-share&from=1999", "from", "2020"),
        ("over=haining-areas&indicator=rd-gdp-share&from_kind=actual", "from_kind", None),
        ("over=haining-areas&indicator=rd-gdp-share&year=2020&from=2020", "from", None),
        ("classes=pretty", "classes", "jenks"),
        ("indicator=platforms.count&year=2020", "year", "platform_kind"),
        ("indicator=rd-gdp-share&platform_kind=incubator", "platform_kind", "year"),
        ("platform_kind=lakes", "platform_kind", "lake_district"),
        ("colour=red", "colour", "classes"),
    ],
)
def test_what_is_wrong_is_named(client: httpx.Client, query: str, parameter: str, allowed: str | None) -> None:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["parameter"] == parameter
    assert allowed is None or allowed in problem["allowed"]


def test_an_unchanged_map_is_not_sent_twice(client: httpx.Client) -> None:
    first = client.get(PATH, params=SHARES)
    assert client.get(PATH, params=SHARES, headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    page = client.get(PATH, headers={"Accept": "text/html", "If-None-Match": first.headers["etag"]})
    assert page.status_code == 200
    assert len(page.content) < 300_000


def test_the_map_is_printed_with_the_same_parameters(client: httpx.Client) -> None:
    told = thematic(client, **SHARES, year="2020")
    address = next(one["href"] for one in told["links"] if ".svg?" in one["href"])
    parts = urlsplit(address)
    answer = client.get(f"{parts.path}?{parts.query}&lang=en")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert 'filename="rd-gdp-share-haining-areas-A4-en.svg"' in answer.headers["content-disposition"]
    # each colour of the legend stands on the sheet
    for one in told["classes"]:
        assert one["colour"] in answer.text
    again = client.get(f"{parts.path}?{parts.query}&lang=en", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    for path, status, parameter in (
        (f"{PATH}.gif", 404, "extension"),
        (f"{PATH}.png?size=A0", 400, "size"),
        (f"{PATH}.png?over=towns", 400, "over"),
    ):  # fmt: skip
        refused = client.get(path)
        assert (refused.status_code, refused.json()["parameter"]) == (status, parameter)


def test_regions_that_are_not_loaded_are_not_found(migrated_url: sa.URL) -> None:
    with served(settings_for(migrated_url)) as address, http(address) as client:
        for path in (PATH, "/charts/platforms"):
            assert client.get(path).status_code == 404
        assert client.get("/charts").json()["items"] == []


def test_hostile_names_are_text(database_url: sa.URL) -> None:
    with connect(database_url).begin() as connection:
        for table in ("indicator", "region"):
            connection.execute(sa.text(f"UPDATE {table} SET name = :bad, name_en = :bad"), {"bad": HOSTILE})  # noqa: S608
        connection.execute(sa.text("UPDATE indicator_value SET note = :bad"), {"bad": HOSTILE})
    with served(settings_for(database_url)) as address, http(address) as client:
        for path in (
            f"{PATH}?over=haining-areas&indicator=rd-gdp-share", f"{PATH}?over=counties", "/charts",
            "/charts/progress?indicator=rd-gdp-share", "/charts/platforms",
        ):  # fmt: skip
            for lang in ("zh", "en"):
                answer = client.get(f"{path}{'&' if '?' in path else '?'}lang={lang}", headers={"Accept": "text/html"})
                assert answer.status_code == 200, path
                assert "<img src=x" not in answer.text
                assert "onerror=alert" in answer.text
