"""Every format, read back by GDAL and others, equals the API's answer feature by feature."""

import csv
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import geopandas
import httpx
import openpyxl
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from pyproj import CRS

from app.catalog import COLLECTIONS
from app.crs import OFFERED, Crs
from app.encode.kml import _geometry
from app.encode.shapefile import fitting, pieces, short_names
from app.encode.values import exact, legible

Rows = dict[str, tuple[dict[str, Any], Any]]
SYSTEMS: dict[str, Crs] = {one.code: one for one in OFFERED.values()}


def expected(client: httpx.Client, collection: str, crs: str) -> Rows:
    """Properties and geometry of every item by id, east first."""
    query = {"limit": "10000", "crs": SYSTEMS[crs].uri}
    found = {}
    for feature in client.get(f"/collections/{collection}/items", params=query).json()["features"]:
        shape = feature["geometry"] and shapely.from_geojson(json.dumps(feature["geometry"]))
        if shape is not None and SYSTEMS[crs].flipped:
            shape = shapely.transform(shape, lambda pairs: pairs[:, ::-1])
        found[feature["id"]] = ({"id": feature["id"], **feature["properties"]}, shape)
    return found


def vector(path: Path, crs: str | None, **options: Any) -> tuple[Rows, list[str]]:
    table = pyogrio.read_dataframe(path, **options)
    if crs:
        assert table.crs == CRS(crs if crs != "CRS84" else "EPSG:4326")
    columns = [name for name in table.columns if name != "geometry"]
    return by_id(table, columns), columns


def by_id(table: Any, columns: list[str]) -> Rows:
    rows = {}
    for record, shape in zip(
        table[columns].to_dict("records"), table.get("geometry", [None] * len(table)), strict=True
    ):
        rows[record["id"]] = ({name: plain(value) for name, value in record.items()}, shape)
    return rows


def plain(value: Any) -> Any:
    return None if value is None or value != value else value


def geopackage(path: Path, crs: str) -> Rows:
    return vector(path, crs, layer="platforms")[0]


def lines(path: Path, crs: str) -> Rows:
    features = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert features[0]["crs"]["properties"]["name"] == SYSTEMS[crs].uri
    assert features[0]["metadata"]["title"] == "创新平台"
    assert len(pyogrio.read_dataframe(path, use_arrow=False)) == len(features)
    return {
        one["id"]: (
            {"id": one["id"], **one["properties"]},
            one["geometry"] and shapely.from_geojson(json.dumps(one["geometry"])),
        )
        for one in features
    }


def parquet(path: Path, crs: str) -> Rows:
    told = json.loads(pq.read_schema(path).metadata[b"geo"])
    column = told["columns"]["geometry"]
    assert (told["version"], column["covering"]["bbox"]["xmin"]) == ("1.1.0", ["bbox", "xmin"])
    table = geopandas.read_parquet(path)
    assert table.crs == CRS(crs)
    assert column["bbox"] == pytest.approx(table.total_bounds)
    near = geopandas.read_parquet(path, bbox=tuple(table.geometry.dropna().iloc[0].bounds))
    assert 0 < len(near) < len(table)
    return by_id(table, [name for name in table.columns if name not in ("geometry", "bbox")])


def shapefile(path: Path, crs: str) -> Rows:
    rows: Rows = {}
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        text = archive.read("platforms.fields.csv").decode("utf-8-sig")
        assert "EPSG:4528" in archive.read("platforms.about.txt").decode("utf-8-sig")
        assert {archive.read(one) for one in names if one.endswith(".cpg")} == {b"UTF-8"}
    mapping = list(csv.DictReader(io.StringIO(text)))
    full = {one["short_name"]: one["name"] for one in mapping}
    assert all(len(short) <= 10 and short.isascii() for short in full)
    assert int({one["name"]: one for one in mapping}["sources"]["values_cut_at_254_bytes"]) > 0
    parts = [one.removesuffix(".dbf") for one in names if one.endswith(".dbf")]
    assert parts == ["platforms_none", "platforms_point", "platforms_polygon"]
    for part in parts:
        drawn = f"{part}.shp" in names
        address = f"/vsizip/{path}/{part}.{'shp' if drawn else 'dbf'}"
        table = pyogrio.read_dataframe(address, read_geometry=drawn)
        assert not drawn or table.crs == CRS(crs)
        table = table.rename(columns=full)
        rows |= by_id(table, [name for name in table.columns if name != "geometry"])
    return rows


