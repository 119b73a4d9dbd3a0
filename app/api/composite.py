"""The index the plan asks for (创新地图和科技创新指数): open, changeable, not official."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api import params
from app.api.openapi import documented
from app.api.problems import Problem
from app.api.registers import Text, answer
from app.catalog import Field
from app.db.engine import snapshot
from app.queries import composite
from app.queries.composite import Indicator

router = APIRouter(tags=["index"])
TITLE = ("创新指数（非官方）", "Composite innovation index (not official)")
METHOD = (
    "由规划文件所载指标合成：各指标归一化后加权平均；权重逐一减半、增半，得名次范围。",
    "Built from indicators printed in the plans: each is normalised, then averaged by weight; every weight is halved"
    " and raised by half in turn, which gives the range of ranks. Not an official index.",
)
KINDS = ("actual", "target")
FIELDS = (
    Field("rank", "名次", "Rank", "integer"),
    Field("region", "地区", "Region"),
    Field("name", "名称", "Name"),
    Field("score", "得分", "Score", "number"),
    Field("rank_low", "名次上限", "Best rank", "integer"),
    Field("rank_high", "名次下限", "Worst rank", "integer"),
    Field("values", "指标值", "Values", "object"),
    Field("missing", "缺失", "Missing", "array"),
)
FORM = (
    Field("over", "比较的地区", "Compared", values=composite.OVERS),
    Field("kind", "性质", "Kind", values=KINDS),
    Field("year", "年份", "Year", "integer"),
    Field("indicators", "指标，逗号分隔", "Indicators, separated by commas"),
    Field("weights", "权重，与指标一一对应", "Weights, one for each indicator"),
    Field("normalise", "归一方法", "Normalisation", values=composite.NORMALISATIONS),
    Field("missing", "缺失值规则", "Rule for missing values", values=composite.MISSING_RULES),
)
DEFAULT_YEAR = {"actual": 2020, "target": 2025}
MAX_WEIGHT = 1000.0
NAMES = ("over", "year", "kind", "indicators", "weights", "normalise", "missing", "f", "lang")


@router.get("/index", openapi_extra=documented("index"))
async def get_index(request: Request) -> Response:
    """创新指数：方法、权重、缺失规则与灵敏度。 The composite index with method, weights and sensitivity."""
    given = params.only(request, NAMES)
    params.formats(given, "json", "html")
    over = params.choice(given, "over", composite.OVERS)
    kind = params.choice(given, "kind", KINDS)
    normalise = params.choice(given, "normalise", composite.NORMALISATIONS)
    missing = params.choice(given, "missing", composite.MISSING_RULES)
    year = params.whole("year", given["year"], 1900) if "year" in given else DEFAULT_YEAR[kind]
    async with snapshot(request.app.state.reader) as connection:
        names = await composite.regions(connection, over)
        usable = await composite.indicators(connection, names, year, kind)
    chosen = _chosen(given, usable)
    weights = _weights(given, chosen)
    found = composite.standings(names, chosen, weights, normalise, missing) if chosen else []
    rows = [
        {
            "rank": one.rank,
            "region": one.region,
            "name": one.name,
            "score": one.score,
            "rank_low": one.low,
            "rank_high": one.high,
            "values": {i.id: i.values.get(one.region) for i in chosen},
            "missing": one.missing,
        }
        for one in found
    ]
    more: dict[str, Any] = {
        "official": False,
        "over": over,
        "year": year,
        "kind": kind,
        "normalise": normalise,
        "missing_rule": missing,
        "indicators": [_about(one, weight) for one, weight in zip(chosen, weights, strict=True)],
        "available": [one.id for one in usable],
    }
    note = _note(usable, chosen, names, year)
    return answer(request, given, "/index", TITLE, METHOD, FIELDS, rows, more, FORM, note=note)


def _note(usable: Sequence[Indicator], chosen: Sequence[Indicator], names: Mapping[str, str], year: int) -> Text | None:
    """What the figures cannot bear: there are none, or too few to call the result a composite."""
    if not usable:
        return (
            f"{year} 年没有一个指标覆盖至少 {composite.LEAST_REGIONS} 个地区，无法合成。",
            f"No indicator covers {composite.LEAST_REGIONS} or more of these regions in {year}: nothing to compose.",
        )
    covered = len({region for one in chosen for region in one.values})
    if len(chosen) < composite.FEW or covered < len(names):
        return (
            f"只有 {len(chosen)} 个指标，见于 {len(names)} 个地区中的 {covered} 个：勿当作全面的比较。",
            f"Indicators: {len(chosen)}; regions that have any: {covered} of {len(names)}. No full comparison.",
        )
    return None


def _about(one: Indicator, weight: float) -> dict[str, Any]:
    return {
        "indicator": one.id, "name": one.name, "unit": one.unit, "better": one.better, "weight": weight,
        "documents": list(one.sources),
    }  # fmt: skip


def _chosen(given: Mapping[str, str], usable: Sequence[Indicator]) -> list[Indicator]:
    known = {one.id: one for one in usable}
    if "indicators" not in given:
        return list(usable)
    asked = list(dict.fromkeys(params.parts("indicators", given["indicators"])))
    for name in asked:
        if name not in known:
            raise Problem(
                400, f"此处没有指标 {name!r}。 No indicator {name!r} here.", parameter="indicators", allowed=known
            )
    return [known[name] for name in asked]


def _weights(given: Mapping[str, str], chosen: Sequence[Indicator]) -> list[float]:
    if "weights" not in given:
        return [1.0] * len(chosen)
    weights = [params.number("weights", part) for part in params.parts("weights", given["weights"])]
    if len(weights) != len(chosen):
        raise Problem(
            400, f"须有 {len(chosen)} 个，与指标一一对应。 Must be {len(chosen)}, one for each indicator.",
            parameter="weights", allowed=[one.id for one in chosen],
        )  # fmt: skip
    if not all(0 <= weight <= MAX_WEIGHT for weight in weights) or sum(weights) == 0:
        raise Problem(
            400, f"须在 0 与 {MAX_WEIGHT:g} 之间且不全为 0。 Must lie between 0 and {MAX_WEIGHT:g}, not all 0.",
            parameter="weights",
        )  # fmt: skip
    return weights
