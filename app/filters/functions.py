"""The functions this service adds to CQL2: the questions of place, so that one filter can combine them.

Their meaning is that of the parameters ``within``, ``near`` and ``along``. Arguments are literals.
"""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Argument:
    """An argument: text (from ``values`` where given) or a number between ``least`` and ``most``."""

    name: str
    title: str
    title_en: str
    type: Literal["string", "number"]
    least: float = -math.inf
    most: float = math.inf
    values: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True)
class Function:
    """A function that answers true or false. ``place`` says that its first argument names a place."""

    name: str
    title: str
    title_en: str
    arguments: tuple[Argument, ...]
    place: bool
    returns: Literal["boolean"] = "boolean"


#: Half of the Earth's circumference in metres: nothing is farther.
FARTHEST = 20_037_508.0
_METRES = Argument("metres", "距离（米，椭球面）", "Distance in metres, geodesic", "number", 0, FARTHEST)

FUNCTIONS: dict[str, Function] = {
    one.name: one
    for one in (
        Function(
            "within", "位于某地之内", "Inside a place",
            (
                Argument(
                    "place", "图层/代码，或县、市名或代码", "collection/id, or the name or code of a county or city",
                    "string",
                ),
                Argument(
                    "relation", "关系，缺省为 position", "Relation, position unless given", "string",
                    values=("position", "intersects", "declared"), required=False,
                ),
            ),
            place=True,
        ),
        Function(
            "near", "距某点若干米之内", "No farther from a point than a distance",
            (
                Argument("longitude", "经度（度）", "Longitude in degrees", "number", -180, 180),
                Argument("latitude", "纬度（度）", "Latitude in degrees", "number", -90, 90),
                _METRES,
            ),
            place=False,
        ),
        Function(
            "along", "距廊道轴线若干米之内", "No farther from a corridor's axis than a distance",
            (Argument("corridor", "图层/代码", "collection/id", "string"), _METRES),
            place=True,
        ),
    )
}  # fmt: skip
