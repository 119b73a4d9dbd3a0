"""An address as a position: matched to the places that are known here, the most exact that it names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from app.db import tables as t

#: From the most exact.
ORDER = ("platform", "town", "county")
#: Shorter names stand in too many addresses by chance.
SHORTEST = 2
#: Metres from a town's seat within which its addresses lie, roughly.
TOWN_M = 5000.0
#: Addresses remembered.
REMEMBERED = 10_000


class NotFound(ValueError):
    """An address names no known place, or several; the message says which."""


@dataclass(frozen=True)
class Known:
    """A place that an address may name; ``method``, ``accuracy_m`` and ``source`` go with a position taken from it."""

    kind: str
    id: str
    name: str
    county: str | None
    lon: float
    lat: float
    method: str
    accuracy_m: float | None


class Addresses:
    """The known places of a database."""

    def __init__(self, connection: Connection) -> None:
        self._called: list[tuple[str, Known]] = [
            (called, one) for called, one in _known(connection) if len(called) >= SHORTEST
        ]
        self.find = lru_cache(REMEMBERED)(self._find)

    def _find(self, address: str) -> Known:
        """The place that an address names. Raises ``NotFound``."""
        named = [(called, one) for called, one in self._called if called in address]
        counties = {one.id for _, one in named if one.kind == "county"}
        # a name that several counties have is that of the county the address names
        fitting = [
            (called, one) for called, one in named if not counties or one.county in counties or one.county is None
        ]
        for kind in ORDER:
            of_kind = [(called, one) for called, one in fitting if one.kind == kind]
            if not of_kind:
                continue
            longest = max(len(called) for called, _ in of_kind)
            found = {one.id: one for called, one in of_kind if len(called) == longest}
            if len(found) > 1:
                names = "、".join(f"{one.name}（{one.id}）" for one in list(found.values())[:5])
                raise NotFound(f"地址所指不止一处：{names}。 The address names several places: {names}")
            return next(iter(found.values()))
        raise NotFound("地址不含已知的地点或县。 The address names no known place or county")


def _known(connection: Connection) -> Iterator[tuple[str, Known]]:
    platform, region, alias = t.platform.c, t.region.c, t.alias.c
    aliases: dict[str, list[str]] = {}
    owner = sa.func.coalesce(alias.platform, alias.region)
    for item, name in connection.execute(sa.select(owner, alias.name)).all():
        aliases.setdefault(item, []).append(name)
    platforms = sa.select(
        platform.id, platform.name, platform.position_county, sa.func.ST_X(platform.position),
        sa.func.ST_Y(platform.position), platform.geometry_method, platform.position_accuracy_m,
    ).where(~platform.retired, platform.position.is_not(None), platform.geometry_method != "city_only")  # fmt: skip
    for id, name, county, lon, lat, method, accuracy in connection.execute(platforms).all():
        known = method if method == "county_only" else "point"
        yield from _called(Known("platform", id, name, county, lon, lat, known, accuracy), aliases.get(id, []))
    seat = region.seat
    towns = sa.select(region.id, region.name, region.parent, sa.func.ST_X(seat), sa.func.ST_Y(seat)).where(
        region.level == "town", ~region.retired, region.seat.is_not(None)
    )
    for id, name, county, lon, lat in connection.execute(towns).all():
        yield from _called(Known("town", id, name, county, lon, lat, "point", TOWN_M), aliases.get(id, []))
    ground = sa.func.coalesce(region.land_geom, region.geom)
    middle = sa.func.ST_PointOnSurface(ground)
    farthest = sa.func.ceil(
        sa.func.ST_MaxDistance(sa.func.ST_Transform(middle, 4549), sa.func.ST_Transform(ground, 4549))
    )
    counties = sa.select(region.id, region.name, sa.func.ST_X(middle), sa.func.ST_Y(middle), farthest).where(
        region.level == "county", ~region.retired, region.geom.is_not(None)
    )
    for id, name, lon, lat, accuracy in connection.execute(counties).all():
        yield from _called(Known("county", id, name, id, lon, lat, "county_only", accuracy), aliases.get(id, []))


def _called(known: Known, aliases: Sequence[str]) -> Iterator[tuple[str, Known]]:
    for called in dict.fromkeys((known.name, *aliases)):
        yield called, known
