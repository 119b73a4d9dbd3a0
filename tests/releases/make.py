"""Keeps a database as a release makes it, for later ones to be tested against.

    python -m tests.releases.make

Run once before a release, at its schema: writes ``<release>.innomap``, a backup of the repository's data with edits and
a layer of a steward's own, and ``<release>.json.gz``, what it answers.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app import __version__
from app.db.backup import backup
from app.db.migrate import upgrade
from app.edits import keys
from app.imports.run import run
from app.ingest.load import load
from app.settings import ROOT
from tests.conftest import connect, embedded_server, http, served, settings_for
from tests.edits.conftest import NEW, PARK, Editor
from tests.imports.conftest import definition, job

FOLDER = Path(__file__).parent
#: The key of the steward who made the edits; it opens nothing but the databases kept here.
KEY = "steward"
COLLECTIONS = ("platforms", "counties", "layout_elements", "corridors", "region_indicators", "stations")
ROWS = "code,名称,lon,lat,功率,运营\nA-1,一号站,120.755,30.746,60,国网\nA-2,二号站,120.68,30.52,120.5,特来电\n"


def told(url: sa.URL) -> dict[str, Any]:
    """What a database answers: items as they are, and the history of one."""
    with served(settings_for(url)) as address, http(address) as client:
        answers = {
            one: client.get(f"/collections/{one}/items?limit=10000").raise_for_status().json()["features"]
            for one in COLLECTIONS
        }
        history = client.get(f"/collections/platforms/items/{PARK}/history").raise_for_status().json()["changes"]
    features = {name: {one["id"]: one["properties"] for one in found} for name, found in answers.items()}
    places = {
        name: {one["id"]: one["geometry"] for one in found if name in ("platforms", "stations")}
        for name, found in answers.items()
    }
    for one in history:
        del one["links"]
    return {"properties": features, "geometries": places, "history": history}


def fill(url: sa.URL, folder: Path) -> None:
    """Everything a database may hold: the data, edits of each sort, a steward's own layer, keys."""
    with connect(url).connect() as connection:
        upgrade(connection)
        load(connection, ROOT / "geodata")
    with connect(url).begin() as connection:
        key = keys.create(connection, KEY, "editor", ("platforms",), allow_unconditional=False)
    with served(settings_for(url)) as address, http(address) as client:
        editor = Editor(client, key)
        editor.set(PARK, note="甲", area_km2=12.5)
        editor.set(PARK, note="乙")
        made = editor.create(NEW).raise_for_status().headers["location"].rpartition("/")[2]
        editor.set(made, builder="测试")
        gone = editor.create({**NEW, "properties": {**NEW["properties"], "name": "暂设实验室"}}).raise_for_status()
        editor.delete(gone.headers["location"].rpartition("/")[2]).raise_for_status()
    rows = folder / "rows.csv"
    rows.write_text(ROWS, encoding="utf-8")
    with connect(url).connect() as connection:
        run(connection, job(rows, layer=definition(crs="EPSG:4326"), apply=True), lambda *told: None)
        connection.commit()


def main() -> None:
    with embedded_server() as server:
        url = server.create_database("innomap_release")
        fill(url, FOLDER)
        (FOLDER / "rows.csv").unlink()
        expected = told(url)
        # what is kept ready is made anew where it is missing; it is a third of the file
        with connect(url).begin() as connection:
            connection.execute(sa.text("DELETE FROM ready_layer"))
        backup(url, FOLDER / f"{__version__}.innomap")
    text = json.dumps(expected, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    (FOLDER / f"{__version__}.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
