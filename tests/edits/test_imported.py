"""A layer that a steward imported is edited as the platforms are, by its own fields and rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.edits.conftest import Editor
from tests.imports.conftest import Import, definition, importing

__all__ = ["importing"]

PATH = "/collections/stations/items"
CSV = "code,名称,功率,运营,lon,lat\nA1,南湖站,120,国网,120.70,30.75\nA2,海宁站,60,,120.69,30.53\n"
NEW: dict[str, Any] = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [120.9, 30.84]},
    "properties": {
        "name": "嘉善站", "power_kw": 7.5, "operator": None, "geometry_method": "point", "position_source": "visited",
    },
}  # fmt: skip


@pytest.fixture
def stations(editor: Editor, importing: Import, tmp_path: Path, make_key: Callable[..., str]) -> Editor:
    (tmp_path / "stations.csv").write_text(CSV, encoding="utf-8")
    layer = definition(geometry="Point", geometry_method="point", crs="EPSG:4326", lon="lon", lat="lat")
    report = importing(tmp_path / "stations.csv", layer=layer, apply=True)
    assert report["accepted"] == 2, report
    editor.key = make_key("stations", "editor", "stations")
    return editor


def test_edited(stations: Editor, connection: sa.Connection) -> None:
    client, typed = stations.client, {"Content-Type": "application/geo+json"}
    assert "POST" in client.options(PATH).headers["allow"]
    schema = client.get("/collections/stations/schema").json()
    assert not schema["properties"]["power_kw"].get("readOnly")
    assert schema["properties"]["county"]["readOnly"]

    made = client.post(PATH, json=NEW, headers=stations.headers(typed))
    assert made.status_code == 201, made.text
    item = made.json()["id"]
    assert (item, made.json()["properties"]["county"]) == ("jia-shan-zhan", "330421")

    first = client.get(PATH, params={"limit": 1}).json()["features"][0]["id"]
    address = f"{PATH}/{first}"
    etag = client.get(address).headers["etag"]
    patch = {"Content-Type": "application/merge-patch+json", "If-Match": etag}
    moved = {"geometry": {"type": "Point", "coordinates": [120.69, 30.54]}, "properties": {"power_kw": 240}}
    done = client.patch(address, json=moved, headers=stations.headers(patch))
    assert done.status_code == 200, done.text
    assert done.json()["properties"]["county"] == "330481"
    assert client.patch(address, json=moved, headers=stations.headers(patch)).status_code == 412

    changes = client.get(f"{address}/history").json()["changes"]
    assert (changes[0]["who"], changes[0]["changed"]["power_kw"]["after"]) == ("stations", 240)
    # before the edit, the item was as the import had brought it
    undone = client.post(
        f"{address}/history/{changes[0]['id']}/undo", headers=stations.headers({"If-Match": done.headers["etag"]})
    )
    assert undone.json()["properties"]["power_kw"] != 240
    assert undone.json()["geometry"]["coordinates"] != [120.69, 30.54]

    gone = client.delete(f"{PATH}/{item}", headers=stations.headers({"If-Match": made.headers["etag"]}))
    assert gone.status_code == 204
    assert client.get(f"{PATH}/{item}").status_code == 404
    kept = connection.scalar(sa.text("SELECT retired FROM imported_stations WHERE id = :id"), {"id": item})
    assert kept is True


def test_refused(stations: Editor) -> None:
    send, typed = stations.client.post, stations.headers({"Content-Type": "application/geo+json"})
    line = {"type": "LineString", "coordinates": [[120.7, 30.7], [120.8, 30.8]]}
    for change, parameter in (
        ({"geometry": line}, "geometry"),
        ({"geometry": None}, "geometry"),
        ({"properties": {**NEW["properties"], "name": None}}, "name"),
        ({"properties": {**NEW["properties"], "power_kw": "strong"}}, "power_kw"),
        ({"properties": {**NEW["properties"], "colour": "red"}}, "colour"),
        ({"properties": {**NEW["properties"], "geometry_method": "guessed"}}, "geometry_method"),
        ({"properties": {**NEW["properties"], "county": "330402"}}, "county"),
    ):
        answer = send(PATH, json={**NEW, **change}, headers=typed)
        assert (answer.status_code, answer.json()["parameter"]) == (400, parameter), answer.text
    # the key opens this layer alone
    assert send("/collections/platforms/items", json=NEW, headers=typed).status_code == 403
