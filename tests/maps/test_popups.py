"""What a popup says: the map's own document first, every value as text."""

from typing import Any

from app.api.html import templates
from app.maps.popups import QUOTE, platform_popup

ATTACK = "<img src=x onerror=alert(1)>"


def source(document: str, quote: str, line: int) -> dict[str, Any]:
    return {
        "document": document,
        "title": document,
        "section": "一",
        "quote": quote,
        "line_start": line,
        "line_end": line,
    }


def row(**values: Any) -> dict[str, Any]:
    empty = dict.fromkeys(
        ("level", "status", "area_km2", "declared_county_name", "county_name", "zone_name", "positioning", "builder",
         "department", "targets", "tasks", "position_accuracy_m", "position_source")
    )  # fmt: skip
    return {
        **empty, "id": "a", "kind": "lake_district", "name": "甲湖", "name_en": "Jia Lake", "industries": [],
        "aliases": [],
        "sources": [source("own", "甲湖", 3)], "geometry_method": "point", **values,
    }  # fmt: skip


def test_the_sentence_is_the_one_of_the_maps_own_document_and_its_source_comes_first() -> None:
    sources = [source("other", "甲湖" * 30, 1), source("own", "甲湖", 2), source("own", "高标准建设甲湖等科创湖区", 9)]
    popup = platform_popup(row(sources=sources), None, (120.0, 30.0), "own")
    assert popup.quote == "高标准建设甲湖等科创湖区"
    assert popup.sources[0] == "《own》“一” 9"
    assert len(popup.sources) == 3


def test_a_table_row_is_told_by_what_it_asks_for_and_cut_to_a_length() -> None:
    popup = platform_popup(row(tasks=["务" * 400]), None, (120.0, 30.0), "own")
    assert popup.quote is not None
    assert len(popup.quote) == QUOTE
    assert popup.quote.endswith("…")


def test_a_platform_without_a_collection_of_its_kind_is_among_all_platforms() -> None:
    assert platform_popup(row(), None, (120.0, 30.0), "own").key == "platforms/a"
    kind = {"name": "科创湖区", "name_en": "Science-lake district", "collection": "lake_districts"}
    assert platform_popup(row(), kind, (120.0, 30.0), "own").key == "lake_districts/a"


def test_every_value_is_escaped() -> None:
    popup = platform_popup(
        row(
            name=ATTACK, name_en=ATTACK, aliases=[ATTACK],
            industries=[ATTACK], builder=ATTACK, department=ATTACK, positioning=ATTACK,
            targets=[{"printed": ATTACK, "name": ATTACK}], tasks=[ATTACK], position_source=ATTACK, county_name=ATTACK,
            sources=[source(ATTACK, f"{ATTACK} and more words", 1)],
        ),
        None, (120.0, 30.0), "own",
    )  # fmt: skip
    values = {"lang": "zh", "base": ""}
    written = templates.get_template("map_popup.html").make_module(values).whole(popup, ATTACK)
    assert "<img" not in written
    assert written.count("&lt;img src=x onerror=alert(1)&gt;") >= 10
