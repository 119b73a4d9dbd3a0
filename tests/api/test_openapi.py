"""The API's own description: valid, complete, and true."""

from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from app.catalog import COLLECTIONS

REQUIRED = {"group_by": "name", "indicator": "rd-gdp-share", "q": "海宁", "a": "330481", "b": "330421"}
EXAMPLES = {
    "collectionId": "platforms", "featureId": "juanhu-science-city", "name": "platforms.geojson",
}  # fmt: skip


@pytest.fixture(scope="module")
def document(client: httpx.Client) -> dict[str, Any]:
    answer = client.get("/api")
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    body: dict[str, Any] = answer.json()
    return body


def test_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.0")
    assert [error.message for error in OpenAPIV30SpecValidator(document).iter_errors()] == []


def test_the_validator_would_complain(document: dict[str, Any]) -> None:
    broken = {**document, "paths": {"items": {}}}
    assert list(OpenAPIV30SpecValidator(broken).iter_errors())


def resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """A parameter or answer, looked up in the document where it is a reference."""
    if "$ref" not in node:
        return node
    found = document
    for name in node["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_main_paths_are_described(document: dict[str, Any]) -> None:
    expected = {"/conformance", "/collections", "/exports/{name}"}
    for name in COLLECTIONS:
        expected |= {f"/collections/{name}/items", f"/collections/{name}/aggregate"}
    assert expected <= document["paths"].keys()


def test_every_path_answers(client: httpx.Client, document: dict[str, Any]) -> None:
    """With the parameters it requires; a path that needs more than the examples here answers a problem, never a 500."""
    for path, operations in document["paths"].items():
        if "get" not in operations:
            continue
        parameters = [resolved(document, one) for one in operations["get"].get("parameters", [])]
        required = [one["name"] for one in parameters if one["in"] == "query" and one.get("required")]
        address = path
        for name, value in EXAMPLES.items():
            address = address.replace(f"{{{name}}}", value)
        answer = client.get(address, params={name: REQUIRED[name] for name in required})
        # the item of the example is in one collection only
        elsewhere = "{featureId}" in path and not path.startswith(
            ("/collections/platforms/", "/collections/{", "/maps/")
        )
        if "{" in address or elsewhere:
            assert answer.status_code in (400, 404), path
        else:
            assert answer.status_code == 200, (path, answer.text[:300])


def test_every_operation_tells_its_errors(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert "422" not in operation["responses"], (path, method)
            assert "application/problem+json" in resolved(document, operation["responses"]["default"])["content"], (
                path,
                method,
            )


def test_page_for_people(client: httpx.Client) -> None:
    answer = client.get("/api.html")
    assert answer.headers["content-type"].startswith("text/html")
    assert "/static/vendor/swagger-ui-dist@" in answer.text
    assert "//cdn" not in answer.text
