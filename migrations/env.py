"""Alembic: migrates the database whose connection the caller hands over (see ``app/db/migrate.py``)."""

from alembic import context
from geoalchemy2 import alembic_helpers

from app.db.tables import metadata


def ours(obj: object, name: str | None, kind: str, reflected: bool, compare_to: object) -> bool:
    """Leave the tables of extensions (``spatial_ref_sys``) alone."""
    return not (kind == "table" and reflected and compare_to is None and name == "spatial_ref_sys")


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=ours,
    process_revision_directives=alembic_helpers.writer,
    render_item=alembic_helpers.render_item,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
