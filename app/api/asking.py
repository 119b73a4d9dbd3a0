"""The parameters that choose items, as a ``Selection``; what OGC API – Features and this service's extensions ask."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.concurrency import run_in_threadpool

from app import crs as reference_systems
from app import filters
from app.api import params, schemas
from app.api.problems import Problem, closest
from app.catalog import COLLECTIONS, Collection, Field
from app.crs import CRS84, Crs, OutsideArea, UnknownCrs
from app.queries import codes, relations
from app.queries.features import View
from app.queries.industries import narrower
from app.queries.layouts import parts
from app.queries.places import AmbiguousPlace, NotAnArea, Place, UnknownPlace, find_corridor, find_place
from app.queries.relations import RELATIONS, Columns, Relation
from app.queries.selection import Along, Box, Near, Selection

#: Parameters every collection has, beside one per queryable property.
SELECTING = (
    "bbox", "bbox-crs", "datetime", "filter", "filter-lang", "filter-crs", "within", "relation",
)  # fmt: skip
#: Those of collections whose items have an anchor point.
DISTANCE = ("near", "distance", "nearest", "k", "along", "uncertain")
PLATFORM = ("industry", "industry_contains", "industry_under", "layout_element")
VIEWING = ("crs", "properties", "sortby")
MAX_NEAREST = 1000
#: No two places on Earth are farther apart.
FARTHEST = 20_037_508.0
LANGUAGES: tuple[filters.Language, ...] = ("cql2-text", "cql2-json")


@lru_cache(500)
def selecting(described: Collection) -> tuple[str, ...]:
    """Names of the parameters that choose items of a collection."""
    names: tuple[str, ...] = SELECTING
    if described.has_position:
        names += DISTANCE
    if described.field("industries"):
        names += PLATFORM
    return names + tuple(one.name for one in described.queryables)


#: Parameters whose answer depends on places and lists beside the collection's own rows.
REFERRING = ("within", "along", "filter", "industry", "industry_under", "layout_element")


def refers(described: Collection, given: Mapping[str, str], expression: filters.Expression | None = None) -> bool:
    """Whether a parameter may name what must be looked up: places of any layer, codes, industries.

    ``expression`` is the filter, where it was read already: most name no place.
    """
    named = _referring(described) & given.keys()
    return bool(named - {"filter"} if expression and not expression.places else named)


@lru_cache(500)
def _referring(described: Collection) -> frozenset[str]:
    return frozenset((*REFERRING, *(one.name for one in described.fields if one.refers)))


def layers(
    described: Collection, given: Mapping[str, str], expression: filters.Expression | None = None
) -> Sequence[str]:
    """The layers an answer is read from; a parameter may name places of any."""
    return COLLECTIONS.layers if refers(described, given, expression) else described.layers


@dataclass(frozen=True)
class Question:
    """A selection, and what its answer says of how it was understood."""

    selection: Selection
    said: Mapping[str, Any]


async def question(
    connection: AsyncConnection,
    described: Collection,
    given: Mapping[str, str],
    expression: filters.Expression | None = None,
    intersects: str | None = None,
) -> Question:
    """The selection that the parameters ask for; their names are checked already.

    ``expression`` and ``intersects`` (EWKT) come from a posted body, in place of ``filter``.
    """
    asked = None if expression or intersects else _in_words(described, given)
    # a wrong value is refused even where nothing needs it
    bbox_crs, filter_crs = _crs(given, "bbox-crs"), _crs(given, "filter-crs")
    params.choice(given, "filter-lang", LANGUAGES)
    if "datetime" in given:
        _datetime(given["datetime"])
    terms = _listed(given, "industry")
    if terms:
        terms = await meant(connection, "industry", "term", terms)
    broader = _listed(given, "industry_under")
    if broader:
        broader = await narrower(connection, await meant(connection, "industry_under", "industry", broader))
    elements = _listed(given, "layout_element")
    if elements:
        elements = await parts(connection, await meant(connection, "layout_element", "layout_element", elements))
    near, along = _near(given), None
    if "along" in given:
        corridor = await _found("along", find_corridor(connection, given["along"]))
        along = Along(corridor, _metres(given, "along"))
    within = [await _found("within", find_place(connection, part)) for part in _listed(given, "within")]
    expression = expression or await filtered(given)
    where = None
    if expression is not None:
        where = await _compiled(connection, described, expression, filter_crs)
    selection = Selection(
        described,
        bbox=_bbox(given["bbox"], bbox_crs) if "bbox" in given else None,
        filters=await filtering(connection, described.queryables, given),
        industries=[*terms, *broader],
        industry_parts=_listed(given, "industry_contains"),
        layout_elements=elements,
        within=within,
        relation=_relation(described, given),
        near=near,
        along=along,
        uncertain=params.choice(given, "uncertain", ("exclude", "include")) == "include",
        intersects=intersects,
        where=where,
        reads=expression.reads if expression else frozenset(),
        asked=asked,
    )
    return Question(selection, _said(selection, broader))


def _in_words(described: Collection, given: Mapping[str, str]) -> str:
    """The parameters that choose items, in one order."""
    known = selecting(described)
    return str(sorted((name, value) for name, value in given.items() if name in known))


def _said(selection: Selection, broader: Sequence[str]) -> dict[str, Any]:
    """What an answer says of itself: relation used, places meant, whether by a drawing, credits."""
    said: dict[str, Any] = {"relation": selection.relation}
    if selection.within:
        said["within"] = [{"collection": p.collection, "id": p.id, "name": p.name} for p in selection.within]
    if selection.along:
        corridor = selection.along.corridor
        said["along"] = {"collection": corridor.collection, "id": corridor.id, "name": corridor.name}
    if broader:
        said["industries"] = list(broader)
    if selection.layout_elements:
        said["layout_elements"] = list(selection.layout_elements)
    if selection.near or selection.along:
        said["uncertain"] = "include" if selection.uncertain else "exclude"
    if selection.schematic:
        said["schematic"] = True
    said["attribution"] = list(selection.collection.credits)
    return said


async def filtering(
    connection: AsyncConnection, queryables: Sequence[Field], given: Mapping[str, str]
) -> dict[str, Sequence[Any]]:
    """Values asked for by property, in the property's type; names of what has a code become the codes."""
    found = params.filters(queryables, given)
    for one in queryables:
        if one.refers and one.name in found:
            found[one.name] = await meant(connection, one.name, one.refers, found[one.name])
    return found


