"""How many platforms each county has, by the symbols that stand for them on every map."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import COLLECTIONS
from app.maps.symbols import PLATFORM_SYMBOLS, Symbol, platform_symbol
from app.queries.aggregate import aggregate
from app.queries.selection import Selection

PLATFORMS = COLLECTIONS["platforms"]


@dataclass(frozen=True)
class Tile:
    """A county, its number of platforms (by position), and how many of them each symbol stands for."""

    id: str
    total: int
    symbols: Mapping[Symbol, int]


async def tiles(connection: AsyncConnection) -> tuple[list[Tile], int, int]:
    """One tile a county; how many platforms there are in all, and how many of them in no county."""
    by = [one for name in ("county", "kind") if (one := PLATFORMS.field(name))]
    found = await aggregate(connection, Selection(PLATFORMS), by, ())
    counted: dict[str, dict[str, int]] = {}
    for group in found.groups:
        county, _, kind = group.key.partition(",")
        counted.setdefault(county, {})[kind] = group.count
    made = [Tile(county, sum(kinds.values()), by_symbol(kinds.items())) for county, kinds in counted.items()]
    return made, found.total, found.unassigned


def by_symbol(kinds: Iterable[tuple[str, int]]) -> dict[Symbol, int]:
    """Numbers by kind of platform as numbers by symbol, in the order of legends, none of them zero."""
    counted = dict.fromkeys(PLATFORM_SYMBOLS, 0)
    for kind, count in kinds:
        counted[platform_symbol(kind)] += count
    return {symbol: count for symbol, count in counted.items() if count}
