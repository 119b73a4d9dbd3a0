"""The SQL of docs/scaling.md splits an imported layer by city; the service reads it as before."""

import json
import re
from pathlib import Path

import psycopg
import sqlalchemy as sa

from app.settings import ROOT
from tests.conftest import connect, http, served, settings_for
from tests.imports.test_rules import written
from tests.imports.test_upload import DEFINITION, key, send

#: Longitude and latitude of stations in Jiaxing, Hangzhou, Huzhou and in the sea.
PLACES = ((120.755, 30.746), (120.95, 30.85), (120.15, 30.28), (120.09, 30.89), (122.9, 29.5))
SQL = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/scaling.md").read_text("utf-8"), re.S)
ITEMS = "/collections/stations/items"
QUESTIONS = (
    f"{ITEMS}?limit=3",
    f"{ITEMS}?within=counties/330402",
    f"{ITEMS}?city=330400",
    f"{ITEMS}?near=120.755,30.746&distance=30000",
    f"{ITEMS}?bbox=120,30,121,31",
    "/collections/stations/aggregate?group_by=county",
    f"{ITEMS}/s-7",
)


def test_a_layer_is_split_and_reads_as_before(database_url: sa.URL, tmp_path: Path) -> None:
    rows = [[f"S-{n}", f"站 {n}", str(n), "国网", *map(str, PLACES[n % len(PLACES)])] for n in range(40)]
    told = settings_for(database_url, response_cache_mb=0)
    with served(told) as address, http(address) as client:
        path = written(tmp_path / "stations.csv", *rows)
        send(client, path, key(database_url, "admin"), definition=DEFINITION, apply="true").raise_for_status()

        def answers() -> dict[str, str]:
            found = {one: client.get(one) for one in QUESTIONS}
            assert {one.status_code for one in found.values()} == {200}, [one.text for one in found.values()]
            return {one: re.sub(r'"timeStamp":\s*"[^"]*"', "", told.text) for one, told in found.items()}

        before = answers()
        assert '"s-7"' in before[QUESTIONS[-1]]
        etag = client.get(ITEMS).headers["etag"]
        assert len(SQL) == 2
        for script in SQL:
            with psycopg.connect(
                database_url.set(drivername="postgresql").render_as_string(hide_password=False), autocommit=True
            ) as connection:
                connection.execute(script)
            for asked, answer in answers().items():
                assert answer == before[asked], asked
            assert client.get(ITEMS).headers["etag"] != etag
    plan = sa.text("EXPLAIN (FORMAT JSON) SELECT * FROM imported_stations WHERE position_city = '330400'")
    parts = sa.text(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'imported_stations'::regclass ORDER BY 1"
    )
    with connect(database_url).connect() as connection:
        assert len(connection.scalars(parts).all()) == 4
        # the other cities are not looked at
        assert set(re.findall("stations_[0-9a-z]+", json.dumps(connection.scalar(plan)))) == {"stations_330400"}
