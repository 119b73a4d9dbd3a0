"""Charts over HTTP: targets beside actuals over time, and platforms by region and kind; each with its table."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.api import params
from app.api.answers import headers, represent
from app.api.html import wants_html
from app.api.language import language
from app.api.links import HTML, JSON, link
from app.api.openapi import documented
from app.api.problems import Problem, closest
from app.api.thematic_asked import regions
from app.catalog import COLLECTIONS
from app.catalog.common import PLANS
from app.catalog.indicators import REGION_INDICATOR_LAYERS
from app.db.engine import snapshot
from app.maps import wording
from app.maps.charts_progress import chart, progress, sample
from app.maps.classes import class_of, classify
from app.maps.thematic import WHERE
from app.queries import thematic
from app.queries.thematic import COMPARED, Over, Row

router = APIRouter(tags=["charts"])
LAYERS = (*REGION_INDICATOR_LAYERS, "platform", "indicator_label")
#: Regions that platforms lie in; areas are seats.
OVERS: tuple[Over, ...] = ("counties", "cities")
TITLE = "图表 Charts"
PROGRESS = ("indicator", "region", "platform", "f", "lang")
CELL = (
    "year_from", "year", "kind", "operator", "printed", "value", "note", "unit_corrected", "correction_reason",
    "document", "title", "title_en", "section", "line_start", "line_end",
)  # fmt: skip


def _representation(request: Request, given: Mapping[str, str]) -> str:
    params.formats(given, "json", "html")
    return "html" if wants_html(request, given) else "json"


def _links(request: Request, path: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        link(request, path, "self", JSON, "本图数据 The data of this chart", {**query, "f": "json"}),
        link(request, path, "alternate", HTML, "网页 As a page", {**query, "f": "html"}),
    ]


@router.get("/charts", openapi_extra=documented("charts"))
async def get_charts(request: Request) -> Response:
    """图表一览：哪些指标既有实际又有目标。 The charts there are: indicators with both actuals and targets."""
    given = params.only(request, ("f", "lang"))
    kind = _representation(request, given)
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, LAYERS, kind)
        found = await thematic.told_and_aimed_at(connection)
    body = {"title": TITLE, "items": found, "links": _links(request, "/charts", {})}
    subjects: dict[str, list[Row]] = {}
    for row in found:
        subjects.setdefault(row["subject"], []).append(row)
    # those of whom most is told first
    ordered = sorted(subjects.values(), key=lambda rows: (-len(rows), rows[0]["subject"]))
    return represent(request, given, body, "charts.html", made, subjects=ordered, words=wording, wheres=WHERE)


@router.get("/charts/progress", openapi_extra=documented("progress_chart"))
async def get_progress(request: Request) -> Response:
    """目标与实际：各文件所载，逐年。 Targets beside actuals over the years, as each document has them."""
    given = params.only(request, PROGRESS)
    kind = _representation(request, given)
    if "indicator" not in given:
        raise Problem(400, "须给出指标。 An indicator is required, see /indicators.", parameter="indicator")
    if "region" in given and "platform" in given:
        raise Problem(
            400, "region 与 platform 只能用其一。 Use region or platform, not both.", parameter="platform"
        )  # fmt: skip
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, LAYERS, kind)
        indicator = await thematic.indicator(connection, given["indicator"])
        if indicator is None:
            raise Problem(404, f"没有指标 {given['indicator']!r}。 No such indicator.", parameter="indicator")
        rows = await thematic.printed(connection, indicator["id"])
    subjects = _subjects(rows)
    subject = _subject(given, subjects)
    own = subjects[subject]
    first = own[0]
    parameter = "region" if first["region"] else "platform"
    told = progress(own)
    titles = (
        f"{first['name']}：{indicator['name']}，目标与实际",
        f"{first['name_en']}: {indicator['name_en']}, targets and actuals",
    )
    unit = wording.unit(indicator["unit"])
    query = {"indicator": indicator["id"], parameter: subject}
    body = {
        "title": titles[0], "title_en": titles[1], "indicator": indicator["id"], parameter: subject,
        "name": first["name"], "name_en": first["name_en"], "unit": indicator["unit"], "better": indicator["better"],
        "items": [{name: row[name] for name in CELL} for row in own],
        "not_comparable": indicator["not_comparable"], "attribution": [PLANS],
        "links": _links(request, "/charts/progress", query),
    }  # fmt: skip
    lang = language(request)
    spoken = lang == "en"
    drawn = chart(told, titles[spoken], unit[spoken], lang) if kind == "html" and told.points else None
    return represent(
        request, given, body, "charts_progress.html", made, title=titles[spoken], chart=drawn, told=told, unit=unit,
        rows=own, subject=subject, subjects={key: ones[0] for key, ones in subjects.items()}, indicator=indicator,
        words=wording, sample=sample,
    )  # fmt: skip


def _subjects(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by the region or platform they are of, those with most numbers first; a value of nobody has no chart."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if row["subject"]:
            found.setdefault(row["subject"], []).append(row)

    def told(rows: Sequence[Row]) -> int:
        return len({(row["year"], row["kind"]) for row in rows if row["value"] is not None})

    return dict(sorted(found.items(), key=lambda one: (-told(one[1]), one[0])))


def _subject(given: Mapping[str, str], subjects: Mapping[str, Sequence[Row]]) -> str:
    """The region or platform asked for by id or name, else the one of which most is printed."""
    asked = next((one for one in ("region", "platform") if one in given), None)
    if asked is None:
        found = next(iter(subjects), None)
        if found is None:
            raise Problem(404, "这个指标没有数值。 This indicator has no value.", parameter="indicator")
        return found
    known = {key: rows[0] for key, rows in subjects.items() if rows[0][asked]}
    named = next((key for key, row in known.items() if given[asked] in (key, row["name"])), None)
    if named is None:
        raise Problem(
            400, f"{given[asked]!r} 没有这个指标的数值。 {given[asked]!r} has no value of this indicator."
            f"{closest(given[asked], known)}", parameter=asked, allowed=known,
        )  # fmt: skip
    return named


@router.get("/charts/platforms", openapi_extra=documented("platform_chart"))
async def get_platforms(request: Request) -> Response:
    """各地各类平台数。 Platforms by region and kind; every count leads to the items."""
    given = params.only(request, ("over", "f", "lang"))
    kind = _representation(request, given)
    over = params.choice(given, "over", OVERS)
    platforms = COLLECTIONS["platforms"]
    async with snapshot(request.app.state.reader) as connection:
        made = await headers(request, connection, platforms.layers, kind)
        compared = await regions(connection, over)
        kinds = await thematic.kinds(connection)
        counted = await thematic.matrix(connection, over)
    level = COMPARED[over][0]
    places = [(row["id"], row["name"], row["name_en"]) for row in compared.rows]
    places.append(("", "其他地区或无位置", "elsewhere, or no position"))
    ids = {row["id"] for row in compared.rows}
    cells: dict[tuple[str, str], int] = {}
    for (region, of), number in counted.items():
        key = (region if region and region in ids else "", of)
        cells[key] = cells.get(key, 0) + number
    items = [
        {"region": region or None, "name": name, "name_en": name_en,
         "counts": {one["id"]: cells.get((region, one["id"]), 0) for one in kinds},
         "total": sum(cells.get((region, one["id"]), 0) for one in kinds)}
        for region, name, name_en in places
    ]  # fmt: skip
    body = {
        "title": "各地各类创新平台数", "title_en": "Innovation platforms by region and kind", "over": over,
        "relation": "position", "kinds": kinds, "items": items, "total": sum(one["total"] for one in items),
        "attribution": platforms.credits, "links": _links(request, "/charts/platforms", {"over": over}),
    }  # fmt: skip
    shaded = [float(number) for (region, _), number in cells.items() if region]
    classes = classify(shaded, "jenks")
    shades = {int(number): class_of(number, classes) + 1 for number in set(shaded)}
    return represent(
        request, given, body, "charts_platforms.html", made, level=level, shades=shades, classes=classes,
        wheres=WHERE, overs=OVERS,
    )  # fmt: skip
