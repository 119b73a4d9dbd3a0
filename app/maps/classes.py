"""Classes of numbers for a legend: where each ends, and in which colour it is drawn.

A class holds what is greater than its lower bound and not greater than its upper one; the lowest holds its lower bound
too. Bounds are rounded before anything is put into a class, so that a printed bound is the one that was used.
Colours are ColorBrewer's, told apart by colour-blind eyes: YlGnBu for quantities, PuOr for changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

import jenkspy
import numpy as np

Method = Literal["jenks", "quantile", "equal"]
METHODS: tuple[Method, ...] = get_args(Method)
#: More classes than this are not told apart on a map.
MOST = 5

SEQUENTIAL = {
    1: ("#41b6c4",),
    2: ("#a1dab4", "#225ea8"),
    3: ("#edf8b1", "#7fcdbb", "#2c7fb8"),
    4: ("#ffffcc", "#a1dab4", "#41b6c4", "#225ea8"),
    5: ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"),
}
#: From little to much, for what falls and what rises; between them what stays.
FALLING = ("#fee0b6", "#fdb863", "#e08214", "#b35806", "#7f3b08")
RISING = ("#d8daeb", "#b2abd2", "#8073ac", "#542788", "#2d004b")
STEADY = "#f7f7f7"
_SHADES = {1: (2,), 2: (1, 3), 3: (1, 2, 3), 4: (0, 1, 2, 3), 5: (0, 1, 2, 3, 4)}


@dataclass(frozen=True)
class Class:
    """One class; ``count`` values lie between ``low`` and ``high``, ends included as said."""

    low: float
    high: float
    count: int
    colour: str
    includes_low: bool = False
    includes_high: bool = True

    def holds(self, value: float) -> bool:
        above = value >= self.low if self.includes_low else value > self.low
        return above and (value <= self.high if self.includes_high else value < self.high)


def classify(values: Sequence[float], method: Method) -> list[Class]:
    """Classes from the lowest up: at most ``MOST``, and no more than there are different values."""
    found = _intervals(values, method, MOST)
    return [
        Class(low, high, count, colour, includes_low=closed)
        for (low, high, closed, count), colour in zip(found, SEQUENTIAL[len(found)] if found else (), strict=True)
    ]


def classify_changes(values: Sequence[float], method: Method) -> list[Class]:
    """Classes of changes from the greatest fall to the greatest rise; none holds both, and 0 has its own."""
    falls, rises = [-value for value in values if value < 0], [value for value in values if value > 0]
    steady = len(values) - len(falls) - len(rises)
    room = MOST - (steady > 0)
    if falls and rises:
        share = round(room * len(falls) / (len(falls) + len(rises)))
        most_falls = min(max(share, 1), room - 1)
        most_rises = room - most_falls
    else:
        most_falls = most_rises = room
    down = _intervals(falls, method, most_falls)
    up = _intervals(rises, method, most_rises)
    return [
        *(
            Class(-high, -low, count, colour, includes_low=True, includes_high=closed)
            for (low, high, closed, count), colour in reversed(list(zip(down, _shades(FALLING, down), strict=True)))
        ),
        *([Class(0, 0, steady, STEADY, includes_low=True)] if steady else []),
        *(
            Class(low, high, count, colour, includes_low=closed)
            for (low, high, closed, count), colour in zip(up, _shades(RISING, up), strict=True)
        ),
    ]


def class_of(value: float, classes: Sequence[Class]) -> int:
    """Number of the class that holds a value that was classified."""
    return next(number for number, one in enumerate(classes) if one.holds(value))


def _shades(colours: Sequence[str], found: Sequence[object]) -> list[str]:
    return [colours[n] for n in _SHADES[len(found)]] if found else []


def _intervals(values: Sequence[float], method: Method, most: int) -> list[tuple[float, float, bool, int]]:
    """Low, high, whether low belongs to it, and how many values lie in it."""
    if not values:
        return []
    different = sorted(set(values))
    if len(different) <= most:
        return [(value, value, True, values.count(value)) for value in different]
    digits = max(_decimals(value) for value in values) + 1
    uppers = sorted({round(float(one), digits) for one in _UPPER_BOUNDS[method](values, most)} | {different[-1]})
    found = []
    low, closed = different[0], True
    for high in uppers:
        count = sum((low <= value if closed else low < value) and value <= high for value in values)
        # ties can leave a quantile without a value; an equal interval without one says something
        if count or method == "equal":
            found.append((low, high, closed, count))
            low, closed = high, False
    return found


def _decimals(value: float) -> int:
    exponent = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return max(-int(exponent), 0)


def _equal(values: Sequence[float], number: int) -> list[float]:
    return list(np.linspace(min(values), max(values), number + 1)[1:])


def _quantile(values: Sequence[float], number: int) -> list[float]:
    return list(np.quantile(np.asarray(values, float), np.linspace(0, 1, number + 1)[1:]))


def _jenks(values: Sequence[float], number: int) -> list[float]:
    return list(jenkspy.jenks_breaks(list(values), n_classes=number)[1:])


_UPPER_BOUNDS: dict[Method, Callable[[Sequence[float], int], list[float]]] = {
    "jenks": _jenks, "quantile": _quantile, "equal": _equal,
}  # fmt: skip
