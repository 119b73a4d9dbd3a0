"""What Folium makes of a map, in the parts of a page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import folium
from branca.element import Figure
from markupsafe import Markup

#: Folium forbids zooming the page, which some readers need.
_VIEWPORT = re.compile(r'<meta name="viewport".*?/>', re.DOTALL)
#: Folium's templates indent; no string of a script holds a line break of its own.
_INDENT = re.compile(r"\n\s+")
#: Coordinates are most of a page.
_PAIR, _PAIRS = re.compile(r"\[(-?[\d.]+), (-?[\d.]+)\]"), re.compile(r"\], \[")
_INLINE = {name: re.compile(rf"<{name}>(.*?)</{name}>", re.DOTALL) for name in ("script", "style")}
#: Addresses of the program's own files.
_OWN = re.compile(r'(href|src)="/static/')


@dataclass(frozen=True)
class Parts:
    """A map for a page: what belongs into its head, where the map stands, and the script that draws it, which comes
    last. ``scripts`` and ``styles`` are all that stands inline in these, to the letter."""

    head: Markup
    body: Markup
    script: Markup
    scripts: Sequence[str]
    styles: Sequence[str]


def page_parts(canvas: folium.Map, base: str) -> Parts:
    """Render a map for a service at the address ``base``; Folium has escaped what it writes: keys, numbers, labels."""
    figure = canvas.get_root()
    assert isinstance(figure, Figure)  # noqa: S101 - a map makes its own
    figure.render()
    own = str(Markup.escape(f"{base}/static/"))
    head = _OWN.sub(lambda found: f'{found[1]}="{own}', _VIEWPORT.sub("", figure.header.render()))
    script = _INDENT.sub("\n", figure.script.render())
    script = _PAIRS.sub("],[", _PAIR.sub(r"[\1,\2]", script))
    return Parts(
        head=Markup(head),  # noqa: S704
        body=Markup(figure.html.render()),  # noqa: S704
        script=Markup(script),  # noqa: S704
        scripts=(*_INLINE["script"].findall(head), script),
        styles=_INLINE["style"].findall(head),
    )
