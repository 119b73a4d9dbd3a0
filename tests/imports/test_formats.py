"""The same things come in by every format, encoding and reference system, and stand in the same place."""

import csv
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import openpyxl
import pyogrio
import pytest
import shapely
import sqlalchemy as sa

from app.gcj02 import wgs84_to_bd09, wgs84_to_gcj02
from app.imports.run import run
from tests.conftest import connect
from tests.imports.conftest import definition, job

#: Code, name, power, operator, longitude, latitude.
ROWS = [
    ("A-1", "南湖一号站", 60.5, "国网", 120.755012, 30.746034),
    ("A-2", "海宁皮革城站；东", 120.0, "特来电", 120.680123, 30.520456),
    ("A-3", "乌镇站", None, "国网", 120.490789, 30.745678),
]


def frame(crs: str = "EPSG:4326") -> geopandas.GeoDataFrame:
    columns = {"code": 0, "名称": 1, "功率": 2, "运营": 3}
    made = geopandas.GeoDataFrame(
        {name: [row[at] for row in ROWS] for name, at in columns.items()},
        geometry=shapely.points([row[4:] for row in ROWS]),
        crs="EPSG:4326",
    )
    return made.to_crs(crs)


def geojson(folder: Path) -> Path:
    pyogrio.write_dataframe(frame(), folder / "in.geojson", driver="GeoJSON", RFC7946="YES")
    return folder / "in.geojson"


def geopackage(folder: Path) -> Path:
    frame("EPSG:4549").to_file(folder / "in.gpkg", layer="站", engine="pyogrio")
    return folder / "in.gpkg"


def kml(folder: Path) -> Path:
    pyogrio.write_dataframe(frame().rename(columns={"名称": "Name"}), folder / "in.kml", driver="LIBKML")
    return folder / "in.kml"


def zipped(folder: Path, *, encoding: str, declared: bool, crs: str) -> Path:
    inside = folder / "站点"
    inside.mkdir()
    pyogrio.write_dataframe(frame(crs), inside / "站点.shp", encoding=encoding)
    if not declared:
        (inside / "站点.cpg").unlink()
        table = inside / "站点.dbf"
        content = bytearray(table.read_bytes())
        content[29] = 0
        table.write_bytes(content)
    return Path(shutil.make_archive(str(folder / "in"), "zip", folder, "站点"))


def written(folder: Path, encoding: str, east: str, north: str, shift: Callable[[float, float], Any]) -> Path:
    with (folder / "in.csv").open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["code", "名称", "功率", "运营", east, north])
        for *row, lon, lat in ROWS:
            x, y = shift(lon, lat)
            writer.writerow([*row, float(x), float(y)])
    return folder / "in.csv"


