"""Base maps: what may be configured, and the services known by name.

None is used unless the settings name it, for then the reader's browser asks that service for pictures. A key is part of
the address that the browser is given; it is kept out of logs, errors and the settings' own text.
"""

import re
from itertools import chain
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

Datum = Literal["wgs84", "gcj02"]
#: Placeholders of a WMTS template (OGC 07-057r7, 10.2), and how Leaflet calls them.
_WMTS = {"{TileMatrix}": "{z}", "{TileRow}": "{y}", "{TileCol}": "{x}"}
#: Host and port as a Content-Security-Policy takes them.
_HOST = re.compile(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:.]+\](:\d{1,5})?")
_PLACEHOLDER = re.compile(r"\{([^}]*)\}")


def _template(given: SecretStr) -> SecretStr:
    """A template in Leaflet's words. Raises ValueError, whose text holds no part of the address."""
    url = given.get_secret_value()
    for theirs, ours in _WMTS.items():
        url = url.replace(theirs, ours)
    found = set(_PLACEHOLDER.findall(url))
    if not {"z", "x"} <= found or not found & {"y", "-y"} or found - {"z", "x", "y", "-y", "s", "r"}:
        raise ValueError(
            "须含 {z}、{x}、{y}（或 {TileMatrix}、{TileRow}、{TileCol}）"
            " must have {z}, {x} and {y} (or {TileMatrix}, {TileRow} and {TileCol}); {s}, {-y} and {r} may be used"
        )
    parts = urlsplit(url.replace("{s}", "s"))
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(parts.netloc):
        raise ValueError("须为 http 或 https 地址，不含用户名 must be an http or https address without a user name")
    return SecretStr(url)


Template = Annotated[SecretStr, AfterValidator(_template)]


class BaseMap(BaseModel):
    """Tiles of 256 pixels in Web Mercator, as XYZ or WMTS, and what is said of them."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    name: str = Field(min_length=1, max_length=60, description="name in the list of base maps")
    name_en: str = Field(default="", max_length=60, description="English name")
    url: Template = Field(description="address of a tile with {z}, {x}, {y}")
    labels: Template | None = Field(default=None, description="address of a second layer of tiles, with the names")
    attribution: str = Field(default="", max_length=300, description="source and licence, shown on the map")
    datum: Datum = Field(default="wgs84", description="gcj02 for Gaode and the like, whose places are shifted")
    max_zoom: int = Field(default=18, ge=1, le=24, description="deepest level that has tiles")
    subdomains: str = Field(
        default="abc", pattern="^[a-z0-9]{1,10}$", description="what {s} stands for, one letter each"
    )

    @property
    def templates(self) -> tuple[str, ...]:
        """The addresses of the layers, from below."""
        return tuple(one.get_secret_value() for one in (self.url, self.labels) if one)

    @property
    def for_page(self) -> dict[str, Any]:
        """What the page's script needs, keys included."""
        return {
            "name": self.name,
            "templates": self.templates,
            "attribution": self.attribution,
            "datum": self.datum,
            "maxZoom": self.max_zoom,
            "subdomains": self.subdomains,
        }

    @property
    def origins(self) -> tuple[str, ...]:
        """What a page's policy has to allow, each scheme and host."""
        spelt = chain.from_iterable(
            (one.replace("{s}", letter) for letter in self.subdomains) if "{s}" in one else (one,)
            for one in self.templates
        )
        return tuple(dict.fromkeys(f"{urlsplit(one).scheme}://{urlsplit(one).netloc}" for one in spelt))


_TIANDITU = (
    "https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER={layer}&STYLE=default"
    "&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"
)
_GAODE = "https://{host}.is.autonavi.com/appmaptile?{query}&x={{x}}&y={{y}}&z={{z}}"
#: Base maps known by name.
Known = Literal["tianditu", "tianditu-imagery", "gaode", "gaode-imagery", "osm"]


def _tianditu(name: str, name_en: str, ground: str, labels: str, key: str) -> BaseMap:
    below, above = (SecretStr(_TIANDITU.format(layer=layer, key=key)) for layer in (ground, labels))
    return BaseMap(
        name=name, name_en=name_en, url=below, labels=above, attribution="© 天地图 Tianditu", subdomains="01234567"
    )


def _gaode(name: str, name_en: str, ground: tuple[str, str], labels: tuple[str, str] | None = None) -> BaseMap:
    below = SecretStr(_GAODE.format(host=ground[0], query=ground[1]))
    above = SecretStr(_GAODE.format(host=labels[0], query=labels[1])) if labels else None
    return BaseMap(
        name=name, name_en=name_en, url=below, labels=above, attribution="© 高德地图 AutoNavi", datum="gcj02",
        subdomains="1234",
    )  # fmt: skip


def known_base_map(name: Known, tianditu_key: str) -> BaseMap:
    """A service known by name."""
    streets = ("webrd0{s}", "lang=zh_cn&size=1&scale=1&style=8")
    if name == "tianditu":
        return _tianditu("天地图", "Tianditu", "vec", "cva", tianditu_key)
    if name == "tianditu-imagery":
        return _tianditu("天地图影像", "Tianditu imagery", "img", "cia", tianditu_key)
    if name == "gaode":
        return _gaode("高德地图", "Gaode", streets)
    if name == "gaode-imagery":
        return _gaode("高德影像", "Gaode imagery", ("webst0{s}", "style=6"), ("webst0{s}", "style=8"))
    return BaseMap(
        name="OpenStreetMap", url=SecretStr("https://tile.openstreetmap.org/{z}/{x}/{y}.png"), max_zoom=19,
        attribution="© OpenStreetMap contributors, ODbL 1.0",
    )  # fmt: skip


class BaseMapSettings(BaseModel):
    """底图 Base maps"""

    base_maps: list[Known | BaseMap] = Field(
        default=[],
        max_length=12,
        description="地图提供的底图，或含 name、url 等的对象，见 [maps.md](maps.md)；不设则不向外请求。"
        " Base maps that maps offer, by name or as an object with name, url and more; unset: nothing is fetched.",
    )
    tianditu_key: SecretStr | None = Field(
        default=None, description="天地图的密钥。 Key of tianditu.gov.cn, for its base maps."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tianditu_key is None and any(str(one).startswith("tianditu") for one in self.base_maps):
            raise ValueError("base_maps: 天地图需要 INNOMAP_TIANDITU_KEY tianditu needs INNOMAP_TIANDITU_KEY")
        names = [one if isinstance(one, str) else one.name for one in self.base_maps]
        if len(set(names)) < len(names):
            raise ValueError("base_maps: 名称重复 two base maps have one name")
        return self

    @property
    def offered_base_maps(self) -> tuple[BaseMap, ...]:
        """The base maps in the order of the settings."""
        key = self.tianditu_key.get_secret_value() if self.tianditu_key else ""
        return tuple(known_base_map(one, key) if isinstance(one, str) else one for one in self.base_maps)
