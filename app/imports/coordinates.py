"""Declared reference systems and datums, converted to WGS 84 once."""

from collections.abc import Callable

import numpy as np

from app import crs as systems
from app import gcj02
from app.crs import UnknownCrs
from app.imports.errors import Unreadable

Convert = Callable[[np.ndarray], np.ndarray]
#: Datums of Chinese web maps, which have no code.
DATUMS: dict[str, Callable[..., gcj02.Pair]] = {"GCJ-02": gcj02.gcj02_to_wgs84, "BD-09": gcj02.bd09_to_wgs84}
ACCEPTED = ("EPSG:4326", "EPSG:4490", "EPSG:4549", "EPSG:4528", "EPSG:3857", *DATUMS)
#: Systems whose degrees are taken for those of WGS 84.
DEGREES = ("EPSG:4326", "EPSG:4490")


def IDENTITY(pairs: np.ndarray) -> np.ndarray:
    """Degrees that are those of WGS 84 already."""
    return pairs


def resolve(declared: str | None, told: str | None) -> tuple[str, str]:
    """The system to convert from, and how it is known.

    ``declared`` is the steward's word, ``told`` that of the file. Raises ``Unreadable`` where there is none, where the
    two differ, and for a system that is not accepted.
    """
    if declared is None and told is None:
        raise Unreadable(
            f"须声明坐标系或基准（--crs）：{'、'.join(ACCEPTED)}。"
            f" The reference system or datum must be declared (--crs): {', '.join(ACCEPTED)}."
        )
    if declared is None:
        return _accepted(str(told)), "文件自述 as the file declares"
    name = _accepted(declared)
    # degrees that a file takes for those of WGS 84 may well be of another datum
    if told is not None and told != name and not (told in DEGREES and name in (*DEGREES, *DATUMS)):
        raise Unreadable(
            f"声明为 {name}，文件却自述 {told}：请核实。 Declared as {name}, but the file says {told}: find out which."
        )
    return name, "导入者声明 as declared"


def _accepted(text: str) -> str:
    name = text.strip().upper().replace("GCJ02", "GCJ-02").replace("BD09", "BD-09")
    if name in DATUMS:
        return name
    try:
        found = systems.find(text)
    except UnknownCrs:
        found = None
    code = {"CRS84": "EPSG:4326"}.get(found.code, found.code) if found else text[:50]
    if code not in ACCEPTED:
        raise Unreadable(
            f"不接受坐标系 {code}；接受：{'、'.join(ACCEPTED)}。 {code} is not accepted: {', '.join(ACCEPTED)}."
        )
    return code


def converter(name: str) -> Convert:
    """A function from pairs (east, north) in a system to pairs (longitude, latitude) in WGS 84."""
    if name in DEGREES:
        return IDENTITY
    if name in DATUMS:
        shift = DATUMS[name]
        return lambda pairs: np.column_stack(shift(pairs[:, 0], pairs[:, 1]))
    return lambda pairs: systems.project(pairs, systems.find(name))
