"""What is published: every collection with its titles, columns and the tables it reads. Everything generic reads this.

``COLLECTIONS`` has those of the program and, behind them, those that stewards imported as the question at hand sees
them: whoever answers a question says so first (``COLLECTIONS.see``), and no other question notices.

A collection's ``rows`` is a select that gives ``id``, one column per field, ``geometry`` (what is drawn) and, where
the collection has them, ``position`` (the anchor point that questions of distance and containment use) and ``axis``.
"""

from collections.abc import Iterator, Mapping
from contextvars import ContextVar

from app.catalog.common import GENERAL, GEONAMES, OUTLINES, PLANS
from app.catalog.indicators import REGION_INDICATOR_FIELDS, REGION_INDICATOR_LAYERS, region_indicator_rows
from app.catalog.layouts import ELEMENT_FIELDS, LAYOUT_LAYERS, element_rows
from app.catalog.platforms import (
    PLATFORM_CREDITS,
    PLATFORM_FIELDS,
    PLATFORM_LAYERS,
    PLATFORM_REQUIRED,
    PLATFORM_WRITABLE,
    of_kinds,
    platform_rows,
)
from app.catalog.regions import REGION_FIELDS, REGION_LAYERS, TOWN_FIELDS, region_rows, town_rows
from app.catalog.types import Collection, Field, Type
from app.db import tables as t

__all__ = ["BUILT_IN", "COLLECTIONS", "DEFINITIONS", "Collection", "Field", "Type"]

