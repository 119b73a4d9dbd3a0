"""The house keeps its floors: imports go down only, there is no circle, and each floor minds its own business."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from app.settings import ROOT

#: From the top. A module imports from floors below its own, and from its own package.
FLOORS = (
    {"cli"},
    {"commands"},
    {"main"},
    {"api"},
    {"maps"},
    {"imports"},
    {"edits"},
    {"queries"},
    {"encode", "ingest", "filters", "analysis"},
    {"registers"},
    {"catalog"},
    {"db"},
    {"logs"},
    {"settings"},
    {"base_maps", "crs", "gcj02", "pinyin", "conformance", "__init__"},
)
LONGEST = 400
FILES = sorted((ROOT / "app").rglob("*.py"))
#: What the HTTP floor may know of the database: its errors, and the types of what it hands on.
SQLALCHEMY_IN_API = {"sqlalchemy.exc", "sqlalchemy.ext.asyncio"}
TYPES_IN_API = {"sqlalchemy.ColumnElement", "sqlalchemy.Connection", "sqlalchemy.QueuePool"}
STATEMENT = re.compile(r"\b(SELECT\b.*\bFROM|INSERT\s+INTO|UPDATE\b.*\bSET|DELETE\s+FROM)\b", re.S)


def module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module(path): path for path in FILES}


def unit(name: str) -> str:
    """The part of the house a module belongs to: ``app.api.items`` to ``api``."""
    return [*name.split("."), "__init__"][1]


def floor(name: str) -> int:
    return next(number for number, units in enumerate(FLOORS) if unit(name) in units)


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module or name that a file imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def own(path: Path) -> Iterator[str]:
    """The modules of the house that a file imports."""
    for name in imports(path):
        if name.split(".")[0] == "app":
            yield name if name in MODULES else name.rpartition(".")[0]


def test_every_module_has_a_floor() -> None:
    known = set().union(*FLOORS)
    assert {unit(name) for name in MODULES} <= known


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name: str) -> None:
    upwards = [other for other in own(MODULES[name]) if unit(other) != unit(name) and not floor(other) > floor(name)]
    assert upwards == []


def test_no_circle() -> None:
    graph = {name: set(own(path)) - {name} for name, path in MODULES.items()}
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"circle: {' → '.join(error.args[1])}")
    assert set(order) >= set(MODULES)


@pytest.mark.parametrize("path", [p for n, p in MODULES.items() if unit(n) == "api"], ids=lambda p: p.stem)
def test_no_sql_in_api(path: Path) -> None:
    named = {name for name in imports(path) if name.split(".")[0] in ("sqlalchemy", "geoalchemy2", "psycopg")}
    assert {name for name in named - TYPES_IN_API if name.rpartition(".")[0] not in SQLALCHEMY_IN_API} == set()
    assert "app.db.tables" not in imports(path)
    texts = [
        node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)
    ]
    assert [text for text in texts if isinstance(text, str) and STATEMENT.search(text)] == []


@pytest.mark.parametrize(
    "path", [p for n, p in MODULES.items() if floor(n) > FLOORS.index({"maps"})], ids=lambda p: p.stem
)
def test_no_http_below_the_maps(path: Path) -> None:
    web = {name for name in imports(path) if name.split(".")[0] in ("fastapi", "starlette", "uvicorn")}
    assert web == set()


@pytest.mark.parametrize("path", FILES, ids=module)
def test_files_are_short(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= LONGEST
