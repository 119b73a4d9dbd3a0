"""Maps as whole pages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
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


_INLINE = {name: re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("script", "style")}


@dataclass(frozen=True)
class Page:
    """A page's HTML, and what stands in it as inline scripts and styles, to the letter."""

    html: str
    scripts: Sequence[str]
    styles: Sequence[str]


def layout_page(drawn: LayoutMap, **context: Any) -> Page:
    """The page of a layout map; ``context`` is what ``templates/map.html`` names."""
    figure = drawn.canvas.get_root()
    assert isinstance(figure, Figure)  # noqa: S101 - a map makes its own
    figure.render()
    # Folium's addresses are the same for every page; behind a reverse proxy each begins with its prefix
    head = _VIEWPORT.sub("", figure.header.render()).replace('"/static/', f'"{context["base"]}/static/')
    # Folium has escaped what it writes: keys, numbers and labels
    script = _INDENT.sub("\n", figure.script.render())
    html = templates.get_template("map.html").render(
        head=Markup(head),  # noqa: S704
        body=Markup(figure.html.render()),  # noqa: S704
        script=Markup(script),  # noqa: S704
        legend=drawn.legend,
        knowledge=knowledge(),
        core_member=swatch(PARK, ringed=True) if any(one.symbol is CORE for one in drawn.legend) else None,
        elsewhere=drawn.elsewhere,
        popups=drawn.popups,
        **context,
    )
    return Page(html, (*_INLINE["script"].findall(head), script), _INLINE["style"].findall(head))
