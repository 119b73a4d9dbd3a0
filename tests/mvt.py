"""Vector tiles as clients understand them: decoded by GDAL, placed by the numbers of the grid's own document."""

from typing import Any

import geopandas
import httpx
import pyogrio
import pytest
import shapely
from pyproj import Transformer

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
#: Units along a tile's side.
EXTENT = 4096


def decode(content: bytes) -> geopandas.GeoDataFrame:
    """The features of a tile of one layer; coordinates in tile units from the upper left corner, y down."""
    layers = pyogrio.list_layers(content)
    assert len(layers) == 1
    # GDAL turns the tile's y upwards and cuts the buffer off where it is not told otherwise
    frame = pyogrio.read_dataframe(content, CLIP="NO")
    frame["geometry"] = shapely.transform(frame.geometry.values, lambda xy: xy * [1, -1] + [0, EXTENT])
    return frame


class Grid:
    """A tile matrix set by its published document alone: axis order, origin and cell size are taken from there."""

    def __init__(self, client: httpx.Client, name: str) -> None:
        self.document: dict[str, Any] = client.get(f"/tileMatrixSets/{name}").raise_for_status().json()
        self.matrices = {int(one["id"]): one for one in self.document["tileMatrices"]}
        code = self.document["crs"].rsplit("/", 1)[1]
        # without always_xy both sides keep the order of their authority: latitude first for 4326 and 4490
        self._transformer = Transformer.from_crs("EPSG:4326", f"EPSG:{code}")
        self.north_first = self.document["orderedAxes"][0].lower() in ("lat", "y", "n")

    def units(self, geometry: Any, level: int) -> Any:
        """A geometry in degrees, longitude first, as (columns, rows) of a level; x and y in whole tiles."""
        matrix = self.matrices[level]
        side = matrix["cellSize"] * matrix["tileWidth"]
        origin = matrix["pointOfOrigin"]

        def place(lonlat: Any) -> Any:
            first, second = self._transformer.transform(lonlat[:, 1], lonlat[:, 0])
            east, north = (second, first) if self.north_first else (first, second)
            west_edge, north_edge = origin[::-1] if self.north_first else origin
            return shapely.get_coordinates(shapely.points((east - west_edge) / side, (north_edge - north) / side))

        return shapely.transform(geometry, place)


def fetch(client: httpx.Client, address: str) -> geopandas.GeoDataFrame | None:
    """A decoded tile, ``None`` for an empty one."""
    answer = client.get(address)
    if answer.status_code == 204:
        assert answer.content == b""
        return None
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == MEDIA_TYPE
    return decode(answer.content)


def limits(client: httpx.Client, collection: str, grid: str, level: int) -> tuple[range, range]:
    """Rows and columns of a level that the tileset says it has."""
    answer = client.get(f"/collections/{collection}/tiles/{grid}").raise_for_status().json()
    found = [one for one in answer["tileMatrixSetLimits"] if one["tileMatrix"] == str(level)]
    if len(found) != 1:
        pytest.fail(f"{grid} has no limits for level {level}")
    one = found[0]
    return range(one["minTileRow"], one["maxTileRow"] + 1), range(one["minTileCol"], one["maxTileCol"] + 1)


def items(client: httpx.Client, collection: str, **query: str) -> dict[str, Any]:
    """The items of a collection that have a geometry, by id, as shapely geometries in degrees."""
    answer = client.get(f"/collections/{collection}/items", params={"limit": "10000", **query}).raise_for_status()
    features = answer.json()["features"]
    return {one["id"]: shapely.geometry.shape(one["geometry"]) for one in features if one["geometry"]}
