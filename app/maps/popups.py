"""What a map says about one feature: the facts a planner asks first, the plan's sentence, the source, how it is known.

Everything here is text; ``templates/map_popup.html`` escapes it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]

#: Longest quotation in a popup; the item's page has the whole.
QUOTE = 150

LEVELS = {
    "national": ("国家级", "national"),
    "provincial": ("省级", "provincial"),
    "municipal": ("市级", "municipal"),
    "county": ("县级", "county level"),
}
STATUSES = {"existing": ("已有", "existing"), "building": ("在建", "being built"), "planned": ("拟建", "planned")}
ROLES = {
    "corridor": ("廊", "Corridor"),
    "core": ("核", "Core"),
    "zone": ("区", "Zone"),
    "section": ("段", "Section"),
    "node": ("节点", "Node"),
    "group": ("组", "Group"),
    "city": ("城", "City"),
    "enclave": ("飞地", "Enclave"),
    "points": ("点", "Points"),
}
METHODS = {
    "administrative": ("行政区轮廓", "administrative outline"),
    "traced": ("描绘的轮廓", "traced outline"),
    "point": ("点位", "a point"),
    "schematic": ("示意图形，不是边界", "schematic, not a boundary"),
    "county_only": ("只知在本县（市、区），符号不是地址", "somewhere in this county, the symbol is not a site"),
    "city_only": ("只知在本市，符号不是地址", "somewhere in this city, the symbol is not a site"),
    "none": ("没有图形", "not drawn"),
}


@dataclass(frozen=True)
class Fact:
    """A labelled line; several values make a list."""

    name: str
    name_en: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Popup:
    """One feature's popup; ``position`` is longitude and latitude in degrees."""

    collection: str
    id: str
    name: str
    name_en: str
    kinds: tuple[tuple[str, str], ...]
    facts: tuple[Fact, ...]
    quote: str | None
    sources: tuple[str, ...]
    known: tuple[str, str]
    accuracy_m: float | None
    position_source: str | None
    position: tuple[float, float] | None = None

    @property
    def key(self) -> str:
        """What the shapes of the map call it."""
        return f"{self.collection}/{self.id}"


def _facts(*lines: tuple[str, str, Any]) -> tuple[Fact, ...]:
    """The lines that say something."""
    found = []
    for name, name_en, value in lines:
        values = (value,) if isinstance(value, str) else tuple(value or ())
        if any(values):
            found.append(Fact(name, name_en, values))
    return tuple(found)


def _short(text: str) -> str:
    return text if len(text) <= QUOTE else text[: QUOTE - 1] + "…"


def _lines(source: Row) -> str:
    start, end = source["line_start"], source["line_end"]
    return str(start) if start == end else f"{start}–{end}"


def _ranked(row: Row, document: str) -> tuple[str | None, list[Row]]:
    """The sentence that says most of a place, and its sources: that sentence's first, then the map's own document's.

    Sentences of the map's own document go before all others; where the plans have only a table row, what that row asks
    for stands in.
    """
    sources = sorted(row["sources"] or (), key=lambda one: one["document"] != document)
    spoken = [one for one in sources if len(one["quote"]) > len(row["name"]) + 4]
    if not spoken:
        return next((_short(text) for text in row["tasks"] or ()), None), sources
    first = max(spoken, key=lambda one: (one["document"] == document, len(one["quote"])))
    return _short(first["quote"]), [first, *(one for one in sources if one is not first)]


def _cited(sources: Iterable[Row]) -> tuple[str, ...]:
    """Document, section and lines, each place once."""
    parts = (
        f"《{one['title']}》" + (f"“{one['section']}”" if one.get("section") else "") + f" {_lines(one)}"
        for one in sources
    )
    return tuple(dict.fromkeys(parts))


def _target(target: Row) -> str:
    return str(target["printed"])


def platform_popup(row: Row, kind: Row | None, position: tuple[float, float], document: str) -> Popup:
    """The popup of a platform; ``kind`` has the names and the collection of its kind, ``document`` is the map's."""
    quote, sources = _ranked(row, document)
    kinds = [(kind["name"], kind["name_en"])] if kind else [(row["kind"], row["kind"])]
    kinds += [labels[row[field]] for field, labels in (("level", LEVELS), ("status", STATUSES)) if row[field]]
    return Popup(
        collection=(kind or {}).get("collection") or "platforms",
        id=row["id"],
        name=row["name"],
        name_en=row["name_en"],
        kinds=tuple(kinds),
        facts=_facts(
            ("公布面积", "Published area", f"{row['area_km2']:g} km²" if row["area_km2"] else None),
            ("所在", "Located in", row["declared_county_name"] or row["county_name"]),
            ("所属功能区", "Belongs to", row["zone_name"]),
            ("定位", "Positioning", row["positioning"]),
            ("产业", "Industries", "、".join(row["industries"])),
            ("建设主体", "Builder", row["builder"]),
            ("责任部门", "Department", row["department"]),
            ("目标", "Targets", [_target(one) for one in row["targets"] or ()]),
        ),
        quote=quote,
        sources=_cited(sources),
        known=METHODS[row["geometry_method"]],
        accuracy_m=row["position_accuracy_m"],
        position_source=row["position_source"],
        position=position,
    )


def element_popup(row: Row) -> Popup:
    """The popup of a layout element: its members, the sentence that defines it, what is drawn and not in the plan."""
    members = [one.get("name_printed") or one["name"] for one in row["members"] or ()]
    return Popup(
        collection="layout_elements",
        id=row["id"],
        name=row["name"],
        name_en=row["name_en"],
        kinds=(ROLES[row["role"]], (row["layout_name"], "")),
        facts=_facts(("成员", "Members", "、".join(members)), ("绘图说明", "Drawing", row["drawing_note"])),
        quote=row["definition"],
        sources=_cited(row["sources"] or ()),
        known=METHODS[row["geometry_method"]],
        accuracy_m=row["position_accuracy_m"],
        position_source=row["position_source"],
    )
