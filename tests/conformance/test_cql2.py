"""CQL2 (OGC 21-065r2, annex A) over HTTP, on every collection; both encodings.

The standard's own data set is not served here, so that its abstract tests ``test-data`` do not apply; the filters of
those tests are evaluated on rows of every type in ``tests/filters``.
"""

import json
import random
from functools import cache
from itertools import product
from typing import Any

import cql2
import httpx
import pytest

from app.catalog import COLLECTIONS
from tests.conformance import helpers
from tests.conformance.helpers import EVERY, KINDS, PART, get, refused, spatial, types

CQL2 = "http://www.opengis.net/spec/cql2/1.0/conf"
CLASSES = [
    f"{CQL2}/{one}"
    for one in (
        "cql2-text", "cql2-json", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison",
        "accent-insensitive-comparison", "basic-spatial-functions", "basic-spatial-functions-plus",
        "spatial-functions", "temporal-functions", "array-functions", "property-property", "arithmetic",
    )
]  # fmt: skip
#: Literals of the abstract tests, by type of the queryable.
VALUES = {"string": "'foo'", "boolean": "true", "number": "3.14", "integer": "1"}
WORLD = "BBOX(-180,-90,180,90)"
WORLD_POLYGON = "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))"
LINE = "LINESTRING(120.5 30.5,121 30.8)"
#: The middle of Jiaxing.
POINT = "POINT(120.75 30.75)"
#: Filters that were answered, by collection, for the tests that combine them.
STORED: dict[str, list[str]] = {one: [] for one in EVERY}
EACH = pytest.mark.parametrize("collection", EVERY)
EACH_KIND = pytest.mark.parametrize("collection", KINDS)


def items(client: httpx.Client, collection: str) -> dict[str, Any]:
    return helpers.items(client, collection, **PART.get(collection, {}))


def found(client: httpx.Client, collection: str, text: str, **query: str) -> set[str]:
    return helpers.found(client, collection, text, **PART.get(collection, {}), **query)


def ids(client: httpx.Client, collection: str, text: str) -> set[str]:
    STORED[collection].append(text)
    return found(client, collection, text)


def scalars(collection: str) -> list[tuple[str, str]]:
    return [(one.name, VALUES[one.type]) for one in COLLECTIONS[collection].queryables if one.type in VALUES]


@cache
def everything(client: httpx.Client, collection: str) -> frozenset[str]:
    return frozenset(one["id"] for one in items(client, collection)["features"])


# ----------------------------------------------------------------------------------------------------- basic-cql2


@EACH
def test_basic_cql2_basic_test_and_boolean(client: httpx.Client, collection: str) -> None:
    """/conf/basic-cql2/basic-test, boolean"""
    properties = get(client, f"/collections/{collection}/queryables").json()["properties"]
    assert all("type" in one or "format" in one for one in properties.values())
    assert any(one.get("type") in VALUES for one in properties.values())
    assert ids(client, collection, "true") == everything(client, collection)
    assert ids(client, collection, "false") == set()


@EACH_KIND
def test_basic_cql2_comparison_and_is_null(client: httpx.Client, collection: str) -> None:
    """/conf/basic-cql2/comparison, is-null: each pair of opposites shares no item and leaves out only nulls"""
    for name, value in scalars(collection):
        known = ids(client, collection, f"{name} is not null")
        assert ids(client, collection, f"{name} IS NULL") == everything(client, collection) - known
        for one, other in (("=", "<>"), (">", "<="), ("<", ">=")):
            left = ids(client, collection, f"{name} {one} {value}")
            right = ids(client, collection, f"{name} {other} {value}")
            assert not left & right
            assert left | right == known
    for name in types(COLLECTIONS[collection], "array") + spatial(COLLECTIONS[collection]):
        known = ids(client, collection, f"{name} IS NOT NULL")
        assert ids(client, collection, f"{name} is null") == everything(client, collection) - known


