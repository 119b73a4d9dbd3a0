"""Layers that stewards import: their definitions, the runs, and what the database decides for their rows

Each layer has a table of its own, ``imported_<id>``, made by the import (``app/imports/tables.py``) in the transaction
that fills it.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DERIVE = """
CREATE FUNCTION imported_derive() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- the anchor point: the point itself, else one on the line or in the area
    IF NEW.geom IS NULL THEN
        NEW.position := NULL;
    ELSIF NEW.position IS NULL OR TG_OP = 'UPDATE' AND NEW.geom IS DISTINCT FROM OLD.geom THEN
        NEW.position := NEW.geom;
        IF ST_GeometryType(NEW.geom) <> 'ST_Point' THEN
            NEW.position := ST_PointOnSurface(NEW.geom);
        END IF;
    END IF;
    -- as for platforms: on a shared edge the smallest adcode wins
    SELECT r.id INTO NEW.position_county FROM region r
        WHERE r.level = 'county' AND NOT r.retired AND ST_Covers(r.geom, NEW.position)
        ORDER BY r.id LIMIT 1;
    SELECT r.id INTO NEW.position_city FROM region r
        WHERE r.level = 'city' AND NOT r.retired
          AND (r.id = (SELECT parent FROM region WHERE id = NEW.position_county)
               OR NEW.position_county IS NULL AND ST_Covers(r.geom, NEW.position))
        ORDER BY r.id LIMIT 1;
    IF TG_OP = 'UPDATE' AND NEW IS DISTINCT FROM OLD THEN
        NEW.version := OLD.version + 1;
    END IF;
    RETURN NEW;
END $$
"""

REFRESH = """
CREATE FUNCTION refresh_imported_layers() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    layer text;
BEGIN
    -- outlines decide county and city; rows that stay as they are stay untouched, by trigger
    FOR layer IN SELECT id FROM layer_definition ORDER BY id LOOP
        EXECUTE format('UPDATE %I SET id = id', 'imported_' || layer);
    END LOOP;
END $$
"""

DROP = """
DO $$
DECLARE
    layer text;
BEGIN
    FOR layer IN SELECT id FROM layer_definition LOOP
        EXECUTE format('DROP TABLE %I', 'imported_' || layer);
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "layer_definition",
        sa.Column("id", sa.Text(), nullable=False, comment="name of the collection; its table is imported_<id>"),
        sa.Column(
            "definition",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="titles, fields, source, licence, as the steward wrote them",
        ),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id ~ '^[a-z][a-z0-9_]{0,39}$'", name=op.f("ck_layer_definition_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_layer_definition")),
    )
    op.create_table(
        "import_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False, comment="its name, without the folder"),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index(op.f("ix_import_run_layer"), "import_run", ["layer"])
    op.create_foreign_key(op.f("fk_change_import_run"), "change", "import_run", ["import_run"], ["id"])
    op.execute(DERIVE)
    op.execute(REFRESH)
    for event, rows in (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER version_{event.lower()} AFTER {event} ON layer_definition"
            f" REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION bump_layer_version()"
        )


def downgrade() -> None:
    op.execute(DROP)
    op.drop_constraint(op.f("fk_change_import_run"), "change", type_="foreignkey")
    op.drop_table("import_run")
    op.drop_table("layer_definition")
    op.execute("DROP FUNCTION refresh_imported_layers()")
    op.execute("DROP FUNCTION imported_derive()")
