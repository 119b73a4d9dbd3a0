"""The composite index against a plain computation, number by number."""

import itertools
import math
import random
from collections.abc import Mapping, Sequence

import pytest

from app.queries.composite import (
    DISTURBANCES,
    MISSING_RULES,
    NORMALISATIONS,
    Indicator,
    Missing,
    Normalise,
    Standing,
    standings,
)

Values = Mapping[str, float]


def normalised(values: Values, better: str, how: str) -> dict[str, float]:
    """As the documentation says it, without arrays."""
    turned = {region: -value if better == "lower" else value for region, value in values.items()}
    low, high, count = min(turned.values()), max(turned.values()), len(turned)
    if how == "minmax":
        return {region: (value - low) / (high - low) if high > low else 0.5 for region, value in turned.items()}
    if how == "zscore":
        mean = math.fsum(turned.values()) / count
        deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in turned.values()) / count)
        return {region: (value - mean) / deviation if deviation else 0.0 for region, value in turned.items()}
    share = {}
    for region, value in turned.items():
        below = sum(other < value for other in turned.values())
        equal = sum(other == value for other in turned.values()) - 1
        share[region] = (below + equal / 2) / (count - 1)
    return share


def scored(
    regions: Sequence[str], chosen: Sequence[Indicator], weights: Sequence[float], how: str, missing: str
) -> dict[str, float]:
    tables = [normalised(one.values, one.better, how) for one in chosen]
    scores = {}
    for region in regions:
        terms = []
        for part, weight in zip(tables, weights, strict=True):
            if weight == 0:
                continue
            value = part.get(region)
            if value is None and missing == "lowest":
                value = min(part.values())
            terms.append((value, weight))
        known = [(value, weight) for value, weight in terms if value is not None]
        if (missing == "exclude" and len(known) < len(terms)) or not known:
            continue
        scores[region] = math.fsum(v * w for v, w in known) / math.fsum(w for _, w in known)
    return scores


def ranked(scores: Mapping[str, float]) -> dict[str, int]:
    rounded = {region: round(score, 12) for region, score in scores.items()}
    return {region: 1 + sum(other > score for other in rounded.values()) for region, score in rounded.items()}


def indicator(name: str, values: Values, better: str = "higher") -> Indicator:
    return Indicator(name, name, "", better, values, ("a plan",))


REGIONS = {region: region.upper() for region in "abcdefg"}
FULL = indicator("full", {"a": 5, "b": 3, "c": 3, "d": 9, "e": 1, "f": 0, "g": 2})
GAPS = indicator("gaps", {"a": 10.5, "b": 7, "d": 7, "e": 30})
LOWER = indicator("lower", {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "g": 7}, "lower")
EQUAL = indicator("equal", dict.fromkeys(REGIONS, 4))
CHOSEN = (FULL, GAPS, LOWER, EQUAL)


def by_region(found: Sequence[Standing]) -> dict[str, Standing]:
    assert len({one.region for one in found}) == len(found)
    return {one.region: one for one in found}


@pytest.mark.parametrize("missing", MISSING_RULES)
@pytest.mark.parametrize("how", NORMALISATIONS)
@pytest.mark.parametrize("weights", [(1, 1, 1, 1), (0.1, 5, 2, 1), (0, 1, 1, 0), (1, 0, 0, 0), (1000, 0.001, 3, 7)])
def test_scores_and_ranks_equal_a_plain_computation(
    weights: tuple[float, ...], how: Normalise, missing: Missing
) -> None:
    found = by_region(standings(REGIONS, CHOSEN, weights, how, missing))
    assert set(found) == set(REGIONS)
    expected = scored(list(REGIONS), CHOSEN, weights, how, missing)
    ranks = ranked(expected)
    assert expected
    for region, one in found.items():
        assert one.name == REGIONS[region]
        assert one.missing == [i.id for i in CHOSEN if region not in i.values]
        if region not in expected:
            assert (one.score, one.rank, one.low, one.high) == (None, None, None, None)
            continue
        assert one.score == pytest.approx(expected[region], abs=0.000051)
        assert one.rank == ranks[region]


