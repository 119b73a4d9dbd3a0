"""The legend of a printed map: as large as the paper allows, generated from the symbols that occur."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from shapely.geometry import LineString

from app.maps import symbols
from app.maps.print_labels import Frame
from app.maps.print_sheet import POINT, Sheet, wrapped
from app.maps.print_symbols import draw_sample
from app.maps.symbols import Symbol

#: Type sizes tried, from the largest.
_SIZES = [size / 4 for size in range(34, 15, -1)]
_LEADING = 1.34


@dataclass
class Entry:
    """A symbol that occurs; ``items`` are number (or nothing) and name of what is listed under it."""

    symbol: Symbol
    items: list[tuple[str, str]] = field(default_factory=list)
    #: How many symbols without a number there are beside.
    unnumbered: int = 0


@dataclass(frozen=True)
class LegendRow:
    """Lines of text at an indent, with a sample before; ``space`` is left above, in lines."""

    lines: Sequence[str]
    indent: float
    size: float
    bold: bool = False
    colour: str = symbols.INK
    space: float = 0.0
    sample: Callable[[float, float], None] | None = None

    @property
    def height(self) -> float:
        return (len(self.lines) * _LEADING + self.space) * self.size * POINT


def draw_rows(sheet: Sheet, column: Frame, make: Callable[[float], Sequence[LegendRow]]) -> None:
    """Fill a column (left, bottom, right, top) with the rows that ``make`` gives for a type size.

    They are drawn in the largest type that has room. Raises ValueError where none has.
    """
    left, bottom, _, top = column
    for size in _SIZES:
        rows = make(size * sheet.scale)
        if sum(row.height for row in rows) <= top - bottom:
            break
    else:
        raise ValueError("the legend has more lines than a column of this sheet")
    y = top
    for row in rows:
        line = row.size * POINT * _LEADING
        y -= row.space * row.size * POINT
        if row.sample:
            row.sample(left, y - line / 2)
        for text in row.lines:
            y -= line
            sheet.text((left + row.indent, y + line / 2), text, row.size, bold=row.bold, colour=row.colour)


@dataclass(frozen=True)
class Legend:
    """What a legend says; ``elsewhere`` are names without a place on the map."""

    entries: Sequence[Entry]
    core_member: bool
    hollow: bool
    moved: bool
    elsewhere: Sequence[str]
    lang: str

    def draw(self, sheet: Sheet, left: float, bottom: float, right: float, top: float) -> None:
        """Fill a column of the sheet."""
        draw_rows(sheet, (left, bottom, right, top), lambda size: self._rows(sheet, right - left, size))

    def _rows(self, sheet: Sheet, width: float, size: float) -> list[LegendRow]:
        mm = size * POINT
        indent, list_indent = 3.4 * mm, 5.0 * mm
        rows = [LegendRow([_two("图例", "Legend", self.lang)], 0.0, size * 1.15, bold=True)]

        def row(text: str, sample: Callable[[float, float], None], *, space: float = 0.35) -> None:
            rows.append(LegendRow(wrapped(text, width - indent, size), indent, size, space=space, sample=sample))

        for entry in self.entries:
            symbol, name = entry.symbol, _two(entry.symbol.name, entry.symbol.name_en, self.lang)
            count = f"（{entry.unnumbered}）" if entry.unnumbered and not entry.items else ""
            row(name + count, _sample(sheet, symbol, mm))
            for number, text in entry.items:
                lines = wrapped(text, width - list_indent, size * 0.92)
                before = _number(sheet, number, list_indent - 0.4 * mm, size * 0.92) if number else None
                rows.append(LegendRow(lines, list_indent if number else indent, size * 0.92, space=0.08, sample=before))
            if entry.items and entry.unnumbered:
                text = _two("无编号：规划所列其他", "Without a number: others the plan names", self.lang)
                lines = wrapped(f"{text}（{entry.unnumbered}）", width - indent, size * 0.92)
                rows.append(LegendRow(lines, indent, size * 0.92, colour=symbols.GREY))
        if self.core_member:
            row(
                _two("外圈：核心区成员", "Ring: member of the core", self.lang),
                _sample(sheet, symbols.PARK, mm, ringed=True),
            )
        for one in symbols.knowledge():
            text = _two(one.name, one.name_en, self.lang)
            if one.id in ("solid", "dashed"):
                row(text, _line(sheet, mm, 2.0, symbols.DASHED if one.id == "dashed" else ""))
            elif one.id == "hollow" and self.hollow:
                row(text, _sample(sheet, symbols.INSTITUTE, mm, hollow=True))
        if self.moved:
            text = _two("细线：符号移开，线端为原位", "Thin line: moved, its place is at the end", self.lang)
            row(text, _line(sheet, mm, 0.7, ""))
        if self.elsewhere:
            text = f"{_two('图外', 'Not on this map', self.lang)}：{'；'.join(self.elsewhere)}"
            rows.append(LegendRow(wrapped(text, width, size * 0.92), 0.0, size * 0.92, space=0.5, colour=symbols.GREY))
        return rows


def _two(name: str, name_en: str, lang: str) -> str:
    return f"{name_en} {name}" if lang == "en" else f"{name} {name_en}"


def _sample(
    sheet: Sheet, symbol: Symbol, mm: float, *, hollow: bool = False, ringed: bool = False
) -> Callable[[float, float], None]:
    def draw(left: float, y: float) -> None:
        draw_sample(sheet, symbol, (left + 1.3 * mm, y), 2.6 * mm, 1.15 * mm, hollow=hollow, ringed=ringed)

    return draw


def _line(sheet: Sheet, mm: float, weight: float, dash: str) -> Callable[[float, float], None]:
    def draw(left: float, y: float) -> None:
        line = LineString([(left, y), (left + 2.6 * mm, y)])
        sheet.shape(line, colour=symbols.INK, weight=weight, dash=dash)

    return draw


def _number(sheet: Sheet, number: str, right: float, size: float) -> Callable[[float, float], None]:
    def draw(left: float, y: float) -> None:
        sheet.text((left + right, y), number, size, align="right", bold=True)

    return draw
