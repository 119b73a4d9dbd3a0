"""Items as rows for files: typed values, the geometry as WKB with east first."""

from collections.abc import AsyncGenerator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Field
from app.encode.layer import Layer, Row
from app.queries.features import DISTANCE, View, shown
from app.queries.items import ordered
from app.queries.parts import CHUNK, of_values, parts
from app.queries.selection import Selection, conditions


def fields(selection: Selection, view: View) -> tuple[Field, ...]:
    """The properties of the rows: those asked for, and the distance where one is asked about."""
    known = selection.collection.fields
    chosen = tuple(one for one in known if view.properties is None or one.name in view.properties)
    return (*chosen, DISTANCE) if selection.near or selection.along else chosen


async def batches(
    connection: AsyncConnection, selection: Selection, view: View, layer: Layer, limit: int | None = None
) -> AsyncGenerator[list[Row], None]:
    """The items of a selection with the columns of ``layer``, some at a time, through a server-side cursor."""
    rows = selection.collection.relation
    columns = dict(rows.c.items())
    known: dict[str, sa.ColumnElement[Any]] = dict(columns)
    distance = selection.distance(columns)
    if distance is not None:
        known[DISTANCE.name] = sa.func.round(sa.cast(distance, sa.Numeric), 1)
    if layer.anchored:
        anchor = shown(columns["position"], view)
        east, north = layer.anchor
        known |= {east.name: sa.func.ST_X(anchor), north.name: sa.func.ST_Y(anchor)}
    # outer rings anticlockwise, as RFC 7946 and GeoParquet have them; GDAL turns them where a format differs
    drawn = shown(sa.func.ST_ForcePolygonCCW(columns["geometry"]), view)
    chosen = [known[one.name].label(one.name) for one in layer.columns]
    wkb = sa.type_coerce(sa.func.ST_AsBinary(drawn, "NDR"), sa.LargeBinary).label("geometry")
    statement = ordered(sa.select(*chosen, wkb).where(*conditions(selection, columns)), selection, view, limit)
    result = await connection.stream(statement, execution_options={"yield_per": CHUNK})
    try:
        async for part in parts(result.mappings(), of_values):
            yield [dict(row) for row in part]
    finally:
        # whatever happens to the reader, who may leave in the middle; as a context it would stay open then
        await result.close()
