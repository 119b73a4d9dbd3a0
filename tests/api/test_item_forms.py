"""The form above a page of items offers what there is, and keeps what was chosen."""

import re

import httpx

ITEMS = "/collections/platforms/items"


def selects(client: httpx.Client, path: str, **query: str) -> dict[str, str]:
    page = client.get(path, params={"f": "html", **query})
    assert page.status_code == 200
    return dict(re.findall(r'<select name="(\w+)">(.*?)</select>', page.text, re.S))


def test_every_question_of_a_planner_can_be_chosen(client: httpx.Client) -> None:
    form = selects(client, ITEMS, lang="zh")
    asked = {"county", "town", "kind", "category", "level", "documents", "layout_element"}
    assert asked <= form.keys()
    assert '<option value="lake_district">科创湖区</option>' in form["kind"]
    assert '<option value="330481">海宁市</option>' in form["county"]
    assert '<option value="谋划建设">谋划建设</option>' in form["category"]
    assert 'name="industry_contains"' in client.get(ITEMS, params={"f": "html"}).text
    # each choice is answered
    for name in asked:
        value = re.findall(r'<option value="(.+?)"', form[name])[-1]
        assert client.get(ITEMS, params={name: value}).status_code == 200, name


def test_what_was_chosen_stays(client: httpx.Client) -> None:
    query = {"kind": "hightech_park", "county": "海宁市", "within": "counties/330481", "lang": "en"}
    page = client.get(ITEMS, params={"f": "html", **query}).text
    assert '<option value="hightech_park" selected>High-tech park</option>' in page
    # a name that was typed is none of the codes, and stays as it was
    assert "<option selected>海宁市</option>" in page
    assert '<input type="hidden" name="within" value="counties/330481">' in page


def test_long_lists_are_typed_and_every_layer_has_its_own(client: httpx.Client) -> None:
    values = client.get("/collections/region_indicators/items", params={"f": "html", "limit": "1"}).text
    assert '<input name="indicator" value="">' in values
    assert '<select name="region">' in values
    assert "layout" in selects(client, "/collections/layout_elements/items")


def test_a_form_sent_without_scripts_asks_nothing_by_its_empty_fields(client: httpx.Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    sent = {**dict.fromkeys(selects(client, ITEMS), ""), "kind": "hightech_park", "industry_contains": " "}
    page = client.get(ITEMS, params=sent, headers=browser)
    assert page.status_code == 200
    # the links that lead on carry only what was asked
    download = re.search(r'href="[^"]*(/exports/platforms\.csv\?[^"]*)"', page.text)
    assert download is not None
    assert "kind=hightech_park" in download[1]
    assert "county=" not in download[1]
    parks = client.get(ITEMS, params={"kind": "hightech_park"}).json()["numberMatched"]
    assert len(set(re.findall(r"/collections/platforms/items/([\w-]+)", page.text))) >= parks > 0
    register = client.get("/indicators/values", params={"region": "330481", "year": "", "kind": ""}, headers=browser)
    assert register.status_code == 200
    # a program that sends an empty value made a mistake
    refused = client.get(ITEMS, params=sent)
    assert refused.status_code == 400
    assert refused.json()["parameter"] in sent
