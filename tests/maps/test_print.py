"""The maps to print, on the data of the plans: the same bytes each time, nothing hidden, nothing cut."""

import asyncio
import re
import struct
from itertools import combinations
from pathlib import Path

import httpx
import pytest
import shapely
import sqlalchemy as sa
from click.testing import CliRunner
from shapely.geometry import box

from app import cli
from app.db.engine import reader, snapshot
from app.maps import print_sheet, symbols
from app.maps.paper import SIZES, FontMissing
from app.maps.print import PrintedMap, print_map
from app.maps.print_sheet import MARGIN, wrapped
from app.queries.layouts import LayoutRows, layout_rows, layouts
from app.settings import get_settings
from tests.conftest import settings_for

LANGUAGES = ("zh", "en")
HOSTILE = "<img src=x onerror=alert(1)> $a$ & “"


def read(url: sa.URL) -> dict[str, LayoutRows]:
    """The rows of every layout by its id."""

    async def all_rows() -> dict[str, LayoutRows]:
        engine = reader(url, settings_for(url))
        async with snapshot(engine) as connection:
            found = {one["id"]: await layout_rows(connection, one["id"]) for one in await layouts(connection)}
        await engine.dispose()
        return found

    return asyncio.run(all_rows())


@pytest.fixture(scope="module")
def data(loaded_url: sa.URL) -> dict[str, LayoutRows]:
    return read(loaded_url)


def shown(rows: LayoutRows) -> list[dict[str, object]]:
    """The platforms that have a symbol: members, and every institute."""
    members = {one.get("platform") for row in rows.elements for one in row["members"] or ()}
    return [
        row
        for row in rows.platforms
        if row["id"] in members or symbols.platform_symbol(row["kind"]) is symbols.INSTITUTE
    ]


def words(drawn: PrintedMap) -> list[str]:
    return [text for text, _ in drawn.sheet.words]


@pytest.mark.parametrize(("size", "lang"), [("A4", "zh"), ("A4", "en"), ("A3", "en")])
def test_nothing_is_cut_and_nothing_hides_another(data: dict[str, LayoutRows], size: str, lang: str) -> None:
    for layout, rows in data.items():
        drawn = print_map(rows, "0123abcd", size, lang)
        width, height = SIZES[size]
        page = box(MARGIN, MARGIN, width - MARGIN, height - MARGIN).buffer(0.5)
        outside = [text for text, covered in drawn.sheet.words if not page.covers(covered)]
        assert outside == [], layout
        overlaps = [
            (one[0], other[0])
            for one, other in combinations(drawn.sheet.words, 2)
            if one[1].intersection(other[1]).area > 0.02
        ]
        assert overlaps == [], layout
        taken = [*drawn.discs, *(word.covered for word in drawn.words)]
        assert all(drawn.frame.covers(one) for one in taken), layout
        column = "name_en" if lang == "en" else "name"
        away = [row for row in shown(rows) if row[column] in drawn.legend.elsewhere]
        assert len(drawn.discs) == len(shown(rows)) - len(away) > 5, layout
        tree = shapely.STRtree(taken)
        pairs = [(a, b) for a, b in tree.query(taken, "intersects").T if a < b]
        assert [pair for pair in pairs if taken[pair[0]].intersection(taken[pair[1]]).area > 1e-6] == [], layout


@pytest.mark.parametrize("extension", ["png", "svg", "pdf"])
def test_the_same_data_give_the_same_bytes(data: dict[str, LayoutRows], extension: print_sheet.Format) -> None:
    rows = data["jiashan-1-4-n"]
    first, second = (print_map(rows, "0123abcd", "A4", "zh").file(extension) for _ in range(2))
    assert first == second
    other = print_map(rows, "4567cdef", "A4", "zh").file(extension)
    assert other != first


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_division_and_every_element_drawn_is_named(data: dict[str, LayoutRows], lang: str) -> None:
    rows = data["jiaxing-corridor-core-zones"]
    named = [word.text for word in print_map(rows, "0123abcd", "A4", lang).words]
    column = "name_en" if lang == "en" else "name"
    units = [re.sub(" (County|District|City)$", "", row[column]) for row in rows.ground if row["part"] == "unit"]
    elements = [row[column] for row in rows.elements if row["shape"] in ("band", "hull", "circle")]
    assert len(units) == 7
    assert len(elements) == 2
    assert set(units + elements) <= set(named)


def test_the_legend_has_every_symbol_and_the_plans_own_lists(data: dict[str, LayoutRows]) -> None:
    rows = data["jiaxing-corridor-core-zones"]
    drawn = print_map(rows, "0123abcd", "A4", "zh")
    legend = {entry.symbol.id: entry for entry in drawn.legend.entries}
    assert list(legend) == ["corridor", "axis", "core", "lake", "park", "place", "institute"]
    names = {row["id"]: row["name"] for row in rows.platforms}
    for element, symbol in (("jx-zone-lakes", symbols.LAKE), ("jx-zone-hightech", symbols.PARK)):
        members = next(row["members"] for row in rows.elements if row["id"] == element)
        expected = [(str(number), names[one["platform"]]) for number, one in enumerate(members, 1)]
        assert len(expected) == 8
        assert legend[symbol.id].items == expected
    text = "\n".join(words(drawn))
    for entry in legend.values():
        assert f"{entry.symbol.name} {entry.symbol.name_en}" in text
        for _, name in entry.items:
            assert name in text
    # numbers stand on the map and in the list
    assert [words(drawn).count(str(number)) for number in (1, 8)] == [4, 4]


