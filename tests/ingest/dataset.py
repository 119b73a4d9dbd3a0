"""A small, faultless set of data files that a test can break in one place."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from shapely.geometry import mapping, shape

from app.ingest.files import FILE_TABLES, DataSet, read_tables
from app.ingest.outlines import read_outlines

HEADERS = {spec.name: spec.header for spec in FILE_TABLES}
CITED = {"document": "plan", "section": "一", "line_start": "10", "line_end": "12"}
NAMED = {"name": "名称", "name_en": "Name", "name_en_source": "own translation"}
ACADEMY = {"id": "academy", "kind": "laboratory", "county": "330424", "geometry_method": "county_only"}
ELEMENT = {"layout": "layout-a", "ord": "1", "geometry_method": "schematic", "drawing_note": "示意"}
ROWS: dict[str, list[dict[str, str]]] = {
    "documents": [
        {"id": "plan", "title": "规划", "title_en": "Plan", "title_en_source": "own translation", "status": "final"}
        | {"file": "000", "sha256": "0" * 64, "line_start": "1", "line_end": "100"}
    ],
    "platforms": [
        NAMED
        | {"id": "park", "kind": "hightech_park", "county": "330402", "lon": "120.70", "lat": "30.75"}
        | {"geometry_method": "point", "position_accuracy_m": "500", "position_source": "a map", "note": "原注"},
        NAMED
        | {"id": "lake", "kind": "lake_district", "county": "330421", "lon": "120.912", "lat": "30.932"}
        | {"geometry_method": "schematic", "position_accuracy_m": "2500", "position_source": "a map"}
        | {"area_km2": "42.7", "concept": "科技、生态"},
        NAMED | ACADEMY | {"position_source": "the plan names the county"},
    ],
    "aliases": [{"platform": "park", "name": "园区", "kind": "alias", "document": "plan", "line_start": "10"}],
    "mentions": [
        CITED | {"platform": "park", "quote": "园", "printed": '{"名称": "园"}'},
        CITED | {"platform": "lake", "quote": "湖"},
        CITED | {"platform": "academy", "quote": "院"},
    ],
    "layouts": [
        NAMED | CITED | {"id": "layout-a", "region": "330400", "ord": "1", "definition": "布局"},
        NAMED | CITED | {"id": "layout-b", "region": "330400", "ord": "2", "definition": "另一布局"},
    ],
    "layout_elements": [
        NAMED | CITED | ELEMENT
        | {"id": "band", "role": "corridor", "shape": "band", "band_m": "5000", "position_source": "a map"},
        NAMED | CITED | ELEMENT | {"id": "core", "role": "core", "shape": "hull", "buffer_m": "2000"},
        NAMED | CITED | ELEMENT
        | {"id": "ring", "role": "zone", "shape": "circle", "radius_m": "3000", "lon": "120.7", "lat": "30.7"}
        | {"position_source": "a map", "parent": "core"},
    ],
    "layout_axes": [
        {"element": "band", "seq": str(number), "place": "互通", "lon": lon, "lat": lat}
        | {"position_accuracy_m": "1500", "position_source": "a map"}
        for number, (lon, lat) in enumerate([("121.0", "30.87"), ("120.7", "30.7"), ("120.4", "30.4")], 1)
    ],
    "layout_members": [
        CITED | {"element": "core", "ord": "1", "platform": "park", "name_printed": "园"},
        CITED | {"element": "core", "ord": "2", "platform": "lake", "name_printed": "湖"},
    ],
    "industries": [
        NAMED | CITED | {"id": "chips", "scheme": "3+N", "ord": "1"},
        NAMED | CITED | {"id": "devices", "scheme": "3+N", "ord": "2", "parent": "chips"},
    ],
    "industry_links": [CITED | {"platform": "park", "words": "集成电路", "ord": "1", "industry": "chips"}],
    "industry_relations": [{"a": "devices", "relation": "narrower", "b": "chips", "reason": "一部分"}],
    "tasks": [CITED | {"id": "task-1", "list": "park_target", "ord": "1", "platform": "park", "text": "目标"}],
    "indicators": [
        NAMED | {"id": "output", "unit": "亿元", "better": "higher"},
        NAMED | {"id": "share", "unit": "%", "better": "higher"},
    ],
    "indicator_labels": [{"indicator": "output", "label": "产值", "document": "plan", "line_start": "10"}],
    "indicator_values": [
        CITED
        | {"indicator": "output", "region": "330400", "year": "2025", "kind": "target", "operator": "ge"}
        | {"printed": "12800以上", "number": "12800", "unit_printed": "万元"},
        CITED
        | {"indicator": "share", "platform": "park", "year": "2020", "kind": "actual", "operator": "missing"}
        | {"printed": "-"},
    ],
    "not_comparable": [{"a": "output", "b": "share", "reason": "单位不同"}],
    "disagreements": [{"id": "two-figures", "title": "两个数", "title_en": "Two figures"}],
    "disagreement_sides": [
        {"disagreement": "two-figures", "ord": "1", "says": "一", "quote": "一", "document": "plan"}
        | {"line_start": "10", "line_end": "12"}
    ],
}  # fmt: skip


class DataFiles:
    """The folder ``plan/`` of a ``geodata`` folder that has the real ``base/`` and coarse ``boundaries/``."""

    def __init__(self, folder: Path, real: Path, boundaries: Path) -> None:
        self.folder = folder
        (folder / "plan").mkdir(parents=True)
        # its aliases cite real documents
        shutil.copytree(real / "base", folder / "base", ignore=shutil.ignore_patterns("aliases.csv"))
        (folder / "boundaries").symlink_to(boundaries)
        self.rows = {name: [dict(row) for row in rows] for name, rows in ROWS.items()}
        self.write()

    def write(self) -> None:
        """Write every table; row ``n`` stands in line ``n + 2``."""
        for name, rows in self.rows.items():
            with (self.folder / "plan" / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, HEADERS[name], restval="", lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)

    def change(self, table: str, number: int, /, **cells: str) -> None:
        self.rows[table][number].update(cells)
        self.write()

    def add(self, table: str, /, **cells: str) -> None:
        self.rows.setdefault(table, []).append(cells)
        self.write()

    def remove(self, platform: str) -> None:
        """Take a platform out of every file."""
        for name, rows in self.rows.items():
            own = "id" if name == "platforms" else "platform"
            self.rows[name] = [row for row in rows if row.get(own) != platform]
        self.write()


@pytest.fixture(scope="session")
def boundaries(geodata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real outlines made coarse, since reading them takes longer than all the rest."""
    folder = tmp_path_factory.mktemp("boundaries")
    for path in (geodata / "boundaries").glob("*.geojson"):
        collection = json.loads(path.read_text(encoding="utf-8"))
        for feature in collection["features"]:
            feature["geometry"] = mapping(shape(feature["geometry"]).simplify(0.01))
        (folder / path.name).write_text(json.dumps(collection), encoding="utf-8")
    return folder


@pytest.fixture
def files(tmp_path: Path, geodata: Path, boundaries: Path) -> DataFiles:
    return DataFiles(tmp_path / "geodata", geodata, boundaries)


def tables(files: DataFiles) -> DataSet:
    """The data as ``read`` checks it."""
    data = read_tables(files.folder)
    read_outlines(files.folder, "amap", data)
    return data
