"""Layers that stewards import: what a definition says, and the collection and table it becomes.

A definition is a small YAML file (see ``docs/import.md``); the database keeps it, and everything generic reads the
collection made of it as any other.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.dialects.postgresql import ARRAY

from app.catalog import types
from app.catalog.common import PLACING, name_of
from app.catalog.types import Collection
from app.db import columns as c
from app.db import tables as t

#: Names that a field may not have: columns that every layer has, those that files add, and parameters of requests.
RESERVED = frozenset((
    "id", "name", "county", "county_name", "city", "geometry", "geom", "position", "position_county",
    "position_city", "axis", "version", "retired", "deleted", "geometry_method", "schematic",
    "position_accuracy_m", "position_source", "lon", "lat", "x", "y", "wkt", "bbox", "fid", "distance_m", "crs",
    "data_version", "attribution", "edited", "limit", "offset", "cursor", "filter", "datetime", "within",
    "relation", "near", "distance", "nearest", "k", "along", "uncertain", "properties", "sortby", "group_by",
    "stat", "f", "lang", "industry", "industry_contains", "industry_under", "layout_element", "collections", "q",
))  # fmt: skip
NAME = r"[a-z][a-z0-9_]{0,39}"
TYPES: dict[str, tuple[types.Type, Any]] = {
    "text": ("string", sa.Text), "date": ("string", sa.Text), "number": ("number", sa.Numeric),
    "integer": ("integer", sa.BigInteger), "boolean": ("boolean", sa.Boolean), "list": ("array", ARRAY(sa.Text)),
}  # fmt: skip
LIMIT = {"description": 2000, "fields": 100, "values": 1000}
#: Ways of knowing a geometry that a whole layer may have; county_only comes of an address.
METHODS = ("point", "traced", "administrative", "schematic")


def _plain(text: str) -> str:
    """A text that can stand anywhere: no control characters."""
    if not text.strip() or any(ord(one) < 32 for one in text):
        raise ValueError("须为非空的一行文字。 Must be one line of text")
    return text


def _column(name: str) -> str:
    if not re.fullmatch(NAME, name) or name in RESERVED:
        raise ValueError(
            "须由 a-z、0-9、_ 组成，以字母开头，至多 40 个字符，且不是保留名。"
            f" Must be a-z, 0-9 and _, a letter first, at most 40 characters, and none of {' '.join(sorted(RESERVED))}"
        )
    return name


Line = Annotated[str, Field(max_length=500), AfterValidator(_plain)]


class FieldDefinition(BaseModel):
    """A property: its name in the API, and the column of the file that it comes from (the same name unless given)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_column)]
    title: Line
    title_en: Line
    type: Literal["text", "date", "number", "integer", "boolean", "list"] = "text"
    unit: Line | None = None
    values: Annotated[tuple[Line, ...], Field(max_length=LIMIT["values"])] = ()
    required: bool = False
    column: Line | None = None

    @property
    def source(self) -> str:
        return self.column or self.name

    @property
    def described(self) -> types.Field:
        return types.Field(self.name, self.title, self.title_en, TYPES[self.type][0], self.unit, self.values)


class Definition(BaseModel):
    """A layer as its steward defines it; the second half says where in the file things stand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: Line
    title_en: Line
    description: Annotated[str, Field(max_length=LIMIT["description"])] = ""
    description_en: Annotated[str, Field(max_length=LIMIT["description"])] = ""
    source: Line
    licence: Line
    geometry: Literal["Point", "LineString", "Polygon", "any"] = "any"
    geometry_method: Literal["point", "traced", "administrative", "schematic"] = "traced"
    accuracy_m: Annotated[float, Field(ge=0)] | None = None
    fields: Annotated[tuple[FieldDefinition, ...], Field(max_length=LIMIT["fields"])] = ()

    key: Line | None = None
    name: Line | None = None
    crs: Line | None = None
    lon: Line | None = None
    lat: Line | None = None
    wkt: Line | None = None
    address: Line | None = None

    @model_validator(mode="after")
    def _whole(self) -> "Definition":
        if not re.fullmatch(NAME, self.id):
            raise ValueError("id: 须由 a-z、0-9、_ 组成，以字母开头。 Must be a-z, 0-9 and _, a letter first")
        names = [one.name for one in self.fields]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"fields: {name} 重复。 {name} stands twice")
        if (self.lon is None) != (self.lat is None):
            raise ValueError("lon, lat: 须同时给出。 Go together")
        return self


def field_column(described: FieldDefinition) -> sa.Column[Any]:
    """The column that holds a field."""
    return sa.Column(described.name, TYPES[described.type][1])


def table(definition: Definition) -> sa.Table:
    """The layer's table, in metadata of its own: migrations know nothing of it."""
    name = f"imported_{definition.id}"
    return sa.Table(
        name,
        sa.MetaData(naming_convention=c.NAMING),
        # by byte, as pages and files are sorted, so that the key's index serves them
        sa.Column("id", sa.Text(collation="C"), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        *(field_column(one) for one in definition.fields),
        sa.Column("geometry_method", sa.Text, nullable=False),
        sa.Column("position_accuracy_m", sa.Float),
        sa.Column("position_source", sa.Text, nullable=False),
        sa.Column("geom", c.geometry("GEOMETRY"), nullable=False),
        sa.Column("position", c.geometry("POINT"), nullable=False),
        sa.Column("position_county", sa.Text),
        sa.Column("position_city", sa.Text),
        sa.Column("retired", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Index(f"ix_{name}_geom", "geom", postgresql_using="gist"),
        sa.Index(f"ix_{name}_position_geography", sa.text("(position::geography)"), postgresql_using="gist"),
        sa.Index(f"ix_{name}_position_county", "position_county"),
    )


PLACED = (
    types.Field("county", "所在县（市、区），按位置", "County, by position", refers="county"),
    types.Field("county_name", "所在县（市、区）名称", "Name of the county, by position"),
    types.Field("city", "所在市，按位置", "City, by position", refers="city"),
)


def collection(definition: Definition) -> Collection:
    """The layer as everything generic reads it."""
    of = table(definition)
    rows = of.c
    own = [rows[one.name] for one in definition.fields]
    fields: Sequence[types.Field] = (
        types.Field("name", "名称", "Name"), *(one.described for one in definition.fields), *PLACED, *PLACING,
    )  # fmt: skip
    select = sa.select(
        rows.id,
        rows.name,
        *own,
        rows.position_county.label("county"),
        name_of(t.region, rows.position_county).label("county_name"),
        rows.position_city.label("city"),
        rows.geometry_method,
        (rows.geometry_method == "schematic").label("schematic"),
        rows.position_accuracy_m,
        rows.position_source,
        rows.geom.label("geometry"),
        rows.position,
        rows.position_county,
        rows.position_city,
        rows.version,
    ).where(~rows.retired)
    return Collection(
        definition.id, definition.title, definition.title_en, definition.description, definition.description_en,
        tuple(fields), select, (f"imported_{definition.id}", t.layer_definition.name, "region"),
        (f"{definition.source}（{definition.licence}）",), GEOMETRY_TYPES[definition.geometry],
        kept_as=definition.id, kept_by=of.name, written_in=definition.id,
        writable=("name", *(one.name for one in definition.fields), *WRITTEN),
        required=("name", *(one.name for one in definition.fields if one.required), *WRITTEN[:2]),
    )  # fmt: skip


#: What every item of an imported layer says of its geometry.
WRITTEN = ("geometry_method", "position_source", "position_accuracy_m")


GEOMETRY_TYPES = {"Point": "Point", "LineString": "Geometry", "Polygon": "Geometry", "any": "Geometry"}
