"""An open composite index over regions, from stored indicator values only. Not an official index.

Method: each indicator is normalised over the regions compared (turned round where lower is better), the results are
weighted and summed. The weights are then disturbed one at a time, to show how far each rank depends on them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import tables as t

Over = Literal["haining-areas", "counties"]
Normalise = Literal["minmax", "zscore", "rank"]
Missing = Literal["exclude", "reweight", "lowest"]
OVERS: tuple[Over, ...] = get_args(Over)
NORMALISATIONS: tuple[Normalise, ...] = get_args(Normalise)
MISSING_RULES: tuple[Missing, ...] = get_args(Missing)
#: Each weight is halved and raised by half in turn.
DISTURBANCES = (0.5, 1.5)
#: An indicator that fewer regions have compares nothing.
LEAST_REGIONS = 3
#: With fewer indicators the result is hardly a composite, and says so.
FEW = 3
PEERS: dict[Over, tuple[str, str]] = {"haining-areas": ("area", "330481"), "counties": ("county", "330400")}

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Indicator:
    """One usable indicator: its values by region, as stored."""

    id: str
    name: str
    unit: str
    better: str
    values: Mapping[str, float]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """A region's score and rank; ``low`` and ``high`` are its best and worst rank while weights are disturbed."""

    region: str
    name: str
    score: float | None
    rank: int | None
    low: int | None
    high: int | None
    missing: list[str] = field(default_factory=list)


async def regions(connection: AsyncConnection, over: Over) -> dict[str, str]:
    """Name by id of the regions compared."""
    level, parent = PEERS[over]
    r = t.region.c
    belongs = sa.func.coalesce(r.lies_in, r.parent) == parent
    found = await connection.execute(
        sa.select(r.id, r.name).where(r.level == level, belongs, ~r.retired).order_by(r.id)
    )
    return {row.id: row.name for row in found}


async def indicators(connection: AsyncConnection, names: Mapping[str, str], year: int, kind: str) -> list[Indicator]:
    """Indicators that enough of the regions have for a year, each region's first printed value of it."""
    v, i = t.indicator_value.c, t.indicator.c
    kinds = ("actual", "flash") if kind == "actual" else (kind,)
    found = await connection.execute(
        sa.select(i.id, i.name, i.unit, i.better, v.region, v.value, v.document)
        .join(t.indicator, i.id == v.indicator)
        .where(
            v.region.in_(names), v.year == year, v.year_from.is_(None), v.kind.in_(kinds), v.value.is_not(None),
            i.better != "neither",
        )
        .order_by(i.id, v.region, v.kind, v.document, v.line_start)
    )  # fmt: skip
    gathered: dict[str, dict[str, Any]] = {}
    for row in found:
        one = gathered.setdefault(
            row.id, {"name": row.name, "unit": row.unit, "better": row.better, "values": {}, "sources": {}}
        )
        one["values"].setdefault(row.region, float(row.value))
        one["sources"][row.document] = None
    return [
        Indicator(id, one["name"], one["unit"], one["better"], one["values"], tuple(one["sources"]))
        for id, one in gathered.items()
        if len(one["values"]) >= LEAST_REGIONS
    ]


def standings(
    names: Mapping[str, str],
    chosen: Sequence[Indicator],
    weights: Sequence[float],
    normalise: Normalise = "minmax",
    missing: Missing = "exclude",
) -> list[Standing]:
    """Score and rank the regions, best first; those that the rule for missing values leaves out come last.

    Rules: ``exclude`` leaves out a region that lacks any indicator; ``reweight`` spreads the weight of what is
    missing over the rest; ``lowest`` gives the lowest normalised value there is.
    """
    raw = np.array([[one.values.get(region, np.nan) for one in chosen] for region in names], dtype=float)
    raw = raw.reshape(len(names), len(chosen))
    scaled = np.column_stack([_scaled(raw[:, n], one.better, normalise) for n, one in enumerate(chosen)])
    if missing == "lowest":
        scaled = np.where(np.isnan(scaled), np.nanmin(scaled, axis=0), scaled)
    given = np.array(weights, dtype=float)
    scores = _scores(scaled, given, missing)
    ranks = _ranks(scores)
    disturbed = []
    for n in range(len(given)):
        for factor in DISTURBANCES:
            changed = given.copy()
            changed[n] *= factor
            disturbed.append(_ranks(_scores(scaled, changed, missing)))
    every = np.vstack([ranks, *disturbed])
    found = []
    for n, (region, name) in enumerate(names.items()):
        lacking = [one.id for one in chosen if region not in one.values]
        if np.isnan(scores[n]):
            found.append(Standing(region, name, None, None, None, None, lacking))
            continue
        low, high = int(every[:, n].min()), int(every[:, n].max())
        found.append(Standing(region, name, round(float(scores[n]), 4), int(ranks[n]), low, high, lacking))
    return sorted(found, key=lambda one: (one.rank is None, one.rank, one.region))


def _scaled(values: Matrix, better: str, normalise: Normalise) -> Matrix:
    """One indicator over the regions, higher is better; missing stays missing. Equal values all stand in the middle."""
    turned = -values if better == "lower" else values
    known = ~np.isnan(turned)
    present = turned[known]
    result = np.full(turned.shape, np.nan)
    spread = present.max() - present.min()
    if normalise == "zscore":
        result[known] = (present - present.mean()) / present.std() if spread else 0.0
    elif normalise == "rank":
        below = (present[:, None] > present[None, :]).sum(axis=1) + (
            (present[:, None] == present[None, :]).sum(axis=1) - 1
        ) / 2
        result[known] = below / max(len(present) - 1, 1)
    else:
        result[known] = (present - present.min()) / spread if spread else 0.5
    return result


def _scores(scaled: Matrix, weights: Matrix, missing: Missing) -> Matrix:
    # what has no weight has no say, not even by being missing
    scaled = scaled[:, weights > 0]
    weights = weights[weights > 0]
    known = ~np.isnan(scaled)
    total = (known * weights).sum(axis=1) if missing == "reweight" else np.full(len(scaled), weights.sum())
    with np.errstate(invalid="ignore", divide="ignore"):  # nothing known: left out below
        scores: Matrix = np.nansum(scaled * weights, axis=1) / total
    left_out = ~known.any(axis=1) if missing == "reweight" else ~known.all(axis=1)
    scores[left_out] = np.nan
    return scores


def _ranks(scores: Matrix) -> NDArray[np.int64]:
    """1 for the highest; equals share a rank; what has no score ranks behind all."""
    comparable = np.where(np.isnan(scores), -np.inf, np.round(scores, 12))
    ranks: NDArray[np.int64] = (comparable[None, :] > comparable[:, None]).sum(axis=1) + 1
    return ranks
