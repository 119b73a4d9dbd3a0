"""What is asked: the same question to the service, to each peer and to PostGIS alone."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from app.api.params import cursor
from app.catalog import Collection
from app.db import tables as t
from app.encode.tilesets import WEB_MERCATOR_QUAD
from app.queries import items, tiles
from app.queries.features import View, feature
from app.queries.places import Place
from app.queries.selection import Selection
from app.queries.versions import State, read, stated
from benchmarks.peers.data import BOX, SCHEMA, described, layer

#: The county asked about, Haining.
COUNTY = "330481"
#: Levels of the tiles asked for, over the middle of the points.
LEVELS = (8, 11, 14)


@dataclass(frozen=True)
class Workload:
    """One row of the table: the same question as each server understands it (paths), and as SQL.

    ``sql`` is the service's own statement, ``plain`` one that makes a FeatureCollection of the peers' table. ``kind``
    says how answers are compared; ``cached`` that the service keeps answers ready.
    """

    name: str
    title: str
    paths: Mapping[str, str]
    sql: str = ""
    plain: str = ""
    kind: str = "items"
    cached: bool = False
    clients: int = 8


def _query(**parameters: object) -> str:
    return urlencode(parameters, safe=":/,", quote_via=quote)


def _paths(name: str, product: str, **peers: str) -> dict[str, str]:
    """The items of a table as each server is asked; who cannot be asked is left out."""
    ways = {
        "tipg": f"/collections/{SCHEMA}.{name}/items?", "pygeoapi": f"/collections/{name}/items?f=json&",
        "qgis": f"/wfs3/collections/{name}/items.geojson?",
    }  # fmt: skip
    asked = {server: ways[server] + query for server, query in peers.items()}
    return {"product": f"/collections/{name}/items?{product}", **asked}


def _alike(name: str, query: str, *peers: str) -> dict[str, str]:
    """A question that all understand in the same words."""
    return _paths(name, query, **dict.fromkeys(peers or ("tipg", "pygeoapi", "qgis"), query))


def text(statement: sa.ClauseElement) -> str:
    """A statement with its values written out, as pgbench takes it."""
    dialect = postgresql.psycopg.dialect()  # type: ignore[attr-defined]
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True})).replace("%%", "%") + ";"


def _page(state: State, of: Collection, limit: int, **selecting: object) -> str:
    """The page as the service asks for it once its features are ready."""
    selection = Selection(of, **selecting)  # type: ignore[arg-type]
    return text(items.page_statement(selection, limit + 1, how=items.how(of, limit, state.of(of.layers))))


class Plain:
    """The answers that anybody's SQL makes of the tables that the peers read."""

    def __init__(self, connection: sa.Connection) -> None:
        asked = sa.text(
            "SELECT table_name, string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position)"
            " FROM information_schema.columns WHERE table_schema = :schema AND column_name <> 'geom' GROUP BY 1"
        )
        self._columns = dict(connection.execute(asked, {"schema": SCHEMA}).tuples().all())

    def page(self, name: str, limit: int, where: str = "true") -> str:
        """A FeatureCollection of up to ``limit`` rows."""
        properties = f"(SELECT row_to_json(p) FROM (SELECT {self._columns[name]}) AS p)"  # noqa: S608
        feature = f"'Feature' AS type, id, CAST(ST_AsGeoJSON(geom, 6) AS json) AS geometry, {properties} AS properties"
        found = f"SELECT {feature} FROM {SCHEMA}.{name} WHERE {where} ORDER BY id LIMIT {limit}"  # noqa: S608
        features = "'type', 'FeatureCollection', 'features', json_agg(row_to_json(found))"
        return f"SELECT json_build_object({features}) FROM ({found}) AS found;"  # noqa: S608


def _box(connection: sa.Connection, name: str, wanted: int) -> tuple[float, float, float, float]:
    """A box in the middle that holds about so many of a layer's points."""
    total = connection.scalar(sa.text(f"SELECT count(*) FROM {SCHEMA}.{name}")) or 1  # noqa: S608
    share = (wanted / total) ** 0.5
    west, south, east, north = BOX
    x, y = (west + east) / 2, (south + north) / 2
    half, high = (east - west) / 2 * share, (north - south) / 2 * share
    return (round(x - half, 6), round(y - high, 6), round(x + half, 6), round(y + high, 6))


