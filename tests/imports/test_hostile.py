"""Files made to hurt: each is refused with a sentence, or row by row, within the limits that are settings."""

import json
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
import sqlalchemy as sa

from app.imports.errors import Unreadable
from app.imports.run import run
from app.settings import Settings
from tests.conftest import connect
from tests.imports.conftest import definition, job
from tests.imports.test_formats import frame, geojson, zipped

BOMB = (
    '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>&b;</name></Placemark></kml>'
)
READER = '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]><kml><name>&x;</name></kml>'


@pytest.fixture(scope="module")
def database(make_database: Callable[..., sa.URL], template_url: sa.URL) -> sa.URL:
    return make_database(template_url.database)


def refused(database: sa.URL, path: Path, **given: Any) -> str:
    """The sentence that a file is refused with."""
    given.setdefault("crs", "EPSG:4326")
    with connect(database).connect() as connection, pytest.raises(Unreadable) as caught:
        run(connection, job(path, **given), lambda *told: None)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 600
    return said


def archive(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in entries:
            made.writestr(name, content)
    return path


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def lying(path: Path) -> Path:
    """An archive whose head says that its file is small."""
    archive(path, ("a.shp", bytes(3 << 20)), ("a.dbf", b"x"))
    content = path.read_bytes()
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        where = content.index(signature) + at
        content = content[:where] + struct.pack("<I", 1000) + content[where + 4 :]
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: archive(p, ("a.shp", bytes(300 << 20)), ("a.dbf", b"x")), "zip bomb"),
        (lambda p: archive(p, *((f"{n}.shp", b"x") for n in range(1001))), "More than 1000 files"),
        (lambda p: archive(p, ("../../etc/a.shp", b"x"), ("a.dbf", b"x")), "leads out of it"),
        (lambda p: archive(p, ("/etc/a.shp", b"x"), ("a.dbf", b"x")), "leads out of it"),
        (lambda p: archive(p, ("..\\a.shp", b"x"), ("a.dbf", b"x")), "leads out of it"),
        (lambda p: archive(p, (link("a.shp"), b"/etc/passwd"), ("a.dbf", b"x")), "symbolic link"),
        (lambda p: archive(p, ("x/a.shp", b"x"), ("y/a.shp", b"y"), ("a.dbf", b"x")), "one name"),
        (lambda p: archive(p, ("a.shp", b"x"), ("b.shp", b"y"), ("a.dbf", b"x")), "exactly one"),
        (lying, "damaged"),
        (lambda p: archive(p, ("a.shp", b"no shapefile"), ("a.dbf", bytes(100))), "Cannot be read"),
        (lambda p: archive(p, ("inner.zip", b"PK")), "Not a file that can be imported"),
    ],
)  # fmt: skip
def test_archives(database: sa.URL, tmp_path: Path, make: Callable[[Path], Path], said: str) -> None:
    assert said in refused(database, make(tmp_path / "in.zip"))
    assert not list(Path(tmp_path).glob("**/passwd"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("in.kml", BOMB.encode(), "DOCTYPE"),
        ("in.kml", READER.encode(), "DOCTYPE"),
        ("in.kml", b'<OGRVRTDataSource><OGRVRTLayer name="x"/></OGRVRTDataSource>', "Not a file that can be imported"),
        ("in.geojson", b'{"type": "FeatureCollection", "features": [', "Cannot be read"),
        ("in.geojson", b"[" * 100_000, "Not a file that can be imported|No columns"),
        ("in.gpkg", b"SQLite format 3\0" + bytes(52) + b"GPKG" + bytes(500), "Cannot be read"),
        ("in.gpkg", b"SQLite format 3\0" + bytes(500), "Not a file that can be imported"),
        ("in.csv", "名称,lon,lat\n嘉兴,1,2\n".encode("utf-16-le"), "Not a file that can be imported"),
        ("in.csv", b"a,lon,lat\n\xff\xfe\xfa,1,2\n", "none of the encodings"),
        ("in.csv", b"a,a,lon,lat\n1,2,3,4\n", "Two columns"),
        ("in.csv", b'a,lon,lat\n"never closed', "Not a sound CSV"),
        ("in.bin", bytes(1000), "Not a file that can be imported"),
    ],
)
def test_files(database: sa.URL, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    layer = definition(key=None, name=None, fields=[])
    assert any(one in refused(database, path, layer=layer) for one in said.split("|"))


def test_a_workbook_with_entities(database: sa.URL, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "sound.xlsx")
    path = tmp_path / "in.xlsx"
    with zipfile.ZipFile(tmp_path / "sound.xlsx") as sound, zipfile.ZipFile(path, "w") as made:
        for one in sound.namelist():
            text = BOMB.replace("kml", "sst") if one == "xl/workbook.xml" else sound.read(one)
            made.writestr(one, text)
    assert "DOCTYPE" in refused(database, path)


def test_geometries(database: sa.URL, tmp_path: Path) -> None:
    """NaN, infinity, ten million vertices, and one that crosses itself: row by row."""
    angle = np.linspace(0, 2 * np.pi, 10_000_001)
    many = shapely.LinearRing(np.column_stack([120.7 + 0.1 * np.cos(angle), 30.7 + 0.1 * np.sin(angle)]))
    shapes = [
        shapely.Polygon(many),
        shapely.Point(np.nan, 30.7),
        shapely.LineString([(120.7, 30.7), (120.8, np.inf)]),
        shapely.from_wkt("POLYGON((120.7 30.7, 120.8 30.8, 120.8 30.7, 120.7 30.8, 120.7 30.7))"),
        shapely.Point(120.7, 30.7),
    ]
    table = frame().iloc[[0] * len(shapes)].copy()
    table["code"] = [f"A-{n}" for n in range(len(shapes))]
    table = table.set_geometry(np.array(shapes, dtype=object)).set_crs(4326, allow_override=True)
    pyogrio.write_dataframe(table, tmp_path / "in.gpkg", geometry_type="Unknown", SPATIAL_INDEX="NO")
    with connect(database).connect() as connection:
        report = run(connection, job(tmp_path / "in.gpkg"), lambda *told: None)
    assert {one.row: one.rule.rsplit("。", 1)[-1].strip() for one in report.refusals} == {
        1: "More than 1000000 vertices",
        2: "A coordinate is not a finite number",
        3: "A coordinate is not a finite number",
    }
    assert [(one.row, "repaired" in one.how) for one in report.repairs] == [(4, True)]
    assert report.accepted == 2


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"import_max_mb": 1}, "larger than 1 MiB"),
        ({"import_max_rows": 10}, "More than 10 rows"),
        ({"import_max_columns": 2}, "More than 2 columns"),
    ],
)
def test_limits_are_settings(database: sa.URL, tmp_path: Path, setting: dict[str, int], said: str) -> None:
    path = tmp_path / "in.csv"
    row = f"x,120.7,30.7,{'y' * 1000}\n"
    path.write_text("名称,lon,lat,运营\n" + row * 1100, "utf-8")
    assert said in refused(database, path, layer=definition(key=None), settings=Settings(**setting))