@EACH
def test_basic_cql2_logical(client: httpx.Client, collection: str) -> None:
    """/conf/basic-cql2/logical: three-valued, as a filter of its own parts tells"""
    (a, va), (b, vb) = [(n, v) for n, v in scalars(collection) if v == "'foo'"][:2]
    p1, p2, p3, p4 = f"{a} <> {va}", f"{b} > {vb}", f"{a} IS NULL", f"{b} <= {vb}"
    known = {one: found(client, collection, one) for one in (p1, p2, p3, p4)}
    false = {one: found(client, collection, f"NOT ({one})") for one in (p1, p2, p3, p4)}
    whole = found(client, collection, f"(NOT ({p2}) AND {p1}) OR ({p3} and {p4}) or not ({p1} OR {p4})")
    assert whole == (false[p2] & known[p1]) | (known[p3] & known[p4]) | (false[p1] & false[p4])


# ------------------------------------------------------------------------------------ comparisons, case, accents


@EACH_KIND
def test_advanced_comparison_operators_like(client: httpx.Client, collection: str) -> None:
    """/conf/advanced-comparison-operators/like"""
    for name in types(COLLECTIONS[collection], "string"):
        some = ids(client, collection, f"{name} like '_%'")
        assert not some & ids(client, collection, f"{name} like ''")
        anything = ids(client, collection, f"{name} LIKE '%'")
        assert anything == ids(client, collection, f"{name} like '%%'") >= some
        assert ids(client, collection, f"{name} like '\\%\\_'") == set()


@EACH_KIND
def test_advanced_comparison_operators_between_and_in(client: httpx.Client, collection: str) -> None:
    """/conf/advanced-comparison-operators/between, in"""
    described = COLLECTIONS[collection]
    for name in types(described, "number", "integer"):
        within = ids(client, collection, f"{name} BETWEEN 0 AND 100")
        assert within == found(client, collection, f"{name} >= 0 AND {name} <= 100")
        assert ids(client, collection, f"{name} between 100.0 and 1.0") == set()
        assert ids(client, collection, f"{name} IN (1, 2, 3)") == found(
            client, collection, f"{name} = 1 OR {name} = 2 OR {name} = 3"
        )
    for name in types(described, "string"):
        assert ids(client, collection, f"{name} in ('foo', 'bar')") == set()
    for name in types(described, "boolean"):
        assert ids(client, collection, f"{name} in (true)") == found(client, collection, f"{name} = true")


@EACH_KIND
def test_case_insensitive_comparison_casei(client: httpx.Client, collection: str) -> None:
    """/conf/case-insensitive-comparison/casei, casei-like"""
    for name in types(COLLECTIONS[collection], "string"):
        equal = ids(client, collection, f"CASEI({name}) = casei('foo')")
        assert not equal & ids(client, collection, f"CASEI({name}) <> casei('FOO')")
        assert ids(client, collection, f"CASEI({name}) LIKE casei('j%')") == ids(
            client, collection, f"CASEI({name}) LIKE casei('J%')"
        )
    features = items(client, collection)["features"]
    name, shout = next(
        (one, f["properties"][one])
        for one in types(COLLECTIONS[collection], "string")
        for f in features
        if (f["properties"][one] or "").swapcase() != (f["properties"][one] or "")
    )
    quoted = shout.swapcase().replace("'", "''")
    assert found(client, collection, f"CASEI({name}) = CASEI('{quoted}')") == {
        f["id"] for f in features if (f["properties"][name] or "").casefold() == shout.casefold()
    }


@EACH_KIND
def test_accent_insensitive_comparison_accenti(client: httpx.Client, collection: str) -> None:
    """/conf/accent-insensitive-comparison/accenti, accenti-like"""
    for name in types(COLLECTIONS[collection], "string"):
        equal = ids(client, collection, f"ACCENTI({name}) = accenti('foo')")
        assert not equal & ids(client, collection, f"ACCENTI({name}) <> accenti('fòô')")
        assert ids(client, collection, f"ACCENTI({name}) LIKE accenti('chē%')") == ids(
            client, collection, f"ACCENTI({name}) LIKE accenti('che%')"
        )


# ------------------------------------------------------------------------------------------------------- spatial


