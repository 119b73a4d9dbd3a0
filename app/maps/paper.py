"""What a map to print is asked for and says of itself. Drawing needs matplotlib, which is loaded with the first map."""

import hashlib
from datetime import datetime
from typing import Literal

from app import __version__

Format = Literal["png", "svg", "pdf"]
#: Width and height in millimetres, landscape (ISO 216).
SIZES = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
#: EPSG code of the system that the ground is projected to.
PROJECTION = 4549
#: The package that brings a font for the characters of the data.
FONT_PACKAGE = "fonts-noto-cjk"


class FontMissing(Exception):
    """No font of this machine holds Chinese; better no map than boxes."""

    def __init__(self) -> None:
        super().__init__(
            f"没有中文字体，请安装软件包 {FONT_PACKAGE}。 No Chinese font is found: install the package {FONT_PACKAGE}."
        )


def version_mark(state: str) -> str:
    """A short mark of a state of the data (``queries.versions``), to be printed."""
    return hashlib.sha256(state.encode()).hexdigest()[:8]


def version_line(changed: datetime, version: str) -> str:
    """The last of the source lines: from when and which state of the data a map is."""
    return (
        f"数据日期 Data of {changed.date().isoformat()} · 数据版本 version {version}"
        f" · 软件 release {__version__} · CGCS2000 / 3° Gauss-Kruger CM 120°E (EPSG:{PROJECTION})"
    )
