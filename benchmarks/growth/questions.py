"""What is asked of a layer, whatever its size: answers of the same size, found among more and more."""

import json
from dataclasses import dataclass
from urllib.parse import quote

import sqlalchemy as sa

from app.api.params import cursor
from app.settings import Settings
from benchmarks.growth.data import MIDDLE, RING, box, radius, ring
from benchmarks.peers.data import layer
from benchmarks.peers.workloads import COUNTY, tile_of

LON, LAT = MIDDLE
#: The level of the tile, and the points that the box holds.
LEVEL, POINTS = 11, 500


@dataclass(frozen=True)
class Question:
    """A request; with a body it is posted."""

    name: str
    title: str
    path: str
    body: str = ""


def of_features(count: int) -> list[Question]:
    """The questions to a layer of so many points."""
    items = f"/collections/{layer(count)}/items"
    bounds = ",".join(map(str, box(count, POINTS)))
    far = f"e-{count * 9 // 10:08}"
    row, col = tile_of(LEVEL, LON, LAT)
    metres = round(radius(count, POINTS))
    return [
        Question("bbox", f"a box with about {POINTS} points", f"{items}?bbox={bounds}&limit=1000"),
        Question("item", "one item", f"{items}/e-{count // 2:08}"),
        Question("next", "the next page of 10 at 90 %", f"{items}?limit=10&cursor={cursor([far])}"),
        Question("county", "1,000 in a county", f"{items}?within=counties/{COUNTY}&limit=1000"),
        Question("nearest", "the nearest 10", f"{items}?nearest={LON},{LAT}&k=10"),
        Question("near", f"about {POINTS} within a distance", f"{items}?near={LON},{LAT}&distance={metres}&limit=1000"),
        Question("groups", "count by county", f"/collections/{layer(count)}/aggregate?group_by=county"),
        Question("tile", "a tile, level 11", f"/collections/{layer(count)}/tiles/WebMercatorQuad/{LEVEL}/{row}/{col}"),
    ]


def of_vertices(connection: sa.Connection, count: int, vertices: int) -> list[Question]:
    """Points in an outline of so many vertices: one that is stored, and the same one sent along."""
    items = f"/collections/{layer(count)}/items"
    shape = f"ST_AsText(({RING}), 6), ST_AsGeoJSON(({RING}), 6)"
    text, geometry = connection.execute(sa.text(f"SELECT {shape}"), ring(vertices)).one()
    place = f"within=platforms/outline-{vertices}&limit=1000"
    wkt = quote(f"S_INTERSECTS(geometry,{text})", safe="(),")
    posted = json.dumps({"intersects": json.loads(geometry), "limit": 1000})
    found = [
        Question("covers", "in a stored outline", f"{items}?{place}"),
        Question("meets", "the same, relation=intersects", f"{items}?{place}&relation=intersects"),
        Question("wkt", "its WKT in filter=", f"{items}?limit=1000&filter-lang=cql2-text&filter={wkt}"),
        Question("posted", "its GeoJSON, posted", f"/collections/{layer(count)}/search", posted),
    ]
    # what is longer no client sends, and the service would refuse it
    return [one for one in found if len(one.path) <= Settings().max_url_bytes]


def of_clients(count: int) -> list[Question]:
    """The questions that many ask at once."""
    return [one for one in of_features(count) if one.name in ("bbox", "item", "county")]
