"""The tables. Geometry is EPSG:4326, longitude first, as PostGIS stores it.

Tables mirror the files of ``geodata/`` (see ``geodata/README.md``); a column that is derived from others says so.
Indexes on geometry are declared here by hand (``spatial_index=False``), because GeoAlchemy2 and Alembic would
otherwise each make one.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db import columns as c
from app.db.columns import metadata as metadata
from app.db.records import api_key as api_key
from app.db.records import change as change
from app.db.records import import_run as import_run
from app.db.records import installation as installation
from app.db.records import layer_definition as layer_definition
from app.db.records import layer_version as layer_version
from app.db.records import load_state as load_state
from app.db.records import ready_feature as ready_feature
from app.db.records import ready_layer as ready_layer
from app.db.records import ready_tile as ready_tile

document = sa.Table(
    "document",
    metadata,
    *c.slug(),
    c.reference("parent", "document.id"),
    c.text("title", required=True),
    c.text("title_en", required=True),
    *c.one_of("title_en_source", c.NAME_SOURCES, required=True),
    c.text("issuer"),
    c.text("issued"),
    sa.Column("period_start", sa.Integer),
    sa.Column("period_end", sa.Integer),
    *c.one_of("status", ("final", "draft"), required=True),
    c.text("file", required=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("line_start", sa.Integer),
    sa.Column("line_end", sa.Integer),
)

kind = sa.Table(
    "kind",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    c.text("name", required=True),
    c.text("name_en", required=True),
    c.text("collection"),
    sa.Column("ord", sa.Integer, nullable=False),
)

unit = sa.Table(
    "unit",
    metadata,
    sa.Column("printed", sa.Text, primary_key=True),
    sa.Column("unit", sa.Text, primary_key=True),
    sa.Column("factor", sa.Numeric, nullable=False),
)

region = sa.Table(
    "region",
    metadata,
    *c.slug(),
    sa.Column("adcode", sa.Text, unique=True),
    *c.one_of("level", c.LEVELS, required=True),
    *c.names(),
    c.reference("parent", "region.id", index=True),
    c.reference("lies_in", "region.id"),
    sa.Column("seat", c.geometry("POINT")),
    sa.Column("position_accuracy_m", sa.Float),
    c.text("position_source"),
    sa.Column("geom", c.geometry("GEOMETRY")),
    sa.Column("land_geom", c.geometry("GEOMETRY")),
    c.text("outline_source"),
    sa.Column("area_km2", sa.Float, comment="measured from geom in EPSG:4549, set by trigger"),
    sa.Column("land_area_km2", sa.Float, comment="measured from land_geom in EPSG:4549, set by trigger"),
    sa.Column("retired", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.CheckConstraint("adcode ~ '^[0-9]{6}$'", name="adcode"),
    sa.Index("ix_region_geom", "geom", postgresql_using="gist"),
    sa.Index("ix_region_land_geom", "land_geom", postgresql_using="gist"),
)

platform = sa.Table(
    "platform",
    metadata,
    *c.slug(),
    c.reference("kind", "kind.id", required=True, index=True),
    *c.one_of("level", c.PLATFORM_LEVELS),
    *c.one_of("status", c.STATUSES),
    c.text("category"),
    *c.names(),
    c.reference("county", "region.id", index=True),
    c.reference("city", "region.id", index=True),
    c.reference("town", "region.id", index=True),
    c.reference("zone", "region.id"),
    *c.one_of("geometry_method", c.GEOMETRY_METHODS, required=True),
    sa.Column("position_accuracy_m", sa.Float),
    c.text("position_source"),
    sa.Column("area_km2", sa.Numeric, comment="published, never measured"),
    c.text("positioning"),
    c.text("concept"),
    c.text("builder"),
    c.text("department"),
    c.text("note"),
    sa.Column("position", c.geometry("POINT")),
    sa.Column("geom", c.geometry("GEOMETRY"), comment="what is drawn; derived by trigger unless an outline"),
    c.reference("position_county", "region.id", index=True),
    c.reference("position_city", "region.id", index=True),
    sa.Column("plan", JSONB, comment="the row as geodata/ last gave it; NULL for rows made here"),
    sa.Column("edited", JSONB(none_as_null=True), comment="property, plan, by, at, reason of what an edit changed"),
    sa.Column("retired", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("deleted", sa.Boolean, nullable=False, server_default=sa.false(), comment="retired by an edit"),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.CheckConstraint("retired OR NOT deleted", name="deleted"),
    sa.CheckConstraint("area_km2 > 0", name="area"),
    sa.CheckConstraint("position_accuracy_m >= 0", name="accuracy"),
    sa.CheckConstraint("(geometry_method = 'none') = (position IS NULL)", name="position"),
    sa.CheckConstraint("position IS NULL OR position_source IS NOT NULL", name="position_source"),
    sa.Index("ix_platform_position", "position", postgresql_using="gist"),
    sa.Index("ix_platform_position_geography", sa.text("(position::geography)"), postgresql_using="gist"),
    sa.Index("ix_platform_geom", "geom", postgresql_using="gist"),
)

alias = sa.Table(
    "alias",
    metadata,
    c.serial(),
    *c.subject("platform", "region"),
    c.text("name", required=True),
    *c.one_of("kind", c.ALIAS_KINDS, required=True),
    c.reference("document", "document.id"),
    sa.Column("line_start", sa.Integer),
    c.text("reason"),
    sa.Index("ix_alias_name", "name"),
    sa.CheckConstraint("document IS NOT NULL OR reason IS NOT NULL", name="sourced"),
)

mention = sa.Table(
    "mention",
    metadata,
    c.serial(),
    c.reference("platform", "platform.id", required=True, cascade=True, index=True),
    *c.citation(),
    c.text("table_name"),
    c.text("row_no"),
    c.text("quote", required=True),
    sa.Column("printed", JSONB(none_as_null=True)),
)

layout = sa.Table(
    "layout",
    metadata,
    *c.slug(),
    c.reference("region", "region.id", required=True),
    sa.Column("ord", sa.Integer, nullable=False),
    *c.names(),
    c.text("definition", required=True),
    *c.citation(),
)

layout_element = sa.Table(
    "layout_element",
    metadata,
    *c.slug(),
    c.reference("layout", "layout.id", required=True, index=True),
    c.reference("parent", "layout_element.id"),
    *c.one_of("role", c.ROLES, required=True),
    sa.Column("ord", sa.Integer, nullable=False),
    *c.names(),
    c.text("definition"),
    *c.one_of("shape", c.SHAPES, required=True),
    sa.Column("band_m", sa.Float),
    sa.Column("buffer_m", sa.Float),
    sa.Column("radius_m", sa.Float),
    *c.one_of("geometry_method", c.GEOMETRY_METHODS, required=True),
    sa.Column("position_accuracy_m", sa.Float),
    c.text("position_source"),
    c.text("drawing_note"),
    *c.citation(),
    sa.Column("position", c.geometry("POINT")),
    sa.Column("axis", c.geometry("LINESTRING"), comment="from layout_axis, by the load"),
    sa.Column("geom", c.geometry("GEOMETRY"), comment="derived from shape and its parameters, by the load"),
    sa.Index("ix_layout_element_geom", "geom", postgresql_using="gist"),
    sa.Index("ix_layout_element_axis_geography", sa.text("(axis::geography)"), postgresql_using="gist"),
    sa.CheckConstraint(
        "(shape = 'band') = (band_m IS NOT NULL) AND (shape = 'hull') = (buffer_m IS NOT NULL)"
        " AND (shape = 'circle') = (radius_m IS NOT NULL)",
        name="shape_parameters",
    ),
)

layout_axis = sa.Table(
    "layout_axis",
    metadata,
    c.reference("element", "layout_element.id", required=True, cascade=True),
    sa.Column("seq", sa.Integer, nullable=False),
    c.text("place", required=True),
    sa.Column("point", c.geometry("POINT"), nullable=False),
    sa.Column("position_accuracy_m", sa.Float, nullable=False),
    c.text("position_source", required=True),
    sa.PrimaryKeyConstraint("element", "seq"),
)

layout_member = sa.Table(
    "layout_member",
    metadata,
    c.serial(),
    c.reference("element", "layout_element.id", required=True, cascade=True, index=True),
    sa.Column("ord", sa.Integer, nullable=False),
    *c.subject("platform", "region"),
    c.text("name_printed", required=True),
    c.text("note"),
    *c.citation(),
    sa.UniqueConstraint("element", "platform", "region", postgresql_nulls_not_distinct=True),
)

industry = sa.Table(
    "industry",
    metadata,
    *c.slug(),
    c.text("scheme", required=True),
    c.reference("parent", "industry.id"),
    sa.Column("ord", sa.Integer, nullable=False),
    *c.names(),
    c.text("text"),
    *c.citation(),
)

industry_link = sa.Table(
    "industry_link",
    metadata,
    c.serial(),
    c.reference("platform", "platform.id", required=True, cascade=True, index=True),
    sa.Column("ord", sa.Integer, nullable=False),
    c.text("words", required=True),
    c.reference("industry", "industry.id", index=True),
    *c.citation(),
    sa.Index("ix_industry_link_words", "words"),
)

industry_relation = sa.Table(
    "industry_relation",
    metadata,
    c.serial(),
    c.reference("a", "industry.id", required=True, cascade=True),
    *c.one_of("relation", c.RELATIONS, required=True),
    c.reference("b", "industry.id", required=True, cascade=True),
    c.text("reason", required=True),
    sa.UniqueConstraint("a", "relation", "b"),
    sa.CheckConstraint("a <> b", name="two"),
)

task = sa.Table(
    "task",
    metadata,
    *c.slug(),
    c.text("list", required=True),
    sa.Column("ord", sa.Integer, nullable=False),
    c.reference("platform", "platform.id", cascade=True, index=True),
    c.reference("region", "region.id"),
    c.reference("layout_element", "layout_element.id"),
    c.text("title"),
    c.text("text", required=True),
    sa.Column("departments", ARRAY(sa.Text), nullable=False),
    *c.citation(),
)

indicator = sa.Table(
    "indicator",
    metadata,
    *c.slug(),
    *c.names(),
    c.text("unit", required=True),
    *c.one_of("better", c.BETTER, required=True),
    c.text("theme"),
    c.text("definition"),
)

indicator_label = sa.Table(
    "indicator_label",
    metadata,
    c.serial(),
    c.reference("indicator", "indicator.id", required=True, cascade=True, index=True),
    c.text("label", required=True),
    c.reference("document", "document.id", required=True),
    sa.Column("line_start", sa.Integer, nullable=False),
)

indicator_value = sa.Table(
    "indicator_value",
    metadata,
    c.serial(),
    c.reference("indicator", "indicator.id", required=True, cascade=True, index=True),
    *c.subject("region", "platform"),
    sa.Column("year_from", sa.Integer),
    sa.Column("year", sa.Integer, nullable=False),
    *c.one_of("kind", c.VALUE_KINDS, required=True),
    *c.one_of("operator", c.OPERATORS, required=True),
    c.text("printed", required=True),
    sa.Column("number", sa.Numeric),
    c.text("unit_printed"),
    c.text("unit_corrected"),
    c.text("correction_reason"),
    sa.Column("departments", ARRAY(sa.Text), nullable=False),
    c.text("note"),
    *c.citation(),
    c.text("table_name"),
    c.text("row_no"),
    sa.Column("value", sa.Numeric, comment="number in the indicator's unit, by the load from unit"),
    sa.CheckConstraint("(number IS NULL) = (operator IN ('text', 'missing'))", name="number"),
    sa.CheckConstraint("(unit_corrected IS NULL) = (correction_reason IS NULL)", name="correction"),
    sa.CheckConstraint("year_from < year", name="years"),
    sa.UniqueConstraint(
        "indicator",
        "region",
        "platform",
        "year_from",
        "year",
        "kind",
        "document",
        "line_start",
        "printed",
        name="uq_indicator_value_cell",
        postgresql_nulls_not_distinct=True,
    ),
)

not_comparable = sa.Table(
    "not_comparable",
    metadata,
    c.serial(),
    c.reference("a", "indicator.id", required=True, cascade=True),
    c.reference("b", "indicator.id", required=True, cascade=True),
    c.text("reason", required=True),
    sa.UniqueConstraint("a", "b"),
    sa.CheckConstraint("a <> b", name="two"),
)

disagreement = sa.Table(
    "disagreement",
    metadata,
    *c.slug(),
    c.text("title", required=True),
    c.text("title_en", required=True),
    c.text("note"),
)

disagreement_side = sa.Table(
    "disagreement_side",
    metadata,
    c.serial(),
    c.reference("disagreement", "disagreement.id", required=True, cascade=True, index=True),
    sa.Column("ord", sa.Integer, nullable=False),
    c.text("says", required=True),
    c.text("quote", required=True),
    *c.citation(section=False),
)

search_entry = sa.Table(
    "search_entry",
    metadata,
    c.serial(),
    c.text("collection", required=True),
    c.text("item", required=True),
    sa.Column("rank", sa.SmallInteger, nullable=False, comment="1 name, 2 other name, 3 words about it"),
    c.text("text", required=True),
    c.text("pinyin", required=True),
    c.text("initials", required=True),
    sa.Column(
        "grams",
        ARRAY(sa.Text),
        sa.Computed("grams(text || ' ' || pinyin || ' ' || initials)", persisted=True),
        nullable=False,
    ),
    sa.Index("ix_search_entry_grams", "grams", postgresql_using="gin"),
    sa.Index("ix_search_entry_item", "collection", "item"),
)
