"""The functions of place: what they are called with, and which places have to be looked up first."""

import pytest
import sqlalchemy as sa

from app.catalog import COLLECTIONS
from app.filters import FUNCTIONS, compile, parse
from tests.filters.rows import FIELDS, SAMPLE, Relations, table


@pytest.mark.parametrize(("query", "call"), [
    ("within('counties/330481')", ("within", "counties/330481", "position")),
    ("WITHIN('海宁', 'intersects')", ("within", "海宁", "intersects")),
    ("near(120.75, 30.5, 3000)", ("near", 120.75, 30.5, 3000.0)),
    ("along('corridors/g60', 500) = true", ("along", "corridors/g60", 500.0)),
])  # fmt: skip
def test_calls(query: str, call: tuple[object, ...]) -> None:
    relations = Relations()
    compile(parse(query, "cql2-text"), FIELDS, table(SAMPLE).c, relations)
    assert relations.calls == [call]


def test_places_are_known_before_compiling() -> None:
    text = "within('海宁') OR (NOT along('corridors/g60', 5) AND WITHIN('cities/330400')) OR near(1, 2, 3)"
    assert parse(text, "cql2-text").places == {
        ("within", "海宁"), ("along", "corridors/g60"), ("within", "cities/330400")
    }  # fmt: skip


def test_functions_combine_with_the_rest(database: sa.Connection) -> None:
    rows = table(SAMPLE)
    text = "within('海宁') AND open AND NOT along('corridors/g60', 500)"
    where = compile(parse(text, "cql2-text"), FIELDS, rows.c, Relations())
    assert set(database.execute(sa.select(rows.c.id).where(where)).scalars()) == {"lake", "quote"}


def test_every_function_has_its_relation() -> None:
    assert all(callable(getattr(Relations, name)) for name in FUNCTIONS)


@pytest.mark.parametrize("collection", COLLECTIONS.values(), ids=list(COLLECTIONS))
def test_every_queryable_of_every_collection(database: sa.Connection, collection: object) -> None:
    """Each property answers the predicates of its type; together they find each row once."""
    described = COLLECTIONS[collection.id]  # type: ignore[attr-defined]
    rows = described.rows.subquery("rows")
    comparison = {"string": "{} >= ''", "number": "{} > -1e9", "integer": "{} > -1e9", "boolean": "{} IN (true, false)"}
    names = [(field.name, comparison.get(field.type, "A_CONTAINS({}, ())")) for field in described.queryables]
    names += [("geometry", "S_INTERSECTS({}, BBOX(-180, -90, 180, 90))")]
    total = database.execute(sa.select(sa.func.count()).select_from(rows)).scalar_one()
    for name, template in names:
        found = 0
        for text in (template.format(f'"{name}"'), f'"{name}" IS NULL'):
            where = compile(parse(text, "cql2-text"), described.fields, rows.c, Relations())
            found += database.execute(sa.select(sa.func.count()).select_from(rows).where(where)).scalar_one()
        assert found == total > 0, name
