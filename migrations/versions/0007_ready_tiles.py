"""Ready tiles: those of many points, thinned, for as long as the layers that they are read from stay as they are"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ready_tile",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("grid", sa.Text(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("col", sa.Integer(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False, comment="the state of its layers, and the form of its features"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("collection", "grid", "level", "row", "col", name=op.f("pk_ready_tile")),
    )


def downgrade() -> None:
    op.drop_table("ready_tile")
