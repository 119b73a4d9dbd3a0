"""PostgreSQL's answer against an evaluation in Python, over random rows and random filters in both encodings."""

import random

import pytest
import sqlalchemy as sa

from tests.conftest import examples
from tests.filters import generate
from tests.filters.oracle import evaluate
from tests.filters.rows import condition, table

SEEDS = range(examples(10))
FILTERS = 25
ROWS = 40


@pytest.mark.parametrize("seed", SEEDS)
def test_answers_agree(database: sa.Connection, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    rows = generate.rows(chance, ROWS)
    trees = [generate.condition(chance, 3) for _ in range(FILTERS)]
    source = table(rows)
    asked = [
        sa.cast(condition(query, source), sa.Boolean) for tree in trees for query in (tree, generate.to_text(tree))
    ]
    columns = [one.label(f"answer_{number}") for number, one in enumerate(asked)]
    for row, answers in zip(rows, database.execute(sa.select(*columns)).all(), strict=True):
        for number, tree in enumerate(trees):
            expected = evaluate(tree, row)
            assert answers[2 * number] is expected, (tree, row)
            assert answers[2 * number + 1] is expected, (generate.to_text(tree), row)


def test_filters_are_neither_all_true_nor_all_false() -> None:
    """The comparison above would prove nothing if every filter answered alike."""
    chance = random.Random(0)  # noqa: S311
    rows = generate.rows(chance, ROWS)
    answers = [evaluate(generate.condition(chance, 3), row) for _ in range(200) for row in rows]
    shares = [sum(answer is value for answer in answers) / len(answers) for value in (True, False, None)]
    assert min(shares) > 0.1
