"""Tables of the program's own records: versions of the data, what was loaded and imported, every change, keys.

No layer is published from them.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from app.db import columns as c
from app.db.columns import metadata

#: ``delete`` hides an item (its id may be cited) and ``restore`` shows it again; ``import`` is a whole run.
ACTIONS = ("create", "update", "delete", "restore", "import")
#: One load (or restore) at a time, whichever program on whichever machine does it; edits stand back meanwhile.
LOAD_LOCK = 7_304_021
KEY_ROLES = ("reader", "editor", "admin")

layer_version = sa.Table(
    "layer_version",
    metadata,
    sa.Column("layer", sa.Text, primary_key=True, comment="a table name"),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
)

ready_layer = sa.Table(
    "ready_layer",
    metadata,
    sa.Column("collection", sa.Text, primary_key=True),
    sa.Column("mark", sa.Text, nullable=False, comment="the state of its layers, and the form of its features"),
    sa.Column("brought_to", sa.BigInteger, comment="version of the layer whose rows were last looked at, row by row"),
    sa.Column("largest", sa.BigInteger, nullable=False, comment="bytes of the largest feature, or more"),
)

ready_feature = sa.Table(
    "ready_feature",
    metadata,
    # by byte, as the keys of imported layers are: else no index would find one by the other
    sa.Column("collection", sa.Text(collation="C"), primary_key=True),
    sa.Column("id", sa.Text(collation="C"), primary_key=True),
    sa.Column("version", sa.BigInteger, comment="of the row it was made from, where rows have versions of their own"),
    sa.Column("feature", sa.Text, nullable=False),
    # with an index for each layer (``queries.ready``)
    sa.Column("geom", c.geometry("GEOMETRY"), comment="of a feature of an imported layer"),
)

ready_tile = sa.Table(
    "ready_tile",
    metadata,
    sa.Column("collection", sa.Text, primary_key=True),
    sa.Column("grid", sa.Text, primary_key=True),
    sa.Column("level", sa.Integer, primary_key=True),
    sa.Column("row", sa.Integer, primary_key=True),
    sa.Column("col", sa.Integer, primary_key=True),
    sa.Column("thinned", sa.Boolean, primary_key=True),
    sa.Column("mark", sa.Text, nullable=False, comment="the state of its layers, and the form of its features"),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

installation = sa.Table(
    "installation",
    metadata,
    sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column(
        "epoch", sa.Uuid, nullable=False, server_default=sa.func.gen_random_uuid(), comment="new in a restored one"
    ),
    sa.CheckConstraint("singleton", name="one_row"),
)

load_state = sa.Table(
    "load_state",
    metadata,
    sa.Column("singleton", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("checksum", sa.Text, nullable=False),
    sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("singleton", name="one_row"),
)

change = sa.Table(
    "change",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    c.text("layer", required=True),
    sa.Column("item", sa.Text, comment="NULL for an import, which is one row a run"),
    *c.one_of("action", ACTIONS, required=True),
    sa.Column("before", JSONB(none_as_null=True), comment="the row, geometry as GeoJSON"),
    sa.Column("after", JSONB(none_as_null=True)),
    sa.Column("who", sa.Text, nullable=False, comment="name of the key, or the program or database role"),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
    sa.Column("why", sa.Text),
    sa.Column(
        "unconditional", sa.Boolean, nullable=False, server_default=sa.false(), comment="written without If-Match"
    ),
    sa.Column("undoes", sa.BigInteger, sa.ForeignKey("change.id")),
    sa.Column("import_run", sa.BigInteger, sa.ForeignKey("import_run.id")),
    sa.CheckConstraint("(action = 'import') = (item IS NULL)", name="item"),
    sa.Index("ix_change_layer_item", "layer", "item", "id"),
    comment="append-only: a trigger refuses everything but INSERT",
)

api_key = sa.Table(
    "api_key",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="stands in the history, so that it is never given anew"),
    sa.Column("locator", sa.Text, nullable=False, unique=True, comment="the part of the key that is no secret"),
    sa.Column("hash", sa.LargeBinary, nullable=False, comment="SHA-256 of the secret part, 256 random bits"),
    *c.one_of("role", KEY_ROLES, required=True),
    sa.Column("collections", ARRAY(sa.Text), nullable=False, comment="what an editor may write"),
    sa.Column("allow_unconditional", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("revoked", sa.DateTime(timezone=True)),
    sa.Column("last_used", sa.DateTime(timezone=True), comment="to the hour"),
    sa.CheckConstraint("(role = 'editor') = (cardinality(collections) > 0)", name="collections"),
)


layer_definition = sa.Table(
    "layer_definition",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="name of the collection; its table is imported_<id>"),
    sa.Column(
        "definition", JSONB, nullable=False, comment="titles, fields, source, licence, as the steward wrote them"
    ),
    sa.Column("created", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.CheckConstraint("id ~ '^[a-z][a-z0-9_]{0,39}$'", name="name"),
)

import_run = sa.Table(
    "import_run",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("layer", sa.Text, nullable=False, index=True),
    sa.Column("file", sa.Text, nullable=False, comment="its name, without the folder"),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("report", JSONB, nullable=False),
)


def signed(connection: sa.Connection, who: str, why: str | None = None, **more: bool | int | None) -> None:
    """Say who makes the changes of this transaction, and why; ``more`` are ``unconditional`` and ``undoes``."""
    given = {"who": who, "why": why, **more}
    settings = [
        sa.func.set_config(f"innomap.{name}", str(value), True) for name, value in given.items() if value is not None
    ]
    connection.execute(sa.select(*settings))
