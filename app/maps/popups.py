"""What a map says about one feature: the facts a planner asks first, the plan's sentence, the source, how it is known.

Everything here is text; ``templates/map_popup.html`` escapes it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.catalog import Collection, Field
from app.queries.popups import PopupRows

Row = Mapping[str, Any]

#: Fields that a popup says elsewhere or not at all.
APART = (
    "name", "name_en", "name_en_source", "sources", "geometry_method", "schematic", "position_accuracy_m",
    "position_source", "level",
)  # fmt: skip
#: Fields whose code has a name.
CODES = ("kind", "zone", "parent", "region_parent", "region", "city", "county", "town")
#: Longest quotation and longest lists in a popup; the item's page has the whole.
QUOTE = 150
LISTED = 12

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
class Member:
    """Who belongs to a layout element; ``key`` is that of its popup, where the map has one."""

    name: str
    key: str | None


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
    known: tuple[str, str] | None
    accuracy_m: float | None
    position_source: str | None
    position: tuple[float, float] | None = None
    aliases: tuple[str, ...] = ()
    members: tuple[Member, ...] = ()
    #: Long lists, which are opened by a click.
    more: tuple[Fact, ...] = ()

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
    """A target as printed; its indicator is named where the printed words do not."""
    printed, name = str(target["printed"]), str(target["name"])
    said = printed if name in printed else f"{name}：{printed}"
    return f"{target['year']}　{said}" if target.get("year") else said


def key_of(row: Row, kind: Row | None) -> str:
    """What a map calls a platform: the collection of its kind, else that of all, and its id."""
    return f"{(kind or {}).get('collection') or 'platforms'}/{row['id']}"


def platform_popup(row: Row, kind: Row | None, position: tuple[float, float] | None, document: str) -> Popup:
    """The popup of a platform; ``kind`` has the names and the collection of its kind, ``document`` is the map's."""
    quote, sources = _ranked(row, document)
    kinds = [(kind["name"], kind["name_en"])] if kind else [(row["kind"], row["kind"])]
    kinds += [labels[row[field]] for field, labels in (("level", LEVELS), ("status", STATUSES)) if row[field]]
    return Popup(
        collection=key_of(row, kind).partition("/")[0],
        id=row["id"],
        name=row["name"],
        name_en=row["name_en"],
        kinds=tuple(kinds),
        facts=_facts(
            ("又名", "Also", "、".join(row["aliases"])),
            ("公布面积", "Published area", f"{row['area_km2']:g} km²" if row["area_km2"] else None),
            ("所在", "Located in", row["declared_county_name"] or row["county_name"]),
            ("所属功能区", "Belongs to", row["zone_name"]),
            ("定位", "Positioning", row["positioning"]),
            ("产业", "Industries", "、".join(row["industries"])),
            ("建设主体", "Builder", row["builder"]),
            ("责任部门", "Department", row["department"]),
        ),
        more=_facts(
            ("指标", "Indicators", [_target(one) for one in row["targets"] or ()]),
            ("重点任务", "Tasks", row["tasks"]),
        ),
        quote=quote,
        sources=_cited(sources),
        known=METHODS[row["geometry_method"]],
        accuracy_m=row["position_accuracy_m"],
        position_source=row["position_source"],
        position=position,
        aliases=tuple(row["aliases"]),
    )


def element_popup(row: Row, platforms: Mapping[str, Row], kinds: Mapping[str, Row], lang: str) -> Popup:
    """The popup of a layout element: the sentence that defines it, its members with their industries and targets, and
    what is drawn and not in the plan. ``platforms`` are those of the map by id, ``kinds`` their kinds."""
    members, rows = [], []
    for one in row["members"] or ():
        platform = platforms.get(one.get("platform", ""))
        name = one.get("name_printed") or one["name"]
        if platform:
            rows.append((name, platform))
            name = platform["name_en"] if lang == "en" else name
        members.append(Member(name, key_of(platform, kinds.get(platform["kind"])) if platform else None))
    industries = dict.fromkeys(words for _, platform in rows for words in platform["industries"])
    targets = [f"{name}　{_target(one)}" for name, platform in rows for one in platform["targets"] or ()]
    return Popup(
        collection="layout_elements",
        id=row["id"],
        name=row["name"],
        name_en=row["name_en"],
        kinds=(ROLES[row["role"]], (row["layout_name"], "")),
        facts=_facts(("成员的产业", "Members' industries", _some(list(industries)))),
        quote=row["definition"],
        sources=_cited(row["sources"] or ()),
        known=METHODS[row["geometry_method"]],
        accuracy_m=row["position_accuracy_m"],
        position_source=row["position_source"],
        members=tuple(members),
        more=_facts(("成员的指标", "Members' indicators", targets), ("绘图说明", "Drawing", row["drawing_note"])),
    )


def _some(words: Sequence[str]) -> str:
    """Not more than a popup should list, and how many there are."""
    listed = "、".join(words[:LISTED])
    return listed if len(words) <= LISTED else f"{listed}……（{len(words)}）"


def popup(collection: Collection, rows: PopupRows, names: Mapping[str, str], lang: str) -> Popup:
    """The popup of any feature; ``names`` says what codes stand for."""
    row = rows.row
    if collection.field("members"):
        return element_popup(row, rows.members, rows.kinds, lang)
    if collection.field("industries"):
        position = tuple(json.loads(row["position"])["coordinates"]) if row["position"] else None
        return platform_popup(row, rows.kinds.get(row["kind"]), position, "")
    said = [one for one in collection.fields if one.name not in APART and not _named_beside(collection, one)]
    method = row.get("geometry_method")
    return Popup(
        collection=collection.id,
        id=row["id"],
        name=row.get("name") or row["id"],
        name_en=row.get("name_en") or "",
        kinds=((collection.title, collection.title_en),),
        facts=_facts(*((one.title, one.title_en, _value(one, row[one.name], names)) for one in said)),
        quote=None,
        sources=_cited(row.get("sources") or ()),
        known=METHODS.get(method) if method else None,
        accuracy_m=row.get("position_accuracy_m"),
        position_source=row.get("position_source"),
    )


def _named_beside(collection: Collection, field: Field) -> bool:
    """Whether a code has its name in a field of its own."""
    return collection.field(f"{field.name}_name") is not None


def _value(field: Field, value: Any, names: Mapping[str, str]) -> str | list[str] | None:
    """A property for people to read; an object says too little in one line."""
    if value is None or field.type == "object":
        return None
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, list):
        return [one for one in value if isinstance(one, str)]
    if field.type in ("number", "integer"):
        return f"{round(float(value), 3):.12g} {field.unit or ''}".rstrip()
    return names.get(value, str(value)) if field.name in CODES else str(value)
