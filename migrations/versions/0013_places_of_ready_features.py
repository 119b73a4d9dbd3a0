"""Where the ready features of imported layers lie, so that what lies in a box is found without the layer's own table;
and what becomes ready is announced
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # made anew, with their places
    op.execute("TRUNCATE ready_feature, ready_layer")
    place = Geometry("GEOMETRY", srid=4326, spatial_index=False)
    op.add_column("ready_feature", sa.Column("geom", place, nullable=True, comment="of a feature of an imported layer"))
    # who believes that features are not ready, or are, asks in vain until it looks again
    op.execute(
        "CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON ready_layer"
        " FOR EACH STATEMENT EXECUTE FUNCTION announce_version()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER announce ON ready_layer")
    op.drop_column("ready_feature", "geom")
