"""What a thematic map is asked to show, from its parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import params
from app.api.problems import Problem, closest
from app.maps.classes import METHODS, Method
from app.maps.thematic_counts import MEASURES, measures
from app.queries import thematic
from app.queries.thematic import KINDS, Choice, Over, Regions, Row, Time

NAMES = ("over", "indicator", "year", "kind", "from", "from_kind", "classes", "platform_kind")
#: What belongs to printed indicators alone, and to counts of platforms alone.
OF_PRINTED, OF_COUNTS = ("year", "kind", "from", "from_kind"), ("platform_kind",)


@dataclass(frozen=True)
class Asked:
    """What a map is to show; ``at`` and ``since`` are None for counts of platforms."""

    over: Over
    indicator: str
    method: Method
    at: Time | None = None
    since: Time | None = None
    platform_kind: str | None = None

    @property
    def query(self) -> dict[str, str]:
        """The parameters of its address; the language stays with the reader."""
        found = {"over": self.over, "indicator": self.indicator}
        if self.at:
            found |= {"year": self.at.years, "kind": self.at.kind}
        if self.since:
            found |= {"from": self.since.years, "from_kind": self.since.kind}
        if self.platform_kind:
            found["platform_kind"] = self.platform_kind
        return {**found, "classes": self.method}


async def regions(connection: AsyncConnection, over: Over) -> Regions:
    """The regions of a comparison. Raises a ``Problem`` where they are not loaded."""
    found = await thematic.regions(connection, over)
    if found is None:
        raise Problem(404, "尚无这些地区的数据。 These regions are not loaded.", parameter="over")
    return found


def ask(
    given: Mapping[str, str], over: Over, compared: Regions, choices: Sequence[Choice], kinds: Sequence[Row]
) -> Asked:
    """The map asked for, completed by what has most to show. Raises a ``Problem`` that names what is wrong."""
    counted = measures(compared)
    known = [*counted, *(one.id for one in choices)]
    name = given.get("indicator") or (counted[0] if counted else _fullest(choices))
    if name not in known:
        reason = ""
        if name in MEASURES:
            reason = (
                " 镇、片区只有驻地，没有可用的界线。 Areas are known by their seats: nothing lies inside them."
                if not compared.outlined
                else " 只有含水面的轮廓，没有陆域。 Only outlines that hold water are known, not the land."
            )
        raise Problem(
            400, f"此处没有指标 {name!r}。 No indicator {name!r} here.{reason}{closest(name, known)}",
            parameter="indicator", allowed=known,
        )  # fmt: skip
    method = params.choice(given, "classes", METHODS)
    wrong = next((one for one in (OF_PRINTED if name in counted else OF_COUNTS) if given.get(one)), None)
    if wrong:
        raise Problem(
            400, f"{wrong} 不适用于 {name}。 {wrong} does not go with {name}.", parameter=wrong,
            allowed=[one for one in NAMES if one not in (OF_PRINTED if name in counted else OF_COUNTS)],
        )  # fmt: skip
    if name in counted:
        # a form sends what is not chosen as empty
        kind = given.get("platform_kind") or None
        ids = [one["id"] for one in kinds]
        if kind is not None and kind not in ids:
            raise Problem(
                400,
                f"没有类别 {kind!r}。 No kind {kind!r}.{closest(kind, ids)}",
                parameter="platform_kind",
                allowed=ids,
            )
        return Asked(over, name, method, platform_kind=kind)
    times = next(one.times for one in choices if one.id == name)
    at = _time(given, "year", "kind", times)
    since = _time(given, "from", "from_kind", times) if "from" in given else None
    if since is None and "from_kind" in given:
        raise Problem(400, "from_kind 须与 from 同用。 Goes with from.", parameter="from_kind")
    if since == at:
        raise Problem(400, "与所选年份相同，没有变化。 The same as the year shown: no change.", parameter="from")
    return Asked(over, name, method, at, since)


def _fullest(choices: Sequence[Choice]) -> str:
    """The indicator that most regions have a number of."""
    best = max(choices, key=lambda one: max(numbers for numbers, _ in one.times.values()), default=None)
    if best is None:
        raise Problem(404, "没有任何指标。 There is no indicator.", parameter="over")
    return best.id


def _time(given: Mapping[str, str], year: str, kind: str, times: Mapping[Time, tuple[int, int]]) -> Time:
    """The time of two parameters: of those that fit the one that most regions have, an actual first, the latest."""
    if kind in given:
        params.choice(given, kind, KINDS)
    fit = [one for one in times if given.get(kind, one.kind) == one.kind]
    if kind in given and not fit:
        raise Problem(
            400, "没有这一性质的数值。 It has no value of this kind.", parameter=kind,
            allowed=dict.fromkeys(one.kind for one in times),
        )  # fmt: skip
    if year in given:
        allowed = list(dict.fromkeys(one.years for one in fit))
        fit = [one for one in fit if one.years == given[year]]
        if not fit:
            raise Problem(
                400, f"没有 {given[year]!r} 年的数值。 No value for {given[year]!r}.", parameter=year, allowed=allowed
            )
    return max(fit, key=lambda one: (times[one], one.kind == "actual", one.year, one.year_from is None))
