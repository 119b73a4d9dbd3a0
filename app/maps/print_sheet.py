"""A sheet of paper in millimetres: Chinese type, measured words, and what matplotlib needs to draw the same twice.

matplotlib is asked for figures only, never for pyplot's state, so that a sheet belongs to the thread that draws it.
"""

from collections.abc import Sequence
from functools import cache
from io import BytesIO
from math import cos, radians, sin
from typing import Any, Literal

import matplotlib
import numpy as np
import shapely
from matplotlib import font_manager
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import Stroke
from shapely import affinity
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from app.maps import symbols
from app.maps.paper import SIZES, FontMissing, Format

FontSize = float
DPI = 300
MARGIN = 12.0
MM_PER_INCH = 25.4
#: Millimetres in a typographic point.
POINT = MM_PER_INCH / 72
#: Points in a pixel of the screen, in which ``symbols`` gives widths.
PIXEL = 0.75
#: Fonts that hold the characters of the data, the first found is used.
FONTS = ("Noto Sans CJK SC", "Source Han Sans SC")
#: What a moment or a program would write into a file, left out.
_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None, "Type": None, "Format": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
}
#: Share of the type size by which the middle of Chinese characters and of figures stands above the base line.
_MIDDLE = 0.37

matplotlib.rcParams.update(
    {
        # Noto's outlines are cubic, which a PDF cannot hold as TrueType: matplotlib would embed a file that strict
        # readers refuse. Type 3 embeds the outlines themselves; words can still be searched and copied.
        "pdf.fonttype": 3,
        "svg.fonttype": "path",
        # the ids of an SVG would be random
        "svg.hashsalt": "innomap",
        "text.hinting": "none",
        # a name with two dollar signs is a name
        "text.parse_math": False,
        "path.simplify": False,
    }
)


@cache
def font_family() -> str:
    """The name of the font to draw with. Raises ``FontMissing``."""
    manager = font_manager.fontManager
    names = manager.get_font_names()
    if not set(FONTS) & set(names):
        # the list is kept between runs, and a font may have been installed since
        for path in sorted(font_manager.findSystemFonts()):
            if "CJK" in path or "SourceHan" in path:
                manager.addfont(path)
        names = manager.get_font_names()
    for name in FONTS:
        if name in names:
            return name
    raise FontMissing


@cache
def _font(bold: bool) -> FontProperties:
    return FontProperties(family=[font_family()], weight="bold" if bold else "normal", size=100)


@cache
def _ruler() -> RendererAgg:
    return RendererAgg(1, 1, 72)


def text_width(text: str, size: FontSize, bold: bool = False) -> float:
    """Width in millimetres of a line of text in ``size`` points."""
    return sum(_advance(character, bold) for character in text) * size * POINT


@cache
def _advance(character: str, bold: bool) -> float:
    """How far a character moves the next one, as a share of the type size; pairs are not kerned closer."""
    wide, narrow = (
        _ruler().get_text_width_height_descent(text, _font(bold), ismath=False)[0] for text in (f"|{character}|", "||")
    )
    return float(wide - narrow) / 100


def wrapped(text: str, width: float, size: FontSize, bold: bool = False) -> list[str]:
    """Lines no wider than ``width`` millimetres: broken at spaces, between Chinese characters, else anywhere."""
    lines, line = [], ""
    for piece in _pieces(text):
        if line and text_width((line + piece).rstrip(), size, bold) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
        while len(line) > 1 and text_width(line.rstrip(), size, bold) > width:
            cut = next(n for n in range(len(line) - 1, 0, -1) if n == 1 or text_width(line[:n], size, bold) <= width)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()] if line.strip() else lines or [""]


def _pieces(text: str) -> list[str]:
    """Words with the space after them, and Chinese characters with the punctuation that may not begin a line."""
    pieces: list[str] = []
    for character in text:
        wide = ord(character) > 0x2E7F
        glued = pieces and (
            character in "，。；：、）》”！？·"
            or (character == " " or not (wide or pieces[-1].endswith(" ") or ord(pieces[-1][-1]) > 0x2E7F))
            or pieces[-1][-1] in "（《“"
        )
        if glued:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def word_box(at: tuple[float, float], width: float, size: FontSize, turn: float = 0.0) -> Polygon:
    """The ground a line of text covers, centred on a point and turned by degrees anticlockwise."""
    x, y = at
    high = size * POINT
    flat = box(x - width / 2, y - high / 2, x + width / 2, y + high / 2)
    return affinity.rotate(flat, turn, origin=(x, y)) if turn else flat


