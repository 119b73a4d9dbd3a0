"""The requests with which current QGIS edits a layer (its OAPIF provider since 3.32), sent as it sends them.

It asks what is allowed, creates with every field of the schema, takes the id from ``Location``, changes geometry and
attributes by two merge patches, names its reference system without angle brackets, and never sends ``If-Match``.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from tests.edits.conftest import ITEMS, NEW, PARK, Editor, make_key, own_client

__all__ = ["make_key", "own_client"]

AGENT = {"User-Agent": "Mozilla/5.0 QGIS/34010/Debian GNU/Linux 13 (trixie)"}
CGCS2000 = "http://www.opengis.net/def/crs/EPSG/0/4549"


class Qgis:
    """The edits of a layer whose reference system is ``crs`` (``None``: CRS84)."""

    def __init__(self, client: httpx.Client, key: str, crs: str | None = None) -> None:
        self.client = client
        self.headers = {**AGENT, "Authorization": f"Bearer {key}"}
        self.crs = {"Content-Crs": crs} if crs else {}

    def options(self, path: str) -> list[str]:
        answer = self.client.options(path, headers=self.headers)
        return [one.strip() for one in answer.headers["allow"].split(",")]

    def fields(self) -> dict[str, dict[str, Any]]:
        schema = self.client.get("/collections/platforms/schema", headers=self.headers).json()
        return {name: one for name, one in schema["properties"].items() if "type" in one}

    def create(self, geometry: Mapping[str, Any], attributes: Mapping[str, Any]) -> str:
        # every field of the layer, unset ones as null; "id" it takes out again
        properties = {name: attributes.get(name) for name in self.fields() if name != "id"}
        feature = {"geometry": geometry, "properties": properties, "type": "Feature"}
        answer = self.client.post(
            ITEMS, content=json.dumps(feature).encode(),
            headers={**self.headers, "Content-Type": "application/geo+json", **self.crs},
        )  # fmt: skip
        assert answer.status_code == 201, answer.text
        return answer.headers["location"].rpartition("/items/")[2]

    def patch(self, item: str, body: Mapping[str, Any], **headers: str) -> httpx.Response:
        typed = {**self.headers, "Content-Type": "application/merge-patch+json", **headers}
        return self.client.patch(f"{ITEMS}/{item}", content=json.dumps(body).encode(), headers=typed)


@pytest.fixture
def qgis(own_client: httpx.Client, make_key: Callable[..., str]) -> Callable[..., Qgis]:
    key = make_key("QGIS", "editor", "platforms", unconditional=True)

    def start(crs: str | None = None) -> Qgis:
        return Qgis(own_client, key, crs)

    return start


def key_of(one: Qgis) -> str:
    return one.headers["Authorization"].removeprefix("Bearer ")


def test_capabilities(qgis: Callable[..., Qgis]) -> None:
    """What QGIS looks for to let a layer be edited, and which fields it lets a person write."""
    one = qgis()
    assert "POST" in one.options(ITEMS)
    assert {"PUT", "PATCH", "DELETE"} <= set(one.options(f"{ITEMS}/{PARK}"))
    fields = one.fields()
    assert {name for name, field in fields.items() if not field.get("readOnly")} >= {"name", "kind", "area_km2"}
    assert all(fields[name]["readOnly"] for name in ("id", "county", "sources", "edited", "schematic"))


@pytest.mark.parametrize("crs", [None, CGCS2000], ids=["CRS84", "EPSG:4549"])
def test_an_editing_session(qgis: Callable[..., Qgis], crs: str | None) -> None:
    one = qgis(crs)
    # of 4549 QGIS swaps the axes itself: northing first
    start, moved = (
        ([120.7, 30.75], [120.71, 30.76]) if crs is None else ([3404000.5, 472000.25], [3405000.5, 472000.25])
    )
    item = one.create({"type": "Point", "coordinates": start}, NEW["properties"])
    made = one.client.get(f"{ITEMS}/{item}", params={"crs": crs} if crs else {}, headers=one.headers).json()
    assert made["geometry"]["coordinates"] == pytest.approx(start, abs=0.2 if crs else 1e-6)

    there = one.patch(item, {"geometry": {"type": "Point", "coordinates": moved}}, **one.crs)
    assert there.status_code == 200, there.text
    said = one.patch(item, {"properties": {"area_km2": 12.5, "note": "现场核对", "status": None}})
    assert said.status_code == 200, said.text
    after = one.client.get(f"{ITEMS}/{item}", params={"crs": crs} if crs else {}).json()
    assert after["geometry"]["coordinates"] == pytest.approx(moved, abs=0.2 if crs else 1e-6)
    assert (after["properties"]["area_km2"], after["properties"]["note"]) == (12.5, "现场核对")

    assert one.client.delete(f"{ITEMS}/{item}", headers=one.headers).status_code == 204
    assert one.client.get(f"{ITEMS}/{item}").status_code == 404
    changes = Editor(one.client, key_of(one)).history(item)
    assert [(change["action"], change["unconditional"]) for change in changes] == [
        ("delete", True), ("update", True), ("update", True), ("create", False),
    ]  # fmt: skip


def test_a_full_feature(qgis: Callable[..., Qgis]) -> None:
    """Where a server has no PATCH, QGIS puts the whole feature back; that works here too."""
    one = qgis()
    feature = one.client.get(f"{ITEMS}/{PARK}").json()
    feature["properties"]["note"] = "整体替换"
    body = {name: feature[name] for name in ("id", "type", "geometry", "properties")}
    answer = one.client.put(
        f"{ITEMS}/{PARK}", content=json.dumps(body).encode(),
        headers={**one.headers, "Content-Type": "application/geo+json"},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.json()["properties"]["note"] == "整体替换"


def test_a_field_that_follows_from_others(qgis: Callable[..., Qgis]) -> None:
    """Refused with a sentence, which QGIS shows."""
    answer = qgis().patch(PARK, {"properties": {"county": "330411"}})
    assert answer.status_code == 400
    assert "county: " in answer.json()["detail"]