def test_the_sheet_says_when_whence_and_what_it_is_not(data: dict[str, LayoutRows]) -> None:
    rows = data["jiaxing-corridor-core-zones"]
    text = "".join(words(print_map(rows, "0123abcd", "A4", "zh")))
    assert rows.changed.date().isoformat() in text
    assert "0123abcd" in text
    assert "无审图号" in text
    assert "嘉兴市科技创新发展“十四五”规划" in text
    assert "235 行" in text
    assert "ODbL 1.0" in text
    assert "EPSG:4549" in text


def test_a_hostile_name_is_text(data: dict[str, LayoutRows]) -> None:
    rows = data["jiaxing-corridor-core-zones"]
    hostile = [{**row, "name": HOSTILE} if row["role"] == "core" else row for row in rows.elements]
    changed = LayoutRows(rows.layout, rows.ground, hostile, rows.platforms, rows.kinds, rows.spoken, rows.changed)
    drawn = print_map(changed, "0123abcd", "A4", "zh")
    assert HOSTILE in [word.text for word in drawn.words]
    assert b"<img" not in drawn.file("svg")


def test_lines_break_within_their_width() -> None:
    text = "行政区轮廓，仅供参考 Outlines: for reference, not an approved map. Donaudampfschifffahrtsgesellschaft"
    for width in (12.0, 30.0, 60.0):
        lines = wrapped(text, width, 8.0)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(print_sheet.text_width(line, 8.0) <= width for line in lines)


def test_without_a_chinese_font_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(print_sheet, "FONTS", ("No Such Font",))
    monkeypatch.setattr(print_sheet.font_manager, "findSystemFonts", lambda: [])
    print_sheet.font_family.cache_clear()
    with pytest.raises(FontMissing, match="fonts-noto-cjk"):
        print_sheet.font_family()
    print_sheet.font_family.cache_clear()


@pytest.mark.parametrize(("size", "pixels"), [("A4", (3508, 2480)), ("A3", (4961, 3508))])
def test_a_picture_has_300_pixels_an_inch(client: httpx.Client, size: str, pixels: tuple[int, int]) -> None:
    answer = client.get(f"/maps/jiashan.png?size={size}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    assert struct.unpack(">II", answer.content[16:24]) == pixels
    again = client.get(f"/maps/jiashan.png?size={size}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_document_carries_its_fonts(client: httpx.Client) -> None:
    answer = client.get("/maps/haining.pdf?system=corridor-two-cities&lang=en")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    # Chromium shows it in a plug-in that the pages' policy would stop
    assert answer.headers["content-security-policy"] == "script-src 'none'; frame-ancestors 'self'"
    fonts = re.findall(rb"/Subtype /(Type\d|TrueType)\b", answer.content)
    assert set(fonts) == {b"Type3"}
    assert b"NotoSansCJKsc" in answer.content
    assert b"/CreationDate" not in answer.content
    media = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", answer.content)
    assert media
    assert (float(media[1]), float(media[2])) == pytest.approx((841.9, 595.3), abs=0.2)


@pytest.mark.parametrize(
    ("path", "status", "parameter", "allowed"),
    [
        ("/maps/jiaxin.png", 404, "mapId", "jiaxing"),
        ("/maps/jiaxing.gif", 404, "extension", "png"),
        ("/maps/jiaxing.png?size=A0", 400, "size", "A3"),
        ("/maps/jiaxing.png?lang=fr", 400, "lang", "en"),
        ("/maps/haining.svg?system=corridor", 400, "system", "corridor-two-cities"),
        ("/maps/jiaxing.pdf?dpi=600", 400, "dpi", "size"),
    ],
)
def test_what_is_wrong_is_named(client: httpx.Client, path: str, status: int, parameter: str, allowed: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["parameter"] == parameter
    assert allowed in answer.json()["allowed"]


def test_the_command_writes_a_whole_file_or_none(
    loaded_url: sa.URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", loaded_url.render_as_string(hide_password=False))
    get_settings.cache_clear()
    target = tmp_path / "map.pdf"
    target.write_bytes(b"older")
    run = CliRunner().invoke(cli.main, ["map", "nowhere", "--out", str(target)])
    assert run.exit_code == 1
    assert "nowhere" in run.output
    assert target.read_bytes() == b"older"
    run = CliRunner().invoke(cli.main, ["map", "jiashan", "--out", str(target), "--size", "A4", "--lang", "en"])
    assert run.exit_code == 0, run.output
    assert target.read_bytes().startswith(b"%PDF-")
    assert [one.name for one in tmp_path.iterdir()] == ["map.pdf"]
    get_settings.cache_clear()
