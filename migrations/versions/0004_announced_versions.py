"""Announced versions: every change of a layer's version is notified, so that kept answers are dropped at once"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION announce_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            -- delivered when the transaction commits, once however many layers it changed
            NOTIFY innomap_version;
            RETURN NULL;
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON layer_version"
        " FOR EACH STATEMENT EXECUTE FUNCTION announce_version()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER announce ON layer_version")
    op.execute("DROP FUNCTION announce_version()")
