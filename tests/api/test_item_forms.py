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