def workbook(folder: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("数据", 0)
    sheet.append(["code", "名称", "功率", "运营", "wkt"])
    for *row, lon, lat in ROWS:
        sheet.append([*row, f"POINT({lon} {lat})"])
    book.save(folder / "in.xlsx")
    return folder / "in.xlsx"


def same(lon: float, lat: float) -> tuple[float, float]:
    return lon, lat


CASES: dict[str, tuple[Callable[[Path], Path], str | None, str, str | None]] = {
    # how it is made, what is declared, the system that is told, the encoding that is told
    "geojson": (geojson, "EPSG:4490", "EPSG:4490", None),
    "gpkg": (geopackage, None, "EPSG:4549", None),
    "kml": (kml, "EPSG:4326", "EPSG:4326", None),
    "shp-utf8": (lambda f: zipped(f, encoding="UTF-8", declared=True, crs="EPSG:3857"), None, "EPSG:3857", "UTF-8"),
    "shp-gbk": (lambda f: zipped(f, encoding="GBK", declared=False, crs="EPSG:4528"), None, "EPSG:4528", "GB18030"),
    "csv-gbk-gcj02": (lambda f: written(f, "gb18030", "经度", "纬度", wgs84_to_gcj02), "GCJ-02", "GCJ-02", "GB18030"),
    "csv-bd09": (lambda f: written(f, "utf-8-sig", "lng", "lat", wgs84_to_bd09), "bd09", "BD-09", "utf-8-sig"),
    "xlsx": (workbook, "EPSG:4326", "EPSG:4326", None),
}


@pytest.fixture(scope="module")
def database(make_database: Callable[..., sa.URL], template_url: sa.URL) -> sa.URL:
    """One database for all formats: nothing is kept."""
    return make_database(template_url.database)


@pytest.mark.parametrize("case", CASES)
def test_every_format_tells_the_same(database: sa.URL, tmp_path: Path, case: str) -> None:
    make, declared, crs, encoding = CASES[case]
    name = "Name" if case == "kml" else "名称"
    doing = job(make(tmp_path), layer=definition(name=name), crs=declared, apply=True)
    with connect(database).connect() as connection, connection.begin() as transaction:
        report = run(connection, doing, lambda *told: None)
        rows = connection.execute(
            sa.text(
                "SELECT id, name, power_kw, operator, ST_X(position) AS lon, ST_Y(position) AS lat, position_county"
                " FROM imported_stations ORDER BY id"
            )
        ).all()
        transaction.rollback()
    assert (report.read, report.accepted, report.refused) == (3, 3, 0)
    assert (report.crs, report.encoding) == (crs, encoding)
    for (code, called, power, operator, lon, lat), row in zip(ROWS, rows, strict=True):
        assert row[:2] == (code.lower(), called)
        assert (row.power_kw and float(row.power_kw), row.operator) == (power, operator)
        # a centimetre, a tenth of a metre in BD-09
        assert (row.lon, row.lat) == pytest.approx((lon, lat), abs=1e-6 if case == "csv-bd09" else 1e-7)
    assert [row.position_county for row in rows] == ["330402", "330481", "330483"]


def test_what_the_file_and_the_steward_say_must_agree(database: sa.URL, tmp_path: Path) -> None:
    with connect(database).connect() as connection:
        for path, declared, said in (
            (geojson(tmp_path), None, "must be declared"),
            (geopackage(tmp_path), "EPSG:4326", "find out which"),
            (geojson(tmp_path), "EPSG:4610", "not accepted"),
        ):
            with pytest.raises(ValueError, match=said):
                run(connection, job(path, crs=declared), lambda *told: None)
            connection.rollback()


def test_an_own_export_comes_back(client: Any, database: sa.URL, tmp_path: Path) -> None:
    """What left as GeoPackage, Shapefile and CSV in another system comes in where it was."""
    layer = definition(
        id="parks", key="id", name="name", geometry="Point",
        fields=[{"name": "category", "title": "类别", "title_en": "Category"}],
    )  # fmt: skip
    found = client.get("/collections/hightech_parks/items", params={"limit": "1000"}).json()["features"]
    wanted = {one["id"]: (one["properties"]["name"], *one["geometry"]["coordinates"]) for one in found}
    for extension, declared in (("gpkg", None), ("shp.zip", None), ("csv", "EPSG:4549")):
        path = tmp_path / f"in.{extension}"
        query = {"crs": "EPSG:4549", "geometry": "wkt"} if extension == "csv" else {"crs": "EPSG:4549"}
        path.write_bytes(client.get(f"/exports/hightech_parks.{extension}", params=query).content)
        with connect(database).connect() as connection, connection.begin() as transaction:
            run(connection, job(path, layer=layer, crs=declared, apply=True, table=None), lambda *told: None)
            rows = connection.execute(
                sa.text("SELECT id, name, ST_X(position) AS lon, ST_Y(position) AS lat FROM imported_parks")
            ).all()
            transaction.rollback()
        assert {row.id for row in rows} == set(wanted)
        for row in rows:
            name, lon, lat = wanted[row.id]
            assert row.name == name
            assert (row.lon, row.lat) == pytest.approx((lon, lat), abs=2e-6)


def test_one_shapefile_in_a_zip(database: sa.URL, tmp_path: Path) -> None:
    path = zipped(tmp_path, encoding="UTF-8", declared=True, crs="EPSG:4326")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("other.shp", b"")
    with connect(database).connect() as connection, pytest.raises(ValueError, match="exactly one"):
        run(connection, job(path), lambda *told: None)
