"""The search over HTTP: its parameters, pages and page."""

import httpx
import pytest
import sqlalchemy as sa

from app.api.search import SEARCHED
from app.db import tables as t
from app.ingest.search import refresh
from tests.conftest import connect, http, served, settings_for

HOSTILE = '<img src=x onerror="alert(1)">'


def problem(answer: httpx.Response, parameter: str) -> list[str]:
    assert answer.status_code == 400, answer.url
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["parameter"] == parameter
    allowed: list[str] = body.get("allowed", [])
    return allowed


def test_a_hit_says_what_matched_and_where_it_is(client: httpx.Client) -> None:
    body = client.get("/search", params={"q": "海盐核电关联"}).json()
    assert body["q"] == "海盐核电关联"
    first = body["items"][0]
    assert first["id"] == "haiyan-nuclear-hightech-park"
    assert (first["collection"], first["matched"]) == ("platforms", "name")
    assert "海盐核电关联" in first["text"]
    item = client.get(first["href"], headers={"Accept": "application/geo+json"}).json()
    assert item["id"] == first["id"]
    assert item["properties"]["name"] == first["name"]


def test_every_hit_leads_to_an_answer(client: httpx.Client) -> None:
    for words, collection in (
        ("嘉兴港区", "places"), ("尖山新区", "regions"), ("研发活动率", "indicators"), ("创新地图", "tasks"),
    ):  # fmt: skip
        found = client.get("/search", params={"q": words, "collections": collection}).json()["items"][0]
        page = client.get("/search", params={"q": words, "collections": collection, "f": "html"})
        assert found["name"] in page.text
        answer = client.get(f"{found['href']}&f=json").json()
        assert answer["numberMatched"] > 0, found


def test_collections_restrict(client: httpx.Client) -> None:
    whole = client.get("/search", params={"q": "嘉兴", "limit": "10000"}).json()
    kinds = {row["collection"] for row in whole["items"]}
    assert {"cities", "platforms", "layout_elements"} <= kinds
    for chosen in (["platforms"], ["cities", "indicators"]):
        some = client.get("/search", params={"q": "嘉兴", "limit": "10000", "collections": ",".join(chosen)}).json()
        assert some["items"] == [row for row in whole["items"] if row["collection"] in chosen]
        assert some["numberMatched"] == len(some["items"])


def test_next_links_reach_everything_once(client: httpx.Client) -> None:
    whole = client.get("/search", params={"q": "科技", "limit": "10000"}).json()["items"]
    assert len(whole) > 100
    answer = client.get("/search", params={"q": "科技", "limit": "33"}).json()
    gathered = answer["items"]
    while address := {link["rel"]: link["href"] for link in answer["links"]}.get("next"):
        answer = client.get(address).json()
        gathered += answer["items"]
    assert gathered == whole
    assert len({(row["collection"], row["id"]) for row in gathered}) == len(gathered)


def test_twenty_unless_asked(client: httpx.Client) -> None:
    body = client.get("/search", params={"q": "科技"}).json()
    assert body["numberReturned"] == len(body["items"]) == 20 < body["numberMatched"]


@pytest.mark.parametrize("words", ["", " ", "　", "\t", "创" * 201, "a b c d e f g h i", "a\x00b"])
def test_what_is_no_question_is_refused(client: httpx.Client, words: str) -> None:
    problem(client.get("/search", params={"q": words}), "q")


def test_the_question_is_required(client: httpx.Client) -> None:
    problem(client.get("/search"), "q")


def test_unknown_parameters_and_collections_are_refused(client: httpx.Client) -> None:
    assert set(problem(client.get("/search", params={"q": "a", "nonsense": "1"}), "nonsense")) >= {"q", "collections"}
    assert set(problem(client.get("/search", params={"q": "a", "collections": "platform"}), "collections")) == set(
        SEARCHED
    )
    problem(client.get("/search", params={"q": "a", "collections": ""}), "collections")
    problem(client.get("/search", params={"q": "a", "limit": "0"}), "limit")
    problem(client.get("/search", params={"q": "a", "offset": "x"}), "offset")
    problem(client.get("/search", params={"q": "a", "f": "xml"}), "f")


@pytest.mark.parametrize("words", ["%", "_", "\\", "%%", "' OR 1=1 --", "{}", "龘龘", "\U0001f600", "a\\"])
def test_odd_characters_are_only_characters(client: httpx.Client, words: str) -> None:
    body = client.get("/search", params={"q": words, "limit": "10000"}).json()
    assert body["numberMatched"] == len(body["items"]) < 200


def test_html_or_json(client: httpx.Client) -> None:
    page = client.get("/search", params={"q": "海宁"}, headers={"Accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")
    first = client.get("/search", params={"q": "海宁", "f": "json"}).json()["items"][0]
    assert f'<a href="{first["page"]}">{first["name"]} ' in page.text
    assert 'name="q" value="海宁"' in page.text
    assert 'rel="next"' in page.text


def test_hostile_text_is_escaped(database_url: sa.URL) -> None:
    with connect(database_url).begin() as connection:
        connection.execute(sa.update(t.platform).where(t.platform.c.id == "wuzhen-bigdata-hightech-park").values(
            name=HOSTILE, positioning=HOSTILE
        ))  # fmt: skip
        refresh(connection)
    with served(settings_for(database_url)) as address, http(address) as client:
        page = client.get("/search", params={"q": HOSTILE, "f": "html"}).text
        assert HOSTILE not in page
        assert page.count("&lt;img src=x onerror=") >= 3
        assert client.get("/search", params={"q": HOSTILE}).json()["items"][0]["name"] == HOSTILE
        refused = client.get("/search", params={"q": "a", "collections": HOSTILE})
        assert refused.headers["content-type"] == "application/problem+json"
