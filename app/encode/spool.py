"""Items set down as an Arrow file on disk, from which the formats that need a whole file are made.

The database's cursor is read to its end quickly and let go; whatever a format needs to know beforehand (widths of
columns, kinds of geometry, the box) is then known, and memory stays flat.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from app.encode.layer import Layer, Row
from app.encode.values import exact

GEOMETRY = "geometry"
TYPES = {"string": pa.string(), "number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}
#: Rows taken from the file at a time.
BATCH = 2000


class Spool:
    """The file at ``path``: ``size`` in bytes, ``count`` of rows, ``types`` of geometry (names), ``box`` round all.

    ``whole`` says that every row has a geometry.
    """

    def __init__(self, path: Path, layer: Layer) -> None:
        self.path = path
        self.layer = layer
        self.size = 0
        self.count = 0
        self.whole = True
        self.types: set[str] = set()
        self.box: tuple[float, float, float, float] | None = None
        fields = [pa.field(one.name, TYPES.get(one.type, pa.string())) for one in layer.columns]
        self.schema = pa.schema([*fields, pa.field(GEOMETRY, pa.binary())])
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_stream(self._file, self.schema)

    def write(self, rows: Sequence[Row]) -> None:
        """Set down some rows."""
        columns = [[exact(row[one.name]) for row in rows] for one in self.layer.columns]
        shapes = [row[GEOMETRY] for row in rows]
        self._measure(shapely.from_wkb(shapes))
        arrays = [
            pa.array(values, described.type) for values, described in zip([*columns, shapes], self.schema, strict=True)
        ]
        self._writer.write_batch(pa.record_batch(arrays, schema=self.schema))
        self.count += len(rows)
        self.size = self._file.tell()

    def _measure(self, shapes: Any) -> None:
        kinds = np.unique(shapely.get_type_id(shapes))
        self.types |= {NAMES[kind] for kind in kinds if kind >= 0}
        self.whole = self.whole and kinds.min(initial=0) >= 0
        west, south, east, north = shapely.total_bounds(shapes)
        if not np.isnan(west):
            known = self.box or (west, south, east, north)
            self.box = (
                float(min(known[0], west)), float(min(known[1], south)),
                float(max(known[2], east)), float(max(known[3], north)),
            )  # fmt: skip

    def close(self) -> None:
        """No more rows come."""
        self._writer.close()
        self._file.close()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, some at a time."""
        with pa.memory_map(str(self.path)) as file, pa.ipc.open_stream(file) as reader:
            for batch in reader:
                for start in range(0, batch.num_rows, BATCH):
                    yield batch.slice(start, BATCH)

    def rows(self) -> Iterator[list[dict[str, Any]]]:
        """The rows as they were written, some at a time."""
        lists = [one.name for one in self.layer.columns if one.type in ("array", "object")]
        for batch in self.batches():
            rows = batch.to_pylist()
            for row in rows:
                row |= {name: json.loads(row[name]) for name in lists if row[name] is not None}
            yield rows

    def reader(self) -> pa.RecordBatchReader:
        """The same for libraries that pull."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches())


#: Names of geometry types by shapely's numbers.
NAMES = {
    0: "Point", 1: "LineString", 2: "LineString", 3: "Polygon",
    4: "MultiPoint", 5: "MultiLineString", 6: "MultiPolygon", 7: "GeometryCollection",
}  # fmt: skip
