"""The language of pages: the address decides, then the cookie, then the browser; data is the same in either."""

import re

import httpx
import pytest

PAGES = (
    "/", "/collections", "/collections/platforms", "/collections/platforms/items?limit=3",
    "/collections/platforms/items/xiangfudang-green-valley", "/collections/platforms/aggregate?group_by=county",
    "/collections/platforms/schema", "/conformance", "/functions", "/credits", "/api.html", "/indicators?limit=3",
    "/search?q=jxkjc", "/index", "/maps/jiaxing",
)  # fmt: skip
BROWSER = {"Accept": "text/html"}


def language_of(answer: httpx.Response) -> str:
    """What a page says it is in, the same everywhere it says so."""
    assert answer.status_code == 200, answer.text
    found = re.search(r'<html lang="([^"]+)">', answer.text)
    assert found is not None
    assert answer.headers["content-language"] == found[1]
    assert {"Accept", "Accept-Language", "Cookie"} <= set(answer.headers["vary"].split(", "))
    return found[1]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_in_either_language_and_switches_in_place(client: httpx.Client, path: str) -> None:
    chinese = client.get(path, headers=BROWSER)
    assert language_of(chinese) == "zh-CN"
    switch = re.search(r'<a [^>]*href="([^"]+)" hreflang="en"', chinese.text)
    assert switch is not None
    english = client.get(str(chinese.url.join(switch[1].replace("&amp;", "&"))), headers=BROWSER)
    assert language_of(english) == "en"
    assert english.url.path == chinese.url.path
    asked = dict(english.url.params)
    assert asked.pop("lang") == "en"
    assert asked == dict(chinese.url.params)
    assert '<span lang="en">' not in english.text


@pytest.mark.parametrize(
    ("address", "cookie", "accepted", "expected"),
    [
        (None, None, None, "zh-CN"),
        (None, None, "de, fr;q=0.9, *;q=0.1", "zh-CN"),
        (None, None, "en-US,en;q=0.9,zh;q=0.8", "en"),
        (None, None, "en;q=0.5,zh-Hans-CN;q=0.7", "zh-CN"),
        (None, None, "zh;q=0, en;q=0.1", "en"),
        (None, "zh", "en", "zh-CN"),
        (None, "xx", "en", "en"),
        ("en", "zh", "zh", "en"),
        ("zh", "en", "en", "zh-CN"),
    ],
)
def test_address_then_cookie_then_browser(
    client: httpx.Client, address: str | None, cookie: str | None, accepted: str | None, expected: str
) -> None:
    headers = BROWSER | ({"Cookie": f"lang={cookie}"} if cookie else {})
    headers |= {"Accept-Language": accepted} if accepted else {}
    answer = client.get("/conformance", params={"lang": address} if address else {}, headers=headers)
    assert language_of(answer) == expected
    # a choice is kept, a mere preference is not
    kept = answer.headers.get("set-cookie", "")
    assert kept.startswith(f"lang={address}; Path=/;") if address else not kept


@pytest.mark.parametrize(("lang", "names"), [("zh", ["海宁市", "嘉兴市"]), ("en", ["Haining City", "Jiaxing City"])])
def test_a_table_names_places_in_the_pages_language(client: httpx.Client, lang: str, names: list[str]) -> None:
    asked = {"lang": lang, "within": "haining", "limit": 1, "properties": "county,county_name,city"}
    page = client.get("/collections/platforms/items", params=asked, headers=BROWSER)
    assert re.findall(r"<td>([^<]*)</td>", page.text) == [names[0], *names]


def test_each_language_has_its_own_mark_and_a_mark_keeps_the_choice(client: httpx.Client) -> None:
    path = "/collections/counties"
    chinese = client.get(path, headers=BROWSER)
    english = client.get(path, headers=BROWSER | {"Accept-Language": "en"})
    assert chinese.headers["etag"] != english.headers["etag"]
    asked = BROWSER | {"Accept-Language": "en", "If-None-Match": chinese.headers["etag"]}
    assert language_of(client.get(path, headers=asked)) == "en"
    chosen = client.get(f"{path}?lang=en", headers=BROWSER)
    again = client.get(f"{path}?lang=en", headers=BROWSER | {"If-None-Match": chosen.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["set-cookie"].startswith("lang=en;")


@pytest.mark.parametrize("path", ["/", "/credits", "/api.html", "/indicators?limit=3", "/maps/jiaxing"])
def test_there_is_no_other_language(client: httpx.Client, path: str) -> None:
    answer = client.get(path, params={"lang": "fr"} if "?" not in path else {**httpx.URL(path).params, "lang": "fr"})
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "lang"


def test_data_is_the_same_in_either(client: httpx.Client) -> None:
    path = "/collections/counties/items/330481"
    one, other = (client.get(path, params={"f": "json", "lang": lang}) for lang in ("zh", "en"))
    assert one.json()["properties"] == other.json()["properties"]
    assert "content-language" not in other.headers
    assert "set-cookie" not in other.headers
