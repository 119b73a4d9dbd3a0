"""An imported layer is a collection like any other: items, filters, relations, tiles, files, pages, no line of code."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyogrio
import pytest
import sqlalchemy as sa

from app.imports.run import run
from tests.conftest import connect, http, served, settings_for
from tests.imports.conftest import definition, job
from tests.imports.test_rules import GOOD, written
from tests.mvt import decode

ROWS = [
    GOOD,
    ["A-2", "<b>二号站</b>", "7.5", "特来电", "120.68", "30.52"],
    ["A-3", "三号站", "", "国网", "120.49", "30.74"],
]


def bring(url: sa.URL, path: Path, **given: object) -> None:
    with connect(url).connect() as connection:
        run(connection, job(path, crs="EPSG:4326", apply=True, **given), lambda *told: None)
        connection.commit()


@pytest.fixture
def imported(database_url: sa.URL, tmp_path: Path) -> Iterator[httpx.Client]:
    """A service that runs already when the layer is imported."""
    # nothing kept: what another process wrote is seen with the next request, not a moment later
    with served(settings_for(database_url, response_cache_mb=0)) as address, http(address) as client:
        assert client.get("/collections/stations").status_code == 404
        listed = client.get("/collections").json()["collections"]
        bring(database_url, written(tmp_path / "in.csv", *ROWS), layer=definition(geometry="Point"))
        assert len(client.get("/collections").json()["collections"]) == len(listed) + 1
        yield client


def test_everything_generic_reads_it(imported: httpx.Client, database_url: sa.URL, tmp_path: Path) -> None:
    described = imported.get("/collections/stations").json()
    assert described["title"] == "充电站 Charging stations"
    assert described["attribution"] == "某局普查（CC BY 4.0）"

    def ids(**query: str) -> list[str]:
        answer = imported.get("/collections/stations/items", params=query)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["features"]]

    assert ids() == ["a-1", "a-2", "a-3"]
    assert ids(operator="国网") == ["a-1", "a-3"]
    assert ids(filter="power_kw > 10 OR power_kw IS NULL") == ["a-1", "a-3"]
    assert ids(within="海宁市") == ids(bbox="120.6,30.5,120.7,30.6") == ["a-2"]
    assert ids(near="120.755,30.746", distance="100") == ["a-1"]
    assert ids(nearest="120.5,30.7", k="2") == ["a-3", "a-1"]
    assert ids(sortby="-power_kw") == ["a-1", "a-2", "a-3"]

    one = imported.get("/collections/stations/items/a-2").json()
    assert one["properties"] == {
        "name": "<b>二号站</b>", "power_kw": 7.5, "operator": "特来电", "county": "330481", "county_name": "海宁市",
        "city": "330400", "geometry_method": "traced", "schematic": False, "position_accuracy_m": None,
        "position_source": "in.csv：某局普查",
    }  # fmt: skip
    counted = imported.get("/collections/stations/aggregate", params={"group_by": "county"}).json()
    assert {one["label"]: one["count"] for one in counted["groups"] if one["count"]} == {
        "南湖区": 1, "海宁市": 1, "桐乡市": 1,
    }  # fmt: skip
    tile = imported.get("/collections/stations/tiles/WebMercatorQuad/7/52/106")
    assert sorted(decode(tile.content)["id"]) == ["a-1", "a-2", "a-3"]
    path = tmp_path / "out.gpkg"
    path.write_bytes(imported.get("/exports/stations.gpkg", params={"crs": "EPSG:4549"}).content)
    assert sorted(pyogrio.read_dataframe(path, layer="stations")["name"]) == sorted(row[1] for row in ROWS)
    table = imported.get("/exports/stations.csv").content.decode("utf-8-sig")
    assert [row["power_kw"] for row in csv.DictReader(io.StringIO(table))] == ["60", "7.5", ""]
    for page in (
        "/collections/stations",
        "/collections/stations/items",
        "/collections/stations/items/a-2",
        "/",
        "/credits",
    ):
        answer = imported.get(page, params={"f": "html"})
        assert answer.status_code == 200, page
        assert "充电站" in answer.text or "CC BY 4.0" in answer.text
        assert "<b>二号站" not in answer.text
    api = imported.get("/api").json()
    assert "/collections/stations/items" in api["paths"]


def test_a_later_import_is_seen_at_once(imported: httpx.Client, database_url: sa.URL, tmp_path: Path) -> None:
    before = imported.get("/collections/stations/items")
    title = "公共充电站"
    bring(database_url, written(tmp_path / "in.csv", GOOD), layer=definition(title=title), replace=True)
    told = {"If-None-Match": before.headers["etag"], "Cache-Control": "no-cache"}
    after = imported.get("/collections/stations/items", params={"limit": "5"}, headers=told)
    assert after.status_code == 200
    assert [one["id"] for one in after.json()["features"]] == ["a-1"]
    assert imported.get("/collections/stations", params={"f": "json", "lang": "zh"}).json()["title"].startswith(title)


def test_other_questions_do_not_read_the_definitions(imported: httpx.Client) -> None:
    """A name that nobody imported is unknown, and one of the program's own stays what it is."""
    assert imported.get("/collections/platforms/items", params={"limit": "1"}).status_code == 200
    unknown = imported.get("/collections/nothing/items")
    assert unknown.status_code == 404
    assert "stations" in unknown.json()["allowed"]