@pytest.mark.parametrize("missing", MISSING_RULES)
@pytest.mark.parametrize("how", NORMALISATIONS)
def test_the_range_is_that_of_every_disturbed_weight(how: Normalise, missing: Missing) -> None:
    weights = [1.0, 2.0, 0.5, 1.0]
    found = by_region(standings(REGIONS, CHOSEN, weights, how, missing))
    trials = [ranked(scored(list(REGIONS), CHOSEN, weights, how, missing))]
    for n, factor in itertools.product(range(4), DISTURBANCES):
        changed = [weight * (factor if m == n else 1) for m, weight in enumerate(weights)]
        trials.append(ranked(scored(list(REGIONS), CHOSEN, changed, how, missing)))
    wide = 0
    for region, one in found.items():
        if one.rank is None:
            continue
        assert one.low == min(trial[region] for trial in trials)
        assert one.high == max(trial[region] for trial in trials)
        assert one.low <= one.rank <= one.high
        wide += one.low < one.high
    if missing != "exclude":
        assert wide > 0


def test_random_tables_agree() -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(60):
        names = {f"r{n}": f"R{n}" for n in range(chance.randint(3, 12))}
        chosen = []
        for n in range(chance.randint(1, 6)):
            values = {region: float(chance.randint(0, 6)) for region in names if chance.random() < 0.8}
            if len(values) >= 3:
                chosen.append(indicator(f"i{n}", values, chance.choice(["higher", "lower"])))
        if not chosen:
            continue
        weights = [chance.choice([0.5, 1, 2, 3]) for _ in chosen]
        for how, missing in itertools.product(NORMALISATIONS, MISSING_RULES):
            found = by_region(standings(names, chosen, weights, how, missing))
            expected = scored(list(names), chosen, weights, how, missing)
            assert {r: one.rank for r, one in found.items() if one.rank is not None} == ranked(expected)


def test_the_order_of_indicators_and_regions_changes_nothing() -> None:
    weights = (3.0, 1.0, 2.0, 1.0)
    usual = by_region(standings(REGIONS, CHOSEN, weights, "minmax", "reweight"))
    for order in itertools.permutations(range(4)):
        chosen, turned = [CHOSEN[n] for n in order], [weights[n] for n in order]
        for regions in (REGIONS, dict(reversed(REGIONS.items()))):
            found = by_region(standings(regions, chosen, turned, "minmax", "reweight"))
            assert {r: (o.score, o.rank, o.low, o.high) for r, o in found.items()} == {
                r: (o.score, o.rank, o.low, o.high) for r, o in usual.items()
            }


def test_weights_count_only_by_proportion() -> None:
    one = standings(REGIONS, CHOSEN, (1, 2, 3, 4), "zscore", "lowest")
    ten = standings(REGIONS, CHOSEN, (10, 20, 30, 40), "zscore", "lowest")
    assert one == ten


def test_best_first_then_by_region_and_who_is_left_out_last() -> None:
    found = standings(REGIONS, (FULL, GAPS), (1, 1), "minmax", "exclude")
    ranks = [one.rank for one in found]
    known = [rank for rank in ranks if rank is not None]
    assert ranks == sorted(known) + [None] * (len(ranks) - len(known))
    assert [one.region for one in found if one.rank is None] == ["c", "f", "g"]


def test_equals_share_a_rank() -> None:
    found = by_region(standings(REGIONS, (FULL,), (1,), "minmax", "exclude"))
    assert found["b"].rank == found["c"].rank == 3
    assert found["g"].rank == 5


def test_what_has_no_weight_leaves_nobody_out() -> None:
    """A region that lacks an indicator of weight 0 is compared by the others."""
    found = by_region(standings(REGIONS, (FULL, GAPS), (1, 0), "minmax", "exclude"))
    alone = by_region(standings(REGIONS, (FULL,), (1,), "minmax", "exclude"))
    assert {r: (o.score, o.rank) for r, o in found.items()} == {r: (o.score, o.rank) for r, o in alone.items()}


def test_a_region_that_has_nothing_is_left_out_whatever_the_rule_but_the_lowest() -> None:
    regions = {**REGIONS, "z": "Z"}
    for missing, rank in (("exclude", None), ("reweight", None), ("lowest", 7)):
        found = by_region(standings(regions, (FULL,), (1,), "minmax", missing))  # type: ignore[arg-type]
        assert found["z"].rank == rank
        assert found["z"].missing == ["full"]
