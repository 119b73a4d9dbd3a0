"""GeoPackage: written by GDAL, then given titles of columns and styles, which QGIS and GeoServer find by themselves."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from app.encode.gdal import geometry_type, titled, write_arrow
from app.encode.layer import Layer
from app.encode.spool import GEOMETRY, Spool

MEDIA_TYPE = "application/geopackage+sqlite3"
#: The column of geometry, as most programs call it; a property may have that name in no collection.
COLUMN = "geom"
#: Row number of each item; its own permanent id is a text and stands in ``id``.
FID = "fid"
NEVER = "1970-01-01T00:00:00Z"
STYLES = """
CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT(256), f_table_schema TEXT(256), f_table_name TEXT(256),
    f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,
    description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME
)
"""
#: Table 13 of the standard: the extension of titles and descriptions of columns.
TITLES = """
CREATE TABLE IF NOT EXISTS gpkg_data_columns (
    table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT, description TEXT, mime_type TEXT,
    constraint_name TEXT, CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
    CONSTRAINT gdc_tn UNIQUE (table_name, name)
)
"""
NAMES_OF_DIMENSIONS = {0: "点 points", 1: "线 lines", 2: "面 areas"}
_DIMENSION = {"Point": 0, "MultiPoint": 0, "LineString": 1, "MultiLineString": 1, "Polygon": 2, "MultiPolygon": 2}


def geopackage(spool: Spool, path: Path) -> None:
    """Write a GeoPackage 1.3 with one table; the same rows give the same bytes."""
    layer = spool.layer
    write_arrow(
        spool.reader(), os.fspath(path), layer=layer.name, driver="GPKG", geometry_name=GEOMETRY,
        geometry_type=geometry_type(spool), crs=layer.srs, layer_metadata={"INNOMAP": layer.about_json},
        layer_options={
            "GEOMETRY_NAME": COLUMN, "FID": FID, "IDENTIFIER": titled(layer), "DESCRIPTION": "\n".join(
                f"{name}: {value}" for name, value in layer.about_lines()
            ),
        },
        dataset_options={"VERSION": "1.3"},
    )  # fmt: skip
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN")
        _columns(database, layer)
        _styles(database, layer, spool)
        # not the moment of this download, but that of the data
        when = layer.about.get("data_as_of", NEVER)
        database.execute("UPDATE gpkg_contents SET last_change = ?", (when,))
        database.execute("UPDATE gpkg_metadata_reference SET timestamp = ?", (when,))
        database.execute("COMMIT")


def _columns(database: sqlite3.Connection, layer: Layer) -> None:
    database.execute(TITLES)
    for table in ("gpkg_data_columns", "gpkg_data_column_constraints"):
        database.execute(
            "INSERT INTO gpkg_extensions (table_name, extension_name, definition, scope) SELECT ?, 'gpkg_schema',"
            " 'http://www.geopackage.org/spec/#extension_schema', 'read-write' WHERE EXISTS"
            " (SELECT 1 FROM sqlite_master WHERE name = ?)",
            (table, table),
        )
    for one in layer.columns:
        unit = f" ({one.unit})" if one.unit else ""
        database.execute(
            "INSERT INTO gpkg_data_columns (table_name, column_name, title, description) VALUES (?, ?, ?, ?)",
            (layer.name, one.name, f"{one.title}{unit}", f"{one.title_en}{unit}"),
        )


def _styles(database: sqlite3.Connection, layer: Layer, spool: Spool) -> None:
    """One style for each dimension there is; points first, for they are drawn above areas."""
    drawn = {_DIMENSION[one] for one in spool.types if one in _DIMENSION}
    styles = [one for one in layer.styles if one.dimension in drawn]
    if not styles:
        return
    database.execute(STYLES)
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description)"
        " VALUES ('layer_styles', 'attributes', 'layer_styles', 'styles of QGIS and SLD')"
    )
    for place, style in enumerate(styles):
        database.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
            " styleQML, styleSLD, useAsDefault, description, owner, update_time) VALUES ('', '', ?, ?, ?, ?, ?, ?, ?,"
            " '', ?)",
            (
                layer.name, COLUMN, NAMES_OF_DIMENSIONS[style.dimension], style.qml, style.sld, place == 0,
                titled(layer), layer.about.get("data_as_of", NEVER),
            ),
        )  # fmt: skip
