"""How large the features kept ready are, so that a page of them is known to fit without measuring each"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("TRUNCATE ready_feature, ready_layer")
    op.add_column(
        "ready_layer",
        sa.Column("largest", sa.BigInteger(), nullable=False, comment="bytes of the largest feature, or more"),
    )


def downgrade() -> None:
    op.drop_column("ready_layer", "largest")