class Sheet:
    """A page, landscape; the origin is its lower left corner, units are millimetres."""

    def __init__(self, size: str) -> None:
        self.width, self.height = SIZES[size]
        #: Type grows slower than paper.
        self.scale = (self.width / SIZES["A4"][0]) ** 0.5
        inches = (self.width / MM_PER_INCH, self.height / MM_PER_INCH)
        # whole pixels; a hair more, for matplotlib cuts what a division leaves below one
        pixels = [round(side * DPI) for side in inches]
        self.figure = Figure(figsize=(pixels[0] / DPI + 1e-6, pixels[1] / DPI + 1e-6), dpi=DPI, facecolor=symbols.PAPER)
        self.axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set(xlim=(0, self.width), ylim=(0, self.height))
        self.axes.set_axis_off()
        #: Every line of text and the ground it covers.
        self.words: list[tuple[str, Polygon]] = []

    def text(
        self, at: tuple[float, float], text: str, size: FontSize, *, align: Literal["left", "center", "right"] = "left",
        bold: bool = False, colour: str = symbols.INK, turn: float = 0.0, halo: bool = False, z: float = 20,
    ) -> float:  # fmt: skip
        """A line of text, its middle at the height of ``at``; gives its width."""
        width = text_width(text, size, bold)
        drop, angle = _MIDDLE * size * POINT, radians(turn)
        x, y = at[0] + drop * sin(angle), at[1] - drop * cos(angle)
        font = _font(bold).copy()
        font.set_size(size)
        style: dict[str, Any] = {
            "fontproperties": font, "ha": align, "va": "baseline", "rotation": turn, "rotation_mode": "anchor",
        }  # fmt: skip
        if halo:
            # an artist of its own: what has an effect is drawn as outlines, and words should stay words
            effect = [Stroke(linewidth=2.2, foreground=symbols.PAPER, joinstyle="round")]
            self.axes.text(x, y, text, color=symbols.PAPER, path_effects=effect, zorder=z - 0.5, **style)
        self.axes.text(x, y, text, color=colour, zorder=z, **style)
        middle = at[0] + {"left": width / 2, "center": 0.0, "right": -width / 2}[align]
        self.words.append((text, word_box((middle, at[1]), width, size, turn)))
        return width

    def shape(
        self, drawn: BaseGeometry, *, colour: str = "none", fill: str = "none", weight: float = 1.0,
        opacity: float = 1.0, fill_opacity: float = 1.0, dash: str = "", z: float = 1.0,
    ) -> None:  # fmt: skip
        """Areas or lines; ``weight`` and ``dash`` are pixels of the screen, as ``symbols`` has them."""
        path = _path(drawn)
        if path is None:
            return
        style: Any = (0, [float(part) / weight for part in dash.split()]) if dash else "solid"
        common: dict[str, Any] = {"linewidth": weight * PIXEL, "capstyle": "butt", "joinstyle": "round"}
        if fill != "none":
            self.axes.add_artist(PathPatch(path, facecolor=fill, edgecolor="none", alpha=fill_opacity, zorder=z))
        if colour != "none":
            self.axes.add_artist(
                PathPatch(path, facecolor="none", edgecolor=colour, alpha=opacity, linestyle=style, zorder=z, **common)
            )

    def file(self, extension: Format) -> bytes:
        """The sheet as a file; the same sheet gives the same bytes."""
        written = BytesIO()
        self.figure.savefig(written, format=extension, dpi=DPI, metadata=_METADATA[extension])
        return written.getvalue()


def _path(drawn: BaseGeometry) -> Path | None:
    lines: list[Path] = []
    for part in shapely.get_parts(drawn):
        rings: Sequence[Any] = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        lines += [
            Path(np.asarray(ring.coords)[:, :2], closed=part.geom_type == "Polygon")
            for ring in rings
            if len(ring.coords) > 1
        ]
    return Path.make_compound_path(*lines) if lines else None