@EACH
def test_basic_spatial_functions_s_intersects(client: httpx.Client, collection: str) -> None:
    """/conf/basic-spatial-functions/s_intersects: an impossible latitude is refused"""
    for name in spatial(COLLECTIONS[collection]):
        known = found(client, collection, f"{name} IS NOT NULL")
        assert ids(client, collection, f"S_INTERSECTS({name},{WORLD})") == known
        assert ids(client, collection, f"S_INTERSECTS({name},{POINT})") <= known
        halves = f"S_INTERSECTS({name},BBOX(-180,-90,-90,90)) AND S_INTERSECTS({name},BBOX(90,-90,180,90))"
        assert ids(client, collection, halves) == set()
        query = {"filter": f"S_INTERSECTS({name},POINT(90 180))"}
        refused(client, f"/collections/{collection}/items", query, "filter")


@EACH
def test_basic_spatial_functions_plus_s_intersects(client: httpx.Client, collection: str) -> None:
    """/conf/basic-spatial-functions-plus/s_intersects: every kind of literal"""
    hole = "(120.5 30.5, 120.6 30.5, 120.6 30.6, 120.5 30.6, 120.5 30.5)"
    area = f"(119 30, 122 30, 122 32, 119 32, 119 30), {hole}"
    for name in spatial(COLLECTIONS[collection]):
        query = {"filter": f"S_INTERSECTS({name},MULTIPOINT(7.02 49.92, 90 180))"}
        refused(client, f"/collections/{collection}/items", query, "filter")
        point, line = (ids(client, collection, f"S_INTERSECTS({name},{one})") for one in (POINT, LINE))
        lines = "MULTILINESTRING((120.5 30.5,121 30.8), (0 45, 10 45))"
        assert ids(client, collection, f"S_INTERSECTS({name},{lines})") == line
        holed = ids(client, collection, f"S_INTERSECTS({name},POLYGON({area}))")
        island = "(120.52 30.52, 120.58 30.52, 120.58 30.58, 120.52 30.58, 120.52 30.52)"
        filled = f"S_INTERSECTS({name},MULTIPOLYGON(({area}), ({island})))"
        assert ids(client, collection, filled) == holed | ids(
            client, collection, f"S_INTERSECTS({name},POLYGON({island}))"
        )
        both = f"S_INTERSECTS({name},GEOMETRYCOLLECTION({POINT}, {LINE}))"
        assert ids(client, collection, both) == point | line


@EACH
def test_spatial_functions(client: httpx.Client, collection: str) -> None:
    """/conf/spatial-functions/s_intersects, s_disjoint, s_equals, s_touches, s_crosses, s_within, s_contains,
    s_overlaps"""
    for name in spatial(COLLECTIONS[collection]):

        def by(function: str, literal: str, name: str = name) -> set[str]:
            return ids(client, collection, f"{function}({name},{literal})")

        known = found(client, collection, f"{name} IS NOT NULL")
        assert by("S_INTERSECTS", WORLD) == by("S_INTERSECTS", WORLD_POLYGON) == known
        assert by("S_DISJOINT", WORLD) == by("S_DISJOINT", WORLD_POLYGON) == set()
        for literal in (LINE, POINT):
            assert by("S_DISJOINT", literal) == known - by("S_INTERSECTS", literal)
            assert by("S_EQUALS", literal) <= by("S_INTERSECTS", literal)
        assert by("S_EQUALS", WORLD_POLYGON) == set()
        assert by("S_WITHIN", WORLD) == by("S_WITHIN", WORLD_POLYGON) == known
        assert by("S_CONTAINS", WORLD) == by("S_CONTAINS", WORLD_POLYGON) == set()
        for literal in (LINE, "MULTIPOINT(120.75 30.75,121 30.8)"):
            assert not by("S_CONTAINS", literal) & by("S_WITHIN", literal)
        assert by("S_TOUCHES", WORLD) == set()
        for function, literal in product(("S_TOUCHES", "S_CROSSES", "S_OVERLAPS"), (WORLD, WORLD_POLYGON, LINE)):
            assert by(function, literal) <= by("S_INTERSECTS", literal)


def test_spatial_functions_tell_apart(client: httpx.Client) -> None:
    """/conf/spatial-functions: relations of one county's own outline, over both encodings"""
    outline = get(client, "/collections/counties/items/330481").json()["geometry"]

    def by(function: str) -> set[str]:
        tree = {"op": function, "args": [{"property": "geometry"}, outline]}
        body = client.post("/collections/counties/search", json={"filter": tree, "limit": 100}).json()
        return {one["id"] for one in body["features"]}

    assert by("s_intersects") >= {"330481"}
    assert by("s_disjoint") == everything(client, "counties") - by("s_intersects")


