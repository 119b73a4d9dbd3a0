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
     ({"along": "corridors/jx-corridoor", "distance": "1"}, "corridors/jx-corridor")],
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
