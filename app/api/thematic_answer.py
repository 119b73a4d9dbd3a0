"""A thematic map as data, its links, and what a page offers beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from app.api.thematic_asked import Asked
from app.maps import wording
from app.maps.classes import METHODS
from app.maps.thematic import METHOD_NAMES, WHERE, Theme, class_text
from app.maps.thematic_counts import MEASURES, measures
from app.queries.thematic import COMPARED, OVERS, STORED_KINDS, Choice, Regions, Row, Time

PATH = "/maps/thematic"


@dataclass(frozen=True)
class Made:
    """A map with what it was chosen from."""

    asked: Asked
    compared: Regions
    choices: Sequence[Choice]
    kinds: Sequence[Row]
    theme: Theme
    indicator: Row | None
    ground: Sequence[Row]
    changed: datetime
    #: The state of the data it was read from.
    state: str


@dataclass(frozen=True)
class Option:
    """A link of the page: another map, or this one."""

    text: wording.Both
    query: str
    current: bool = False


def options(made: Made) -> dict[str, Any]:
    """What else can be shown, as links."""
    asked = made.asked

    def to(one: Asked) -> str:
        return urlencode(one.query)

    times = next((one.times for one in made.choices if one.id == asked.indicator), {})
    ordered = sorted(times, key=lambda one: (one.year, one.kind, one.year_from or 0))
    return {
        "overs": [
            Option(WHERE[one], urlencode({"over": one, "classes": asked.method}), one == asked.over) for one in OVERS
        ],
        "methods": [Option(METHOD_NAMES[one], to(replace(asked, method=one)), one == asked.method) for one in METHODS],
        "times": [
            Option(_counted(wording.time(one), times[one]), to(replace(asked, at=one, since=None)), one == asked.at)
            for one in ordered
        ],
        "since": _since(asked, ordered, times),
        "measures": [(one, MEASURES[one]) for one in measures(made.compared)],
        "themes": _by_theme(made.choices),
    }


def _since(asked: Asked, ordered: Sequence[Time], times: Mapping[Time, tuple[int, int]]) -> list[Option]:
    """Times with numbers to compare what is shown with, and none of them."""
    if asked.at is None or not times[asked.at][0]:
        return []
    before = [one for one in ordered if one != asked.at and one.year <= asked.at.year and times[one][0]]
    none = Option(("无", "none"), urlencode(replace(asked, since=None).query), asked.since is None)
    options = [
        Option(wording.time(one), urlencode(replace(asked, since=one).query), one == asked.since) for one in before
    ]
    return [none, *options] if options else []


def _counted(text: wording.Both, numbers: tuple[int, int]) -> wording.Both:
    return f"{text[0]}（{numbers[0]}）", f"{text[1]} ({numbers[0]})"


def _by_theme(choices: Sequence[Choice]) -> dict[wording.Both, list[Choice]]:
    found: dict[wording.Both, list[Choice]] = {}
    for one in choices:
        found.setdefault(wording.theme(one.theme), []).append(one)
    return found


def body(made: Made, address: str) -> dict[str, Any]:
    """The map as data: what every region is shown with, and why."""
    asked, theme = made.asked, made.theme
    unit = made.indicator["unit"] if made.indicator else theme.unit[0]
    return {
        "title": theme.title[0], "title_en": theme.title[1], "over": asked.over,
        "parent": {"region": made.compared.parent["id"], "name": made.compared.parent["name"]},
        "indicator": asked.indicator, "platform_kind": asked.platform_kind,
        "name": theme.subject[0], "name_en": theme.subject[1],
        "unit": ("百分点" if theme.change and unit.startswith("%") else unit),
        "better": made.indicator["better"] if made.indicator else None,
        "at": _when(asked.at), "from": _when(asked.since), "target": theme.target, "change": theme.change,
        "as_of": made.changed.date().isoformat(), "method": theme.method,
        "classes": [
            {"low": one.low, "high": one.high, "includes_low": one.includes_low, "includes_high": one.includes_high,
             "text": class_text(one, theme.unit[0]), "colour": one.colour, "count": one.count}
            for one in theme.classes
        ],
        "items": [
            {"region": one.region, "name": one.name, "name_en": one.name_en, "value": one.value, "label": one.label,
             "class": one.number, "printed": [_cited(row) for row in one.rows],
             "also_printed": [_cited(row) for row in one.others]}
            for one in theme.items
        ],
        "missing": [one.region for one in theme.without()],
        "reference": None if theme.reference is None else {
            "region": theme.reference.region, "name": theme.reference.name, "value": theme.reference.value,
            "printed": [_cited(row) for row in theme.reference.rows],
        },
        "documents": [{"document": id, "title": zh, "title_en": en} for id, (zh, en) in theme.documents.items()],
        "not_comparable": made.indicator["not_comparable"] if made.indicator else [],
        "notes": [{"text": zh, "text_en": en} for zh, en in theme.notes],
        "links": _links(made, address),
    }  # fmt: skip


def _when(at: Time | None) -> dict[str, Any] | None:
    return None if at is None else {"year_from": at.year_from, "year": at.year, "kind": at.kind}


def _cited(row: Mapping[str, Any]) -> dict[str, Any]:
    names = (
        "year_from", "year", "kind", "operator", "printed", "value", "note", "unit_corrected", "correction_reason",
        "document", "title", "title_en", "section", "line_start", "line_end",
    )  # fmt: skip
    return {name: row[name] for name in names}


def _links(made: Made, address: str) -> list[dict[str, str]]:
    """The same map in other forms, and its data as files."""
    asked = made.asked
    here = f"{address}{PATH}?{urlencode(asked.query)}"
    links = [
        {"rel": "self", "href": f"{here}&f=json", "title": "JSON"},
        {"rel": "alternate", "href": f"{here}&f=html", "title": "网页 As a page"},
    ]
    links += [
        {
            "rel": "alternate",
            "href": f"{address}{PATH}.{extension}?{urlencode(asked.query)}",
            "title": f"打印 To print: {extension.upper()}",
        }
        for extension in ("png", "svg", "pdf")
    ]
    collection, query = _export(made)
    links += [
        {
            "rel": "enclosure",
            "href": f"{address}/exports/{collection}.{extension}?{urlencode(query)}",
            "title": f"所示数据 The data shown: {name}",
        }
        for extension, name in (("csv", "CSV"), ("xlsx", "Excel"), ("geojson", "GeoJSON"))
    ]
    return links


def _export(made: Made) -> tuple[str, dict[str, str]]:
    """The collection and the filter that give the rows behind the map, and no others."""
    asked = made.asked
    level, parent = COMPARED[asked.over]
    if asked.at is None:
        query = {level: ",".join(row["id"] for row in made.compared.rows)}
        return "platforms", query | ({"kind": asked.platform_kind} if asked.platform_kind else {})
    filters = " OR ".join(_at(one) for one in (asked.at, asked.since) if one)
    return "region_indicators", {
        "indicator": asked.indicator, "region_level": level, "region_parent": parent, "filter": filters,
    }  # fmt: skip


def _at(at: Time) -> str:
    kinds = ", ".join(f"'{one}'" for one in STORED_KINDS[at.kind])
    since = "year_from IS NULL" if at.year_from is None else f"year_from = {at.year_from}"
    return f"(year = {at.year} AND {since} AND kind IN ({kinds}))"