def test_limits_of_a_row_are_settings(database: sa.URL, tmp_path: Path) -> None:
    """A row beyond them is refused by the rule, the others are not."""
    path = tmp_path / "in.csv"
    line = ", ".join(f"120.7 30.{n}" for n in range(6))
    rows = [("x", "POINT(120.7 30.7)"), ("长" * 21, "POINT(120.7 30.7)"), ("y", f"LINESTRING({line})")]
    path.write_text("名称,wkt\n" + "".join(f'{name},"{wkt}"\n' for name, wkt in rows), "utf-8")
    limits = Settings(import_max_text=20, import_max_vertices=5)
    layer = definition(key=None, name="名称", fields=[], geometry="any")
    with connect(database).connect() as connection:
        asked = job(path, layer=layer, mapping={"wkt": "wkt"}, crs="EPSG:4326", settings=limits)
        report = run(connection, asked, lambda *told: None)
    assert {one.row: one.rule.rsplit("。", 1)[-1].strip() for one in report.refusals} == {
        3: "Longer than 20 characters",
        4: "More than 5 vertices",
    }
    assert report.accepted == 1


def test_what_an_archive_unpacks_to_is_a_setting(database: sa.URL, tmp_path: Path) -> None:
    path = archive(tmp_path / "in.zip", ("a.shp", np.random.default_rng(1).bytes(2 << 20)), ("a.dbf", b"x"))
    assert "more than 1 MiB" in refused(database, path, settings=Settings(import_max_unpacked_mb=1))


def test_texts_are_data(database: sa.URL, tmp_path: Path) -> None:
    """SQL, markup and control characters in names, cells and columns stay what they are, or are refused."""
    hostile = "'); DROP TABLE platform; --"
    table = frame()
    table["名称"] = [hostile, "<script>alert(1)</script>", "\u202e海宁"]
    table = table.rename(columns={"运营": hostile})
    path = tmp_path / "in.geojson"
    pyogrio.write_dataframe(table, path, driver="GeoJSON", RFC7946="YES")
    with connect(database).connect() as connection:
        layer = definition()
        report = run(
            connection,
            job(path, layer=layer, mapping={"operator": hostile}, crs="EPSG:4326", apply=True),
            lambda *t: None,
        )
        names = connection.scalars(sa.text("SELECT name FROM imported_stations ORDER BY id")).all()
    assert report.accepted == 3
    assert list(names) == list(table["名称"])


def test_a_truncated_file_says_where_it_ended(database: sa.URL, tmp_path: Path) -> None:
    whole = zipped(tmp_path, encoding="UTF-8", declared=True, crs="EPSG:4326")
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:-200])
    assert "Not a sound zip" in refused(database, cut)
    text = geojson(tmp_path).read_bytes()
    (tmp_path / "cut.geojson").write_bytes(text[: len(text) // 2])
    assert "Cannot be read" in refused(database, tmp_path / "cut.geojson")


def test_a_hundred_thousand_brackets(database: sa.URL, tmp_path: Path) -> None:
    deep = json.dumps({"type": "FeatureCollection", "features": []})[:-2] + "[" * 100_000
    (tmp_path / "in.geojson").write_text(deep)
    refused(database, tmp_path / "in.geojson")
