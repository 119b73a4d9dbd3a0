"""What the files say, read without the product: plain CSV, GeoJSON and shapely."""

import csv
import json
from pathlib import Path

import pytest
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry

Row = dict[str, str]


@pytest.fixture(scope="session")
def platform_rows(geodata: Path) -> dict[str, Row]:
    """Rows of every ``platforms.csv`` by id."""
    rows: dict[str, Row] = {}
    for path in sorted(geodata.glob("*/platforms.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows |= {row["id"]: row for row in csv.DictReader(file)}
    return rows


@pytest.fixture(scope="session")
def town_county(geodata: Path) -> dict[str, str]:
    """County of every town by the town's id."""
    found: dict[str, str] = {}
    for path in sorted(geodata.glob("*/regions.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found |= {row["id"]: row["parent"] for row in csv.DictReader(file) if row["level"] == "town"}
    return found


@pytest.fixture(scope="session")
def county_outlines(geodata: Path) -> dict[str, BaseGeometry]:
    """The seven full outlines by adcode."""
    collection = json.loads((geodata / "boundaries" / "counties.geojson").read_text(encoding="utf-8"))
    return {feature["properties"]["adcode"]: shape(feature["geometry"]) for feature in collection["features"]}


@pytest.fixture(scope="session")
def county_of(platform_rows: dict[str, Row], county_outlines: dict[str, BaseGeometry]) -> dict[str, str | None]:
    """County by position of every platform: where its point lies, the smallest adcode on a shared edge.

    A symbol stands on the land of the county that is all that is known of its place; of a place known only by its
    city no county is known.
    """
    found: dict[str, str | None] = {}
    for id, row in platform_rows.items():
        if row["geometry_method"] == "county_only":
            found[id] = row["county"] if row["county"] in county_outlines else None
        elif row["lon"]:
            point = Point(float(row["lon"]), float(row["lat"]))
            found[id] = next((code for code in sorted(county_outlines) if county_outlines[code].covers(point)), None)
        else:
            found[id] = None
    return found