def workloads(url: sa.URL, few: int, many: int) -> list[Workload]:
    """The rows, over layers of ``few`` and ``many`` enterprises."""
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        whole = sa.text(f"SELECT ST_AsText(geom, 6) FROM {SCHEMA}.counties WHERE id = :id")  # noqa: S608
        outline = str(connection.scalar(whole, {"id": COUNTY}))
        box = _box(connection, layer(few), 500)
        behind = sa.text(f"SELECT id FROM {SCHEMA}.{layer(many)} ORDER BY id OFFSET :n LIMIT 1")  # noqa: S608
        far = connection.scalar(behind, {"n": many * 9 // 10 - 1})
        state = read(str(connection.scalar(sa.select(stated()))))
        plain = Plain(connection)
    return [*_items(state, plain, few, outline, box), *_large(state, plain, many, outline, str(far)), *_tiles(many)]


def _items(
    state: State, plain: Plain, few: int, outline: str, box: tuple[float, float, float, float]
) -> list[Workload]:
    small, bbox = layer(few), ",".join(map(str, box))
    one = f"e-{few // 2:07}"
    inside = {"filter-lang": "cql2-text", "limit": 10_000}
    ours = _query(filter=f"S_INTERSECTS(geometry,{outline})", **inside)
    theirs = _query(filter=f"S_INTERSECTS(geom,{outline})", **inside)
    ecql = _query(filter=f"INTERSECTS(geom,{outline})", limit=10_000)
    bounds = f"bbox={bbox}&limit=1000"
    county = sa.select(sa.func.ST_GeomFromText(outline, 4326)).scalar_subquery()
    rows = described(small).relation
    wkt = text(sa.select(feature(described(small))).where(sa.func.ST_Intersects(rows.c.geometry, county)))
    page = _alike(small, bounds)
    item = {
        "product": f"/collections/{small}/items/{one}",
        "tipg": f"/collections/{SCHEMA}.{small}/items/{one}",
        "pygeoapi": f"/collections/{small}/items/{one}?f=json",
        "qgis": f"/wfs3/collections/{small}/items/{one}.geojson",
    }
    single = text(items.single(described(small), one, View()))
    return [
        # points, areas and rows without a geometry are no layer of QGIS's
        Workload(
            "platforms", "100 platforms", _alike("platforms", "limit=100", "tipg", "pygeoapi"),
            _page(state, described("platforms"), 100), plain.page("platforms", 100),
        ),
        Workload(
            "counties", "seven full counties", _alike("counties", "limit=10"),
            _page(state, described("counties"), 10), plain.page("counties", 10),
        ),
        Workload(
            "bbox", f"a bbox with about 500 of {few:,} points", page,
            _page(state, described(small), 1000, bbox=box),
            plain.page(small, 1000, f"ST_Intersects(geom, ST_MakeEnvelope({bbox}, 4326))"),
        ),
        # the API of QGIS Server knows no filter by geometry
        Workload(
            "wkt", "points in a county by its WKT", _paths(small, ours, tipg=theirs, pygeoapi=ecql), wkt,
            plain.page(small, 10_000, contained(outline)),
        ),
        Workload("item", "one feature by id", item, single, plain.page(small, 1, f"id = '{one}'"), kind="item"),
        Workload("item-cached", "one feature by id, response cache", item, kind="item", cached=True),
        Workload("bbox-cached", "the same bbox again, response cache", page, cached=True),
    ]  # fmt: skip


def contained(outline: str) -> str:
    """Points in an outline, which is read once."""
    return f"ST_Intersects(geom, (SELECT ST_GeomFromText('{outline}', 4326)))"


def _large(state: State, plain: Plain, many: int, outline: str, far: str) -> list[Workload]:
    large = layer(many)
    start = many * 9 // 10
    offset = f"limit=10&offset={start}"
    rows = described(large).relation
    following = sa.select(feature(described(large))).where(rows.c.id > far).order_by(rows.c.id).limit(11)
    place = Place("counties", COUNTY, "", "county", False, sa.select(t.region.c.geom).where(t.region.c.id == COUNTY))
    within = _query(filter=f"S_INTERSECTS(geom,{outline})", **{"filter-lang": "cql2-text", "limit": 1000})
    ecql = _query(filter=f"INTERSECTS(geom,{outline})", limit=1000)
    return [
        # the pages of QGIS Server have no order that is kept so far in
        Workload(
            "next", f"the next page at {start:,}",
            _paths(large, f"limit=10&cursor={cursor([far])}", tipg=offset, pygeoapi=offset),
            text(following), plain.page(large, 10, f"id > '{far}'"), clients=4,
        ),
        Workload(
            "within", f"enterprises in a county, of {many:,}",
            _paths(large, f"within=counties/{COUNTY}&limit=1000", tipg=within, pygeoapi=ecql),
            _page(state, described(large), 1000, within=[place]), plain.page(large, 1000, contained(outline)),
        ),
    ]  # fmt: skip


def _tiles(many: int) -> list[Workload]:
    large = layer(many)
    west, south, east, north = BOX
    fields = [one.name for one in tiles.tile_fields(described(large))]
    found = []
    for level in LEVELS:
        row, col = tile_of(level, (west + east) / 2, (south + north) / 2)
        theirs = f"/collections/{SCHEMA}.{large}/tiles/WebMercatorQuad/{level}/{col}/{row}"
        ours = f"/collections/{large}/tiles/WebMercatorQuad/{level}/{row}/{col}"
        statement = text(tiles.tile_statement(Selection(described(large)), WEB_MERCATOR_QUAD, level, row, col))
        equal = {"product": f"{ours}?thin=none", "tipg": f"{theirs}?properties={','.join(['id', *fields])}"}
        found.append(Workload(f"tile-{level}", f"tile of {many:,} at level {level}", equal, statement, kind="tile"))
        whole = {"product": ours, "tipg": theirs}
        found.append(Workload(f"map-{level}", f"the map's tile at level {level}", whole, kind="none"))
    return found


def tile_of(level: int, lon: float, lat: float) -> tuple[int, int]:
    """Row and column of the tile of Web Mercator that a point lies in."""
    side = 2**level
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int(down * side), int((lon + 180) / 360 * side)
