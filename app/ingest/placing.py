"""How a platform's position agrees with the way it is known: rules of the data files and of edits alike."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

#: Methods whose point the database finds by itself, and the column that says where.
PLACED_BY_LOAD = {"county_only": "county", "city_only": "city"}


def placing(row: Mapping[str, Any], outlined: Collection[Any]) -> Iterator[tuple[str, str]]:
    """Each fault as the column and its rule, Chinese and English; ``outlined`` are the regions that have an outline."""
    method, given = row.get("geometry_method"), row.get("position") is not None
    if row.get("area_km2") is not None and row["area_km2"] <= 0:
        yield "area_km2", "须大于 0；未知面积留空。 must be above 0; an unknown area is left empty"
    if row.get("position_accuracy_m") is not None and row["position_accuracy_m"] < 0:
        yield "position_accuracy_m", "不得小于 0。 must not be below 0"
    if method == "none":
        if given:
            yield "position", "geometry_method 为 none 时没有位置。 geometry_method none takes no position"
        return
    if not row.get("position_source"):
        yield "position_source", "位置须注明来源。 a position needs its source"
    if method in PLACED_BY_LOAD:
        where = PLACED_BY_LOAD[method]
        if given or row.get("position_accuracy_m") is not None:
            rule = f"{method} 的位置与精度由程序推定，须留空。"
            yield "position", f"{rule} {method}: position and accuracy are found by the load, leave them empty"
        if row.get(where) not in outlined:
            yield where, f"{method} 须有一个有轮廓的 {where}。 {method} needs a {where} with an outline"
        return
    if not given:
        yield "position", f"须有位置。 geometry_method {method} needs lon and lat"
    if row.get("position_accuracy_m") is None:
        yield "position_accuracy_m", f"须有精度。 geometry_method {method} needs it"
    if method == "schematic" and row.get("area_km2") is None:
        yield "area_km2", "示意图形按公布面积画圆。 a schematic place is drawn as a circle of its published area"


def homes(row: Mapping[str, Any], level_of: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """What stands as a platform's county, city, town or zone is one; ``level_of`` gives the level of each region."""
    for level in ("county", "city", "town", "zone"):
        region = row.get(level)
        if region in level_of and level_of[region] != level:
            is_, said = level_of[region], f"{region!r} 是 {level_of[region]}，不是 {level}。"
            yield level, f"{said} {region!r} is a {is_}, not a {level}"
