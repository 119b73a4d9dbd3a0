"""OGC API – Features Part 1, class OpenAPI 3.0 (annex A.5)."""

from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from app.catalog import COLLECTIONS
from tests.conformance.helpers import EVERY, get

CLASSES = ["http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30"]


@pytest.fixture(scope="module")
def definition(client: httpx.Client) -> dict[str, Any]:
    body: dict[str, Any] = get(client, "/api").json()
    return body


def parameters(definition: dict[str, Any], path: str) -> dict[str, dict[str, Any]]:
    """The parameters of an operation by name, references resolved."""
    found = {}
    for one in definition["paths"][path]["get"]["parameters"]:
        if "$ref" in one:
            one = definition["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]]
        found[one["name"]] = one
    return found


def test_oas30_definition_valid(definition: dict[str, Any]) -> None:
    """/conf/oas30/oas-definition-2: a valid document of OpenAPI 3.0"""
    OpenAPIV30SpecValidator(definition).validate()
    assert definition["openapi"].startswith("3.0.")


def test_oas30_completeness(definition: dict[str, Any]) -> None:
    """/conf/oas30/completeness: every resource of the core is described"""
    for path in ("/", "/conformance", "/collections", "/collections/{collectionId}", "/functions"):
        assert "get" in definition["paths"][path]
    for collection in EVERY:
        assert "get" in definition["paths"][f"/collections/{collection}/items"]
    assert "get" in definition["paths"]["/collections/{collectionId}/items/{featureId}"]


def test_oas30_exceptions_codes(definition: dict[str, Any]) -> None:
    """/conf/oas30/exceptions-codes: every operation describes its errors"""
    for path, operations in definition["paths"].items():
        for operation in operations.values():
            for code in ("400", "default"):
                assert "application/problem+json" in operation["responses"][code]["content"], path


def test_oas30_impl(client: httpx.Client, definition: dict[str, Any]) -> None:
    """/conf/oas30/oas-impl: every address without variables answers as described"""
    for path, operations in definition["paths"].items():
        needed = any(one.get("required") for one in parameters(definition, path).values()) if "get" in operations else 1
        if needed or "{" in path:
            continue
        answer = client.get(path)
        described = operations["get"]["responses"][str(answer.status_code)]
        assert answer.headers["content-type"].partition(";")[0] in described["content"], path


@pytest.mark.parametrize("collection", EVERY)
def test_oas30_parameters_of_items(definition: dict[str, Any], collection: str) -> None:
    """/conf/core/fc-limit-definition, fc-bbox-definition, fc-time-definition; /conf/crs/fc-crs-definition,
    fc-bbox-crs-definition"""
    found = parameters(definition, f"/collections/{collection}/items")
    for name in ("limit", "bbox", "datetime", "crs", "bbox-crs"):
        one = found[name]
        assert (one["in"], one["required"], one["style"], one["explode"]) == ("query", False, "form", False)
    limit = found["limit"]["schema"]
    assert limit == {"type": "integer", "minimum": 1, "maximum": 10000, "default": 100}
    assert found["bbox"]["schema"] == {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
    assert found["datetime"]["schema"] == {"type": "string"}
    for name in ("crs", "bbox-crs"):
        assert (found[name]["schema"]["type"], found[name]["schema"]["format"]) == ("string", "uri")
    assert set(found) >= {one.name for one in COLLECTIONS[collection].queryables}


def test_oas30_accepts_each_parameter(client: httpx.Client, definition: dict[str, Any]) -> None:
    """What is described is known: no parameter of an items operation is answered as unknown"""
    for collection in EVERY:
        path = f"/collections/{collection}/items"
        for name in parameters(definition, path):
            answer = client.get(path, params={name: "\x01"})
            assert answer.status_code == 200 or "没有参数" not in answer.json()["detail"], name
