"""Ready features of an imported layer: those that would be computed, whatever happens to its rows."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from app.catalog.imported import collection
from app.queries import ready
from app.queries.imported import Imported
from app.queries.versions import State, read, stated
from tests.conftest import connect, http, served, settings_for
from tests.imports.conftest import definition
from tests.imports.test_collection import ROWS, bring
from tests.imports.test_rules import written

ITEMS, WHOLE = "/collections/stations/items", "/exports/stations.geojson"
#: Questions that the ready features can answer by themselves: all lie in Zhejiang.
BY_SHAPE = ("?bbox=118,27,123,32", "?filter=S_INTERSECTS(geometry,POLYGON((118 27,123 27,123 32,118 32,118 27)))")


def refresh(url: sa.URL) -> None:
    """In its turn: a service that is at it would have this one go without."""

    async def once() -> None:
        engine = create_async_engine(url, poolclass=sa.StaticPool)  # the lock is its connection's
        async with engine.begin() as connection:
            await connection.execute(sa.select(sa.func.pg_advisory_lock(ready.READY_LOCK)))
        await ready.refresh(engine, Imported())
        await engine.dispose()

    asyncio.run(once())


def kept(url: sa.URL) -> dict[str, Any]:
    with connect(url).connect() as connection:
        asked = sa.text("SELECT id, feature FROM ready_feature JOIN ready_layer USING (collection)"
                        " WHERE collection = 'stations'")  # fmt: skip
        return {id: json.loads(text) for id, text in connection.execute(asked)}


def plainly(client: httpx.Client) -> list[Any]:
    """The items as they are computed: in another order of the axes nothing is ready."""
    found = client.get(ITEMS, params={"crs": "EPSG:4326"}).raise_for_status().json()["features"]
    for one in found:
        one["geometry"]["coordinates"].reverse()
    return list(found)


#: What may happen to the rows of a layer without the service's knowing.
HAPPENS = (
    "UPDATE imported_stations SET name = '改名' WHERE id = 'a-1'",
    "DELETE FROM imported_stations WHERE id = 'a-2'; INSERT INTO imported_stations (id, name, geometry_method,"
    " position_source, geom) VALUES ('a-2', '另一站', 'point', '手工', ST_Point(120.7, 30.6, 4326))",
    "UPDATE region SET name = '甲县' WHERE id = '330481'",
    "UPDATE imported_stations SET retired = true WHERE id = 'a-3'",
)


def test_what_is_ready_is_what_would_be_computed(database_url: sa.URL, tmp_path: Path) -> None:
    bring(database_url, written(tmp_path / "in.csv", *ROWS), layer=definition(geometry="Point"))
    with served(settings_for(database_url, response_cache_mb=0)) as address, http(address) as client:
        for statement in HAPPENS:
            with connect(database_url).begin() as connection:
                connection.execute(sa.text(statement))
            # before anything is made ready again, or while it is
            for path in (ITEMS, WHOLE, *(ITEMS + one for one in BY_SHAPE)):
                assert client.get(path).json()["features"] == plainly(client), statement
            refresh(database_url)
            for path in (ITEMS, WHOLE, *(ITEMS + one for one in BY_SHAPE)):
                assert client.get(path).json()["features"] == plainly(client), statement
        there = kept(database_url)
        assert [there[one["id"]] for one in plainly(client)] == plainly(client)


def test_ready_features_are_given_as_they_are(database_url: sa.URL, tmp_path: Path) -> None:
    """As seen by changing one in the table alone."""
    bring(database_url, written(tmp_path / "in.csv", *ROWS), layer=definition(geometry="Point"))
    with served(settings_for(database_url, response_cache_mb=0)) as address, http(address) as client:
        refresh(database_url)
        assert set(kept(database_url)) == {"a-1", "a-2", "a-3"}
        with connect(database_url).begin() as connection:
            connection.execute(
                sa.text("UPDATE ready_feature SET feature = replace(feature, '三号站', '备好的') WHERE id = 'a-3'")
            )
        for path in (ITEMS, WHOLE):
            names = [one["properties"]["name"] for one in client.get(path).json()["features"]]
            assert names[2] == "备好的"
        # where they lie is read with them
        with connect(database_url).begin() as connection:
            connection.execute(sa.text("UPDATE ready_feature SET geom = ST_Point(1, 1, 4326) WHERE id = 'a-3'"))
        for more in BY_SHAPE:
            assert [one["id"] for one in client.get(ITEMS + more).json()["features"]] == ["a-1", "a-2"], more


def test_what_was_not_looked_at_since_a_change_is_not_all(database_url: sa.URL, tmp_path: Path) -> None:
    bring(database_url, written(tmp_path / "in.csv", *ROWS), layer=definition(geometry="Point"))
    refresh(database_url)
    stations = collection(definition(geometry="Point"))

    def seen() -> State:
        with connect(database_url).connect() as connection:
            return read(connection.scalar(sa.select(stated())) or "")

    assert ready.readiness(seen(), stations) == "all"
    assert ready.readiness(seen().of(stations.layers), stations) == "all"
    with connect(database_url).begin() as connection:
        connection.execute(sa.text(HAPPENS[0]))
    assert ready.readiness(seen(), stations) == "some"
    with connect(database_url).begin() as connection:
        connection.execute(sa.text(HAPPENS[2]))
    assert ready.readiness(seen(), stations) == "none"


def test_layers_too_large_or_split_are_not_kept(
    database_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(database_url, written(tmp_path / "in.csv", *ROWS), layer=definition(geometry="Point"))
    monkeypatch.setattr(ready, "MOST_ROWS", 2)
    refresh(database_url)
    assert kept(database_url) == {}
    monkeypatch.setattr(ready, "MOST_ROWS", 3)
    refresh(database_url)
    assert len(kept(database_url)) == 3
