"""Platforms that may be one place twice. Suspects are warnings: a person looks, and says in accepted.csv what is so."""

import unicodedata
from collections import defaultdict
from difflib import SequenceMatcher
from itertools import combinations
from math import hypot

from shapely import from_wkt

from app.ingest.checks.result import Accepted, Result
from app.ingest.files import DataSet

Point = tuple[float, float]

#: Likeness (2 × common characters / all characters) of names that are taken for near; the accepted pairs show its use.
NEAR, NEAR_AT_ONE_PLACE = 0.86, 0.6
ONE_PLACE_M = 50
#: Metres of a degree of latitude; of longitude at 30.5° N, which serves for all of Zhejiang at this distance.
LAT_M, LON_M = 110_900, 95_900


def duplicates(data: DataSet, accepted: Accepted) -> Result:
    """Pairs that share a name or alias, have nearly the same name, or a similar one within 50 m."""
    result = Result("疑似重复", "Duplicate suspects")
    names: dict[str, set[str]] = defaultdict(set)
    for row in data.values("platforms"):
        names[row["id"]].add(plain(row["name"]))
    for row in data.values("aliases"):
        if row["platform"]:
            names[row["platform"]].add(plain(row["name"]))
    points = {row["id"]: _point(row["position"]) for row in data.values("platforms")}
    result.checked = len(points)
    for a, b in combinations(sorted(points), 2):
        suspicion = _suspicion(names[a], names[b], _together(points[a], points[b]))
        if suspicion:
            reason = accepted.reason("duplicates", a, b)
            line = f"{a} = {b}? {suspicion}"
            if reason:
                result.notes.append(f"{line} — {reason}")
            else:
                result.warnings.append(line)
    return result


def plain(name: str) -> str:
    """Letters and digits of a name in one spelling: full-width as half-width, no brackets, no capitals."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


def _suspicion(names: set[str], others: set[str], together: bool) -> str | None:
    shared = names & others
    if shared:
        return f"同名 both are called {'、'.join(sorted(shared))}"
    enough = NEAR_AT_ONE_PLACE if together else NEAR
    likeness, a, b = max((_likeness(a, b, enough), a, b) for a in names for b in others)
    if likeness < enough:
        return None
    return f"名称相近 near names {a}、{b}" + ("，相距 50 米以内 within 50 m" if together else "")


def _likeness(a: str, b: str, enough: float) -> float:
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    if matcher.real_quick_ratio() < enough or matcher.quick_ratio() < enough:
        return 0.0
    return matcher.ratio()


def _point(position: str | None) -> Point | None:
    """EWKT as degrees east and north."""
    if position is None:
        return None
    point = from_wkt(position.split(";")[1])
    return point.x, point.y


def _together(a: Point | None, b: Point | None) -> bool:
    if a is None or b is None:
        return False
    return hypot((a[0] - b[0]) * LON_M, (a[1] - b[1]) * LAT_M) <= ONE_PLACE_M
