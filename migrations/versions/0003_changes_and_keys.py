"""Every change of a platform is kept; keys of those who may make one

The history is written by the database, so that nothing changes a platform without it, and it only grows. Who, why and
under which condition come from settings of the transaction (``innomap.who`` and so on).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Arguments of the trigger: the layer, then the columns of geometry. The moment is taken while the row is locked, so
# that the changes of an item follow each other in time as in number.
RECORD = """
CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old_row jsonb;
    new_row jsonb;
    shape text;
    drawn jsonb;
    done text;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        old_row := to_jsonb(OLD);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        new_row := to_jsonb(NEW);
    END IF;
    FOREACH shape IN ARRAY TG_ARGV[1:] LOOP
        -- 15 decimals: a coordinate comes back as it was
        IF old_row IS NOT NULL THEN
            EXECUTE format('SELECT ST_AsGeoJSON(($1).%I, 15, 0)::jsonb', shape) INTO drawn USING OLD;
            old_row := jsonb_set(old_row, ARRAY[shape], coalesce(drawn, 'null'));
        END IF;
        IF new_row IS NOT NULL THEN
            EXECUTE format('SELECT ST_AsGeoJSON(($1).%I, 15, 0)::jsonb', shape) INTO drawn USING NEW;
            new_row := jsonb_set(new_row, ARRAY[shape], coalesce(drawn, 'null'));
        END IF;
    END LOOP;
    done := CASE
        WHEN TG_OP = 'INSERT' THEN 'create'
        WHEN TG_OP = 'DELETE' THEN 'delete'
        WHEN old_row -> 'retired' IS NOT DISTINCT FROM new_row -> 'retired' THEN 'update'
        WHEN (new_row ->> 'retired')::boolean THEN 'delete'
        ELSE 'restore'
    END;
    INSERT INTO change (layer, item, action, before, after, who, why, unconditional, undoes)
    VALUES (
        TG_ARGV[0], coalesce(new_row, old_row) ->> 'id', done, old_row, new_row,
        coalesce(nullif(current_setting('innomap.who', true), ''), session_user),
        nullif(current_setting('innomap.why', true), ''),
        coalesce(nullif(current_setting('innomap.unconditional', true), '')::boolean, false),
        nullif(current_setting('innomap.undoes', true), '')::bigint
    );
    RETURN NULL;
END $$
"""

APPEND_ONLY = """
CREATE FUNCTION refuse_change_of_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history only grows: % of change is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True, comment="NULL for an import, which is one row a run"),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column(
            "before",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="the row, geometry as GeoJSON",
        ),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("who", sa.Text(), nullable=False, comment="name of the key, or the program or database role"),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column(
            "unconditional",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="written without If-Match",
        ),
        sa.Column("undoes", sa.BigInteger(), nullable=True),
        sa.Column("import_run", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "action IN ('create', 'update', 'delete', 'restore', 'import')", name=op.f("ck_change_action")
        ),
        sa.CheckConstraint("(action = 'import') = (item IS NULL)", name=op.f("ck_change_item")),
        sa.ForeignKeyConstraint(["undoes"], ["change.id"], name=op.f("fk_change_undoes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        comment="append-only: a trigger refuses everything but INSERT",
    )
    op.create_index("ix_change_layer_item", "change", ["layer", "item", "id"])
    op.create_table(
        "api_key",
        sa.Column("name", sa.Text(), nullable=False, comment="stands in the history, so that it is never given anew"),
        sa.Column("locator", sa.Text(), nullable=False, comment="the part of the key that is no secret"),
        sa.Column("hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the secret part, 256 random bits"),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("collections", postgresql.ARRAY(sa.Text()), nullable=False, comment="what an editor may write"),
        sa.Column("allow_unconditional", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("revoked", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used", sa.DateTime(timezone=True), nullable=True, comment="to the hour"),
        sa.CheckConstraint("(role = 'editor') = (cardinality(collections) > 0)", name=op.f("ck_api_key_collections")),
        sa.CheckConstraint("role IN ('reader', 'editor', 'admin')", name=op.f("ck_api_key_role")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_api_key")),
        sa.UniqueConstraint("locator", name=op.f("uq_api_key_locator")),
    )
    op.add_column(
        "platform",
        sa.Column(
            "edited",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="property, plan, by, at, reason of what an edit changed",
        ),
    )
    op.add_column(
        "platform",
        sa.Column(
            "deleted", sa.Boolean(), server_default=sa.text("false"), nullable=False, comment="retired by an edit"
        ),
    )
    op.create_check_constraint(op.f("ck_platform_deleted"), "platform", "retired OR NOT deleted")
    op.execute(RECORD)
    op.execute(APPEND_ONLY)
    op.execute(
        "CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON platform"
        " FOR EACH ROW EXECUTE FUNCTION record_change('platforms', 'position', 'geom')"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON change"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_history()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER record ON platform")
    op.drop_constraint(op.f("ck_platform_deleted"), "platform")
    op.drop_column("platform", "deleted")
    op.drop_column("platform", "edited")
    op.drop_table("api_key")
    op.drop_table("change")
    op.execute("DROP FUNCTION refuse_change_of_history()")
    op.execute("DROP FUNCTION record_change()")
