"""Thematic maps of platforms: counted by region, per land, or by their published area."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from app.maps.classes import Method
from app.maps.thematic import Theme, classed, item, where_of
from app.maps.wording import Both, number
from app.queries.thematic import Counts, Regions

Row = Mapping[str, Any]
Values = dict[str, Decimal | None]
MEASURES: dict[str, Both] = {
    "platforms.count": ("平台数", "Number of platforms"),
    "platforms.density": ("平台密度（每 100 km² 陆域）", "Density of platforms per 100 km² of land"),
    "platforms.area": ("平台公布面积之和", "Sum of the platforms' published areas"),
}


def measures(compared: Regions) -> list[str]:
    """What can be told of these regions: nothing lies inside a seat, and a density needs the land."""
    if not compared.outlined:
        return []
    return [one for one in MEASURES if one != "platforms.density" or compared.land]


def counted_theme(
    measure: str, kind: Row | None, over: str, compared: Regions, found: Counts, as_of: str, method: Method
) -> Theme:
    """Platforms by region: one of ``MEASURES``, of every kind or of one."""
    names = (str(kind["name"]), str(kind["name_en"])) if kind else ("创新平台", "Innovation platforms")
    subject, unit, values = _MEASURES[measure](names, compared, found)
    items = []
    for row in compared.rows:
        value = values[row["id"]]
        label = "" if value is None else number(value)
        items.append(item(row, value, label, "none" if value is None else "number"))
    items, classes = classed(items, method, change=False)
    where = where_of(over, compared)
    in_zh, in_en = f"（{unit[0]}）", f" ({unit[1]})" if unit[1] else ""
    when = (f"数据截至 {as_of}", f"data as of {as_of}")
    notes: list[Both] = [
        (
            f"按定位点所在统计，规划文件所列；另有 {found.elsewhere} 处在这些地区之外，或没有位置。",
            f"Counted by anchor point, as the plan documents name them; {found.elsewhere} more lie outside these"
            " regions or have no position.",
        )
    ]
    if measure == "platforms.area":
        notes.append(
            (
                "只加公布过面积的平台；平台之间可能重叠，面积不是量算所得。",
                "Sums the platforms whose area is published; they may overlap, and nothing is measured.",
            )
        )
    return Theme(
        heading=(f"{where[0]}{subject[0]}{in_zh}，{when[0]}", f"{where[1]}: {subject[1]}{in_en}, {when[1]}"),
        subject=subject, unit=unit, when=when, items=items, classes=classes, method=method,
        change=False, target=False, notes=notes,
    )  # fmt: skip


def _count(names: Both, compared: Regions, found: Counts) -> tuple[Both, Both, Values]:
    values: Values = {row["id"]: Decimal(found.count.get(row["id"], 0)) for row in compared.rows}
    return (f"{names[0]}数", f"number of {_plain(names[1])}"), ("个", ""), values


def _density(names: Both, compared: Regions, found: Counts) -> tuple[Both, Both, Values]:
    values = {
        row["id"]: None
        if row["land_area_km2"] is None
        else Decimal(f"{found.count.get(row['id'], 0) / row['land_area_km2'] * 100:.2f}")
        for row in compared.rows
    }
    subject = (f"{names[0]}密度", f"density of {_plain(names[1])}")
    return subject, ("个/100 km² 陆域", "per 100 km² of land"), values


def _area(names: Both, compared: Regions, found: Counts) -> tuple[Both, Both, Values]:
    values = {row["id"]: found.area_km2.get(row["id"]) for row in compared.rows}
    return (f"{names[0]}公布面积之和", f"published area of {_plain(names[1])}"), ("km²", "km²"), values


_MEASURES: dict[str, Callable[[Both, Regions, Counts], tuple[Both, Both, Values]]] = {
    "platforms.count": _count, "platforms.density": _density, "platforms.area": _area,
}  # fmt: skip


def _plain(name: str) -> str:
    """An English heading in the middle of a sentence; abbreviations stay."""
    return name if name[:2].isupper() or name[:2] == "R&" else name[:1].lower() + name[1:]