def kml(path: Path, crs: str) -> Rows:
    table = pyogrio.read_dataframe(path)
    assert table.crs == "EPSG:4326"
    # GDAL takes the property for the placemark's own name
    table = table.rename(columns={"Name": "name"})
    columns = [one.name for one in COLLECTIONS["platforms"].fields]
    table["id"] = table["id"].str.removeprefix("_")
    return by_id(table, ["id", *[name for name in columns if name in table.columns]])


def table_rows(records: list[Mapping[str, Any]], crs: str) -> Rows:
    assert {one["crs"] for one in records} == {crs}
    assert all("OpenStreetMap" in one["attribution"] and "platform:" in one["data_version"] for one in records)
    east, north = ("lon", "lat") if SYSTEMS[crs].unit == "degree" else ("x", "y")
    assert any(one[east] and float(one[east]) > float(one[north]) for one in records)
    return {one["id"]: (dict(one), one["wkt"] and shapely.from_wkt(one["wkt"])) for one in records}


def comma_separated(path: Path, crs: str) -> Rows:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return table_rows(list(csv.DictReader(file)), crs)


def workbook(path: Path, crs: str) -> Rows:
    book = openpyxl.load_workbook(path, read_only=True)
    items, notes = book.worksheets
    assert (items.title, notes.title) == ("platforms", "说明 Notes")
    head, *rows = items.iter_rows()
    assert {cell.data_type for row in rows for cell in row} <= {"s", "inlineStr", "n", "b"}
    records = [{h.value: cell.value for h, cell in zip(head, row, strict=True)} for row in rows]
    told = {row[0].value: row[1].value for row in notes.iter_rows() if row and row[0].value}
    assert told["title"] == "创新平台"
    assert told["area_km2"] == "公布面积 (km²)"
    return table_rows(records, crs)


def text_cell(value: Any) -> Any:
    """What CSV makes of a value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = legible(value)
    return value


def dbf_cell(value: Any) -> Any:
    """What a Shapefile's table makes of a value."""
    value = legible(value)
    # a column's width is filled up with blanks, which no reader tells from those of the text
    return fitting(value).rstrip() if isinstance(value, str) else value


Reader = Callable[[Path, str], Rows]
#: Format, reference system, how it is read back, and what it makes of a value.
CASES: list[tuple[str, str, Reader, Callable[[Any], Any]]] = [
    ("geojsonl", "EPSG:4549", lines, lambda value: value),
    ("gpkg", "EPSG:4549", geopackage, exact),
    ("fgb", "EPSG:4490", lambda path, crs: vector(path, crs)[0], exact),
    ("parquet", "EPSG:3857", parquet, exact),
    ("shp.zip", "EPSG:4528", shapefile, dbf_cell),
    ("kml", "CRS84", kml, legible),
    ("csv", "EPSG:4528", comma_separated, text_cell),
    ("xlsx", "EPSG:4326", workbook, legible),
]  # fmt: skip


def same(found: Any, wanted: Any) -> bool:
    """Equal, numbers by value, and an empty text as nothing."""
    if wanted in (None, "") or (found in (None, "") and wanted == []):
        return found in (None, "")
    if isinstance(wanted, bool):
        return found in (wanted, "true" if wanted else "false", int(wanted))
    if isinstance(wanted, int | float | Decimal):
        return float(found) == pytest.approx(float(wanted), rel=1e-12)
    return bool(found == wanted)


@pytest.mark.parametrize(("extension", "crs", "read", "shown"), CASES, ids=[case[0] for case in CASES])
def test_a_file_read_back_equals_the_items(
    client: httpx.Client, tmp_path: Path, extension: str, crs: str, read: Reader, shown: Callable[[Any], Any]
) -> None:
    answer = client.get(f"/exports/platforms.{extension}", params={"crs": crs})
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["content-disposition"] == f'attachment; filename="platforms.{extension}"'
    path = tmp_path / f"platforms.{extension}"
    path.write_bytes(answer.content)
    rows, wanted = read(path, crs), expected(client, "platforms", crs)
    assert set(rows) == set(wanted)
    tolerance = 2e-6 if SYSTEMS[crs].unit == "degree" else 0.02
    for key, (properties, shape) in wanted.items():
        found, drawn = rows[key]
        wrong = {n: (found.get(n), v) for n, v in properties.items() if not same(found.get(n), shown(v))}
        assert wrong == {}, key
        assert (shape is None) == (drawn is None or drawn == ""), key
        if shape is not None:
            assert shapely.equals_exact(shape.normalize(), drawn.normalize(), tolerance), key


