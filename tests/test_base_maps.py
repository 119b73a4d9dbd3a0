"""Base maps in the settings: what is refused, what a policy has to allow, and that keys stay unsaid."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from app.settings import Settings

KEY = "0123456789geheim"
OWN = {"name": "内网影像", "url": f"http://gis.intranet:8080/wmts/{{TileMatrix}}/{{TileRow}}/{{TileCol}}.png?tk={KEY}"}


def given(monkeypatch: pytest.MonkeyPatch, *base_maps: Any) -> Settings:
    monkeypatch.setenv("INNOMAP_BASE_MAPS", json.dumps(base_maps))
    return Settings()


def test_none_by_default() -> None:
    assert Settings().offered_base_maps == ()


def test_services_known_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INNOMAP_TIANDITU_KEY", KEY)
    names = ("tianditu", "tianditu-imagery", "gaode", "gaode-imagery", "osm")
    offered = given(monkeypatch, *names).offered_base_maps
    assert [one.datum for one in offered] == ["wgs84", "wgs84", "gcj02", "gcj02", "wgs84"]
    assert [len(one.templates) for one in offered] == [2, 2, 1, 2, 1]
    assert all(KEY in url for one in offered[:2] for url in one.templates)
    assert offered[0].origins == tuple(f"https://t{number}.tianditu.gov.cn" for number in range(8))
    assert offered[2].origins == tuple(f"https://webrd0{number}.is.autonavi.com" for number in range(1, 5))
    assert all(one.attribution for one in offered)


def test_one_of_the_intranet(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = given(monkeypatch, OWN).offered_base_maps
    assert one.templates == (f"http://gis.intranet:8080/wmts/{{z}}/{{y}}/{{x}}.png?tk={KEY}",)
    assert one.origins == ("http://gis.intranet:8080",)


@pytest.mark.parametrize(
    "changed",
    [
        {"url": f"ftp://host/{{z}}/{{x}}/{{y}}?{KEY}"},
        {"url": f"https://host/{KEY}/{{z}}/{{x}}"},
        {"url": f"https://host/{{z}}/{{x}}/{{y}}?{{{KEY}}}"},
        {"url": f"https://user:{KEY}@host/{{z}}/{{x}}/{{y}}"},
        {"url": f"https://host; script-src *;/{{z}}/{{x}}/{{y}}?{KEY}"},
        {"url": f"javascript:{KEY}//{{z}}{{x}}{{y}}"},
        {"datum": "bd09"},
        {"max_zoom": 99},
        {"name": ""},
        {"key": KEY},
    ],
    ids=lambda changed: "-".join(changed),
)
def test_what_is_wrong_is_refused_without_quoting_it(monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="base_maps") as refused:
        given(monkeypatch, {**OWN, **changed})
    assert KEY not in str(refused.value)


def test_tianditu_needs_a_key_and_names_are_different(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="INNOMAP_TIANDITU_KEY"):
        given(monkeypatch, "tianditu")
    with pytest.raises(ValidationError, match="one name"):
        given(monkeypatch, "osm", "osm")


def test_keys_are_not_in_the_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INNOMAP_TIANDITU_KEY", KEY)
    settings = given(monkeypatch, "tianditu", OWN)
    assert KEY not in f"{settings!r} {settings} {settings.offered_base_maps} {settings.model_dump_json()}"
