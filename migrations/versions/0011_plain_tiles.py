"""Ready tiles that are not thinned beside those that are; kept as they are: to unpack them would take longer"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = ["collection", "grid", "level", "row", "col"]


def upgrade() -> None:
    op.execute("TRUNCATE ready_tile")
    op.add_column("ready_tile", sa.Column("thinned", sa.Boolean(), nullable=False))
    op.drop_constraint(op.f("pk_ready_tile"), "ready_tile")
    op.create_primary_key(op.f("pk_ready_tile"), "ready_tile", [*KEY, "thinned"])
    op.execute("ALTER TABLE ready_tile ALTER content SET STORAGE EXTERNAL")


def downgrade() -> None:
    op.execute("TRUNCATE ready_tile")
    op.drop_column("ready_tile", "thinned")
    op.create_primary_key(op.f("pk_ready_tile"), "ready_tile", KEY)
    op.execute("ALTER TABLE ready_tile ALTER content SET STORAGE EXTENDED")
