"""Questions that are refused: each names its parameter and what would be right."""

import httpx
import pytest

ITEMS = "/collections/platforms/items"
REFUSED = [
    ({"near": "120.7,30.7"}, "distance"),
    ({"distance": "100"}, "distance"),
    ({"near": "120.7", "distance": "100"}, "near"),
    ({"near": "190,30", "distance": "100"}, "near"),
    ({"near": "120.7,30.7", "distance": "-1"}, "distance"),
    ({"near": "120.7,30.7", "distance": "inf"}, "distance"),
    ({"near": "120.7,30.7", "distance": "1", "nearest": "120.7,30.7"}, "nearest"),
    ({"k": "3"}, "k"),
    ({"nearest": "120.7,30.7", "k": "1001"}, "k"),
    ({"along": "corridors/jx-corridor"}, "distance"),
    ({"within": "towns/haining-changan"}, "within"),
    ({"within": "corridors/jx-corridor"}, "within"),
    ({"within": ","}, "within"),
    ({"relation": "touches"}, "relation"),
    ({"uncertain": "maybe"}, "uncertain"),
    ({"properties": "nmae"}, "properties"),
    ({"sortby": "+nmae"}, "sortby"),
    ({"sortby": "industries"}, "sortby"),
    ({"cursor": "nonsense"}, "cursor"),
    ({"cursor": "WyJhIiwiYiJd"}, "cursor"),
    ({"cursor": "WyJhIl0", "offset": "1"}, "offset"),
    ({"offset": "10001"}, "offset"),
    ({"offset": "-1"}, "offset"),
    ({"f": "gml"}, "f"),
    ({"lang": "fr"}, "lang"),
    ({"name": "a\x00b"}, "name"),
]


@pytest.mark.parametrize(("query", "parameter"), REFUSED, ids=[str(query) for query, _ in REFUSED])
def test_refused_with_the_parameter(client: httpx.Client, query: dict[str, str], parameter: str) -> None:
    answer = client.get(ITEMS, params=query)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["parameter"] == parameter
    assert body["detail"]


@pytest.mark.parametrize(
    ("query", "candidate"),
    [({"within": "hainning"}, "海宁市"), ({"within": "counties/330482x"}, "counties/330482"),
     ({"along": "corridors/jx-corridoor", "distance": "1"}, "corridors/jx-corridor"),
     ({"along": "嘉兴走廊", "distance": "1"}, "corridors/jx-corridor（嘉兴G60科创走廊）")],
)  # fmt: skip
def test_unknown_places_come_with_candidates(client: httpx.Client, query: dict[str, str], candidate: str) -> None:
    answer = client.get(ITEMS, params=query)
    assert answer.status_code == 404
    assert candidate in answer.json()["allowed"]


def test_a_parameter_given_twice_is_refused(client: httpx.Client) -> None:
    answer = client.get(f"{ITEMS}?level=national&level=provincial")
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "level"


def test_misspelt_parameters_come_with_a_hint(client: httpx.Client) -> None:
    assert "'within'" in client.get(ITEMS, params={"withn": "haining"}).json()["detail"]


def test_numbers_of_any_length_are_no_fault_of_the_server(client: httpx.Client) -> None:
    for query in ({"limit": "9" * 400}, {"area_km2": "9" * 400}, {"offset": "9" * 400}, {"near": "9" * 400}):
        assert client.get(ITEMS, params=query).status_code in (200, 400)


def test_an_answer_that_names_a_place_is_marked_by_it(client: httpx.Client) -> None:
    """The mark changes with layers that the parameters name, not with the collection's own alone"""
    plain = client.get("/collections/towns/items")
    within = client.get("/collections/towns/items", params={"within": "layout_elements/jx-corridor"})
    assert plain.status_code == within.status_code == 200
    assert plain.headers["etag"] != within.headers["etag"]


@pytest.mark.parametrize(
    ("path", "name", "value", "candidate"),
    [
        (ITEMS, "kind", "lake_distrct", "lake_district"),
        (ITEMS, "town", "许村街道", "haining-xucun"),
        (ITEMS, "layout_element", "jx-cores", "jx-core"),
        (ITEMS, "documents", "jiashan", "jiashan-sti-2035"),
        ("/indicators/values", "region", "海盐市", "330424"),
        ("/indicators", "theme", "inputs", "input"),
        ("/tasks", "list", "reforms", "reform"),
    ],
)
def test_a_code_that_is_none_comes_with_candidates(
    client: httpx.Client, path: str, name: str, value: str, candidate: str
) -> None:
    answer = client.get(path, params={name: value})
    assert answer.status_code == 400
    assert answer.json()["parameter"] == name
    assert candidate in answer.json()["allowed"]
    # what is named there would be right
    assert client.get(path, params={name: candidate}).status_code == 200


def ids(client: httpx.Client, **query: str) -> set[str]:
    answer = client.get(ITEMS, params={"limit": "100", **query})
    assert answer.status_code == 200, answer.text
    return {feature["id"] for feature in answer.json()["features"]}


def test_what_has_a_code_may_be_asked_for_by_name(client: httpx.Client) -> None:
    xucun = ids(client, town="haining-xucun")
    assert xucun
    assert ids(client, town="许村镇") == ids(client, town="XUCUN town") == xucun
    assert ids(client, kind="科创湖区,hightech_park") == ids(client, kind="lake_district,hightech_park")
    # a label of one document, and the name of a park that is another's alias
    values = {"region": "海宁", "indicator": "全社会R&D经费支出占GDP的比重", "year": "2025"}
    found = client.get("/indicators/values", params=values).json()["items"]
    assert {row["indicator"] for row in found} == {"rd-gdp-share"}
    assert {row["region"] for row in found} == {"330481"}
    tasks = client.get("/tasks", params={"platform": "嘉兴科技城"}).json()["items"]
    assert {row["platform"] for row in tasks} == {"jiaxing-nanhu-hightech-park"}


def test_an_element_stands_for_all_under_it(client: httpx.Client) -> None:
    """The corridor has no member of its own: the seven lake districts are those of its group"""
    answer = client.get(ITEMS, params={"layout_element": "jx-corridor"}).json()
    assert answer["numberMatched"] == 7
    assert set(answer["layout_elements"]) >= {"jx-corridor", "jx-corridor-lake-districts"}
    assert len(ids(client, layout_element="jx-zones")) == 16
    assert ids(client, layout_elements="jx-corridor") == set()


def test_an_industry_stands_for_all_under_it_in_every_scheme(client: httpx.Client) -> None:
    answer = client.get(ITEMS, params={"industry_under": "hn-142", "limit": "100"}).json()
    used = answer["industries"]
    # a child of a child, and the same field of another plan
    assert {"hn-142", "hn-semiconductors", "hn-semiconductors-packaging-testing", "jx-aerospace"} <= set(used)
    assert {one["id"] for one in answer["features"]} == ids(client, industry=",".join(used))
    assert len(answer["features"]) > len(ids(client, industry="hn-semiconductors")) > 0
    assert ids(client, industry_under="泛半导体") == ids(client, industry_under="hn-semiconductors")
    refused = client.get(ITEMS, params={"industry_under": "hn-412"})
    assert refused.status_code == 400
    assert "hn-142" in refused.json()["allowed"]
    assert "142" in refused.json()["detail"]
