"""Ready features: the GeoJSON of items that are made of many tables, kept as text for as long as these stand"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ready_layer",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False, comment="the state of its layers, and the form of its features"),
        sa.PrimaryKeyConstraint("collection", name=op.f("pk_ready_layer")),
    )
    op.create_table(
        "ready_feature",
        sa.Column("collection", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["collection"], ["ready_layer.collection"], name=op.f("fk_ready_feature_collection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("collection", "id", name=op.f("pk_ready_feature")),
    )


def downgrade() -> None:
    op.drop_table("ready_feature")
    op.drop_table("ready_layer")
