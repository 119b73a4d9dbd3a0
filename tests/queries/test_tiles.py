"""The statement of a tile: which index it uses, and what it takes from each collection."""

import pytest
import sqlalchemy as sa

from app.catalog import COLLECTIONS, Collection
from app.encode.tilesets import CGCS2000_QUAD, TILE_MATRIX_SETS, WEB_MERCATOR_QUAD, TileMatrixSet
from app.queries.selection import Selection
from app.queries.tiles import tile_fields, tile_statement
from tests.conftest import connect

INDEXES = {
    "platforms": "ix_platform_geom",
    "lake_districts": "ix_platform_geom",
    "counties": "ix_region_geom",
    "counties_land": "ix_region_land_geom",
    "layout_elements": "ix_layout_element_geom",
}


def plan(connection: sa.Connection, statement: sa.Select[bytes, int]) -> str:
    compiled = statement.compile(connection)
    explained = connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params)
    return "\n".join(explained.scalars())


@pytest.mark.parametrize("grid", TILE_MATRIX_SETS.values(), ids=TILE_MATRIX_SETS)
@pytest.mark.parametrize(("collection", "index"), INDEXES.items())
def test_the_index_on_the_stored_geometry_finds_the_rows(
    loaded_url: sa.URL, collection: str, index: str, grid: TileMatrixSet
) -> None:
    """Tables this small are quicker read whole: only that is ruled out, so that the plan shows what an index can do."""
    with connect(loaded_url).connect() as connection:
        connection.exec_driver_sql("SET enable_seqscan = off")
        found = plan(connection, tile_statement(Selection(COLLECTIONS[collection]), grid, 12, 700, 3400))
    lines = [line for line in found.splitlines() if index in line]
    assert lines, found
    conditions = [line for line in found.splitlines() if "Index Cond" in line and "&&" in line]
    # the tile's box is a constant: nothing is projected row by row to compare
    assert conditions
    assert not any("st_transform" in line.lower() for line in conditions)


def test_a_tile_reads_no_column_that_it_does_not_carry(loaded_url: sa.URL) -> None:
    with connect(loaded_url).connect() as connection:
        found = plan(connection, tile_statement(Selection(COLLECTIONS["platforms"]), WEB_MERCATOR_QUAD, 9, 209, 427))
    assert "mention" not in found
    assert "indicator_value" not in found


@pytest.mark.parametrize("described", COLLECTIONS.values(), ids=COLLECTIONS)
def test_every_collection_has_tiles_with_names(loaded_url: sa.URL, described: Collection) -> None:
    assert {"name", "geometry_method", "schematic"} <= {one.name for one in tile_fields(described)}
    with connect(loaded_url).connect() as connection:
        rows = described.rows.subquery()
        drawn = connection.scalar(sa.select(sa.func.count(rows.c.geometry)))
        content, taken = connection.execute(tile_statement(Selection(described), CGCS2000_QUAD, 1, 0, 1)).one()
    assert taken == drawn
    assert content
