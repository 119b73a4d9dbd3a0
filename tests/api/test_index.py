"""The index over HTTP: from the data files to the ranks, its parameters, and what it says of itself."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.queries.test_composite import indicator, ranked, scored
from tests.tables import table

#: The indicators of 附件1 that the areas have for a year, and how many of the 13 print a number.
ACTUAL = {
    "hightech-value-added-share": 10, "incubators-municipal": 9, "invention-patents": 12, "rd-gdp-share": 10,
    "rd-revenue-share": 10, "tech-enterprises-with-hightech": 13,
}  # fmt: skip


def index(client: httpx.Client, **parameters: str) -> dict[str, Any]:
    answer = client.get("/index", params=parameters)
    assert answer.status_code == 200, answer.text[:300]
    body: dict[str, Any] = answer.json()
    return body


def areas(geodata: Path, year: str, kind: str) -> tuple[list[str], dict[str, dict[str, float]]]:
    """Ids of the areas of 海宁, and their numbers by indicator, from the files."""
    names = [row["id"] for row in table(geodata, "regions") if row["level"] == "area"]
    values: dict[str, dict[str, float]] = {}
    for row in table(geodata, "indicator_values"):
        if row["region"] in names and (row["year"], row["kind"]) == (year, kind) and row["operator"] != "missing":
            values.setdefault(row["indicator"], {})[row["region"]] = float(row["number"])
    return names, dict(sorted(values.items()))


@pytest.mark.parametrize("missing", ["exclude", "reweight", "lowest"])
@pytest.mark.parametrize("normalise", ["minmax", "zscore", "rank"])
@pytest.mark.parametrize(("year", "kind"), [("2020", "actual"), ("2025", "target")])
def test_the_areas_of_haining_from_the_files(
    client: httpx.Client, geodata: Path, year: str, kind: str, normalise: str, missing: str
) -> None:
    names, values = areas(geodata, year, kind)
    assert len(names) == 13
    weights = {name: str(n + 1) for n, name in enumerate(values)}
    body = index(
        client, year=year, kind=kind, normalise=normalise, missing=missing,
        indicators=",".join(weights), weights=",".join(weights.values()),
    )  # fmt: skip
    chosen = [indicator(name, numbers) for name, numbers in values.items()]
    expected = scored(names, chosen, [float(weight) for weight in weights.values()], normalise, missing)
    ranks = ranked(expected)
    assert len(expected) >= 8
    assert {row["region"] for row in body["items"]} == set(names)
    for row in body["items"]:
        region = row["region"]
        assert row["values"] == {name: numbers.get(region) for name, numbers in values.items()}
        assert row["missing"] == [name for name, numbers in values.items() if region not in numbers]
        assert row["rank"] == ranks.get(region)
        if region in expected:
            assert row["score"] == pytest.approx(expected[region], abs=0.000051)
            assert row["rank_low"] <= row["rank"] <= row["rank_high"]
        else:
            assert (row["score"], row["rank_low"], row["rank_high"]) == (None, None, None)


def test_what_it_says_of_itself(client: httpx.Client) -> None:
    body = index(client)
    assert body["official"] is False
    assert "非官方" in body["title"]
    assert "not official" in body["title"]
    assert (body["over"], body["year"], body["kind"]) == ("haining-areas", 2020, "actual")
    assert (body["normalise"], body["missing_rule"]) == ("minmax", "exclude")
    assert body["available"] == list(ACTUAL)
    assert [one["indicator"] for one in body["indicators"]] == list(ACTUAL)
    for one in body["indicators"]:
        assert one["weight"] == 1
        assert one["documents"] == ["haining-sti-14fyp"]
        assert one["name"]
        assert one["better"] == "higher"
        assert sum(row["values"][one["indicator"]] is not None for row in body["items"]) == ACTUAL[one["indicator"]]
    assert "note" not in body


def test_targets_are_of_2025_unless_told(client: httpx.Client) -> None:
    assert index(client, kind="target")["year"] == 2025


def test_indicators_and_weights_in_any_order(client: httpx.Client) -> None:
    """Which pairs are given counts, not their order."""
    one = index(client, indicators="rd-gdp-share,invention-patents,rd-revenue-share", weights="3,1,2")
    other = index(client, indicators="rd-revenue-share,rd-gdp-share,invention-patents", weights="2,3,1")
    key = ("region", "rank", "score", "rank_low", "rank_high")
    assert [[row[name] for name in key] for row in one["items"]] == [[row[n] for n in key] for row in other["items"]]
    turned = index(client, indicators="rd-gdp-share,invention-patents,rd-revenue-share", weights="1,3,2")
    assert [row["score"] for row in turned["items"]] != [row["score"] for row in one["items"]]


def test_one_indicator_ranks_as_its_values_do(client: httpx.Client) -> None:
    body = index(client, indicators="rd-gdp-share")
    ranks = {row["region"]: row["rank"] for row in body["items"] if row["rank"] is not None}
    asked = {"indicator": "rd-gdp-share", "year": "2020", "kind": "actual", "region_level": "area", "f": "json"}
    values = client.get("/indicators/values", params=asked).json()["items"]
    assert ranks == {row["region"]: row["rank"] for row in values if row["rank"] is not None}
    assert "只有 1 个指标" in body["note"]


def test_counties_are_honest_about_how_little_there_is(client: httpx.Client, geodata: Path) -> None:
    counties = {row["id"] for row in table(geodata, "regions") if row["level"] == "county"}
    body = index(client, over="counties")
    assert {row["region"] for row in body["items"]} == counties
    assert len(counties) == 7
    assert "No full comparison" in body["note"]
    for one in body["indicators"]:
        numbers = {
            row["region"]
            for row in table(geodata, "indicator_values")
            if row["indicator"] == one["indicator"] and row["region"] in counties and row["year"] == "2020"
            and row["kind"] in ("actual", "flash") and row["number"] and not row["year_from"]
        }  # fmt: skip
        assert len(numbers) >= 3
        assert {row["region"] for row in body["items"] if row["values"][one["indicator"]] is not None} == numbers
    unranked = [row for row in body["items"] if row["rank"] is None]
    assert unranked
    assert all(row["missing"] for row in unranked)


def test_a_year_of_which_nothing_is_printed_says_so(client: httpx.Client) -> None:
    body = index(client, year="1999")
    assert (body["items"], body["indicators"], body["available"]) == ([], [], [])
    assert "nothing to compose" in body["note"]


@pytest.mark.parametrize(
    ("parameters", "parameter"),
    [
        ({"over": "towns"}, "over"),
        ({"kind": "flash"}, "kind"),
        ({"normalise": "log"}, "normalise"),
        ({"missing": "mean"}, "missing"),
        ({"year": "x"}, "year"),
        ({"year": "20"}, "year"),
        ({"indicators": "nonsense"}, "indicators"),
        ({"indicators": ""}, "indicators"),
        ({"indicators": "rd-gdp-share,nonsense"}, "indicators"),
        ({"year": "1999", "indicators": "rd-gdp-share"}, "indicators"),
        ({"weights": "1"}, "weights"),
        ({"indicators": "rd-gdp-share", "weights": "1,2"}, "weights"),
        ({"indicators": "rd-gdp-share", "weights": "x"}, "weights"),
        ({"indicators": "rd-gdp-share", "weights": "nan"}, "weights"),
        ({"indicators": "rd-gdp-share", "weights": "-1"}, "weights"),
        ({"indicators": "rd-gdp-share", "weights": "1001"}, "weights"),
        ({"indicators": "rd-gdp-share,invention-patents", "weights": "0,0"}, "weights"),
        ({"limit": "3"}, "limit"),
        ({"f": "csv"}, "f"),
    ],
)
def test_bad_parameters(client: httpx.Client, parameters: dict[str, str], parameter: str) -> None:
    answer = client.get("/index", params=parameters)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["parameter"] == parameter


def test_an_unknown_indicator_is_answered_with_those_there_are(client: httpx.Client) -> None:
    assert client.get("/index", params={"indicators": "nonsense"}).json()["allowed"] == list(ACTUAL)


def test_the_page_shows_method_weights_and_ranges(client: httpx.Client) -> None:
    asked = {"indicators": "rd-gdp-share,invention-patents", "weights": "3,1.5", "f": "html"}
    page = client.get("/index", params=asked)
    assert page.headers["content-type"].startswith("text/html")
    for text in (
        "非官方",
        "Not an official index",
        "1.5",
        "名次上限",
        "名次下限",
        "袁花镇",
        "全社会R&amp;D经费支出占GDP比重",
    ):
        assert text in page.text
    assert 'value="3,1.5"' in page.text
