"""Accepted rows set down in a temporary table, and what the database says of them before they are written."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from psycopg import sql
from sqlalchemy import Connection

from app.catalog.imported import Definition, field_column
from app.db import columns as c
from app.db import tables as t
from app.imports.report import LISTED, Report

#: Columns that every row has before and behind the layer's fields, in the order they are copied.
BEFORE = ("row_no", "id", "name")
BEHIND = ("geometry_method", "position_accuracy_m", "position_source", "geom")
#: Metres within which two things of one name are taken for one.
NEAR_M = 100
#: Parts of a degree, about a metre, within which two points are at one place.
GRID = 1e5
#: What COPY takes for more than itself.
SPECIAL = re.compile(r"[\\\t\n\r]")
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
#: Rows named of each group of suspects.
NAMED = 5


def copied(columns: Sequence[Sequence[Any]]) -> bytes:
    """Rows, given as their columns, in the text form of COPY."""
    texts = [_column(one) for one in columns]
    return "".join(["\t".join(row) + "\n" for row in zip(*texts, strict=True)]).encode()


def _column(values: Sequence[Any]) -> Sequence[str]:
    """Many values at a time: hardly any column has a text that must be escaped."""
    if set(map(type, values)) == {str}:
        return values if not SPECIAL.search("\0".join(values)) else [one.translate(ESCAPES) for one in values]
    return [one.translate(ESCAPES) if type(one) is str else "\\N" if one is None else _text(one) for one in values]


def _text(value: Any) -> str:
    """A value that is no text; of a list the members are quoted and the whole is escaped."""
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list):
        members = (one.replace("\\", "\\\\").replace('"', '\\"') for one in value)
        return ("{" + ",".join(f'"{one}"' for one in members) + "}").translate(ESCAPES)
    return str(value)


class Stage:
    """The temporary tables of one import; they go with its transaction."""

    def __init__(self, connection: Connection, definition: Definition) -> None:
        self.connection = connection
        self.definition = definition
        anchor = "CASE ST_GeometryType(geom) WHEN 'ST_Point' THEN geom ELSE ST_PointOnSurface(geom) END"
        temporary: dict[str, Any] = {"prefixes": ["TEMPORARY"], "postgresql_on_commit": "DROP"}
        self.rows = sa.Table(
            "import_stage",
            sa.MetaData(),
            sa.Column("row_no", sa.BigInteger),
            sa.Column("id", sa.Text(collation="C")),
            sa.Column("name", sa.Text),
            *(field_column(one) for one in definition.fields),
            sa.Column("geometry_method", sa.Text),
            sa.Column("position_accuracy_m", sa.Float),
            sa.Column("position_source", sa.Text),
            sa.Column("geom", c.geometry("GEOMETRY")),
            sa.Column("position", c.geometry("POINT"), sa.Computed(anchor, persisted=True)),
            **temporary,
        )
        self.places = sa.Table(
            "import_place",
            sa.MetaData(),
            sa.Column("row_no", sa.BigInteger),
            sa.Column("county", sa.Text),
            sa.Column("city", sa.Text),
            **temporary,
        )
        # sorting and hashing in memory: there is one import at a time
        connection.execute(sa.text("SET LOCAL work_mem = '64MB'"))
        self.rows.create(connection)
        self.places.create(connection)

    @contextmanager
    def copying(self) -> Iterator[Any]:
        """A COPY into the table of rows: a function that takes columns: ``BEFORE``, the fields, ``BEHIND``."""
        names = [*BEFORE, *(one.name for one in self.definition.fields), *BEHIND]
        driver: Any = self.connection.connection.driver_connection
        columns = sql.SQL(", ").join(map(sql.Identifier, names))
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(self.rows.name), columns)
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            yield lambda columns: copy.write(copied(columns))

    def refuse_doubles(self, report: Report, keyed: bool) -> None:
        """Keep the first row of each id; ids are keys of the file, or made of name and geometry."""
        rows = self.rows.c
        first = sa.select(rows.id, sa.func.min(rows.row_no).label("row_no")).group_by(rows.id)
        double = first.having(sa.func.count() > 1).subquery()
        later = (rows.id == double.c.id) & (rows.row_no > double.c.row_no)
        gone = sa.delete(self.rows).where(later).returning(rows.row_no, rows.id)
        rule = (
            "此键前面已有。 The key stands in an earlier row"
            if keyed
            else "名称与几何同前面的行。 Name and geometry of an earlier row"
        )
        for row, item in sorted(self.connection.execute(gone)):
            report.refuse(row, "key" if keyed else "name", rule, item if keyed else None)

    def place(self) -> None:
        """Find county and city of every anchor point; on a shared edge the smallest adcode wins."""
        rows, place, region = self.rows.c, self.places.c, t.region.c
        outlines = sa.select(region.id, region.parent).where(~region.retired, region.geom.is_not(None))
        # one outline at a time: PostGIS then keeps it prepared for all points
        for county, city in self.connection.execute(outlines.where(region.level == "county")).all():
            self._inside(self.rows, county, county, city)
        other = self.places.alias("other")
        edge = (place.row_no == other.c.row_no) & (place.county > other.c.county)
        self.connection.execute(sa.delete(self.places).where(edge))
        left = sa.Table(
            "import_left", sa.MetaData(), sa.Column("row_no", sa.BigInteger), sa.Column("position", rows.position.type),
            prefixes=["TEMPORARY"], postgresql_on_commit="DROP",
        )  # fmt: skip
        left.create(self.connection)
        # NOT EXISTS, here and elsewhere: of a million rows NOT IN compares each with each
        unplaced = sa.select(rows.row_no, rows.position).where(~sa.exists().where(place.row_no == rows.row_no))
        self.connection.execute(sa.insert(left).from_select(["row_no", "position"], unplaced))
        for city, _ in self.connection.execute(outlines.where(region.level == "city")).all():
            self._inside(left, city, None, city)
        other_city = (place.row_no == other.c.row_no) & place.county.is_(None) & (place.city > other.c.city)
        self.connection.execute(sa.delete(self.places).where(other_city))
        for table in (self.rows, self.places):
            self.connection.execute(sa.text(f"ANALYZE {table.name}"))

    def _inside(self, points: sa.Table, outline: str, county: str | None, city: str | None) -> None:
        region = t.region.c
        shape = sa.select(region.geom).where(region.id == outline).scalar_subquery()
        found = sa.select(points.c.row_no, sa.literal(county, sa.Text), sa.literal(city, sa.Text)).where(
            sa.func.ST_Covers(shape, points.c.position)
        )
        self.connection.execute(sa.insert(self.places).from_select(["row_no", "county", "city"], found))

    def placed(self) -> sa.Select[Any]:
        """Every row with its county and city."""
        place = self.places.c
        joined = self.rows.outerjoin(self.places, place.row_no == self.rows.c.row_no)
        return sa.select(*self.rows.c, place.county, place.city).select_from(joined)

    def counties(self, rows: int) -> Mapping[str, int]:
        """Rows by name of county, of so many in all."""
        place, region = self.places.c, t.region.c
        counted = sa.select(region.name, sa.func.count()).join(self.places, region.id == place.county)
        counted = counted.group_by(region.name, region.id).order_by(region.id)
        found: dict[str, int] = {row[0]: row[1] for row in self.connection.execute(counted)}
        if outside := rows - sum(found.values()):
            found["县界以外 outside the counties"] = outside
        return found

    def suspects(self, report: Report, named: bool) -> None:
        """Rows that may be one thing: of one name, at one place, or of the name of a platform."""
        rows = self.rows.c
        numbers = sa.func.array_agg(sa.text("row_no ORDER BY row_no"))
        if named:
            by_name = sa.select(rows.name, sa.func.count(), numbers).group_by(rows.name)
            for name, count, found in self._groups(by_name):
                report.suspect("同名 same name", found[:NAMED], count - 1, name=name)
        spot = [
            sa.cast(sa.func.floor(axis(rows.position) * GRID), sa.BigInteger) for axis in (sa.func.ST_X, sa.func.ST_Y)
        ]
        by_place = sa.select(sa.func.min(rows.name), sa.func.count(), numbers).group_by(*spot)
        for name, count, found in self._groups(by_place):
            report.suspect("同一位置 same place", found[:NAMED], count - 1, name=name)
        if named:
            platform, alias = t.platform.c, t.alias.c
            names = sa.union(
                sa.select(platform.id, platform.name.label("called")).where(~platform.retired),
                sa.select(alias.platform, alias.name).where(alias.platform.is_not(None)),
            ).subquery()
            known = sa.select(rows.row_no, names.c.id).join(names, names.c.called == rows.name).order_by(rows.row_no)
            for row, item in self.connection.execute(known):
                report.suspect("与平台同名 name of a platform", [row], 1, platform=item)

    def _groups(self, grouped: sa.Select[Any]) -> Sequence[Any]:
        """Groups of more than one row, the largest first; their number is limited, for it is a hint."""
        several = grouped.having(sa.func.count() > 1).order_by(sa.func.count().desc()).limit(LISTED)
        return self.connection.execute(several).all()