BUILT_IN: Mapping[str, Collection] = {
    one.id: one
    for one in (
        Collection(
            "platforms", "创新平台", "Innovation platforms",
            "规划所列的全部创新平台：科创湖区、高新区、研发机构等；一处一行，出处逐条列明。",
            "Every innovation platform the plans name: science-lake districts, high-tech parks, institutes and others;"
            " one row a place, each mention with its source.",
            PLATFORM_FIELDS, platform_rows(), PLATFORM_LAYERS, PLATFORM_CREDITS,
            kept_as="platforms", written_in="platforms", writable=PLATFORM_WRITABLE, required=PLATFORM_REQUIRED,
        ),
        Collection(
            "lake_districts", "科创湖区", "Science-lake districts",
            "标志性“科创湖区”；图形是以公布面积画的示意圆，不是边界。",
            "Landmark science-lake districts; drawn as circles of the published area, schematic, not boundaries.",
            PLATFORM_FIELDS, of_kinds("lake_districts"), PLATFORM_LAYERS, PLATFORM_CREDITS, "Polygon",
            kept_as="platforms", written_in="platforms",
        ),
        Collection(
            "hightech_parks", "高新区", "High-tech parks",
            "高新技术产业园区及其目标任务；位置为点，无公开边界。",
            "High-tech parks with their targets; placed as points, no outline is public.",
            PLATFORM_FIELDS, of_kinds("hightech_parks"), PLATFORM_LAYERS, PLATFORM_CREDITS, "Point",
            kept_as="platforms", written_in="platforms",
        ),
        Collection(
            "research_institutes", "研发机构", "R&D institutes",
            "研究院、实验室等重点创新载体及其重点任务。",
            "Institutes and laboratories named as innovation carriers, with their tasks.",
            PLATFORM_FIELDS, of_kinds("research_institutes"), PLATFORM_LAYERS, PLATFORM_CREDITS, "Point",
            kept_as="platforms", written_in="platforms",
        ),
        Collection(
            "counties", "县（市、区）", "Counties",
            "嘉兴市七个县级行政区（全域，含钱塘江、杭州湾水面）。",
            "The seven county-level divisions of Jiaxing, full extent with the waters of Hangzhou Bay.",
            REGION_FIELDS, region_rows("county", t.region.c.geom), REGION_LAYERS, (OUTLINES,), "MultiPolygon",
            kept_as="counties",
        ),
        Collection(
            "counties_land", "县（市、区）陆域", "Counties, land only",
            "七个县级行政区的陆域；面积与密度用此层。",
            "The same seven divisions without the sea; the layer for areas and densities.",
            REGION_FIELDS, region_rows("county", t.region.c.land_geom), REGION_LAYERS, (OUTLINES,), "MultiPolygon",
            kept_as="counties_land",
        ),
        Collection(
            "cities", "设区市", "Cities",
            "浙江省十一个设区市（简化轮廓）。",
            "The eleven prefecture-level cities of Zhejiang, simplified outlines.",
            REGION_FIELDS, region_rows("city", t.region.c.geom), REGION_LAYERS, (OUTLINES,), "MultiPolygon",
            kept_as="cities",
        ),
        Collection(
            "towns", "镇（街道）驻地", "Town seats",
            "嘉兴市镇、街道驻地（点）；没有可用的镇界。",
            "Seats of the towns and subdistricts of Jiaxing as points; no licensed outline is at hand.",
            TOWN_FIELDS, town_rows(), REGION_LAYERS, (GEONAMES, GENERAL), "Point",
            kept_as="towns",
        ),
        Collection(
            "layout_elements", "空间布局要素", "Layout elements",
            "各规划空间布局的廊、核、区、段、节点等要素及其成员；图形均为示意，成员以文字为准。",
            "Corridors, cores, zones, sections and nodes of each plan's spatial layout, with their members; every shape"
            " is schematic, members are those the text names.",
            ELEMENT_FIELDS, element_rows(t.layout_element.c.geom), LAYOUT_LAYERS, (PLANS, GENERAL),
            kept_as="layout_elements",
        ),
        Collection(
            "corridors", "科创走廊轴线", "Corridor axes",
            "空间布局中走廊的轴线（示意）；廊带见空间布局要素。",
            "The axes of the layouts' corridors, schematic; the bands are among the layout elements.",
            ELEMENT_FIELDS,
            element_rows(t.layout_element.c.axis, t.layout_element.c.axis.is_not(None)),
            LAYOUT_LAYERS, (PLANS, GENERAL), "LineString",
            kept_as="corridors",
        ),
        Collection(
            "region_indicators", "地区指标", "Indicators by region",
            "地区的指标值（以地区轮廓或驻地为图形），可直接制专题图。",
            "Indicator values of regions, on the region's outline or seat: ready for thematic maps.",
            REGION_INDICATOR_FIELDS, region_indicator_rows(), REGION_INDICATOR_LAYERS, (PLANS, OUTLINES),
            kept_as="region_indicators",
        ),
    )
}  # fmt: skip


#: The layer of what layers there are.
DEFINITIONS = t.layer_definition.name
NOTHING: Mapping[str, Collection] = {}


class Catalog(Mapping[str, Collection]):
    """Every collection by its id."""

    def __init__(self) -> None:
        self._imported: ContextVar[Mapping[str, Collection]] = ContextVar("imported")

    def see(self, imported: Mapping[str, Collection]) -> None:
        """From here on the present task sees these imported collections."""
        self._imported.set(imported)

    @property
    def layers(self) -> tuple[str, ...]:
        """Everything that an answer about all collections is read from; which there are is part of it."""
        every = dict.fromkeys(layer for one in self.values() for layer in one.layers)
        return (*(every | {DEFINITIONS: None}),)

    @property
    def imported(self) -> Mapping[str, Collection]:
        """What was said last to ``see``; nothing before that."""
        return self._imported.get(NOTHING)

    def __getitem__(self, name: str) -> Collection:
        return BUILT_IN[name] if name in BUILT_IN else self.imported[name]

    def __iter__(self) -> Iterator[str]:
        yield from BUILT_IN
        yield from self.imported

    def __len__(self) -> int:
        return len(BUILT_IN) + len(self.imported)


COLLECTIONS = Catalog()
