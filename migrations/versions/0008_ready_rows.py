"""Ready features of imported layers, row by row; features stored as they are: compressing costs more than reading"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FORGET = """
CREATE FUNCTION forget_ready() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- a row that comes again begins with version 1: what was ready may be another's
    DELETE FROM ready_layer WHERE collection = TG_ARGV[0];
    RETURN NULL;
END $$
"""
TRIGGERS = """
DO $$
DECLARE
    layer text;
BEGIN
    FOR layer IN SELECT id FROM layer_definition LOOP
        EXECUTE format('CREATE TRIGGER forget AFTER DELETE OR TRUNCATE ON %I FOR EACH STATEMENT'
                       ' EXECUTE FUNCTION forget_ready(%L)', 'imported_' || layer, layer);
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.add_column(
        "ready_layer",
        sa.Column(
            "brought_to",
            sa.BigInteger(),
            nullable=True,
            comment="version of the layer whose rows were last looked at, row by row",
        ),
    )
    op.add_column(
        "ready_feature",
        sa.Column(
            "version",
            sa.BigInteger(),
            nullable=True,
            comment="of the row it was made from, where rows have versions of their own",
        ),
    )
    op.execute("ALTER TABLE ready_feature ALTER feature SET STORAGE EXTERNAL, SET (toast_tuple_target = 8160)")
    op.execute('ALTER TABLE ready_feature ALTER collection TYPE text COLLATE "C", ALTER id TYPE text COLLATE "C"')
    # checked row by row, it would take longer than making a million features; the mark alone says what is ready
    op.drop_constraint(op.f("fk_ready_feature_collection"), "ready_feature", type_="foreignkey")
    # made anew, stored in the new way
    op.execute("TRUNCATE ready_feature, ready_layer")
    op.execute(FORGET)
    op.execute(TRIGGERS)


def downgrade() -> None:
    op.execute("DROP FUNCTION forget_ready() CASCADE")
    op.execute("TRUNCATE ready_feature, ready_layer")
    op.create_foreign_key(
        op.f("fk_ready_feature_collection"), "ready_feature", "ready_layer", ["collection"], ["collection"],
        ondelete="CASCADE",
    )  # fmt: skip
    op.execute(
        'ALTER TABLE ready_feature ALTER collection TYPE text COLLATE "default", ALTER id TYPE text COLLATE "default"'
    )
    op.execute("ALTER TABLE ready_feature ALTER feature SET STORAGE EXTENDED, RESET (toast_tuple_target)")
    op.drop_column("ready_feature", "version")
    op.drop_column("ready_layer", "brought_to")
