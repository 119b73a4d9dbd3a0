"""Vocabularies and column patterns that the tables share, and the naming of their constraints."""

from typing import Any

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.schema import SchemaItem

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = sa.MetaData(naming_convention=NAMING)

SRID = 4326
LEVELS = ("province", "city", "county", "town", "zone", "area", "place")
PLATFORM_LEVELS = ("national", "provincial", "municipal", "county")
STATUSES = ("existing", "building", "planned")
GEOMETRY_METHODS = ("administrative", "traced", "point", "schematic", "county_only", "city_only", "none")
NAME_SOURCES = ("printed", "own translation")
ROLES = ("corridor", "core", "zone", "section", "node", "group", "city", "enclave", "points")
SHAPES = ("band", "hull", "members", "circle", "point", "none")
VALUE_KINDS = ("actual", "flash", "target")
OPERATORS = ("exact", "ge", "gt", "le", "lt", "approx", "rank", "text", "missing")
ALIAS_KINDS = ("alias", "abbreviation", "printed variant", "english", "former")
RELATIONS = ("narrower", "same", "overlaps")
BETTER = ("higher", "lower", "neither")


def geometry(kind: str) -> Geometry:
    return Geometry(kind, srid=SRID, spatial_index=False)


def text(name: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=not required)


def one_of(name: str, values: tuple[str, ...], *, required: bool = False) -> tuple[SchemaItem, ...]:
    """A text column and the constraint that names its values."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return (
        sa.Column(name, sa.Text, nullable=not required, info={"values": values}),
        sa.CheckConstraint(f"{name} IN ({allowed})", name=name),
    )


def reference(
    name: str, target: str, *, required: bool = False, cascade: bool = False, index: bool = False
) -> sa.Column[Any]:
    key = sa.ForeignKey(target, ondelete="CASCADE" if cascade else None, deferrable=True, initially="DEFERRED")
    return sa.Column(name, sa.Text, key, nullable=not required, index=index)


def slug() -> tuple[SchemaItem, ...]:
    return (
        sa.Column("id", sa.Text, primary_key=True),
        sa.CheckConstraint("id ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
    )


def serial() -> sa.Column[Any]:
    """Key of a row that nobody addresses; not shown to clients."""
    return sa.Column("row_id", sa.BigInteger, sa.Identity(always=True), primary_key=True)


def names() -> tuple[SchemaItem, ...]:
    return (
        text("name", required=True),
        text("name_en", required=True),
        *one_of("name_en_source", NAME_SOURCES, required=True),
    )


def citation(*, required: bool = True, section: bool = True) -> tuple[SchemaItem, ...]:
    """Which lines of which document say it; lines count from 1."""
    columns: list[SchemaItem] = [reference("document", "document.id", required=required)]
    if section:
        columns.append(text("section"))
    columns += [
        sa.Column("line_start", sa.Integer, nullable=not required),
        sa.Column("line_end", sa.Integer, nullable=not required),
        sa.CheckConstraint("line_start >= 1 AND line_end >= line_start", name="lines"),
    ]
    return tuple(columns)


def subject(*names: str) -> tuple[SchemaItem, ...]:
    """Exactly one of several references is given."""
    columns = [reference(name, f"{name}.id", cascade=True, index=True) for name in names]
    return (*columns, sa.CheckConstraint(f"num_nonnulls({', '.join(names)}) = 1", name="one_subject"))