def test_a_geopackage_brings_its_metadata_titles_and_styles(client: httpx.Client, tmp_path: Path) -> None:
    path = tmp_path / "lakes.gpkg"
    path.write_bytes(client.get("/exports/lake_districts.gpkg", params={"within": "南湖", "crs": "EPSG:4490"}).content)
    told = json.loads(pyogrio.read_info(path, layer="lake_districts")["layer_metadata"]["INNOMAP"])
    assert told["title"] == "科创湖区"
    assert told["within"][0]["name"] == "南湖区"
    assert told["crs"]["axes"].startswith("longitude, latitude")
    assert {"attribution", "licence", "data_version", "data_as_of", "schematic_note"} <= set(told)
    database = sqlite3.connect(path)
    titles = dict(database.execute("SELECT column_name, title FROM gpkg_data_columns"))
    assert titles["area_km2"] == "公布面积 (km²)"
    styles = database.execute("SELECT f_geometry_column, styleQML, styleSLD, useAsDefault FROM layer_styles").fetchall()
    assert [(one[0], one[3]) for one in styles] == [("geom", 1)]
    assert "outline_style" in styles[0][1]
    assert "stroke-dasharray" in styles[0][2]
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


def test_the_schematic_flags_stay_whatever_properties_are_chosen(client: httpx.Client) -> None:
    body = client.get("/exports/lake_districts.geojson", params={"properties": "name"}).json()
    assert list(body["features"][0]["properties"]) == ["name", "geometry_method", "schematic"]
    assert body["features"][0]["properties"]["schematic"] is True


def test_a_table_has_the_geometry_asked_for(client: httpx.Client) -> None:
    def head(**query: str) -> list[str]:
        answer = client.get("/exports/platforms.csv", params={"properties": "name", "limit": "1", **query})
        return answer.content.decode("utf-8-sig").splitlines()[0].split(",")

    flags, carried = ["geometry_method", "schematic"], ["crs", "data_version", "attribution"]
    assert head() == ["id", "name", *flags, "lon", "lat", "wkt", *carried]
    assert head(geometry="wkt") == ["id", "name", *flags, "wkt", *carried]
    assert head(geometry="lonlat", crs="EPSG:4549") == ["id", "name", *flags, "x", "y", *carried]
    assert client.get("/exports/counties.csv", params={"geometry": "lonlat"}).json()["parameter"] == "geometry"
    assert client.get("/exports/platforms.gpkg", params={"geometry": "wkt"}).json()["parameter"] == "geometry"


def test_short_names_are_ascii_and_no_two_alike() -> None:
    names = [one.name for one in COLLECTIONS["platforms"].fields]
    short = short_names(names)
    assert len(set(short.values())) == len(names)
    assert short["declared_county_name"] == "declared_2"


def test_a_long_text_is_cut_between_two_characters() -> None:
    assert fitting("嘉" * 85) == "嘉" * 84
    assert fitting("嘉" * 84 + "ab") == "嘉" * 84 + "ab"


def test_geometries_of_every_kind_have_their_place() -> None:
    """A collection's parts go to the shapefiles of their kinds; KML has one element for each."""
    holed = shapely.box(0, 0, 9, 9).difference(shapely.box(1, 1, 2, 2))
    lines = shapely.MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3)]])
    every = shapely.GeometryCollection(
        [shapely.Point(1, 2), holed, lines, shapely.Point(3, 4), shapely.box(20, 0, 21, 1)]
    )
    found = dict(pieces(every))
    assert {kind: shapely.get_num_geometries(one) for kind, one in found.items()} == {
        "multipoint": 2, "polygon": 2, "line": 2,
    }  # fmt: skip
    assert sum(one.area for one in found.values()) == every.area
    assert list(pieces(None)) == list(pieces(shapely.GeometryCollection())) == [("none", None)]
    written = "".join(_geometry(every))
    counts = {
        one: written.count(f"<{one}>") for one in ("MultiGeometry", "Point", "LineString", "Polygon", "innerBoundaryIs")
    }
    assert counts == {"MultiGeometry": 2, "Point": 2, "LineString": 2, "Polygon": 2, "innerBoundaryIs": 1}
