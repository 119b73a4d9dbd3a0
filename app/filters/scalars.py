"""SQL of scalar operators: text that ignores case or accents, and arithmetic that cannot fail.

Arithmetic is decimal, exact to 50 places. What has no result (division by zero, a root of a negative number) or leaves
±1e150 is unknown (NULL), so that one item never makes the whole question fail.

Each operator is one element with its SQL written out and each operand named once: nested terms stay small, and shallow
enough for SQLAlchemy, which walks them by recursion.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Sql = sa.ColumnElement[Any]


class _Written(FunctionElement[Any]):
    """An expression whose SQL is ``sql``, with ``{0}`` and ``{1}`` for its operands."""

    inherit_cache = True
    sql: str


@compiles(_Written)
def _write(element: _Written, compiler: SQLCompiler, **options: Any) -> str:
    return element.sql.format(*(compiler.process(one, **options) for one in element.clauses))


class Casei(_Written):
    """Upper, then lower: as near to full case folding as PostgreSQL 15 has. ß is ss; ς, which stands for what follows
    it, is σ. The root collation knows every alphabet, whatever locale the database has."""

    type = sa.Text()
    inherit_cache = True
    sql = "replace(lower(upper({0} COLLATE \"und-x-icu\")), 'ς', 'σ')"


class Accenti(_Written):
    """Without diacritics: decomposed, combining marks dropped, composed again; no extension is needed."""

    type = sa.Text()
    inherit_cache = True
    sql = "normalize(regexp_replace(normalize({0}, NFD), '[\\u0300-\\u036F]', '', 'g'), NFC)"


def _bounded(sql: str) -> str:
    """Rounded, and NULL beyond the limit; least() passes over NULL, which so becomes the limit and is NULL again."""
    return f"nullif(nullif(greatest(least(round({sql}, 50), 1e150), -1e150), 1e150), -1e150)"


class _Term(_Written):
    type = sa.Numeric()
    inherit_cache = True


class _Sum(_Term):
    # sums of bounded terms stay far from where a decimal ends
    inherit_cache = True
    sql = "({0}::numeric + {1}::numeric)"


class _Difference(_Term):
    inherit_cache = True
    sql = "({0}::numeric - {1}::numeric)"


class _Product(_Term):
    inherit_cache = True
    sql = _bounded("{0}::numeric * {1}::numeric")


class _Quotient(_Term):
    inherit_cache = True
    sql = _bounded("{0}::numeric / nullif({1}::numeric, 0)")


class _Whole(_Term):
    inherit_cache = True
    sql = _bounded("div({0}::numeric, nullif({1}::numeric, 0))")


class _Remainder(_Term):
    inherit_cache = True
    sql = _bounded("mod({0}::numeric, nullif({1}::numeric, 0))")


class _Power(_Term):
    # the limits on y ln|x| are those of 1e150 above and of 50 places below; OFFSET keeps the operands computed once
    inherit_cache = True
    sql = _bounded(
        "(SELECT CASE WHEN x IS NULL OR y IS NULL THEN NULL WHEN y = 0 THEN 1 WHEN x = 0 AND y > 0 THEN 0"
        " WHEN x = 0 THEN NULL WHEN x < 0 AND y <> trunc(y) THEN NULL WHEN y * ln(abs(x)) > 345.3 THEN NULL"
        " WHEN y * ln(abs(x)) < -117 THEN 0 ELSE power(x, y) END"
        " FROM (SELECT {0}::numeric AS x, {1}::numeric AS y OFFSET 0) AS term)"
    )


_TERMS: dict[str, type[_Term]] = {
    "+": _Sum, "-": _Difference, "*": _Product, "/": _Quotient, "div": _Whole, "%": _Remainder, "^": _Power,
}  # fmt: skip


def arithmetic(op: str, left: Sql, right: Sql) -> Sql:
    """One operation on two numbers."""
    return _TERMS[op](left, right)