async def meant(connection: AsyncConnection, parameter: str, sort: str, values: Sequence[str]) -> list[str]:
    """The codes that the values are, or are names of; a value that is neither is a problem with candidates."""
    try:
        return await codes.meant(connection, sort, values)
    except codes.UnknownCode as error:
        raise Problem(400, str(error), parameter=parameter, allowed=error.candidates) from None


def view(described: Collection, given: Mapping[str, str]) -> View:
    """How the items are to be shown."""
    chosen = tuple(_listed(given, "properties")) if "properties" in given else None
    for name in chosen or ():
        if described.field(name) is None:
            raise _no_property("properties", name, described.fields)
    order = []
    for part in _listed(given, "sortby"):
        name, sortable = part.lstrip("+-"), schemas.sortable(described)
        if described.field(name) not in sortable:
            raise _no_property("sortby", name, sortable)
        order.append((name, part.startswith("-")))
    return View(_crs(given, "crs"), chosen, tuple(order))


def _no_property(parameter: str, name: str, fields: Sequence[Field]) -> Problem:
    names = [one.name for one in fields]
    detail = f"没有属性 {name!r}。 No property {name!r}.{closest(name, names)}"
    return Problem(400, detail, parameter=parameter, allowed=names)


def _listed(given: Mapping[str, str], name: str) -> list[str]:
    return params.parts(name, given[name]) if name in given else []


def _crs(given: Mapping[str, str], name: str) -> Crs:
    if name not in given:
        return CRS84
    try:
        return reference_systems.find(given[name])
    except UnknownCrs as error:
        raise Problem(400, str(error), parameter=name, allowed=error.allowed) from None


def _bbox(text: str, crs: Crs) -> Box:
    """Four numbers, or six with heights (ignored), in the axis order of the reference system; result in degrees."""
    numbers = [params.number("bbox", part) for part in text.split(",")]
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4:
        raise Problem(400, "须为四个数：西,南,东,北。 Must be four numbers: west,south,east,north.", parameter="bbox")
    one, two, three, four = numbers
    west, south, east, north = (two, one, four, three) if crs.flipped else (one, two, three, four)
    if south > north or (crs.unit == "metre" and west > east):
        raise Problem(400, "南不得大于北。 The lower corner must come first.", parameter="bbox")
    if crs.unit == "degree" and not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise Problem(400, "须在 ±180、±90 度以内。 Must lie within ±180 and ±90 degrees.", parameter="bbox")
    try:
        return reference_systems.to_wgs84_bbox((one, two, three, four), crs)
    except OutsideArea as error:
        raise Problem(400, str(error), parameter="bbox") from None


#: RFC 3339 date-times, dates, or half-open intervals of them.
_INSTANT = r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))?"


def _datetime(text: str) -> None:
    """Check the parameter; no collection has a temporal property, so that it selects everything (/req/core/fc-time)."""
    ends = text.split("/")
    if len(ends) <= 2 and any(end not in ("", "..") for end in ends):
        try:
            instants = [datetime.fromisoformat(end) for end in ends if end not in ("", "..") and is_instant(end)]
        except ValueError:
            instants = []
        if len(instants) == sum(end not in ("", "..") for end in ends):
            return
    raise Problem(
        400, "须为 RFC 3339 时刻或区间。 Must be an RFC 3339 date-time or an interval of two.", parameter="datetime"
    )


def is_instant(text: str) -> bool:
    """Whether a text is a date or date-time of RFC 3339."""
    return re.fullmatch(_INSTANT, text) is not None


def _relation(described: Collection, given: Mapping[str, str]) -> Relation:
    relation = params.choice(given, "relation", RELATIONS)
    if relation == "declared" and described.field("declared_county") is None:
        raise Problem(
            400, f"{described.id} 没有文件所称的县。 {described.id} has no county that a document names.",
            parameter="relation", allowed=RELATIONS[:2],
        )  # fmt: skip
    return relation


