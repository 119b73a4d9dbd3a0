"""Classification against computations of another make: every partition tried, and the standard library's quantiles."""

import random
import statistics
from itertools import combinations, pairwise

import pytest

from app.maps.classes import FALLING, METHODS, MOST, RISING, STEADY, Class, Method, class_of, classify, classify_changes

#: R&D as a share of GDP of Haining's areas in 2020.
SHARES = [0.86, 3.31, 3.2, 5.78, 3.67, 3.68, 6.14, 6.84, 4.7, 3.98]


def groups(values: list[float], classes: list[Class]) -> list[list[float]]:
    """The values of each class, sorted."""
    return [
        sorted(value for value in values if class_of(value, classes) == number) for number in range(len(classes))
    ]  # fmt: skip


def scatter(partition: list[list[float]]) -> float:
    return sum(sum((value - statistics.fmean(part)) ** 2 for value in part) for part in partition)


def best_scatter(values: list[float], number: int) -> float:
    """The least sum of squares within classes, over every way to cut the sorted values."""
    ordered = sorted(values)
    cuts = combinations(range(1, len(ordered)), number - 1)
    return min(scatter([ordered[a:b] for a, b in pairwise((0, *cut, len(ordered)))]) for cut in cuts)


def samples() -> list[list[float]]:
    source = random.Random(5)  # noqa: S311
    return [
        SHARES,
        [float(source.randint(0, 40)) for _ in range(13)],
        [round(source.lognormvariate(3, 1), 2) for _ in range(16)],
    ]


@pytest.mark.parametrize("values", samples())
def test_natural_breaks_have_the_least_scatter(values: list[float]) -> None:
    classes = classify(values, "jenks")
    assert len(classes) == MOST
    assert scatter(groups(values, classes)) == pytest.approx(best_scatter(values, MOST))


@pytest.mark.parametrize("values", samples())
def test_quantiles_are_those_of_the_standard_library(values: list[float]) -> None:
    cuts = statistics.quantiles(values, n=MOST, method="inclusive")
    expected = [
        [value for value in sorted(values) if low < value <= high] for low, high in pairwise((-1e9, *cuts, 1e9))
    ]
    assert groups(values, classify(values, "quantile")) == [part for part in expected if part]


def test_equal_intervals_are_equal() -> None:
    classes = classify(SHARES, "equal")
    width = (6.84 - 0.86) / 5
    assert [one.high for one in classes] == pytest.approx([0.86 + width * n for n in range(1, 6)], abs=1e-3)
    assert [one.count for one in classes] == [1, 1, 4, 1, 3] == [len(part) for part in groups(SHARES, classes)]


def test_an_equal_interval_without_a_value_stays() -> None:
    assert [one.count for one in classify([0, 1, 2, 3, 4, 50], "equal")] == [5, 0, 0, 0, 1]


@pytest.mark.parametrize("method", METHODS)
def test_every_value_has_one_class_and_bounds_meet(method: Method) -> None:
    source = random.Random(method)  # noqa: S311
    for size in (1, 2, 5, 6, 13, 60):
        values = [round(source.uniform(-3, 90), source.randint(0, 3)) for _ in range(size)]
        classes = classify(values, method)
        assert 1 <= len(classes) <= min(MOST, len(set(values)))
        assert sum(one.count for one in classes) == size
        assert all(sum(one.holds(value) for one in classes) == 1 for value in values)
        assert (classes[0].low, classes[-1].high) == (min(values), max(values))
        changes = classify_changes(values, method)
        assert len(changes) <= MOST
        assert [one.count for one in changes] == [len(part) for part in groups(values, changes)]


def test_few_different_values_are_a_class_each() -> None:
    assert [(one.low, one.high, one.count) for one in classify([1, 0, 0, 3, 0], "equal")] == [
        (0, 0, 3), (1, 1, 1), (3, 3, 1),
    ]  # fmt: skip
    assert classify([], "jenks") == []
    assert classify_changes([], "jenks") == []


def test_ties_leave_no_empty_quantile() -> None:
    values = [0.0] * 9 + [1.0, 2.0, 3.0, 4.0, 5.0]
    classes = classify(values, "quantile")
    assert [one.count for one in classes] == [9, 2, 3]
    assert (classes[0].low, classes[0].high, classes[0].includes_low) == (0, 0, True)


def test_falls_and_rises_never_share_a_class_or_a_colour() -> None:
    values = [-5.0, -0.1, -2.0, 0.0, 0.0, 0.2, 1.0, 7.0, 8.0, 20.0]
    classes = classify_changes(values, "jenks")
    assert all(one.high < 0 or one.low > 0 or one.low == one.high == 0 for one in classes)
    assert [one.colour for one in classes if one.low == 0] == [STEADY]
    assert all(one.colour in FALLING for one in classes if one.high < 0)
    assert all(one.colour in RISING for one in classes if one.low > 0)
    # the greatest fall and the greatest rise are darkest
    assert FALLING.index(classes[0].colour) > FALLING.index(classes[1].colour)
    assert groups(values, classes)[0] == [-5.0]


def test_rises_alone_have_every_class() -> None:
    classes = classify_changes(SHARES, "jenks")
    assert len(classes) == MOST
    assert [one.colour for one in classes] == list(RISING)