# ---------------------------------------------------------------------------------------------- temporal, arrays


INTERVALS = ("INTERVAL('2021-01-01','2025-12-31')", "INTERVAL('2023-01-01','..')")


@EACH
def test_temporal_functions(client: httpx.Client, collection: str) -> None:
    """/conf/temporal-functions/temporal-functions-1, -2: no queryable is a time, so that literals stand for them"""
    first, later = INTERVALS
    early, late = "INTERVAL('2021-01-01','2022-01-01')", "INTERVAL('2023-01-01','2025-12-31')"
    before, middle = "INTERVAL('2020-01-01','2021-01-01')", "INTERVAL('2022-01-01','2023-01-01')"
    true = [
        "T_AFTER(DATE('2022-04-24'),DATE('2021-01-01'))",
        f"T_BEFORE(DATE('2020-04-24'),{first})",
        f"T_DISJOINT(DATE('2020-04-24'),{first})",
        f"T_INTERSECTS({first},{later})",
        "T_EQUALS(TIMESTAMP('2022-04-24T07:59:57Z'),TIMESTAMP('2022-04-24T15:59:57+08:00'))",
        f"T_CONTAINS({first},{middle})",
        f"T_DURING({middle},{first})",
        f"T_FINISHES({late},{first})",
        f"T_FINISHEDBY({first},{late})",
        f"T_MEETS({before},{first})",
        f"T_METBY({first},{before})",
        f"T_OVERLAPS({first},{later})",
        f"T_OVERLAPPEDBY({later},{first})",
        f"T_STARTS({early},{first})",
        f"T_STARTEDBY({first},{early})",
    ]
    whole = everything(client, collection)
    STORED[collection] += true
    assert found(client, collection, " AND ".join(true)) == whole
    assert found(client, collection, " OR ".join(f"NOT {one}" for one in true)) == set()


@EACH
def test_array_functions_array_predicates(client: httpx.Client, collection: str) -> None:
    """/conf/array-functions/array-predicates: compared with sets of Python"""
    features = items(client, collection)["features"]
    for name in types(COLLECTIONS[collection], "array"):
        values = {
            one["id"]: set(one["properties"][name] or []) for one in features if one["properties"][name] is not None
        }
        some = sorted(set().union(*values.values()))[:2] or ["foo"]
        for asked in (["foo", "bar"], some, some[:1]):
            listed = ",".join("'" + one.replace("'", "''") + "'" for one in asked)
            wanted = set(asked)
            for function, holds in (
                ("A_CONTAINS", lambda have, want: have >= want), ("A_CONTAINEDBY", lambda have, want: have <= want),
                ("A_EQUALS", lambda have, want: have == want), ("A_OVERLAPS", lambda have, want: bool(have & want)),
            ):  # fmt: skip
                expected = {id for id, have in values.items() if holds(have, wanted)}
                assert ids(client, collection, f"{function}({name},({listed}))") == expected


def test_array_functions_have_a_use(client: httpx.Client) -> None:
    """At least one queryable is a list"""
    assert {"industries", "layout_elements", "documents"} <= set(types(COLLECTIONS["platforms"], "array"))
    assert found(client, "platforms", "A_CONTAINS(documents, ('jiaxing-14fyp'))") or found(
        client, "platforms", "NOT A_EQUALS(documents, ())"
    )


# --------------------------------------------------------------------------------------------- property-property


@EACH_KIND
def test_property_property_comparison_value_property(client: httpx.Client, collection: str) -> None:
    """/conf/property-property/comparison-value-property, comparison-property-property"""
    turned = {"=": "=", "<>": "<>", ">": "<", "<": ">", ">=": "<=", "<=": ">="}
    for name, value in scalars(collection):
        for operator, mirrored in turned.items():
            left = ids(client, collection, f"{value} {operator} {name}")
            assert left == found(client, collection, f"{name} {mirrored} {value}")
        known = found(client, collection, f"{name} IS NOT NULL")
        for operator in ("=", ">=", "<="):
            assert ids(client, collection, f"{name} {operator} {name}") == known
        for operator in ("<>", ">", "<"):
            assert ids(client, collection, f"{name} {operator} {name}") == set()


