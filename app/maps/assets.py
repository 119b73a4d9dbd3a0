"""Folium's scripts and styles from here: its defaults name public CDNs, and no request may leave the service."""

import html as html_module
import re

import folium
from folium import plugins

from app.maps.vendored import asset_url

# Every class whose assets are vendored. Subclasses inherit them. Others of Folium's plugins stay out on purpose:
# leaflet-measure compiles its templates with `new Function`, which our Content-Security-Policy forbids, and
# leaflet-search writes names as HTML.
_SUPPORTED = (folium.Map, plugins.Fullscreen, plugins.MarkerCluster, plugins.MiniMap)

# Folium's name of an asset -> package and file; None = not loaded at all.
_ASSETS: dict[str, tuple[str, str] | None] = {
    "leaflet": ("leaflet", "dist/leaflet.js"),
    "leaflet_css": ("leaflet", "dist/leaflet.css"),
    # folium.Popup and folium.Icon alone use these; our popups are templates, our symbols SVG
    "jquery": None,
    "awesome_markers": None,
    "awesome_markers_css": None,
    "awesome_markers_font_css": None,
    "awesome_rotate_css": None,
    "glyphicons_css": None,
    # no template of Folium or branca uses Bootstrap, and its reset would restyle our own pages
    "bootstrap": None,
    "bootstrap_css": None,
    "Control.Fullscreen.js": ("leaflet.fullscreen", "Control.FullScreen.js"),
    "Control.FullScreen.css": ("leaflet.fullscreen", "Control.FullScreen.css"),
    "markerclusterjs": ("leaflet.markercluster", "dist/leaflet.markercluster.js"),
    "markerclustercss": ("leaflet.markercluster", "dist/MarkerCluster.css"),
    "markerclusterdefaultcss": ("leaflet.markercluster", "dist/MarkerCluster.Default.css"),
    "Control_MiniMap_js": ("leaflet-minimap", "dist/Control.MiniMap.min.js"),
    "Control_MiniMap_css": ("leaflet-minimap", "dist/Control.MiniMap.min.css"),
}

# Taken before anything is rewritten, so that a second call starts from the same names.
_NAMES = tuple(
    (cls, attribute, tuple(name for name, _ in getattr(cls, attribute)))
    for cls in _SUPPORTED
    for attribute in ("default_js", "default_css")
)


def use_local_assets(prefix: str = "/static/vendor") -> None:
    """Let every supported Folium class load its scripts and styles from `prefix`; call before a map is made.

    Each class gets lists of its own; calling again is harmless. Raises KeyError when Folium names an
    asset unknown here (after an upgrade). Classes outside the supported ones keep their remote
    addresses: `foreign_urls` finds them in the rendered page.
    """
    for cls, attribute, names in _NAMES:
        assets = ((name, _ASSETS[name]) for name in names)
        setattr(cls, attribute, [(name, asset_url(*asset, prefix)) for name, asset in assets if asset])


# Addresses nobody requests: hyperlinks, links between documents, whole-line script comments, XML namespaces.
_NOT_LOADED = re.compile(
    r"""<a\s[^>]*>
      | <link\s[^>]*\brel=["']?(?:alternate|canonical|license|self)\b[^>]*>
      | ^\s*//\s.*$
      | https?://www\.w3\.org/[\w/.#-]*
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
_ABSOLUTE_URL = re.compile(r"""(?:\b(?:https?|wss?):|(?<=["'`(=]))//[^\s"'`<>()\\]+""", re.IGNORECASE)


def foreign_urls(html: str) -> list[str]:
    """Absolute URLs in a page that a browser could request, in order, each once; empty for a good page.

    Links to follow (`<a href>`) do not count. A URL inside script data does, for the text alone cannot
    tell whether a script will load it. Escapes written by Jinja's `tojson` and by HTML are undone first.
    """
    text = re.sub(r"\\u00([0-7][0-9a-f])", lambda match: chr(int(match[1], 16)), html, flags=re.IGNORECASE)
    text = html_module.unescape(text.replace("\\/", "/").replace('\\"', '"'))
    return list(dict.fromkeys(_ABSOLUTE_URL.findall(_NOT_LOADED.sub(" ", text))))
