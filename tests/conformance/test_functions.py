"""The functions of filters: OGC API – Features Part 3 (/functions) and CQL2, class Functions (OGC 21-065r2, A.12)."""

import httpx
import pytest

from tests.conformance.helpers import REL, found, get, items, links, refused, validate

CLASSES = ["http://www.opengis.net/spec/cql2/1.0/conf/functions"]


def test_functions_get_functions(client: httpx.Client) -> None:
    """/conf/filter/get-functions: linked from the landing page, in the form of the standard"""
    (link,) = links(get(client, "/").json(), f"{REL}/functions")
    body = get(client, link["href"]).json()
    validate(body, "functions")
    assert [one["name"] for one in body["functions"]] == ["within", "near", "along"]


#: A filter, and the parameters that mean the same.
SAME = [
    ("within('haining')", {"within": "haining"}),
    ("WITHIN('counties/330481')", {"within": "counties/330481"}),
    ("within('海宁市', 'declared')", {"within": "海宁市", "relation": "declared"}),
    ("within('haining', 'intersects')", {"within": "haining", "relation": "intersects"}),
    ("near(120.75, 30.75, 20000)", {"near": "120.75,30.75", "distance": "20000"}),
    ("along('corridors/jx-corridor', 5000)", {"along": "corridors/jx-corridor", "distance": "5000"}),
]


@pytest.mark.parametrize(("text", "query"), SAME, ids=[text for text, _ in SAME])
def test_functions_mean_what_the_parameters_mean(client: httpx.Client, text: str, query: dict[str, str]) -> None:
    """/conf/functions/functions"""
    asked = {one["id"] for one in items(client, "platforms", **query)["features"]}
    assert asked
    assert found(client, "platforms", text) == asked


def test_functions_combine(client: httpx.Client) -> None:
    """/conf/functions/functions: in one filter with operators and each other, in both encodings"""
    near, inside = (found(client, "platforms", text) for text in ("near(120.75,30.75,20000)", "within('haining')"))
    both = found(client, "platforms", "near(120.75,30.75,20000) AND NOT within('haining')")
    assert both == near - inside
    assert found(client, "platforms", "near(120.75,30.75,20000) OR within('haining')") == near | inside
    national = found(client, "platforms", "within('haining') AND level = 'national'")
    assert national == inside & found(client, "platforms", "level = 'national'")
    json = (
        '{"op": "or", "args": [{"op": "near", "args": [120.75, 30.75, 20000]}, {"op": "within", "args": ["haining"]}]}'
    )
    assert found(client, "platforms", json, filter_lang="cql2-json") == near | inside


@pytest.mark.parametrize(
    "text",
    ["within()", "within(1)", "near(120, 30)", "near(200, 30, 1)", "near(120, 30, -1)", "pg_sleep(9)", "within(name)"],
)
def test_functions_refused(client: httpx.Client, text: str) -> None:
    """Unknown functions, wrong numbers and types of arguments"""
    refused(client, "/collections/platforms/items", {"filter": text}, "filter")
