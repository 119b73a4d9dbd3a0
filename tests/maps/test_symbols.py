"""The grammar of the maps: told apart without colour, dashed where schematic, hollow where only the county is known."""

import csv
from pathlib import Path

import pytest

from app.maps import symbols
from app.maps.symbols import ELEMENT_SYMBOLS, PLATFORM_SYMBOLS, Symbol


def test_no_two_roles_differ_by_colour_alone() -> None:
    for known in (ELEMENT_SYMBOLS, PLATFORM_SYMBOLS):
        assert len({one.shape for one in known}) == len(known)


def test_colours_are_those_of_the_style() -> None:
    assert {one.id: one.colour for one in (symbols.CORRIDOR, symbols.CORE, symbols.LAKE, symbols.PARK)} == {
        "corridor": "#0072B2",
        "core": "#CC79A7",
        "lake": "#009E73",
        "park": "#E69F00",
    }
    assert symbols.INSTITUTE.colour == "#1F3A5F"
    assert symbols.INCUBATOR.colour == "#56B4E9"


def test_every_kind_a_symbol_stands_for_is_one_of_the_data(geodata: Path) -> None:
    with (geodata / "base" / "kinds.csv").open(encoding="utf-8") as file:
        kinds = {row["id"] for row in csv.DictReader(file)}
    assert set(symbols.SYMBOL_OF_KIND) <= kinds
    assert symbols.platform_symbol("a kind added later") is symbols.OTHER


@pytest.mark.parametrize("symbol", [symbols.CORE, symbols.ZONE, symbols.LAKE, symbols.AXIS], ids=lambda one: one.id)
def test_what_is_schematic_is_dashed(symbol: Symbol) -> None:
    assert symbols.path_style(symbol, schematic=True)["dashArray"] == "6 4"
    assert "dashArray" not in symbols.path_style(symbol, schematic=False)


def test_band_and_axis_are_as_the_style_says() -> None:
    assert symbols.path_style(symbols.CORRIDOR, schematic=True)["fillOpacity"] == 0.12
    assert symbols.path_style(symbols.AXIS, schematic=True)["weight"] == 3


@pytest.mark.parametrize("symbol", PLATFORM_SYMBOLS, ids=lambda one: one.id)
def test_a_hollow_symbol_is_not_filled(symbol: Symbol) -> None:
    hollow = symbols.icon(symbol, hollow=True)
    assert f'fill="{symbol.colour}"' not in hollow
    assert f'stroke="{symbol.colour}"' in hollow


def test_a_label_is_escaped() -> None:
    assert "<b>" not in symbols.icon(symbols.PARK, "<b>")


def test_the_legend_explains_every_way_of_drawing_in_both_languages() -> None:
    said = " ".join(one.name for one in symbols.knowledge())
    assert all(word in said for word in ("实线", "虚线", "空心", "点线"))
    assert all(one.name_en and "<svg" in one.sample for one in symbols.knowledge())
