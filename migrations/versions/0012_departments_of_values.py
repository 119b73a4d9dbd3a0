"""Who is responsible for a printed value is a column of its own, so that it can be asked for"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # the load that follows writes them; until then there are none
    op.add_column("indicator_value", sa.Column("departments", ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.alter_column("indicator_value", "departments", server_default=None)


def downgrade() -> None:
    op.drop_column("indicator_value", "departments")
