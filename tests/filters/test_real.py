"""Every built-in collection with all its rows and queryables: PostgreSQL's answer against the evaluation in Python."""

import random

import pytest
import shapely
import sqlalchemy as sa

from app.catalog import BUILT_IN
from app.filters import compile
from tests.conftest import examples
from tests.filters import generate
from tests.filters.oracle import evaluate
from tests.filters.real import Data
from tests.filters.rows import Relations, expression

FILTERS = examples(12)
#: Filters of one statement.
TOGETHER = 12


@pytest.mark.parametrize("name", BUILT_IN)
def test_answers_agree(database: sa.Connection, name: str) -> None:
    collection = BUILT_IN[name]
    data = Data.of(database, collection, shapely.from_wkb)
    assert data.rows
    chance = random.Random(name)  # noqa: S311
    found: set[bool | None] = set()
    for _ in range(0, FILTERS, TOGETHER):
        trees = [generate.condition(chance, 2, data.leaf) for _ in range(TOGETHER)]
        columns = collection.relation.c
        asked = [
            sa.cast(compile(expression(query), collection.fields, columns, Relations()), sa.Boolean).label(f"a{number}")
            for number, query in enumerate([*trees, *map(generate.to_text, trees)])
        ]
        answered = database.execute(sa.select(*asked).order_by(columns["id"])).all()
        for row, answers in zip(data.rows, answered, strict=True):
            expected = [evaluate(tree, row) for tree in trees]
            found |= set(expected)
            for tree, wanted, answer, of_text in zip(
                trees, expected, answers[:TOGETHER], answers[TOGETHER:], strict=True
            ):
                assert answer is wanted, (tree, row)
                assert of_text is wanted, (generate.to_text(tree), row)
    assert found >= {True, False}
