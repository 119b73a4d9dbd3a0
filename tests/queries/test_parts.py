"""A long result comes in parts that fit into memory."""

import asyncio
from collections.abc import Sequence

from app.queries.parts import CHUNK, PART_BYTES, of_values, parts


class Rows:
    """A result of texts so long."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.left = list(lengths)

    async def fetchmany(self, size: int | None = None) -> list[str]:
        part, self.left = self.left[:size], self.left[size:]
        return ["x" * one for one in part]


def taken(lengths: Sequence[int]) -> list[list[int]]:
    async def take() -> list[list[int]]:
        return [list(map(len, part)) async for part in parts(Rows(lengths), len)]

    return asyncio.run(take())


def test_many_short_rows_and_few_long_ones_at_a_time() -> None:
    short, long = [100] * 5_000, [1_000_000] * 100
    found = taken(short)
    assert [one for part in found for one in part] == short
    assert max(map(len, found)) == CHUNK
    assert len(found) < 20
    found = taken(long)
    assert sum(map(len, found)) == 100
    # the first part is from before anything is known
    assert max(map(sum, found[1:])) <= PART_BYTES
    found = taken([100] * 700 + long + short)
    assert len([part for part in found if sum(part) > PART_BYTES]) <= 1
    assert max(map(len, found[-5:])) == CHUNK
    assert taken([]) == []


def test_the_weight_of_a_row() -> None:
    assert of_values({"a": "嘉兴", "b": b"123", "c": 5, "d": None}) == 5
