"""How large the features kept ready are, so that a page of them is known to fit without measuring each"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

FORGET = """
CREATE OR REPLACE FUNCTION forget_ready() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {lock}-- a row that comes again begins with version 1: what was ready may be another's
    DELETE FROM ready_layer WHERE collection = TG_ARGV[0];
    RETURN NULL;
END $$
"""
#: ``queries.ready.READY_LOCK``: not while features are made from the rows that were.
LOCK = "PERFORM pg_advisory_xact_lock(7304023);\n    "


def upgrade() -> None:
    op.execute("TRUNCATE ready_feature, ready_layer")
    op.add_column(
        "ready_layer",
        sa.Column("largest", sa.BigInteger(), nullable=False, comment="bytes of the largest feature, or more"),
    )
    op.execute(FORGET.format(lock=LOCK))


def downgrade() -> None:
    op.execute(FORGET.format(lock=""))
    op.drop_column("ready_layer", "largest")
