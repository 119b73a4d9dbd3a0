"""OGC API – Features Part 4: Create, Replace, Update and Delete, the draft OGC 20-002r1, tests of its annex A.

The mutable resources are the platforms; the identifiers of the classes are those of the draft.
"""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conformance.helpers import get, items, links
from tests.edits.conftest import ITEMS, NEW, PARK, Editor, editor, make_key, own_client

__all__ = ["editor", "make_key", "own_client"]

PART_4 = "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf"
CLASSES = [f"{PART_4}/{one}" for one in ("create-replace-delete", "update", "optimistic-locking-etags", "features")]
METHODS = {"PUT": NEW, "PATCH": {"properties": {"note": "新注"}}, "DELETE": None}
MEDIA_TYPES = {"POST": "application/geo+json", "PUT": "application/geo+json", "PATCH": "application/merge-patch+json"}


def send(editor: Editor, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    """A request with just these headers beside the key."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = None if body is None else httpx.Request("POST", "http://x", json=body).content
    return editor.client.request(method, path, content=content, headers=editor.headers(named))


@pytest.fixture
def free(editor: Editor, make_key: Callable[..., str]) -> Editor:
    """An editor whose key may write without a condition, as the tests of create-replace-delete do."""
    return Editor(editor.client, make_key("free", "admin", unconditional=True))


def test_create_replace_delete_and_update_options(editor: Editor) -> None:
    """/conf/create-replace-delete/options, /conf/update/options"""
    for path, methods in ((ITEMS, {"POST"}), (f"{ITEMS}/{PARK}", {"PUT", "PATCH", "DELETE"})):
        answer = send(editor, "OPTIONS", path)
        assert answer.status_code == 200
        allowed = {one.strip() for one in answer.headers["allow"].split(",")}
        assert methods <= allowed
        assert ("POST" in allowed) == ("accept-post" in answer.headers)
        assert ("PATCH" in allowed) == ("accept-patch" in answer.headers)


def test_create_replace_delete_create(free: Editor) -> None:
    """/conf/create-replace-delete/create, create-content-type"""
    there = {one["id"] for one in items(free.client, "platforms", properties="name")["features"]}
    answer = send(free, "POST", ITEMS, NEW, content_type=MEDIA_TYPES["POST"])
    assert answer.status_code == 201
    got = free.client.get(answer.headers["location"])
    assert got.status_code == 200
    assert got.json()["geometry"] == NEW["geometry"]
    assert NEW["properties"].items() <= got.json()["properties"].items()
    assert got.json()["id"] not in there
    assert send(free, "POST", ITEMS, NEW).status_code == 400


def test_create_replace_delete_replace(free: Editor) -> None:
    """/conf/create-replace-delete/replace, replace-content-type, replace-rid, replace-exceptions"""
    address = f"{ITEMS}/{PARK}"
    answer = send(free, "PUT", address, NEW, content_type=MEDIA_TYPES["PUT"])
    assert answer.status_code == 200
    got = get(free.client, address).json()
    assert got["geometry"] == NEW["geometry"]
    assert NEW["properties"].items() <= got["properties"].items()
    assert send(free, "PUT", address, NEW).status_code == 400
    assert send(free, "PUT", address, {**NEW, "id": "other"}, content_type=MEDIA_TYPES["PUT"]).status_code == 400
    for headers in ({}, {"if_match": '"xyz"'}):
        missing = send(free, "PUT", f"{ITEMS}/nowhere", NEW, content_type=MEDIA_TYPES["PUT"], **headers)
        assert missing.status_code == 404
        assert free.client.get(f"{ITEMS}/nowhere").status_code == 404


def test_create_replace_delete_delete(free: Editor) -> None:
    """/conf/create-replace-delete/delete"""
    assert send(free, "DELETE", f"{ITEMS}/{PARK}").status_code == 204
    assert free.client.get(f"{ITEMS}/{PARK}").status_code == 404


def test_update(free: Editor) -> None:
    """/conf/update/update, update-content-type, update-rid"""
    address = f"{ITEMS}/{PARK}"
    before = get(free.client, address).json()
    assert send(free, "PATCH", address, METHODS["PATCH"], content_type=MEDIA_TYPES["PATCH"]).status_code == 200
    after = get(free.client, address).json()
    assert after["properties"]["note"] == "新注"
    for name, value in before["properties"].items():
        assert name in ("note", "edited") or after["properties"][name] == value
    assert after["geometry"] == before["geometry"]
    assert send(free, "PATCH", address, METHODS["PATCH"]).status_code == 400
    assert send(free, "PATCH", address, {"id": "other"}, content_type=MEDIA_TYPES["PATCH"]).status_code == 400


def test_optimistic_locking_etags(editor: Editor) -> None:
    """/conf/optimistic-locking-etags/get-etag, replace, update, delete"""
    address = f"{ITEMS}/{PARK}"
    for method, body in METHODS.items():
        before = get(editor.client, address)
        etag = before.headers["etag"]
        # strong, since If-Match compares strongly
        assert etag.startswith('"')
        typed = {"content_type": MEDIA_TYPES[method]} if method in MEDIA_TYPES else {}
        assert send(editor, method, address, body, **typed, if_match='"0"').status_code == 412
        assert get(editor.client, address).json() == before.json()
        assert send(editor, method, address, body, **typed).status_code == 428
        done = send(editor, method, address, body, **typed, if_match=etag)
        assert done.status_code in (200, 204)
        assert done.headers.get("etag") != etag
    assert editor.client.get(address).status_code == 404


def test_features_endpoints(client: httpx.Client) -> None:
    """/conf/features/endpoints: the mutable features are those of a feature collection of the API"""
    collections = get(client, "/collections").json()["collections"]
    assert "platforms" in {one["id"] for one in collections if one.get("itemType", "feature") == "feature"}
    described = next(one for one in collections if one["id"] == "platforms")
    assert links(described, "items")[0]["href"].endswith(ITEMS)


def test_features_crs(free: Editor) -> None:
    """/conf/features/crs"""
    crs = "http://www.opengis.net/def/crs/EPSG/0/4549"
    first = send(free, "POST", ITEMS, NEW, content_type=MEDIA_TYPES["POST"]).headers["location"]
    there = free.client.get(first, params={"crs": crs}).json()["geometry"]
    second = send(
        free, "POST", ITEMS, {**NEW, "geometry": there}, content_type=MEDIA_TYPES["POST"], content_crs=f"<{crs}>"
    )
    again = free.client.get(second.headers["location"], params={"crs": crs}).json()["geometry"]
    assert again["coordinates"] == pytest.approx(there["coordinates"], abs=0.02)
    unknown = send(free, "POST", ITEMS, NEW, content_type=MEDIA_TYPES["POST"], content_crs="<http://example.org/crs>")
    assert unknown.status_code == 400


def test_features_schema(free: Editor) -> None:
    """/conf/features/schema, geojson"""
    schema = get(free.client, "/collections/platforms/schema").json()
    receivable = {name for name, one in schema["properties"].items() if not one.get("readOnly")}
    assert set(NEW["properties"]) <= receivable
    assert set(schema["required"]) <= receivable
    assert schema["additionalProperties"] is False
    for extra in ({"colour": "red"}, {"county": "330402"}):
        more = {**NEW, "properties": {**NEW["properties"], **extra}}
        assert send(free, "POST", ITEMS, more, content_type=MEDIA_TYPES["POST"]).status_code == 400


def test_features_json_merge_patch(free: Editor) -> None:
    """/conf/features/json-merge-patch"""
    address = f"{ITEMS}/{PARK}"
    moved = {"type": "Point", "coordinates": [120.81, 30.71]}
    patch = {"geometry": moved, "properties": {"name": "新名", "note": "新注", "status": None}}
    assert send(free, "PATCH", address, patch, content_type=MEDIA_TYPES["PATCH"]).status_code == 200
    got = get(free.client, address).json()
    assert got["geometry"] == moved
    assert (got["properties"]["name"], got["properties"]["note"], got["properties"]["status"]) == ("新名", "新注", None)
    role = next(n for n, one in get(free.client, "/collections/platforms/schema").json()["properties"].items()
                if one.get("x-ogc-role") == "id")  # fmt: skip
    assert send(free, "PATCH", address, {role: "other"}, content_type=MEDIA_TYPES["PATCH"]).status_code == 400
