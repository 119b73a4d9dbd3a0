"""Items as pages: the columns worth a table, what the small map shows, and the way on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from fastapi import Request
from fastapi.responses import Response

from app.api.html import embedded, page
from app.api.item_forms import Question
from app.api.links import Link, base, link
from app.catalog import Collection, Field
from app.queries.exports import FORMATS
from app.queries.features import DISTANCE
from app.queries.relations import UNCERTAIN

#: Columns of a table that a person reads across.
MOST_COLUMNS = 6
#: What is worth a column first, in this order; other fields follow in the catalog's.
FIRST_COLUMNS = (
    "kind", "indicator_name", "year", "printed", "unit", "layout_name", "role", "level", "status", "county_name",
    "area_km2", "land_area_km2", "industries", "definition", "schematic",
)  # fmt: skip
#: Said beside the name, or on an item's own page only.
NOT_IN_TABLES = (
    "name", "name_en", "name_en_source", "aliases", "layout_elements", "documents", "position_accuracy_m",
    "geometry_method", "value", "adcode",
)  # fmt: skip
#: Degrees within which an outline may be drawn otherwise on a small map, about 50 m.
TOLERANCE = 0.0005
#: Vertices of a small map, about a megabyte; with more, outlines are drawn more coarsely.
MOST_VERTICES = 50_000
#: Digits after the point on a small map: metres.
DIGITS = 5
#: A box round the seven counties.
PREFECTURE = shapely.box(120.2, 30.2, 121.7, 31.1)

Feature = dict[str, Any]


def items_page(
    request: Request,
    described: Collection,
    given: Mapping[str, str],
    body: Mapping[str, Any],
    links: Sequence[Link],
    names: Mapping[str, str],
    form: Sequence[Question],
    made: Mapping[str, str],
) -> Response:
    """A page of items; ``body`` is the FeatureCollection in CRS84, ``names`` says what codes stand for."""
    features = [_linked(request, described, one) for one in body["features"]]
    chosen = {name: value for name, value in given.items() if name not in ("f", "lang", "limit", "offset", "cursor")}
    kept = {name: value for name, value in given.items() if name not in ("f", "lang")}
    export = {name: value for name, value in chosen.items() if name != "crs"}
    return page(
        request, "items.html", headers=made, collection=described, body=body, features=features, chosen=chosen,
        columns=_columns(described, features, chosen), drawn=_drawn(request, features), names=names, form=form,
        links={one["rel"]: one["href"] for one in links},
        json_address=link(request, f"/collections/{described.id}/items", "", "", "", {**kept, "f": "json"})["href"],
        exports={one: link(request, f"/exports/{described.id}.{one}", "", "", "", export)["href"] for one in FORMATS},
        map_address=_map_address(request, described, chosen),
    )  # fmt: skip


def _map_address(request: Request, described: Collection, chosen: Mapping[str, str]) -> str | None:
    """The large map of the same choice; there is none of the nearest, which a map cannot know piece by piece."""
    if "nearest" in chosen:
        return None
    kept = {name: value for name, value in chosen.items() if name not in ("crs", "properties", "sortby")}
    return link(request, f"/maps/layers/{described.id}", "", "", "", kept)["href"]


def item_page(
    request: Request, described: Collection, feature: Feature, names: Mapping[str, str], made: Mapping[str, str]
) -> Response:
    """The page of one item; ``feature`` is in CRS84."""
    shown = _linked(request, described, feature)
    address = link(request, f"/collections/{described.id}/items/{feature['id']}", "", "", "", {"f": "json"})["href"]
    return page(
        request, "item.html", headers=made, collection=described, feature=shown, json_address=address,
        rows=_rows(described, feature["properties"]), drawn=_drawn(request, [shown]), names=names,
    )  # fmt: skip


def drawn_box(request: Request, box: Sequence[float], name: str) -> str:
    """What the small map of a collection shows: its extent."""
    outline: dict[str, Any] = json.loads(shapely.to_geojson(shapely.box(*box)))
    return _map(request, [{"geometry": outline, "names": [name], "schematic": True}])


def _linked(request: Request, described: Collection, feature: Feature) -> Feature:
    properties = feature["properties"]
    name = properties.get("name") or feature["id"]
    address = link(request, f"/collections/{described.id}/items/{feature['id']}", "", "", "")["href"]
    return {**feature, "name": name, "href": address}


def _columns(described: Collection, features: Sequence[Feature], chosen: Mapping[str, str]) -> list[Field]:
    """Fields that say something on this page, the telling ones first; a code gives way to its name.

    Where the question names ``properties``, all of these. A distance asked for is always among them.
    """
    all_names = {one.name for one in described.fields}
    found = []
    for one in (*described.fields, DISTANCE):
        if "properties" in chosen or (
            one.queryable and one.name not in NOT_IN_TABLES and f"{one.name}_name" not in all_names
        ):
            values = (feature["properties"].get(one.name) for feature in features)
            if one.name != "name" and any(value not in (None, [], False) for value in values):
                found.append(one)
    if "properties" in chosen:
        return found
    order = {name: place for place, name in enumerate((DISTANCE.name, *FIRST_COLUMNS))}
    return sorted(found, key=lambda one: order.get(one.name, len(order)))[:MOST_COLUMNS]


def _rows(described: Collection, properties: Mapping[str, Any]) -> list[tuple[Field, Any, Any]]:
    """Field, value and, for a code that has a name beside it, the code; empty ones are left out."""
    rows = []
    for one in described.fields:
        value, code = properties.get(one.name), None
        if described.field(f"{one.name}_name"):
            value, code = properties.get(f"{one.name}_name"), value
        elif one.name.endswith("_name") and described.field(one.name.removesuffix("_name")):
            continue
        if value is not None and value != []:
            rows.append((one, value, code))
    return rows


def _drawn(request: Request, features: Sequence[Feature]) -> str:
    """Geometries of a page, each once: many values of one region share its outline."""
    shapes: dict[str, dict[str, Any]] = {}
    for feature in features:
        if feature["geometry"] is None:
            continue
        properties = feature["properties"]
        key = json.dumps(feature["geometry"])
        shape = shapes.setdefault(
            key,
            {
                "names": [],
                "href": feature["href"],
                "schematic": bool(properties.get("schematic")),
                "uncertain": properties.get("geometry_method") in UNCERTAIN,
            },
        )
        if feature["name"] not in shape["names"]:
            shape["names"].append(feature["name"])
    pairs = zip(_simple(shapely.from_geojson(list(shapes))), shapes.values(), strict=True)
    return _map(request, [{**shape, "geometry": json.loads(shapely.to_geojson(outline))} for outline, shape in pairs])


def _simple(outlines: Any) -> Any:
    """Outlines as a small map shows them: as coarse as there are many; what is too small to be drawn is a box."""
    tolerance, simple = TOLERANCE, _coarser(outlines, TOLERANCE)
    while shapely.get_num_coordinates(simple).sum() > MOST_VERTICES and tolerance < 1:
        tolerance *= 4
        simple = _coarser(simple, tolerance) if tolerance < 1 else shapely.envelope(simple)
    return shapely.transform(simple, lambda pairs: pairs.round(DIGITS))


def _coarser(outlines: Any, tolerance: float) -> Any:
    # that an outline does not cross itself would take ten times as long to see to, and shows at no scale of this map
    simple = shapely.simplify(outlines, tolerance, preserve_topology=False)
    return np.where(shapely.is_empty(simple), shapely.envelope(outlines), simple)


def _beyond(geometry: Any) -> bool:
    """Whether a shape leaves the prefecture."""
    return not bool(shapely.within(shapely.from_geojson(json.dumps(geometry)), PREFECTURE))


def _map(request: Request, shapes: Sequence[Mapping[str, Any]]) -> str:
    """The small map's data, fit to stand inside a ``script`` element."""
    layers = ["cities", "counties"] if any(_beyond(one["geometry"]) for one in shapes) else ["counties"]
    ground = [f"{base(request)}/collections/{layer}/items?f=json&properties=name" for layer in layers]
    return embedded({"ground": ground, "shapes": list(shapes)})