@pytest.mark.parametrize(
    "value", ["'foo'", "true", "3.14", "1", "TIMESTAMP('2022-04-14T14:48:46Z')", "DATE('2022-04-14')"]
)
def test_property_property_comparison_value_value(client: httpx.Client, value: str) -> None:
    """/conf/property-property/comparison-value-value"""
    for operator in ("=", ">=", "<="):
        assert ids(client, "counties", f"{value} {operator} {value}") == everything(client, "counties")
    for operator in ("<>", ">", "<"):
        assert ids(client, "counties", f"{value} {operator} {value}") == set()


def test_property_property_of_two(client: httpx.Client) -> None:
    """Two properties of one item, compared with Python; a place inside its own shape"""
    features = items(client, "platforms")["features"]
    differ = {
        one["id"]
        for one in features
        if None not in (p := one["properties"], p["county"], p["declared_county"])
        and p["county"] != p["declared_county"]
    }
    assert found(client, "platforms", "county <> declared_county") == differ
    placed = {one["id"] for one in features if one["geometry"]}
    assert found(client, "platforms", "S_INTERSECTS(position, geometry)") == placed


# ----------------------------------------------------------------------------------------------------- arithmetic


@EACH
def test_arithmetic(client: httpx.Client, collection: str) -> None:
    """/conf/arithmetic/arithmetic: each operator, compared with Python"""
    features = items(client, collection)["features"]
    for name in types(COLLECTIONS[collection], "number", "integer"):
        values = {one["id"]: one["properties"][name] for one in features if one["properties"][name] is not None}
        for text, holds in (
            (f"{name} + 1 > 10 - 2 * 2 ^ 2", lambda one: one + 1 > 2),
            (f"{name} * 2 >= 100", lambda one: one * 2 >= 100),
            (f"{name} / 4 < 25", lambda one: one / 4 < 25),
            (f"{name} - 5 % 3 <= 21 div 4", lambda one: one - 2 <= 5),
            (f"{name} BETWEEN 4/4 AND (3*(0.5+9.5))", lambda one: 1 <= one <= 30),
        ):  # fmt: skip
            assert ids(client, collection, text) == {id for id, one in values.items() if holds(one)}


# ------------------------------------------------------------------------------------------------ the encodings


@EACH
def test_cql2_text_and_cql2_json_validate(client: httpx.Client, collection: str) -> None:
    """/conf/cql2-text/validate, /conf/cql2-json/validate: the filters of the tests above mean the same in JSON; and
    /conf/…/logical of every class: random fours of them, combined as the standard says"""
    chosen = random.Random(collection)  # noqa: S311 - the same every time
    stored = sorted(set(STORED[collection])) or ["true", "false"]
    for text in chosen.sample(stored, min(12, len(stored))):
        tree = cql2.parse_text(text).to_json()
        assert found(client, collection, json.dumps(tree), filter_lang="cql2-json") == found(client, collection, text)
    for _ in range(10):
        p1, p2, p3, p4 = (f"({one})" for one in chosen.choices(stored, k=4))
        found(client, collection, f"((NOT {p1} AND {p2}) OR ({p3} and NOT {p4}) or not ({p1} AND {p4}))")


@pytest.mark.parametrize("mark", ["''", "\\'"])
def test_cql2_text_escaping(client: httpx.Client, mark: str) -> None:
    """/conf/cql2-text/escaping: a quote in a literal is written twice or after a backslash"""
    features = items(client, "platforms")["features"]
    name = next(one["properties"]["name_en"] for one in features if "'" in (one["properties"]["name_en"] or ""))
    quoted = name.replace("'", mark)
    assert found(client, "platforms", f"name_en = '{quoted}'") == {
        one["id"] for one in features if one["properties"]["name_en"] == name
    }
    assert found(client, "platforms", "name = 'a\tb\nc\x0bd\x0ce\rf\x08g\x07'") == set()


def test_cql2_json_media(client: httpx.Client) -> None:
    """/conf/cql2-json/validate: as a body too"""
    tree: dict[str, Any] = {"op": "=", "args": [{"property": "level"}, "national"]}
    posted = client.post("/collections/platforms/search", json={"filter": tree, "limit": 10000}).json()
    assert {one["id"] for one in posted["features"]} == found(client, "platforms", "level = 'national'")