def _near(given: Mapping[str, str]) -> Near | None:
    if "near" in given and "nearest" in given:
        raise Problem(400, "near 与 nearest 只能用其一。 Use near or nearest, not both.", parameter="nearest")
    if "distance" in given and not ("near" in given or "along" in given):
        raise Problem(400, "distance 须与 near 或 along 同用。 Goes with near or along.", parameter="distance")
    if "k" in given and "nearest" not in given:
        raise Problem(400, "k 须与 nearest 同用。 Goes with nearest.", parameter="k")
    if "near" in given:
        lon, lat = _point("near", given["near"])
        return Near(lon, lat, metres=_metres(given, "near"))
    if "nearest" in given:
        lon, lat = _point("nearest", given["nearest"])
        k = params.whole("k", given.get("k", "1"), 1)
        if k > MAX_NEAREST:
            raise Problem(400, f"至多 {MAX_NEAREST}。 At most {MAX_NEAREST}.", parameter="k")
        return Near(lon, lat, nearest=k)
    return None


def _point(name: str, text: str) -> tuple[float, float]:
    numbers = [params.number(name, part) for part in text.split(",")]
    if len(numbers) != 2 or not (-180 <= numbers[0] <= 180 and -90 <= numbers[1] <= 90):
        raise Problem(400, "须为经度,纬度（度）。 Must be longitude,latitude in degrees.", parameter=name)
    return numbers[0], numbers[1]


def _metres(given: Mapping[str, str], name: str) -> float:
    if "distance" not in given:
        raise Problem(400, f"{name} 须与 distance（米）同用。 Goes with {name}, in metres.", parameter="distance")
    metres = params.number("distance", given["distance"])
    if not 0 <= metres <= FARTHEST:
        detail = f"须在 0 与 {FARTHEST:.0f} 之间。 Must lie between 0 and {FARTHEST:.0f}."
        raise Problem(400, detail, parameter="distance")
    return metres


async def _found(parameter: str, search: Any) -> Place:
    """The place looked for, or the problem that says why there is none."""
    try:
        place: Place = await search
    except UnknownPlace as error:
        raise Problem(
            404, f"没有地点 {error}。 No place {error}.", parameter=parameter, allowed=error.candidates
        ) from None
    except AmbiguousPlace as error:
        detail = f"{error} 不止一处，请用代码。 {error} names several places: use an id."
        raise Problem(400, detail, parameter=parameter, allowed=error.candidates) from None
    except NotAnArea as error:
        raise Problem(400, str(error), parameter=parameter) from None
    return place


async def filtered(given: Mapping[str, str]) -> filters.Expression | None:
    """The parameter ``filter``, read."""
    if "filter" not in given:
        return None
    language = params.choice(given, "filter-lang", LANGUAGES)
    # long geometries take the parser up to a second: not in the loop that serves everybody
    return filters.remembered(given["filter"], language) or await run_in_threadpool(_parsed, given, language)


def _parsed(given: Mapping[str, str], language: filters.Language) -> filters.Expression:
    try:
        return filters.parse(given["filter"], language)
    except filters.FilterError as error:
        raise refused(error) from None


def refused(error: filters.FilterError) -> Problem:
    """A filter's error as a problem."""
    return Problem(400, str(error), parameter="filter", allowed=error.allowed or None)


@dataclass(frozen=True)
class _Relations:
    """What a filter's functions mean for the columns of a collection."""

    columns: Columns
    places: Mapping[tuple[str, str], Place]

    def within(self, place: str, relation: str) -> ColumnElement[bool]:
        meant = next(one for one in RELATIONS if one == relation)
        return relations.inside(self.places["within", place], meant, self.columns)

    def near(self, longitude: float, latitude: float, metres: float) -> ColumnElement[bool]:
        return self._at(relations.point(longitude, latitude), metres)

    def along(self, corridor: str, metres: float) -> ColumnElement[bool]:
        return self._at(relations.axis(self.places["along", corridor]), metres)

    def _at(self, target: ColumnElement[Any], metres: float) -> ColumnElement[bool]:
        close = relations.within_distance(target, metres, self.columns)
        return close & relations.certain(self.columns)


async def _compiled(
    connection: AsyncConnection, described: Collection, expression: filters.Expression, crs: Crs
) -> Callable[[Columns], ColumnElement[bool]]:
    """The filter as a condition; compiled once here, so that a fault in it is a 400."""
    finders = {"within": find_place, "along": find_corridor}
    places = {
        (function, text): await _found("filter", finders[function](connection, text))
        for function, text in sorted(expression.places)
    }

    def condition(columns: Columns) -> ColumnElement[bool]:
        meant = _Relations(columns, places)
        return filters.compile(expression, described.fields, columns, meant, crs)

    try:
        made = condition(described.columns)
    except filters.FilterError as error:
        raise refused(error) from None
    return lambda columns: made if columns is described.columns else condition(columns)
