"""What is refused, how it is said, and that nothing hostile reaches the parser or the database as more than a value."""

import json
from typing import Any

import pyproj
import pytest
import sqlalchemy as sa

from app.crs import find
from app.filters import FilterError, guard, parse
from tests.filters.rows import FIELDS, SAMPLE, condition, found

WRONG = {
    "nmae = 'x'": ("nmae", 1),
    "name = 'x' AND secret = 'y'": ("secret", 16),
    "whole = 'x'": ("whole", 1),
    "id = 'x'": ("id", 1),
    "area = '5'": ("area", 1),
    "open > 1": ("open", 1),
    "tags = 'x'": ("tags", 1),
    "name = geometry": ("geometry", 8),
    "S_INTERSECTS(name, POINT(1 2))": ("name", 14),
    "CASEI(area) = 'x'": ("area", 7),
    "name LIKE kind": ("kind", 11),
    "A_CONTAINS(tags, (1, 2))": ("tags", 12),
    "T_AFTER(built, TIMESTAMP('2020-01-01T00:00:00Z'))": ("built", 9),
    "pg_sleep(10)": ("pg_sleep", 1),
    "version() = 'x'": ("version", 1),
    "name = current_user()": ("current_user", 8),
    "ST_Area(geometry) > 1": ("ST_Area", 1),
    "name = (SELECT 1)": (None, 16),
    "'x' = \"name; DROP TABLE platform\"": ("name; DROP TABLE platform", 7),
    '"name\'" = 1': ("name'", 1),
    "rows.name = 'x'": ("rows.name", 1),
}
MALFORMED = (
    "", " ", "name =", "name = 'x", '"name = 1', "name = 'x'; DROP TABLE platform", "name = 'x' --", "(name = 'x'",
    "name = 'x')", "name = NULL", "name IN ()", "area BETWEEN 'a' AND 'b'", "AND", "NOT", "name", "1", "'x'",
    "POINT(1 2)",
    "name LIKE 'x\\\\\\", "area = 1e400", "area = 1e151", "DATE('2020-13-01') = built", "built = 'tomorrow'",
    "TIMESTAMP('2020-01-01T25:00:00Z') = updated", "updated = '2020-01-01 00:00:00'",
    "T_DURING(built, INTERVAL('2020-01-01', '..'))", "T_AFTER(built, INTERVAL('2020-01-01', '2020-01-01T00:00:00Z'))",
    "within()", "within(name)", "within('a', 'beside')", "near(1, 2)", "near(181, 0, 1)", "near(0, 91, 1)",
    "near(0, 0, -1)", "near(0, 0, area)", "near('0', 0, 1)", "near(true, 0, 1)", "within(1)",
    "within(DATE('2020-01-01'))", "within(TIMESTAMP('2020-01-01T00:00:00Z'))",
    "along('corridors/x')", "1 = within('a')", "A_CONTAINS(tags, ('a', 1))",
    "INTERVAL('..', '..') IS NULL", "name LIKE 'x' ESCAPE '!'", "name || 'x' = 'y'", "area = 1 = 1 = 1",
)  # fmt: skip
GEOMETRIES = (
    "POINT(1)", "POINT()", "POINT EMPTY", "POINT(nan inf)", "POINT(1e400 1)", "LINESTRING(0 0)",
    "POLYGON((0 0,1 1))", "POLYGON((0 0,1 0,1 1,0 1))", "POLYGON((0 0,2 2,2 0,0 2,0 0))", "POLYGON EMPTY",
    "GEOMETRYCOLLECTION(GEOMETRYCOLLECTION(POINT(1 1)))", "CIRCULARSTRING(0 0,1 1,2 0)", "BBOX(1,2,3)",
    "BBOX(1,9,3,2)", "BBOX(1,2,3,area)", "SRID=3857;POINT(1 2)",
)  # fmt: skip
TREES: tuple[Any, ...] = (
    None, 1, "x", [], {}, {"op": "and", "args": [True]}, {"op": "="}, {"op": "=", "args": 1}, {"op": 5, "args": []},
    {"op": "not", "args": [True, True]}, {"op": "in", "args": [{"property": "name"}, "x"]},
    {"op": "in", "args": [{"property": "name"}, []]}, {"op": "=", "args": [{"property": 5}, 1]},
    {"op": "=", "args": [{"property": ["name"]}, 1]}, {"op": "=", "args": [{"property": "name"}, None]},
    {"op": "=", "args": [{"date": 5}, {"property": "built"}]},
    {"op": "=", "args": [{"date": {}}, {"property": "built"}]},
    {"op": "t_after", "args": [{"interval": "x"}, {"property": "built"}]}, {"op": "S_INTERSECTS", "args": [1, 2]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Circle", "coordinates": [1, 2]}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": [True, 2]}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Point", "coordinates": {"x": 1}}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "Polygon", "coordinates": [[1, 2]]}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"type": "GeometryCollection", "geometries": []}]},
    {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": "1,2,3,4"}]},
    {"op": "s_touches", "args": [{"property": "geometry"}, {"type": "GeometryCollection", "geometries": [
        {"type": "Point", "coordinates": [9, 9]}, {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}]}]},
    {"op": "=", "args": [{"property": "area"}, 10**200]}, {"op": "=", "args": [{"property": "name"}, "a\x00b"]},
    {"op": "=", "args": [{"property": "name"}, "\ud800"]},
)  # fmt: skip
#: Texts that would be refused anyway are not enough: each is held by the rule it tries.
LIMITS = {
    "length": ("name = '" + "x" * 10_000_000 + "'", "65536 characters"),
    "brackets": ("(" * 30_000 + "open" + ")" * 30_000, "nested"),
    "open brackets": ("(" * 60_000, "nested"),
    "calls": ("f(" * 20_000, "nested"),
    "not": ("NOT " * 16_000 + "open", "operators"),
    "minus": ("-" * 60_000 + "1 = 1", "operators"),
    "sums": ("area = " + "1+" * 30_000 + "1", "operators"),
    "equals": ("open =" * 9_000 + "open", "operators"),
    "list": ("depth IN (" + "1," * 20_000 + "1)", "members"),
    "tree": ("NOT " * 100 + "open", "Nested"),
}
JSON_LIMITS = {
    "length": (json.dumps({"op": "=", "args": [{"property": "name"}, "x" * 10_000_000]}), "characters"),
    "lists": ("[" * 100_000, "nested"),
    "not": ('{"op":"not","args":[' * 30_000 + "true" + "]}" * 30_000, "nested"),
    "list": (json.dumps({"op": "in", "args": [{"property": "depth"}, list(range(5_000))]}), "members"),
    "nodes": (
        json.dumps({"op": "and", "args": [{"op": "in", "args": [{"property": "depth"}, [0] * 999]}] * 9}), "nodes",
    ),
    "vertices": (
        json.dumps({"op": "s_intersects", "args": [{"property": "geometry"}, {
            "type": "MultiPoint", "coordinates": [[1, 1]] * 20_001}]}),
        "vertices",
    ),
    "empty lists": ('{"op":"and","args":[' + "[]," * 70_000 + "[]]}", "lists and objects"),
    "nan": ('{"op":"=","args":[{"property":"area"},NaN]}', "number of JSON"),
    "infinity": ('{"op":"=","args":[{"property":"area"},-Infinity]}', "number of JSON"),
    "overflow": ('{"op":"=","args":[{"property":"area"},1e999]}', "in size"),
    "digits": ('{"op":"=","args":[{"property":"area"},' + "9" * 10_000 + "]}", "too long"),
    "nul": ('{"op":"=","args":[{"property":"name"},"\\u0000"]}', "NUL"),
    "surrogate": ('{"op":"=","args":[{"property":"name"},"\\ud800"]}', "Unicode"),
    "not json": ("name = 'x'", "Not JSON"),
    "empty": ("", "Not JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("query", "blame"), WRONG.items(), ids=list(WRONG))
def test_errors_name_what_is_wrong(query: str, blame: tuple[str | None, int]) -> None:
    with pytest.raises(FilterError) as caught:
        condition(query)
    assert (caught.value.property, caught.value.position) == blame


def test_unknown_names_come_with_those_there_are() -> None:
    with pytest.raises(FilterError, match=r"没有属性 'nme'。 No property 'nme'\. Did you mean 'name'") as caught:
        condition("nme = 'x'")
    queryable = [field.name for field in FIELDS if field.queryable and field.type != "object"]
    assert caught.value.allowed == [*queryable, "geometry", "position"]


@pytest.mark.parametrize("query", MALFORMED)
def test_malformed_text(query: str) -> None:
    with pytest.raises(FilterError):
        condition(query)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_geometries_that_are_none(geometry: str) -> None:
    with pytest.raises(FilterError):
        condition(f"S_INTERSECTS(geometry, {geometry})")


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_malformed_trees(tree: Any) -> None:
    with pytest.raises(FilterError):
        condition(tree)


@pytest.mark.parametrize(("query", "rule"), LIMITS.values(), ids=list(LIMITS))
def test_limits_of_text(query: str, rule: str) -> None:
    with pytest.raises(FilterError, match=rule):
        parse(query, "cql2-text")


@pytest.mark.parametrize(("query", "rule"), JSON_LIMITS.values(), ids=list(JSON_LIMITS))
def test_limits_of_json(query: str, rule: str) -> None:
    with pytest.raises(FilterError, match=rule):
        parse(query, "cql2-json")


@pytest.mark.parametrize("query", ["name = 'a\x00b'", "name = '\ud800'"])
def test_text_that_the_database_has_no_place_for(query: str) -> None:
    with pytest.raises(FilterError):
        parse(query, "cql2-text")


def test_limits_leave_room(database: sa.Connection) -> None:
    """What stands right at the limits is answered."""
    limits = guard.LIMITS.get()
    deep = "(" * limits.filter_max_depth + "open" + ")" * limits.filter_max_depth
    assert found(database, deep) == {"lake", "quote"}
    assert found(database, "NOT " * 60 + "open") == {"lake", "quote"}
    assert found(database, "area = 7" + " + 0 * 1 / 1" * 60) == {"back"}
    assert found(database, "open" + " AND open" * limits.filter_max_operators) == {"lake", "quote"}
    assert found(database, f"depth IN ({','.join(map(str, range(3, 3 + limits.filter_max_list)))})") == {"lake"}
    ring = [[6 + x / 10_000, 6] for x in range(limits.filter_max_vertices)]
    line = {"type": "LineString", "coordinates": ring}
    assert found(database, {"op": "s_intersects", "args": [{"property": "geometry"}, line]}) == {"park", "quote"}


@pytest.mark.parametrize("value", [
    "'; DROP TABLE platform; --", "' OR '1'='1", "%(name)s", "{name}", ":name", "$1", "\\", "\\'", "%", "_", "/*",
    "＇ OR 1=1", "NOT ((((((", "pg_sleep(10)", "𠮷", "\n\t\r\x07", "x" * 60_000,
], ids=lambda value: value[:20])  # fmt: skip
def test_values_are_values(database: sa.Connection, value: str) -> None:
    row = {"id": "it", "name": value}
    literal = value.replace("'", "''")
    json_filter = {"op": "=", "args": [{"property": "name"}, value]}
    assert found(database, json_filter, [*SAMPLE, row]) == {"it"}
    if not value.endswith("\\") and "\\'" not in value:
        assert found(database, f"name = '{literal}'", [*SAMPLE, row]) == {"it"}


def test_nothing_of_the_request_is_in_the_statement() -> None:
    query = "name = 'Zauberwort' AND area > 12321 AND S_INTERSECTS(geometry, POINT(33.125 44.625)) AND name LIKE 'Xyz%'"
    statement = str(condition(query).compile(dialect=sa.dialects.postgresql.dialect()))
    assert not any(word in statement for word in ("Zauberwort", "12321", "33.125", "Xyz"))


def test_positions_are_those_of_the_text_as_given() -> None:
    """Words are rewritten for the parser; positions count in the original."""
    with pytest.raises(FilterError) as caught:
        condition("area > .5 AND area > .25 AND area >> 1")
    assert caught.value.position == len("area > .5 AND area > .25 AND area >") + 1
    with pytest.raises(FilterError) as caught:
        condition("name = 'x'\nAND area >> 1")
    assert caught.value.position == len("name = 'x'\nAND area >") + 1


def test_geometries_follow_the_filter_crs(database: sa.Connection) -> None:
    rows = [{"id": "seat", "geometry": "POINT(120.75 30.75)"}]
    for crs in ("EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:4528", "EPSG:3857"):
        system = find(crs)
        # the register's own axis order, as pyproj keeps it unless told otherwise
        a, b = pyproj.Transformer.from_crs(4326, crs).transform(30.75, 120.75)
        size = 0.01 if system.unit == "degree" else 900
        for shape in (
            f"BBOX({a - size},{b - size},{a + size},{b + size})",
            f"POLYGON(({a - size} {b - size},{a + size} {b - size},{a} {b + size},{a - size} {b - size}))",
        ):
            assert found(database, f"S_INTERSECTS(geometry, {shape})", rows, system) == {"seat"}, crs
        aside = f"BBOX({a + size},{b + size},{a + 2 * size},{b + 2 * size})"
        assert found(database, f"S_INTERSECTS(geometry, {aside})", rows, system) == set(), crs
    with pytest.raises(FilterError):
        condition("S_INTERSECTS(geometry, POINT(1e30 1e30))", crs=find("EPSG:4549"))
    with pytest.raises(FilterError):
        condition("S_INTERSECTS(geometry, BBOX(3400000,573000,3405000,570000))", crs=find("EPSG:4549"))
