"""The features of one layer as the page's script draws them, and their signs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.catalog import Collection
from app.maps import symbols
from app.maps.symbols import Symbol

Row = Mapping[str, Any]
#: Sides of a drawn point symbol's frame, in pixels.
SIZE = 18


def symbol_field(collection: Collection) -> str | None:
    """The field whose values have symbols, where a collection has one."""
    return next((name for name in ("kind", "role") if collection.field(name)), None)


def symbol_of(row: Row) -> Symbol:
    """A feature's symbol, by its kind or role; others have the one of everything else."""
    if row.get("kind"):
        return symbols.platform_symbol(row["kind"])
    return symbols.element_symbol(row["role"]) if row.get("role") else symbols.OTHER


def drawn(rows: Iterable[Row], lang: str) -> dict[str, Any]:
    """Features for the page: id, name, symbol, number of the shape, whether hollow or dashed; and each shape once, for
    all values of a region have its outline."""
    shapes: dict[str, int] = {}
    found = []
    for row in rows:
        shape = shapes.setdefault(row["geometry"], len(shapes))
        one = {"id": row["id"], "name": _name(row, lang), "symbol": symbol_of(row).id, "shape": shape}
        if row.get("geometry_method") in symbols.HOLLOW:
            one["hollow"] = True
        if row.get("schematic"):
            one["dashed"] = True
        found.append(one)
    return {"features": found, "shapes": [json.loads(one) for one in shapes]}


def _name(row: Row, lang: str) -> str:
    """What a feature is called; a value by its region, its indicator and its year."""
    words = [(row.get(f"{one}_en") if lang == "en" else None) or row.get(one) for one in ("name", "indicator_name")]
    said = " ".join(str(one) for one in (*words, row.get("year")) if one)
    return said or str(row["id"])


def sign(symbol: Symbol) -> dict[str, Any]:
    """How the page's script draws a symbol: colour, corners of a point's shape in pixels (a circle has none), and the
    style of lines and areas."""
    pointed = symbol.shape in ("square", "diamond", "triangle", "hexagon")
    shape = symbols.corners(symbol.shape, SIZE * 0.36) if pointed else []
    return {
        "colour": symbol.colour,
        "ring": symbol.shape == "ring",
        "corners": [[round(x, 1), round(y, 1)] for x, y in shape],
        "style": symbols.path_style(symbol, schematic=False),
    }


def used_symbols(collection: Collection, values: Sequence[str]) -> list[Symbol]:
    """The symbols of a field's values, in the legend's order."""
    field = symbol_field(collection)
    found = {symbol_of({field: value}) for value in values} if field else {symbols.OTHER}
    return [one for one in (*symbols.ELEMENT_SYMBOLS, *symbols.PLATFORM_SYMBOLS) if one in found]
