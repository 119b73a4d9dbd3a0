"""The rows of a long result, some at a time: many of short ones, few of long ones, so that they fit into memory."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)
T = TypeVar("T")
#: Rows of the first part, and of any: by the hundred, for one by one they take longer to hand on than to make.
FIRST, CHUNK = 20, 500
#: About so many bytes a part.
PART_BYTES = 8_000_000
#: One row in so many is weighed.
WEIGHED = 10


class Rows(Protocol[T_co]):
    """A result of a server-side cursor."""

    async def fetchmany(self, size: int | None = None) -> Sequence[T_co]: ...


async def parts(rows: Rows[T], weight: Callable[[T], int]) -> AsyncGenerator[Sequence[T], None]:
    """All rows, each part as large as the weight (in bytes) of those before it lets expect."""
    number = FIRST
    while part := await rows.fetchmany(number):
        yield part
        some = part[::WEIGHED]
        fitting = PART_BYTES * len(some) // (sum(map(weight, some)) + 1)
        number = max(1, min(CHUNK, 4 * number, fitting))


def of_values(row: Any) -> int:
    """The weight of a row's texts and bytes; of a mapping."""
    return sum(len(value) for value in row.values() if isinstance(value, str | bytes))
