"""GeoParquet 1.1 with a box for every row (``covering``), so that readers skip what lies elsewhere."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyproj import CRS

from app.crs import CRS84
from app.encode.layer import Layer
from app.encode.spool import GEOMETRY, Spool

MEDIA_TYPE = "application/vnd.apache.parquet"
EDGES = ("xmin", "ymin", "xmax", "ymax")
BOX = pa.struct([(name, pa.float64()) for name in EDGES])
#: Rows of one group: the smallest part that a reader fetches.
GROUP = 20_000


def parquet(spool: Spool, path: Path) -> None:
    """Write the spool as GeoParquet; row groups of ``GROUP`` rows, compressed with zstd."""
    layer = spool.layer
    # the box's name is the standard's custom; a property of that name would make two
    schema = spool.schema.append(pa.field("bbox", BOX))
    metadata = {"geo": json.dumps(_geo(layer, spool)), "innomap": layer.about_json}
    with pq.ParquetWriter(path, schema.with_metadata(metadata), compression="zstd") as writer:
        held: list[pa.RecordBatch] = []
        for batch in spool.batches():
            held.append(batch.append_column("bbox", _boxes(batch.column(GEOMETRY))))
            if sum(one.num_rows for one in held) >= GROUP:
                writer.write_table(pa.Table.from_batches(held, schema))
                held = []
        if held or not spool.count:
            writer.write_table(pa.Table.from_batches(held, schema))


def _boxes(shapes: pa.Array) -> pa.Array:
    bounds = shapely.bounds(shapely.from_wkb(shapes.to_numpy(zero_copy_only=False)))
    bounds = bounds.reshape(-1, len(EDGES))
    absent = pa.array(np.isnan(bounds[:, 0]))
    return pa.StructArray.from_arrays([pa.array(edge) for edge in bounds.T], fields=list(BOX), mask=absent)


def _geo(layer: Layer, spool: Spool) -> dict[str, Any]:
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(spool.types),
        "orientation": "counterclockwise",
        "covering": {"bbox": {edge: ["bbox", edge] for edge in EDGES}},
    }
    if spool.box:
        column["bbox"] = list(spool.box)
    # absent means CRS84; for any other the standard has east first too, whatever the authority says
    if layer.crs is not CRS84:
        column["crs"] = CRS.from_epsg(layer.crs.srid).to_json_dict()
    return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: column}}
