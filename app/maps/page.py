"""Maps as whole pages."""

import re
from pathlib import Path
from typing import Any

from branca.element import Figure
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from app.maps.layout_map import LayoutMap
from app.maps.symbols import CORE, PARK, knowledge, swatch

templates = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parents[1] / "templates"), autoescape=True, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
#: Folium forbids zooming the page, which some readers need.
_VIEWPORT = re.compile(r'<meta name="viewport".*?/>', re.DOTALL)
#: Folium's templates indent; no string of a script holds a line break of its own.
_INDENT = re.compile(r"\n\s+")


def layout_page(drawn: LayoutMap, **context: Any) -> str:
    """The HTML page of a layout map; ``context`` is what ``templates/map.html`` names."""
    figure = drawn.canvas.get_root()
    assert isinstance(figure, Figure)  # noqa: S101 - a map makes its own
    figure.render()
    return templates.get_template("map.html").render(
        # Folium has escaped what it writes: keys, numbers and labels
        head=Markup(_VIEWPORT.sub("", figure.header.render())),  # noqa: S704
        body=Markup(figure.html.render()),  # noqa: S704
        script=Markup(_INDENT.sub("\n", figure.script.render())),  # noqa: S704
        legend=drawn.legend,
        knowledge=knowledge(),
        core_member=swatch(PARK, ringed=True) if any(one.symbol is CORE for one in drawn.legend) else None,
        elsewhere=drawn.elsewhere,
        popups=drawn.popups,
        **context,
    )
