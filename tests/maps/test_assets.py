"""The vendored browser assets are complete and unaltered, and rendered maps name nothing else."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import folium
import pytest
from branca.colormap import LinearColormap
from folium import plugins

from app.maps.assets import foreign_urls, use_local_assets
from app.maps.vendored import VENDOR, asset_url, vendored_packages

PACKAGES = vendored_packages()
LISTED = {
    f"{package['name']}@{package['version']}/{path}": digest
    for package in PACKAGES.values()
    for path, digest in package["files"].items()
}


@pytest.fixture(autouse=True)
def local_assets() -> None:
    use_local_assets()


def every_plugin() -> folium.Map:
    """A map with each supported class once."""
    base = folium.Map(location=[30.75, 120.75], tiles=None, zoom_start=9, maxZoom=18)
    plugins.MarkerCluster([[30.7, 120.7], [30.8, 120.8]], maxZoom=18).add_to(base)
    plugins.Fullscreen().add_to(base)
    plugins.MiniMap(folium.TileLayer("/tiles/{z}/{x}/{y}.png", attr="嘉兴 / Jiaxing")).add_to(base)
    folium.LayerControl().add_to(base)
    return base


def render(base: folium.Map) -> str:
    html: str = base.get_root().render()
    return html


def test_every_vendored_file_is_the_one_in_the_manifest() -> None:
    found = {
        path.relative_to(VENDOR).as_posix(): hashlib.sha512(path.read_bytes()).hexdigest()
        for path in VENDOR.rglob("*")
        if path.is_file() and path != VENDOR / "manifest.json"
    }
    assert found == LISTED


@pytest.mark.parametrize("package", PACKAGES.values(), ids=PACKAGES)
def test_every_package_brings_its_licence(package: dict[str, list[str]]) -> None:
    assert package["licence"]
    assert package["licence_files"]
    assert set(package["licence_files"]) <= set(package["files"])


@pytest.mark.parametrize("sheet", [path for path in LISTED if path.endswith(".css")])
def test_addresses_in_style_sheets_lead_to_vendored_files(sheet: str) -> None:
    text = (VENDOR / sheet).read_text(encoding="utf-8")
    for face in re.findall(r"@font-face\s*{.*?}", text, re.DOTALL):
        # older font formats are fallbacks behind woff2, which every current browser takes
        sources = re.findall(r"url\([\"']?([^)\"']+)", face)
        text = text.replace(face, "".join(f"url({url})" for url in sources if url.endswith(".woff2")))
    for url in re.findall(r"url\(\s*[\"']?([^)\"']+)", text):
        if url.startswith("data:") or url == "#default#VML":  # a behaviour of old Internet Explorer
            continue
        target = (VENDOR / sheet).parent / urlsplit(url).path
        assert target.resolve().is_file(), f"{sheet} names {url}"


def test_every_supported_plugin_loads_only_vendored_files() -> None:
    html = render(every_plugin())
    assert foreign_urls(html) == []
    loaded = re.findall(r'(?:<script src|rel="stylesheet" href)="([^"]+)"', html)
    assert len(loaded) == len(set(loaded)) == 9
    for url in loaded:
        assert url.removeprefix("/static/vendor/") in LISTED


def test_calling_again_changes_nothing_and_a_prefix_is_kept() -> None:
    once = list(folium.Map.default_js)
    use_local_assets()
    assert folium.Map.default_js == once
    use_local_assets("/innomap/static/vendor")
    assert asset_url("leaflet", "dist/leaflet.js", "/innomap/static/vendor") in dict(folium.Map.default_js).values()


def test_classes_do_not_share_lists() -> None:
    folium.Map(tiles=None).add_js_link("own", "/static/own.js")
    try:
        assert "own" not in dict(plugins.Fullscreen.default_js)
        assert "own" not in dict(plugins.Draw.default_js)
    finally:
        use_local_assets()
    assert "own" not in dict(folium.Map.default_js)


SUPPORTED = ("Map", "plugins.Fullscreen", "plugins.MarkerCluster", "plugins.MiniMap")
BEFORE_AND_AFTER = f"""
import json, operator, folium, folium.plugins
from app.maps.assets import use_local_assets
classes = [operator.attrgetter(name)(folium) for name in {SUPPORTED}]
before = [dict(cls.default_js + cls.default_css) for cls in classes]
use_local_assets()
after = [dict(cls.default_js + cls.default_css) for cls in classes]
print(json.dumps([before, after]))
"""


def test_versions_are_those_folium_names() -> None:
    """Asked of a fresh interpreter, in which nothing is rewritten yet."""
    answer = subprocess.run([sys.executable, "-c", BEFORE_AND_AFTER], check=True, capture_output=True, text=True)
    versions: dict[str, tuple[str, str]] = {}
    for before, after in zip(*json.loads(answer.stdout), strict=True):
        for name, url in after.items():
            remote, local = (re.search(r"\d+\.\d+\.\d+", address) for address in (before[name], url))
            assert remote, before[name]
            assert local, url
            versions[name] = (remote[0], local[0])
    differing = {name: pair for name, pair in versions.items() if pair[0] != pair[1]}
    assert len(versions) == 9
    assert differing == {}


@pytest.mark.parametrize(
    ("layer", "host"),
    [
        (plugins.Draw(), "cdnjs.cloudflare.com"),
        (plugins.MousePosition(), "cdn.jsdelivr.net"),
        (plugins.Geocoder(), "unpkg.com"),
        (plugins.MiniMap(), "tile.openstreetmap.org"),
        (folium.TileLayer(), "tile.openstreetmap.org"),
        (LinearColormap(["white", "blue"]), "cdnjs.cloudflare.com"),
        (folium.Marker([0, 0], popup='<img src="https://images.example.org/a.png">'), "images.example.org"),
        (
            folium.Marker([0, 0], icon=folium.CustomIcon("https://icons.example.org/a.png")),
            "icons.example.org",
        ),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_what_another_host_would_serve_is_found(layer: folium.Element, host: str) -> None:
    base = folium.Map(tiles=None)
    layer.add_to(base)
    assert any(host in url for url in foreign_urls(render(base)))


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<script src="//cdn.example.org/a.js">', ["//cdn.example.org/a.js"]),
        ("<img srcset=/a.png><img src=http://example.org/a.png>", ["http://example.org/a.png"]),
        ('<style>body {background: url("//example.org/a.png")}</style>', ["//example.org/a.png"]),
        (r'L.tileLayer("https:\/\/example.org\/{z}.png")', ["https://example.org/{z}.png"]),
        (r'x = "\u003cimg src=\"https://example.org/a.png\"\u003e"', ["https://example.org/a.png"]),
        ("<iframe srcdoc='&lt;img src=&quot;https://example.org/a&quot;&gt;'>", ["https://example.org/a"]),
        ('<link rel="stylesheet" href="https://example.org/a.css">', ["https://example.org/a.css"]),
        ("fetch('https://a.example'); fetch('https://a.example')", ["https://a.example"]),
        ('<link rel="alternate" href="https://example.org/a.json">', []),
        ('<a class="x" href="https://example.org/">', []),
        ('<svg xmlns="http://www.w3.org/2000/svg">', []),
        ("  // https://example.org/issues/1\n", []),
        ("var half = a // b\n", []),
        ('<script src="/static/vendor/a.js"></script>', []),
    ],
)
def test_foreign_urls(html: str, found: list[str]) -> None:
    assert foreign_urls(html) == found


def test_a_file_that_is_not_vendored_is_refused() -> None:
    with pytest.raises(KeyError, match=r"leaflet@1\.9\.3 is vendored without dist/leaflet-src\.js"):
        asset_url("leaflet", "dist/leaflet-src.js")


def test_vendor_script_names_no_registry() -> None:
    script = Path(__file__).parents[2] / "scripts" / "vendor"
    assert "://" not in script.read_text(encoding="utf-8")
