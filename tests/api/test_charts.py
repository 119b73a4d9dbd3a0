"""Charts as data: what the documents print, and counts that lead to their items."""

import re
from html import unescape

import httpx
import pytest


def test_targets_stand_beside_actuals_with_their_sources(client: httpx.Client) -> None:
    told = client.get("/charts/progress?f=json&indicator=rd-gdp-share&region=嘉兴市").json()
    assert told["region"] == "330400"
    points = {(one["year"], one["kind"], one["value"], one["document"]) for one in told["items"]}
    fyp, plan = "jiaxing-sti-14fyp", "jiaxing-integration-2027"
    assert points == {
        (2015, "actual", 2.73, fyp), (2020, "actual", 3.31, fyp), (2020, "target", 3.2, fyp),
        (2024, "actual", 3.55, plan), (2025, "target", 3.75, fyp), (2027, "target", 3.7, plan),
    }  # fmt: skip
    assert all(one["line_start"] and one["title"] for one in told["items"])
    register = client.get("/indicators/values?f=json&indicator=rd-gdp-share&region=330400").json()
    assert len(told["items"]) == register["numberMatched"]


def test_a_chart_without_a_region_shows_the_one_most_is_told_of(client: httpx.Client) -> None:
    assert client.get("/charts/progress?f=json&indicator=rd-gdp-share").json()["region"] == "330400"
    park = client.get("/charts/progress?f=json&indicator=national-hightech-zone-rank").json()
    assert park["platform"] in ("hangzhou-hightech-zone", "ningbo-hightech-zone")
    page = client.get(
        "/charts/progress?indicator=rd-gdp-share&region=330421&platform=", headers={"Accept": "text/html"}
    )
    assert page.status_code == 200


def test_the_list_has_what_can_be_drawn(client: httpx.Client) -> None:
    listed = client.get("/charts?f=json").json()["items"]
    assert {(one["subject"], one["id"]) for one in listed} >= {("330400", "rd-gdp-share"), ("330481", "rd-gdp-share")}
    assert not any(one["subject"] == "330421" and one["id"] == "rd-gdp-share" for one in listed)


def test_the_register_of_indicators_leads_to_their_charts(client: httpx.Client) -> None:
    page = client.get("/indicators?id=rd-gdp-share", headers={"Accept": "text/html"}).text
    assert "/charts/progress?indicator=rd-gdp-share" in page
    home = client.get("/", headers={"Accept": "text/html"}).text
    assert "/charts?f=html" in home


def test_counts_add_up_and_lead_to_their_items(client: httpx.Client) -> None:
    told = client.get("/charts/platforms?f=json").json()
    matched = client.get("/collections/platforms/items?f=json&limit=1").json()["numberMatched"]
    assert told["total"] == matched == sum(sum(one["counts"].values()) for one in told["items"])
    page = client.get("/charts/platforms", headers={"Accept": "text/html"}).text
    cells = re.findall(r'<a href="([^"]*/collections/platforms/items[^"]*)">(\d+)</a>', page)
    # a whole row, a kind in a county, a kind elsewhere, a whole kind
    wanted = ("county=330481", "county=330402&kind=research_institute", "IS%20NULL&kind=", "html&kind=incubator")
    for part in wanted:
        address, number = next((unescape(href), count) for href, count in cells if part in unescape(href))
        found = client.get(address.replace("f=html", "f=json") + "&limit=1").json()
        assert found["numberMatched"] == int(number), address
    cities = client.get("/charts/platforms?f=json&over=cities").json()
    assert cities["total"] == matched


@pytest.mark.parametrize(
    ("path", "status", "parameter", "allowed"),
    [
        ("/charts/progress", 400, "indicator", None),
        ("/charts/progress?indicator=nothing", 404, "indicator", None),
        ("/charts/progress?indicator=rd-gdp-share&region=330482", 400, "region", "330400"),
        ("/charts/progress?indicator=rd-gdp-share&region=330400&platform=x", 400, "platform", None),
        ("/charts/platforms?over=haining-areas", 400, "over", "cities"),
        ("/charts?year=2020", 400, "year", "lang"),
    ],
)
def test_what_is_wrong_is_named(
    client: httpx.Client, path: str, status: int, parameter: str, allowed: str | None
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    problem = answer.json()
    assert problem["parameter"] == parameter
    assert allowed is None or allowed in problem["allowed"]
