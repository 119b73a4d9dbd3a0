"""OGC API – Common Part 1 (OGC 19-072) and Part 2 (OGC 20-024), and which classes are declared at all."""

import importlib
import pkgutil

import httpx
import pytest

from app.conformance import CLASSES as DECLARED
from tests import conformance
from tests.conformance.helpers import EVERY, get, links, matched, refused, validate

PART_1 = "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf"
PART_2 = "http://www.opengis.net/spec/ogcapi-common-2/1.0/conf"
CLASSES = [
    *(f"{PART_1}/{one}" for one in ("core", "landing-page", "json", "html", "oas30")),
    *(f"{PART_2}/{one}" for one in ("collections", "simple-query")),
]


def by_class() -> dict[str, list[str]]:
    """Names of tests by conformance class: every module lists its classes, and names a test after each."""
    names: dict[str, list[str]] = {}
    for one in pkgutil.iter_modules(conformance.__path__):
        if one.name.startswith("test_"):
            module = importlib.import_module(f"tests.conformance.{one.name}")
            tests = [name for name in vars(module) if name.startswith("test_")]
            for declared in module.CLASSES:
                word = declared.rsplit("/", 1)[-1].removeprefix("json-").replace("-", "_")
                names.setdefault(declared, []).extend(name for name in tests if word in name)
    return names


def test_declared_are_the_classes_with_tests() -> None:
    names = by_class()
    assert sorted(DECLARED) == sorted(names)
    assert [one for one, tests in names.items() if not tests] == []


def test_core_conformance_success(client: httpx.Client) -> None:
    """/conf/core/conformance-success"""
    body = get(client, "/conformance").json()
    validate(body, "confClasses")
    assert body["conformsTo"] == list(DECLARED)


def test_core_query_parameters(client: httpx.Client) -> None:
    """/conf/core/query-param-name-unknown, query-param-value-invalid: names are checked on every resource"""
    for path in ("/", "/conformance", "/collections", "/collections/counties", "/functions"):
        refused(client, path, {"does_not_exist": "1"}, "does_not_exist")
        refused(client, path, {"f": "does_not_exist"}, "f")


def test_landing_page_root_success(client: httpx.Client) -> None:
    """/conf/landing-page/root-success: the links, and that they lead there"""
    body = get(client, "/").json()
    validate(body, "landingPage")
    for rel in ("self", "alternate", "service-desc", "service-doc", "conformance", "data"):
        for one in links(body, rel):
            assert (
                client.get(one["href"], headers={"Accept": one["type"]})
                .headers["content-type"]
                .startswith(one["type"].partition(";")[0])
            )
        assert links(body, rel), rel
    for rel in ("conformance", "data"):
        # Common names them by their full names too
        assert links(body, rel)[0]["type"] == "application/json"


@pytest.mark.parametrize("path", ["/", "/conformance", "/collections", "/collections/towns"])
def test_json_content(client: httpx.Client, path: str) -> None:
    """/conf/json/content, /conf/json/definition"""
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/json"
    assert isinstance(answer.json(), dict)


@pytest.mark.parametrize("path", ["/", "/conformance", "/collections", "/collections/towns"])
def test_html_content(client: httpx.Client, path: str) -> None:
    """/conf/html/content, /conf/html/definition"""
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.text.startswith("<!doctype html>")


def test_oas30_definition(client: httpx.Client) -> None:
    """/conf/oas30/oas-definition-1: the media type of the definition"""
    (described,) = links(get(client, "/").json(), "service-desc")
    answer = client.get(described["href"])
    assert answer.headers["content-type"] == described["type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert answer.json()["openapi"] == "3.0.3"


def test_collections_rc_md_success(client: httpx.Client) -> None:
    """/conf/collections/rc-md-success, src-md-success: one description, wherever it is read"""
    body = get(client, "/collections").json()
    validate(body, "collections")
    assert [one["id"] for one in body["collections"]] == EVERY
    for one in body["collections"]:
        assert get(client, links(one, "self")[0]["href"]).json() == one


def test_simple_query_bbox_limit(client: httpx.Client) -> None:
    """/conf/simple-query/bbox-collection-response and limit: a box of a collection's own extent has all of it"""
    for one in get(client, "/collections").json()["collections"]:
        box = ",".join(map(str, one["extent"]["spatial"]["bbox"][0]))
        drawn = matched(client, one["id"], filter="geometry IS NOT NULL")
        assert matched(client, one["id"], bbox=box) == drawn
