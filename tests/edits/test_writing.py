"""Create, replace, update, delete: what is written, what comes back, and what is refused."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.crs import find
from app.db import tables as t
from tests.edits.conftest import ITEMS, NEW, PARK, Editor

SCHEMATIC = "xiangfudang-science-lake"


def changed(feature: dict[str, Any], geometry: Any = ..., **properties: Any) -> dict[str, Any]:
    made = deepcopy(feature)
    made["properties"] |= properties
    if geometry is not ...:
        made["geometry"] = geometry
    return made


def refused(answer: httpx.Response, status: int, parameter: str | None, words: str) -> None:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body.get("parameter") == parameter, body
    assert words in body["detail"]


# ------------------------------------------------------------------------------------------------------------- create


def test_create(editor: Editor) -> None:
    made = editor.create(innomap_reason="%E5%AE%9E%E5%9C%B0")
    assert made.status_code == 201, made.text
    item = "yangtze-delta-quantum-laboratory"
    assert made.headers["location"] == f"{editor.client.base_url}{ITEMS}/{item}".replace("//coll", "/coll")
    got = editor.client.get(made.headers["location"])
    assert got.headers["etag"] == made.headers["etag"]
    assert got.json() == made.json()
    properties = got.json()["properties"]
    assert {name: properties[name] for name in NEW["properties"]} == NEW["properties"]
    # where it lies is decided by the database
    assert (properties["county"], properties["city"]) == ("330402", "330400")
    assert got.json()["geometry"] == NEW["geometry"]
    mark = properties["edited"][0]
    assert (mark["property"], mark["plan"], mark["by"], mark["reason"]) == ("*", None, "测绘科", "实地")
    found = editor.client.get("/search", params={"q": "量子实验"}).json()
    assert item in {one["id"] for one in found["items"]}


def test_ids(editor: Editor) -> None:
    """One that is sent is kept; else one is made of the name, and a number keeps it apart."""
    assert editor.create({**NEW, "id": "quantum-1"}).headers["location"].endswith("/quantum-1")
    names = [editor.create().headers["location"].rpartition("/")[2] for _ in range(2)]
    assert names == ["yangtze-delta-quantum-laboratory", "yangtze-delta-quantum-laboratory-2"]
    chinese = editor.create(changed(NEW, name_en="量子 Lab")).headers["location"].rpartition("/")[2]
    assert chinese == "liang-zi-lab"
    refused(editor.create({**NEW, "id": "quantum-1"}), 409, "id", "in use")
    editor.delete("quantum-1").raise_for_status()
    # cited perhaps, and its history is there
    refused(editor.create({**NEW, "id": "quantum-1"}), 409, "id", "or was")
    for wrong in ("Quantum", "a_b", "-a", "a" * 101, 7, "a/b"):
        refused(editor.create({**NEW, "id": wrong}), 400, "id", "slug")


#: A ring that crosses itself.
BOW = [[120.7, 30.7], [120.8, 30.8], [120.8, 30.7], [120.7, 30.8], [120.7, 30.7]]
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (changed(NEW, kind="castle"), "kind", "No code or name 'castle'"),
    (changed(NEW, kind=None), "kind", "Is required"),
    (changed(NEW, name=""), "name", "Is required"),
    (changed(NEW, name=5), "name", "a text"),
    (changed(NEW, name="长" * 10_001), "name", "At most 10000"),
    (changed(NEW, name_en_source="guess"), "name_en_source", "not one of printed"),
    (changed(NEW, level="galactic"), "level", "not one of"),
    (changed(NEW, declared_county="999999"), "declared_county", "No code or name"),
    (changed(NEW, declared_county="nanhu-daqiao"), "declared_county", "is a town, not a county"),
    (changed(NEW, town="330402"), "town", "is a county, not a town"),
    (changed(NEW, area_km2="large"), "area_km2", "a number"),
    (changed(NEW, area_km2=0), "area_km2", "above 0"),
    (changed(NEW, county="330411"), "county", "read-only"),
    (changed(NEW, aliases=["别名"]), "aliases", "read-only"),
    (changed(NEW, nmae="x"), "nmae", "did you mean 'name'"),
    (changed(NEW, position_accuracy_m=-1), "position_accuracy_m", "below 0"),
    (changed(NEW, position_accuracy_m=None), "position_accuracy_m", "needs it"),
    (changed(NEW, position_source=None), "position_source", "needs its source"),
    (changed(NEW, geometry_method="guessed"), "geometry_method", "not one of"),
    (changed(NEW, None), "geometry", "needs a geometry"),
    (changed(NEW, geometry_method="none"), "geometry", "takes no geometry"),
    (changed(NEW, None, geometry_method="county_only", position_accuracy_m=None), "declared_county", "with an outline"),
    (changed(NEW, geometry_method="schematic"), "area_km2", "circle of its published area"),
    (changed(NEW, geometry_method="traced"), "geometry", "takes a Polygon"),
    (changed(NEW, {"type": "Point", "coordinates": [30.75, 120.7]}), "geometry", "outside CRS84"),
    (changed(NEW, {"type": "Point", "coordinates": [30.75, 30.75]}), "geometry", "axis order"),
    (changed(NEW, {"type": "Point", "coordinates": [120.7, None]}), "geometry", "do not make a Point"),
    (changed(NEW, {"type": "Circle", "coordinates": [120.7, 30.7]}), "geometry", "No such kind"),
    (changed(NEW, {"type": "Polygon", "coordinates": [BOW]}, geometry_method="traced"), "geometry", "not valid"),
]  # fmt: skip


def test_refused(editor: Editor) -> None:
    """By the rules of the data files, named with property and rule; several at once are all told."""
    for feature, parameter, words in REFUSED:
        refused(editor.create(feature), 400, parameter, words)
    for wrong, allowed in (
        ({"declared_county": "海宁市"}, ["330481"]),
        ({"kind": "labratory"}, ["laboratory"]),
        ({"town": "330481"}, []),
        ({"status": "done"}, ["planned", "building"]),
    ):
        body = editor.create(changed(NEW, **wrong)).json()
        assert set(allowed) < set(body["allowed"]), body
        assert body["faults"][0]["allowed"] == body["allowed"]
    both = editor.create(changed(NEW, kind="castle", area_km2="x", level="y")).json()
    assert {one["property"] for one in both["faults"]} == {"area_km2", "level"}
    assert editor.client.get(f"{ITEMS}/yangtze-delta-quantum-laboratory").status_code == 404


def test_bodies(editor: Editor) -> None:
    send = editor.client.post
    bearer = editor.headers()
    typed = {**bearer, "Content-Type": "application/geo+json"}
    refused(send(ITEMS, content=b"{}", headers=bearer), 400, "Content-Type", "required")
    wrong = send(ITEMS, content=b"{}", headers={**bearer, "Content-Type": "text/xml"})
    refused(wrong, 415, "Content-Type", "geo+json")
    assert wrong.headers["accept-post"] == "application/geo+json, application/json"
    for content, parameter, words in (
        (b"{", "body", "Not JSON"),
        (b"[]", "body", "JSON object"),
        (b"\xff", "body", "UTF-8"),
        (b'{"type": "Feature", "geometry": null}', "properties", "required"),
        (b'{"type": "Feature", "properties": {}}', "geometry", "required"),
        (b'{"type": "FeatureCollection", "features": []}', "type", "GeoJSON Feature"),
        (b'{"type": "Feature", "geometry": null, "properties": {"name": "\\u0000"}}', "body", "NUL"),
        (b'{"type": "Feature", "geometry": null, "properties": {"area_km2": NaN}}', "body", "number"),
        (b'{"type": "Feature", "geometry": null, "properties": {"area_km2": 1e999}}', "body", "at most"),
        (b'{"type": "Feature", "geometry": null, "properties": ' + b"[" * 200 + b"]" * 200 + b"}", "body", "nested"),
        (b'{"type": "Feature", "geometry": null, "properties": []}', "properties", "object"),
    ):
        refused(send(ITEMS, content=content, headers=typed), 400, parameter, words)
    refused(send(ITEMS, content=b" " * 1_000_001, headers=typed), 413, "body", "1000000 bytes")
    many = {"type": "MultiPoint", "coordinates": [[120.7, 30.7]] * 20_001}
    refused(editor.create(changed(NEW, many)), 400, "body", "20000 vertices")
    refused(editor.create(innomap_reason="x" * 501), 400, "Innomap-Reason", "500")
    refused(editor.create(innomap_reason="%00"), 400, "Innomap-Reason", "printable")
    refused(editor.create(content_crs="EPSG:9999"), 400, "Content-Crs", "EPSG:9999")


# --------------------------------------------------------------------------------------------------- reference systems


@pytest.mark.parametrize("form", ["<{}>", "{}"], ids=["standard", "qgis"])
@pytest.mark.parametrize("code", ["EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:4528", "EPSG:3857"])
def test_content_crs(editor: Editor, code: str, form: str) -> None:
    """Coordinates in the axis order of the authority; a vertex comes back where it was put."""
    degrees = editor.create().json()["id"]
    there = editor.client.get(f"{ITEMS}/{degrees}", params={"crs": code}).json()["geometry"]
    made = editor.create(changed(NEW, there), content_crs=form.format(find(code).uri))
    assert made.status_code == 201, made.text
    assert made.json()["geometry"]["coordinates"] == pytest.approx([120.7, 30.75], abs=2e-6)


def test_an_outline_keeps_its_vertices(editor: Editor, connection: sa.Connection) -> None:
    square = [[3404000, 472000], [3404000, 473000], [3405000, 473000], [3405000, 472000], [3404000, 472000]]
    outline = changed(NEW, {"type": "Polygon", "coordinates": [square]}, geometry_method="traced")
    made = editor.create(outline, content_crs="http://www.opengis.net/def/crs/EPSG/0/4549")
    assert made.status_code == 201, made.text
    assert len(made.json()["geometry"]["coordinates"][0]) == 5
    p = t.platform.c
    inside = sa.func.ST_Covers(p.geom, p.position)
    sums = sa.select(sa.func.ST_Area(sa.func.ST_Transform(p.geom, 4549)), inside).where(p.id == made.json()["id"])
    area, covered = connection.execute(sums).one()
    assert area == pytest.approx(1e6, rel=1e-6)
    assert covered


def test_the_crs_member_counts(editor: Editor) -> None:
    """What this service answers in another system comes back without a header."""
    item = editor.create().json()["id"]
    there = editor.client.get(f"{ITEMS}/{item}", params={"crs": "EPSG:4549"}).json()
    moved = deepcopy(there)
    moved["geometry"]["coordinates"][0] += 1000
    answer = editor.put(item, moved)
    assert answer.status_code == 200, answer.text
    assert answer.json()["geometry"]["coordinates"] == pytest.approx([120.7, 30.759], abs=1e-4)
    moved["crs"]["properties"]["name"] = "http://www.opengis.net/def/crs/EPSG/0/4490"
    refused(editor.put(item, moved, content_crs="EPSG:4549"), 400, "crs", "Differs")


# -------------------------------------------------------------------------------------------- replace, update, delete


def test_what_is_read_and_sent_back_is_no_change(editor: Editor, connection: sa.Connection) -> None:
    """Read-only properties, rounded coordinates, drawn circles and all."""
    before = connection.execute(
        sa.select(sa.func.count(), sa.func.sum(t.platform.c.version)).select_from(t.platform)
    ).one()
    for method in ("point", "schematic", "county_only", "city_only", "none"):
        found = editor.client.get(ITEMS, params={"geometry_method": method, "limit": 1}).json()["features"][0]
        for crs in ("CRS84", "EPSG:4549"):
            read = editor.client.get(f"{ITEMS}/{found['id']}", params={"crs": crs}).json()
            answer = editor.put(found["id"], read, content_crs=crs)
            assert answer.status_code == 200, answer.text
    after = connection.execute(
        sa.select(sa.func.count(), sa.func.sum(t.platform.c.version)).select_from(t.platform)
    ).one()
    assert after == before


def test_replace(editor: Editor) -> None:
    """What is not sent becomes empty."""
    item = editor.create(changed(NEW, note="旧注", status="building", area_km2=1.25)).json()["id"]
    answer = editor.put(item, changed(NEW, {"type": "Point", "coordinates": [120.9, 30.9]}, name="新名"))
    assert answer.status_code == 200, answer.text
    properties = answer.json()["properties"]
    assert (properties["name"], properties["note"], properties["status"]) == ("新名", None, None)
    assert (properties["area_km2"], properties["county"]) == (None, "330421")
    assert answer.headers["etag"] == editor.etag(item)
    refused(editor.put(item, {**NEW, "id": "another"}), 400, "id", "cannot change")
    refused(editor.put(item, changed(NEW, name=None)), 400, "name", "required")
    missing = editor.client.put(f"{ITEMS}/nowhere", json=NEW, headers=editor.headers({"If-Match": '"xyz"'}))
    refused(missing, 404, "featureId", "nowhere")


def test_update(editor: Editor) -> None:
    before = editor.item(PARK)
    answer = editor.patch(
        PARK, {"properties": {"concept": "新理念", "department": None}}, innomap_reason="测试".encode()
    )
    assert answer.status_code == 200, answer.text
    after = answer.json()
    expected = before["properties"] | {"concept": "新理念", "department": None, "edited": after["properties"]["edited"]}
    assert after["properties"] == expected
    assert after["geometry"] == before["geometry"]
    moved = editor.patch(PARK, {"geometry": {"type": "Point", "coordinates": [120.8, 30.7]}}).json()
    assert moved["geometry"]["coordinates"] == [120.8, 30.7]
    for patch, parameter in (
        ({"id": "other"}, "id"),
        ({"properties": {"id": "other"}}, "id"),
        ({"links": []}, "links"),
        ({"properties": None}, "properties"),
        ({"properties": {"county": "330411"}}, "county"),
        ({"properties": {"name": None}}, "name"),
        ({"geometry": None}, "geometry"),
        ({"type": "Point"}, "type"),
    ):
        refused(editor.patch(PARK, patch), 400, parameter, "")
    wrong = editor.patch(PARK, {}, content_type="application/geo+json")
    refused(wrong, 415, "Content-Type", "merge-patch")
    assert wrong.headers["accept-patch"] == "application/merge-patch+json"


def test_a_schematic_geometry_says_how_it_is_known(editor: Editor) -> None:
    point = {"type": "Point", "coordinates": [120.9, 30.95]}
    item = next(iter(editor.client.get(ITEMS, params={"geometry_method": "schematic"}).json()["features"]))["id"]
    refused(editor.patch(item, {"geometry": point}), 400, "geometry_method", "schematic")
    half = {"geometry": point, "properties": {"geometry_method": "schematic"}}
    refused(editor.patch(item, half), 400, "position_source", "schematic")
    full = {"geometry": point, "properties": {"geometry_method": "schematic", "position_source": "visited"}}
    moved = editor.patch(item, full)
    assert moved.status_code == 200, moved.text
    # drawn anew round the new anchor
    assert moved.json()["geometry"]["type"] == "Polygon"
    circle = {"geometry": moved.json()["geometry"]} | {"properties": full["properties"] | {"note": "x"}}
    assert editor.patch(item, circle).status_code == 200


def test_a_place_that_was_known_by_county(editor: Editor) -> None:
    feature = editor.client.get(ITEMS, params={"geometry_method": "county_only", "limit": 1}).json()["features"][0]
    item = feature["id"]
    refused(editor.patch(item, {"properties": {"geometry_method": "point"}}), 400, "geometry", "symbol only")
    refused(editor.patch(item, {"properties": {"position_accuracy_m": 5}}), 400, "geometry", "found by the load")
    x, y = feature["geometry"]["coordinates"]
    placed = editor.patch(
        item,
        {
            "geometry": {"type": "Point", "coordinates": [x + 0.001, y]},
            "properties": {"geometry_method": "point", "position_source": "visited", "position_accuracy_m": 20},
        },
    )
    assert placed.status_code == 200, placed.text
    assert placed.json()["properties"]["position_accuracy_m"] == 20
    back = editor.set(item, geometry_method="county_only").json()
    assert back["geometry"] == feature["geometry"]
    assert back["properties"]["position_accuracy_m"] == feature["properties"]["position_accuracy_m"]


def test_delete(editor: Editor, connection: sa.Connection) -> None:
    version = editor.etag(PARK)
    done = editor.delete(PARK)
    assert (done.status_code, done.content) == (204, b"")
    assert editor.client.get(f"{ITEMS}/{PARK}").status_code == 404
    refused(
        editor.client.delete(f"{ITEMS}/{PARK}", headers=editor.headers({"If-Match": version})), 404, "featureId", ""
    )
    kept = connection.execute(sa.select(t.platform).where(t.platform.c.id == PARK)).mappings().one()
    assert (kept["retired"], kept["deleted"]) == (True, True)
    assert PARK not in {
        one["id"] for one in editor.client.get("/search", params={"q": "高新技术产业园区"}).json()["items"]
    }


def test_members_move_their_core(editor: Editor) -> None:
    """Shapes that are drawn from anchors follow an edit."""
    address = "/collections/layout_elements/items/jx-core"
    member = next(
        one["platform"] for one in editor.client.get(address).json()["properties"]["members"] if "platform" in one
    )
    before = editor.client.get(address).json()["geometry"]
    editor.patch(
        member,
        {
            "geometry": {"type": "Point", "coordinates": [121.1, 30.9]},
            "properties": {"geometry_method": "point", "position_source": "a test", "position_accuracy_m": 10},
        },
    ).raise_for_status()
    assert editor.client.get(address).json()["geometry"] != before


# --------------------------------------------------------------------------------------------- who may, and conditions


def test_other_collections(editor: Editor, make_key: Callable[..., str]) -> None:
    """Those that show platforms say where to go, others that they cannot be written."""
    editor.key = make_key("admin", "admin")
    kinds = editor.client.post("/collections/lake_districts/items", json=NEW, headers=editor.headers())
    refused(kinds, 405, "collectionId", "/collections/platforms/items")
    assert kinds.headers["allow"] == "GET, HEAD, OPTIONS"
    one = editor.client.delete(f"/collections/hightech_parks/items/{PARK}", headers=editor.headers())
    refused(one, 405, "collectionId", f"/collections/platforms/items/{PARK}")
    for method in ("PUT", "PATCH", "DELETE"):
        answer = editor.client.request(method, "/collections/counties/items/330402", headers=editor.headers())
        refused(answer, 405, "collectionId", "cannot be written")


def test_options(editor: Editor) -> None:
    ask = editor.client.options
    for path, methods, kinds in (
        (ITEMS, "GET, HEAD, OPTIONS, POST", "accept-post"),
        (f"{ITEMS}/{PARK}", "GET, HEAD, OPTIONS, PUT, PATCH, DELETE", "accept-patch"),
        ("/collections/counties/items", "GET, HEAD, OPTIONS", None),
        ("/collections/lake_districts/items/x", "GET, HEAD, OPTIONS", None),
    ):
        answer = ask(path)
        assert (answer.status_code, answer.headers["allow"]) == (200, methods)
        assert kinds is None or answer.headers[kinds]
    preflight = {"Origin": "https://map.example", "Access-Control-Request-Method": "PATCH"}
    assert "PATCH" in ask(f"{ITEMS}/{PARK}", headers=preflight).headers["access-control-allow-methods"]


def test_if_match(editor: Editor) -> None:
    mark = editor.etag(PARK)
    assert mark.startswith('"1.')
    refused(editor.patch(PARK, {"properties": {"note": "甲"}}, if_match=""), 428, "If-Match", "required")
    for wrong in ('"0"', '"2.x"', "xyz", '""', '"1 "'):
        refused(editor.patch(PARK, {"properties": {"note": "甲"}}, if_match=wrong), 412, "If-Match", "version 1 now")
    # a proxy that compresses may weaken the mark; the version is what counts
    assert editor.patch(PARK, {"properties": {"note": "甲"}}, if_match=f'"9", W/{mark}').status_code == 200
    assert editor.patch(PARK, {"properties": {"note": "乙"}}, if_match="*").status_code == 200
    # another layer's change is no change of this row
    editor.set("juanhu-science-city", note="丙")
    current = editor.etag(PARK)
    assert current != mark
    refused(editor.delete(PARK, if_match=mark), 412, "If-Match", "version 3 now")
    assert editor.delete(PARK, if_match=current).status_code == 204


def test_the_mark_is_the_same_bytes(editor: Editor) -> None:
    plain, packed = (
        editor.client.get(f"{ITEMS}/{PARK}", headers={"Accept-Encoding": one}) for one in ("identity", "gzip")
    )
    assert plain.headers["etag"] != packed.headers["etag"]
    again = editor.client.get(
        f"{ITEMS}/{PARK}", headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]}
    )
    assert again.status_code == 304


def test_a_key_that_may_omit_the_condition(editor: Editor, make_key: Callable[..., str]) -> None:
    editor.key = make_key("QGIS", "editor", "platforms", unconditional=True)
    assert editor.patch(PARK, {"properties": {"note": "甲"}}, if_match="").status_code == 200
    assert editor.patch(PARK, {"properties": {"note": "乙"}}).status_code == 200
    refused(editor.patch(PARK, {"properties": {"note": "丙"}}, if_match='"1"'), 412, "If-Match", "version 3 now")
    assert [one["unconditional"] for one in editor.history(PARK)] == [False, True, False]


def test_token(editor: Editor) -> None:
    token = editor.set(PARK, note="甲").headers["innomap-token"]
    answer = editor.client.get(f"{ITEMS}/{PARK}", headers={"Innomap-Token": token})
    assert answer.json()["properties"]["note"] == "甲"
    refused(editor.client.get(ITEMS, headers={"Innomap-Token": "soon"}), 400, "Innomap-Token", "token")
