"""The tables"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Every character and every pair of neighbours, so that any two Chinese characters are found through an index; trigrams
# do not serve there.
GRAMS = r"""
CREATE FUNCTION grams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (
    SELECT coalesce(array_agg(DISTINCT gram), '{}')
    FROM (
             SELECT one, lag(one) OVER (ORDER BY place) || one AS pair
             FROM string_to_table(lower(words), NULL) WITH ORDINALITY AS cut (one, place)
         ) AS neighbours,
         LATERAL (VALUES (one), (pair)) AS size (gram)
    WHERE gram !~ '\s'
)
"""


def upgrade() -> None:
    op.execute(GRAMS)
    op.create_table(
        "disagreement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_disagreement_slug")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disagreement")),
    )
    op.create_table(
        "document",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("title_en_source", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=True),
        sa.Column("issued", sa.Text(), nullable=True),
        sa.Column("period_start", sa.Integer(), nullable=True),
        sa.Column("period_end", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("line_start", sa.Integer(), nullable=True),
        sa.Column("line_end", sa.Integer(), nullable=True),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_document_slug")),
        sa.CheckConstraint("status IN ('final', 'draft')", name=op.f("ck_document_status")),
        sa.CheckConstraint(
            "title_en_source IN ('printed', 'own translation')", name=op.f("ck_document_title_en_source")
        ),
        sa.ForeignKeyConstraint(
            ["parent"], ["document.id"], name=op.f("fk_document_parent"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
    )
    op.create_table(
        "indicator",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_en_source", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("better", sa.Text(), nullable=False),
        sa.Column("theme", sa.Text(), nullable=True),
        sa.Column("definition", sa.Text(), nullable=True),
        sa.CheckConstraint("better IN ('higher', 'lower', 'neither')", name=op.f("ck_indicator_better")),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_indicator_slug")),
        sa.CheckConstraint(
            "name_en_source IN ('printed', 'own translation')", name=op.f("ck_indicator_name_en_source")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_indicator")),
    )
    op.create_table(
        "kind",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("collection", sa.Text(), nullable=True),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kind")),
    )
    op.create_table(
        "layer_version",
        sa.Column("layer", sa.Text(), nullable=False, comment="a table name"),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("layer", name=op.f("pk_layer_version")),
    )
    op.create_table(
        "installation",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "epoch",
            sa.Uuid(),
            server_default=sa.text("gen_random_uuid()"),
            nullable=False,
            comment="new in a restored one",
        ),
        sa.CheckConstraint("singleton", name=op.f("ck_installation_one_row")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_installation")),
    )
    op.execute("INSERT INTO installation DEFAULT VALUES")
    op.create_table(
        "load_state",
        sa.Column("singleton", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("singleton", name=op.f("ck_load_state_one_row")),
        sa.PrimaryKeyConstraint("singleton", name=op.f("pk_load_state")),
    )
    op.create_geospatial_table(
        "region",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("adcode", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_en_source", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("lies_in", sa.Text(), nullable=True),
        sa.Column(
            "seat",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column("position_accuracy_m", sa.Float(), nullable=True),
        sa.Column("position_source", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
        ),
        sa.Column(
            "land_geom",
            Geometry(srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
        ),
        sa.Column("outline_source", sa.Text(), nullable=True),
        sa.Column("area_km2", sa.Float(), nullable=True, comment="measured from geom in EPSG:4549, set by trigger"),
        sa.Column(
            "land_area_km2", sa.Float(), nullable=True, comment="measured from land_geom in EPSG:4549, set by trigger"
        ),
        sa.Column("retired", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("adcode ~ '^[0-9]{6}$'", name=op.f("ck_region_adcode")),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_region_slug")),
        sa.CheckConstraint(
            "level IN ('province', 'city', 'county', 'town', 'zone', 'area', 'place')", name=op.f("ck_region_level")
        ),
        sa.CheckConstraint("name_en_source IN ('printed', 'own translation')", name=op.f("ck_region_name_en_source")),
        sa.ForeignKeyConstraint(
            ["lies_in"], ["region.id"], name=op.f("fk_region_lies_in"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["parent"], ["region.id"], name=op.f("fk_region_parent"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_region")),
        sa.UniqueConstraint("adcode", name=op.f("uq_region_adcode")),
    )
    op.create_geospatial_index(
        "ix_region_geom", "region", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_index(
        "ix_region_land_geom", "region", ["land_geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_region_parent"), "region", ["parent"], unique=False)
    op.create_table(
        "search_entry",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False, comment="1 name, 2 other name, 3 words about it"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("pinyin", sa.Text(), nullable=False),
        sa.Column("initials", sa.Text(), nullable=False),
        sa.Column(
            "grams",
            postgresql.ARRAY(sa.Text()),
            sa.Computed(
                "grams(text || ' ' || pinyin || ' ' || initials)",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_search_entry")),
    )
    op.create_index("ix_search_entry_grams", "search_entry", ["grams"], unique=False, postgresql_using="gin")
    op.create_index("ix_search_entry_item", "search_entry", ["collection", "item"], unique=False)
    op.create_table(
        "unit",
        sa.Column("printed", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("factor", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("printed", "unit", name=op.f("pk_unit")),
    )
    op.create_table(
        "disagreement_side",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("disagreement", sa.Text(), nullable=False),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.Column("line_end", sa.Integer(), nullable=False),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name=op.f("ck_disagreement_side_lines")),
        sa.ForeignKeyConstraint(
            ["disagreement"],
            ["disagreement.id"],
            name=op.f("fk_disagreement_side_disagreement"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["document"],
            ["document.id"],
            name=op.f("fk_disagreement_side_document"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_disagreement_side")),
    )
    op.create_index(op.f("ix_disagreement_side_disagreement"), "disagreement_side", ["disagreement"], unique=False)
    op.create_table(
        "indicator_label",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document"],
            ["document.id"],
            name=op.f("fk_indicator_label_document"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["indicator"],
            ["indicator.id"],
            name=op.f("fk_indicator_label_indicator"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_indicator_label")),
    )
    op.create_index(op.f("ix_indicator_label_indicator"), "indicator_label", ["indicator"], unique=False)
    op.create_table(
        "industry",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_en_source", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.Column("line_end", sa.Integer(), nullable=False),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_industry_slug")),
        sa.CheckConstraint("name_en_source IN ('printed', 'own translation')", name=op.f("ck_industry_name_en_source")),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name=op.f("ck_industry_lines")),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_industry_document"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["parent"], ["industry.id"], name=op.f("fk_industry_parent"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_industry")),
    )
    op.create_table(
        "layout",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_en_source", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.Column("line_end", sa.Integer(), nullable=False),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_layout_slug")),
        sa.CheckConstraint("name_en_source IN ('printed', 'own translation')", name=op.f("ck_layout_name_en_source")),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name=op.f("ck_layout_lines")),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_layout_document"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["region"], ["region.id"], name=op.f("fk_layout_region"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layout")),
    )
    op.create_table(
        "not_comparable",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("a", sa.Text(), nullable=False),
        sa.Column("b", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("a <> b", name=op.f("ck_not_comparable_two")),
        sa.ForeignKeyConstraint(
            ["a"],
            ["indicator.id"],
            name=op.f("fk_not_comparable_a"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["b"],
            ["indicator.id"],
            name=op.f("fk_not_comparable_b"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_not_comparable")),
        sa.UniqueConstraint("a", "b", name=op.f("uq_not_comparable_a_b")),
    )
    op.create_geospatial_table(
        "platform",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_en_source", sa.Text(), nullable=False),
        sa.Column("county", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("town", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("geometry_method", sa.Text(), nullable=False),
        sa.Column("position_accuracy_m", sa.Float(), nullable=True),
        sa.Column("position_source", sa.Text(), nullable=True),
        sa.Column("area_km2", sa.Numeric(), nullable=True, comment="published, never measured"),
        sa.Column("positioning", sa.Text(), nullable=True),
        sa.Column("concept", sa.Text(), nullable=True),
        sa.Column("builder", sa.Text(), nullable=True),
        sa.Column("department", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column(
            "position",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column(
            "geom",
            Geometry(srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
            comment="what is drawn; derived by trigger unless an outline",
        ),
        sa.Column("position_county", sa.Text(), nullable=True),
        sa.Column("position_city", sa.Text(), nullable=True),
        sa.Column(
            "plan",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="the row as geodata/ last gave it; NULL for rows made here",
        ),
        sa.Column("retired", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("(geometry_method = 'none') = (position IS NULL)", name=op.f("ck_platform_position")),
        sa.CheckConstraint(
            "geometry_method IN ('administrative', 'traced', 'point', 'schematic', 'county_only', 'city_only', 'none')",
            name=op.f("ck_platform_geometry_method"),
        ),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_platform_slug")),
        sa.CheckConstraint(
            "level IN ('national', 'provincial', 'municipal', 'county')", name=op.f("ck_platform_level")
        ),
        sa.CheckConstraint("name_en_source IN ('printed', 'own translation')", name=op.f("ck_platform_name_en_source")),
        sa.CheckConstraint("status IN ('existing', 'building', 'planned')", name=op.f("ck_platform_status")),
        sa.CheckConstraint("area_km2 > 0", name=op.f("ck_platform_area")),
        sa.CheckConstraint("position IS NULL OR position_source IS NOT NULL", name=op.f("ck_platform_position_source")),
        sa.CheckConstraint("position_accuracy_m >= 0", name=op.f("ck_platform_accuracy")),
        sa.ForeignKeyConstraint(
            ["city"], ["region.id"], name=op.f("fk_platform_city"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["county"], ["region.id"], name=op.f("fk_platform_county"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["kind"], ["kind.id"], name=op.f("fk_platform_kind"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["position_city"],
            ["region.id"],
            name=op.f("fk_platform_position_city"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["position_county"],
            ["region.id"],
            name=op.f("fk_platform_position_county"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["town"], ["region.id"], name=op.f("fk_platform_town"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["zone"], ["region.id"], name=op.f("fk_platform_zone"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform")),
    )
    op.create_index(op.f("ix_platform_city"), "platform", ["city"], unique=False)
    op.create_index(op.f("ix_platform_county"), "platform", ["county"], unique=False)
    op.create_geospatial_index(
        "ix_platform_geom", "platform", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_platform_kind"), "platform", ["kind"], unique=False)
    op.create_geospatial_index(
        "ix_platform_position", "platform", ["position"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_platform_position_city"), "platform", ["position_city"], unique=False)
    op.create_index(op.f("ix_platform_position_county"), "platform", ["position_county"], unique=False)
    op.create_index(
        "ix_platform_position_geography",
        "platform",
        [sa.literal_column("(position::geography)")],
        unique=False,
        postgresql_using="gist",
    )
    op.create_index(op.f("ix_platform_town"), "platform", ["town"], unique=False)
    op.create_table(
        "alias",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("line_start", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('alias', 'abbreviation', 'printed variant', 'english', 'former')", name=op.f("ck_alias_kind")
        ),
        sa.CheckConstraint("document IS NOT NULL OR reason IS NOT NULL", name=op.f("ck_alias_sourced")),
        sa.CheckConstraint("num_nonnulls(platform, region) = 1", name=op.f("ck_alias_one_subject")),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_alias_document"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["platform"],
            ["platform.id"],
            name=op.f("fk_alias_platform"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["region"],
            ["region.id"],
            name=op.f("fk_alias_region"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_alias")),
    )
    op.create_index("ix_alias_name", "alias", ["name"], unique=False)
    op.create_index(op.f("ix_alias_platform"), "alias", ["platform"], unique=False)
    op.create_index(op.f("ix_alias_region"), "alias", ["region"], unique=False)
    op.create_table(
        "indicator_value",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("year_from", sa.Integer(), nullable=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("printed", sa.Text(), nullable=False),
        sa.Column("number", sa.Numeric(), nullable=True),
        sa.Column("unit_printed", sa.Text(), nullable=True),
        sa.Column("unit_corrected", sa.Text(), nullable=True),
        sa.Column("correction_reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.Column("line_end", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=True),
        sa.Column("row_no", sa.Text(), nullable=True),
        sa.Column(
            "value", sa.Numeric(), nullable=True, comment="number in the indicator's unit, by the load from unit"
        ),
        sa.CheckConstraint(
            "(number IS NULL) = (operator IN ('text', 'missing'))", name=op.f("ck_indicator_value_number")
        ),
        sa.CheckConstraint("kind IN ('actual', 'flash', 'target')", name=op.f("ck_indicator_value_kind")),
        sa.CheckConstraint(
            "operator IN ('exact', 'ge', 'gt', 'le', 'lt', 'approx', 'rank', 'text', 'missing')",
            name=op.f("ck_indicator_value_operator"),
        ),
        sa.CheckConstraint(
            "(unit_corrected IS NULL) = (correction_reason IS NULL)", name=op.f("ck_indicator_value_correction")
        ),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name=op.f("ck_indicator_value_lines")),
        sa.CheckConstraint("num_nonnulls(region, platform) = 1", name=op.f("ck_indicator_value_one_subject")),
        sa.CheckConstraint("year_from < year", name=op.f("ck_indicator_value_years")),
        sa.ForeignKeyConstraint(
            ["document"],
            ["document.id"],
            name=op.f("fk_indicator_value_document"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["indicator"],
            ["indicator.id"],
            name=op.f("fk_indicator_value_indicator"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["platform"],
            ["platform.id"],
            name=op.f("fk_indicator_value_platform"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["region"],
            ["region.id"],
            name=op.f("fk_indicator_value_region"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_indicator_value")),
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
    op.create_index(op.f("ix_indicator_value_indicator"), "indicator_value", ["indicator"], unique=False)
    op.create_index(op.f("ix_indicator_value_platform"), "indicator_value", ["platform"], unique=False)
    op.create_index(op.f("ix_indicator_value_region"), "indicator_value", ["region"], unique=False)
    op.create_table(
        "industry_link",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.Column("line_end", sa.Integer(), nullable=False),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name=op.f("ck_industry_link_lines")),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_industry_link_document"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["industry"], ["industry.id"], name=op.f("fk_industry_link_industry"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["platform"],
            ["platform.id"],
            name=op.f("fk_industry_link_platform"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_industry_link")),
    )
    op.create_index(op.f("ix_industry_link_industry"), "industry_link", ["industry"], unique=False)
    op.create_index(op.f("ix_industry_link_platform"), "industry_link", ["platform"], unique=False)
    op.create_index("ix_industry_link_words", "industry_link", ["words"], unique=False)
    op.create_table(
        "industry_relation",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("a", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("b", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("relation IN ('narrower', 'same', 'overlaps')", name=op.f("ck_industry_relation_relation")),
        sa.CheckConstraint("a <> b", name=op.f("ck_industry_relation_two")),
        sa.ForeignKeyConstraint(
            ["a"],
            ["industry.id"],
            name=op.f("fk_industry_relation_a"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["b"],
            ["industry.id"],
            name=op.f("fk_industry_relation_b"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_industry_relation")),
        sa.UniqueConstraint("a", "relation", "b", name=op.f("uq_industry_relation_a_relation_b")),
    )
    op.create_geospatial_table(
        "layout_element",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("layout", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("name_en_source", sa.Text(), nullable=False),
        sa.Column("definition", sa.Text(), nullable=True),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.Column("band_m", sa.Float(), nullable=True),
        sa.Column("buffer_m", sa.Float(), nullable=True),
        sa.Column("radius_m", sa.Float(), nullable=True),
        sa.Column("geometry_method", sa.Text(), nullable=False),
        sa.Column("position_accuracy_m", sa.Float(), nullable=True),
        sa.Column("position_source", sa.Text(), nullable=True),
        sa.Column("drawing_note", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.Column("line_end", sa.Integer(), nullable=False),
        sa.Column(
            "position",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
        ),
        sa.Column(
            "axis",
            Geometry(
                geometry_type="LINESTRING",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
            ),
            nullable=True,
            comment="from layout_axis, by the load",
        ),
        sa.Column(
            "geom",
            Geometry(srid=4326, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"),
            nullable=True,
            comment="derived from shape and its parameters, by the load",
        ),
        sa.CheckConstraint(
            "(shape = 'band') = (band_m IS NOT NULL) AND (shape = 'hull') = (buffer_m IS NOT NULL)"
            " AND (shape = 'circle') = (radius_m IS NOT NULL)",
            name=op.f("ck_layout_element_shape_parameters"),
        ),
        sa.CheckConstraint(
            "geometry_method IN ('administrative', 'traced', 'point', 'schematic', 'county_only', 'city_only', 'none')",
            name=op.f("ck_layout_element_geometry_method"),
        ),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_layout_element_slug")),
        sa.CheckConstraint(
            "name_en_source IN ('printed', 'own translation')", name=op.f("ck_layout_element_name_en_source")
        ),
        sa.CheckConstraint(
            "role IN ('corridor', 'core', 'zone', 'section', 'node', 'group', 'city', 'enclave', 'points')",
            name=op.f("ck_layout_element_role"),
        ),
        sa.CheckConstraint(
            "shape IN ('band', 'hull', 'members', 'circle', 'point', 'none')", name=op.f("ck_layout_element_shape")
        ),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name=op.f("ck_layout_element_lines")),
        sa.ForeignKeyConstraint(
            ["document"],
            ["document.id"],
            name=op.f("fk_layout_element_document"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["layout"], ["layout.id"], name=op.f("fk_layout_element_layout"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["parent"],
            ["layout_element.id"],
            name=op.f("fk_layout_element_parent"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layout_element")),
    )
    op.create_index(
        "ix_layout_element_axis_geography",
        "layout_element",
        [sa.literal_column("(axis::geography)")],
        unique=False,
        postgresql_using="gist",
    )
    op.create_geospatial_index(
        "ix_layout_element_geom", "layout_element", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index(op.f("ix_layout_element_layout"), "layout_element", ["layout"], unique=False)
    op.create_table(
        "mention",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.Column("line_end", sa.Integer(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=True),
        sa.Column("row_no", sa.Text(), nullable=True),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("printed", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name=op.f("ck_mention_lines")),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_mention_document"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["platform"],
            ["platform.id"],
            name=op.f("fk_mention_platform"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_mention")),
    )
    op.create_index(op.f("ix_mention_platform"), "mention", ["platform"], unique=False)
    op.create_geospatial_table(
        "layout_axis",
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column(
            "point",
            Geometry(
                geometry_type="POINT",
                srid=4326,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("position_accuracy_m", sa.Float(), nullable=False),
        sa.Column("position_source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["element"],
            ["layout_element.id"],
            name=op.f("fk_layout_axis_element"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("element", "seq", name=op.f("pk_layout_axis")),
    )
    op.create_table(
        "layout_member",
        sa.Column("row_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("name_printed", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.Column("line_end", sa.Integer(), nullable=False),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name=op.f("ck_layout_member_lines")),
        sa.CheckConstraint("num_nonnulls(platform, region) = 1", name=op.f("ck_layout_member_one_subject")),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_layout_member_document"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["element"],
            ["layout_element.id"],
            name=op.f("fk_layout_member_element"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["platform"],
            ["platform.id"],
            name=op.f("fk_layout_member_platform"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["region"],
            ["region.id"],
            name=op.f("fk_layout_member_region"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.PrimaryKeyConstraint("row_id", name=op.f("pk_layout_member")),
        sa.UniqueConstraint(
            "element",
            "platform",
            "region",
            name=op.f("uq_layout_member_element_platform_region"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_layout_member_element"), "layout_member", ["element"], unique=False)
    op.create_index(op.f("ix_layout_member_platform"), "layout_member", ["platform"], unique=False)
    op.create_index(op.f("ix_layout_member_region"), "layout_member", ["region"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("list", sa.Text(), nullable=False),
        sa.Column("ord", sa.Integer(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("region", sa.Text(), nullable=True),
        sa.Column("layout_element", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("departments", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("section", sa.Text(), nullable=True),
        sa.Column("line_start", sa.Integer(), nullable=False),
        sa.Column("line_end", sa.Integer(), nullable=False),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name=op.f("ck_task_slug")),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name=op.f("ck_task_lines")),
        sa.ForeignKeyConstraint(
            ["document"], ["document.id"], name=op.f("fk_task_document"), initially="DEFERRED", deferrable=True
        ),
        sa.ForeignKeyConstraint(
            ["layout_element"],
            ["layout_element.id"],
            name=op.f("fk_task_layout_element"),
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["platform"],
            ["platform.id"],
            name=op.f("fk_task_platform"),
            ondelete="CASCADE",
            initially="DEFERRED",
            deferrable=True,
        ),
        sa.ForeignKeyConstraint(
            ["region"], ["region.id"], name=op.f("fk_task_region"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_platform"), "task", ["platform"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_task_platform"), table_name="task")
    op.drop_table("task")
    op.drop_index(op.f("ix_layout_member_region"), table_name="layout_member")
    op.drop_index(op.f("ix_layout_member_platform"), table_name="layout_member")
    op.drop_index(op.f("ix_layout_member_element"), table_name="layout_member")
    op.drop_table("layout_member")
    op.drop_geospatial_table("layout_axis")
    op.drop_index(op.f("ix_mention_platform"), table_name="mention")
    op.drop_table("mention")
    op.drop_index(op.f("ix_layout_element_layout"), table_name="layout_element")
    op.drop_geospatial_index(
        "ix_layout_element_geom", table_name="layout_element", postgresql_using="gist", column_name="geom"
    )
    op.drop_index("ix_layout_element_axis_geography", table_name="layout_element", postgresql_using="gist")
    op.drop_geospatial_table("layout_element")
    op.drop_table("industry_relation")
    op.drop_index("ix_industry_link_words", table_name="industry_link")
    op.drop_index(op.f("ix_industry_link_platform"), table_name="industry_link")
    op.drop_index(op.f("ix_industry_link_industry"), table_name="industry_link")
    op.drop_table("industry_link")
    op.drop_index(op.f("ix_indicator_value_region"), table_name="indicator_value")
    op.drop_index(op.f("ix_indicator_value_platform"), table_name="indicator_value")
    op.drop_index(op.f("ix_indicator_value_indicator"), table_name="indicator_value")
    op.drop_table("indicator_value")
    op.drop_index(op.f("ix_alias_region"), table_name="alias")
    op.drop_index(op.f("ix_alias_platform"), table_name="alias")
    op.drop_index("ix_alias_name", table_name="alias")
    op.drop_table("alias")
    op.drop_index(op.f("ix_platform_town"), table_name="platform")
    op.drop_index("ix_platform_position_geography", table_name="platform", postgresql_using="gist")
    op.drop_index(op.f("ix_platform_position_county"), table_name="platform")
    op.drop_index(op.f("ix_platform_position_city"), table_name="platform")
    op.drop_geospatial_index(
        "ix_platform_position", table_name="platform", postgresql_using="gist", column_name="position"
    )
    op.drop_index(op.f("ix_platform_kind"), table_name="platform")
    op.drop_geospatial_index("ix_platform_geom", table_name="platform", postgresql_using="gist", column_name="geom")
    op.drop_index(op.f("ix_platform_county"), table_name="platform")
    op.drop_index(op.f("ix_platform_city"), table_name="platform")
    op.drop_geospatial_table("platform")
    op.drop_table("not_comparable")
    op.drop_table("layout")
    op.drop_table("industry")
    op.drop_index(op.f("ix_indicator_label_indicator"), table_name="indicator_label")
    op.drop_table("indicator_label")
    op.drop_index(op.f("ix_disagreement_side_disagreement"), table_name="disagreement_side")
    op.drop_table("disagreement_side")
    op.drop_table("unit")
    op.drop_index("ix_search_entry_item", table_name="search_entry")
    op.drop_index("ix_search_entry_grams", table_name="search_entry", postgresql_using="gin")
    op.drop_table("search_entry")
    op.drop_index(op.f("ix_region_parent"), table_name="region")
    op.drop_geospatial_index(
        "ix_region_land_geom", table_name="region", postgresql_using="gist", column_name="land_geom"
    )
    op.drop_geospatial_index("ix_region_geom", table_name="region", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("region")
    op.drop_table("load_state")
    op.drop_table("installation")
    op.drop_table("layer_version")
    op.drop_table("kind")
    op.drop_table("indicator")
    op.drop_table("document")
    op.drop_table("disagreement")
    op.execute("DROP FUNCTION grams(text)")
