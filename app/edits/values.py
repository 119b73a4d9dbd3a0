"""Properties of a feature that was sent, as the columns of its row."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from app.catalog import Field
from app.edits.layer import Fault, Layer, Refused
from app.queries import codes

#: Longest text of one property, in characters.
LONGEST_TEXT = 10_000
_WORDS = {
    "string": "文本 a text", "number": "数 a number", "integer": "整数 a whole number", "boolean": "true, false",
    "array": "文本的列表 a list of texts",
}  # fmt: skip


def properties_of(
    layer: Layer, feature: Mapping[str, Any], shown: Mapping[str, Any], stored: sa.RowMapping | None
) -> dict[str, Any]:
    """The value of every column that a property may set; what is not sent, or ``null``, or an empty text is ``None``.

    What comes back as it is ``shown`` keeps the value that is ``stored``. A property that cannot be written may be
    sent as it is shown, or as ``null``. Raises ``Refused`` with every fault.
    """
    sent = feature.get("properties")
    if sent is None:
        sent = {}
    if not isinstance(sent, Mapping):
        raise Refused(Fault("properties", "须为对象或 null。 Must be an object or null"))
    known = {one.name: one for one in layer.collection.fields}
    faults, values = [], {}
    for name, value in sent.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            faults.append(Fault(name[:100], f"没有这个属性。 No such property{hint}", tuple(layer.columns)))
        elif name not in layer.columns and value is not None and value != shown.get(name):
            faults.append(Fault(name, "只读，由其他数据得出。 Is read-only: it follows from other data"))
    for name, column in layer.columns.items():
        value = sent.get(name)
        if stored is not None and value == shown.get(name):
            values[column] = stored[column]
            continue
        try:
            values[column] = _typed(known[name], layer.table.c[column], value)
        except ValueError as error:
            faults.append(Fault(name, str(error), _allowed(known[name], layer.table.c[column])))
    if faults:
        raise Refused(*faults)
    return values


def _allowed(described: Field, column: sa.Column[Any]) -> Sequence[str]:
    """The only values that a property takes, where it is one of a few."""
    return column.info.get("values") or described.values


def _typed(described: Field, column: sa.Column[Any], value: Any) -> Any:
    if value is None or value == "":
        return None
    if described.type == "string":
        good = isinstance(value, str)
    elif described.type == "boolean":
        good = isinstance(value, bool)
    elif described.type == "array":
        good = isinstance(value, list) and all(isinstance(one, str) for one in value)
    else:
        good = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        good = good and (described.type == "number" or value == int(value))
    if not good:
        raise ValueError(f"须为{_WORDS.get(described.type, described.type)}")
    if isinstance(value, str):
        if len(value) > LONGEST_TEXT:
            raise ValueError(f"至多 {LONGEST_TEXT} 个字符。 At most {LONGEST_TEXT} characters")
        allowed = _allowed(described, column)
        if allowed and value not in allowed:
            raise ValueError(f"{value!r} 不在取值之内。 {value!r} is not one of {', '.join(allowed)}")
        return value
    if isinstance(column.type, sa.Float):
        return float(value)
    if isinstance(column.type, sa.Integer):
        return int(value)
    return Decimal(str(value)) if isinstance(column.type, sa.Numeric) else value


def required(
    connection: Connection, layer: Layer, row: Mapping[str, Any], stored: sa.RowMapping | None
) -> Iterator[Fault]:
    """What is missing of a row, and references of it that name nothing; a reference that stays is not looked at."""
    for name, column_name in layer.columns.items():
        column, value = layer.table.c[column_name], row.get(column_name)
        if value is None:
            if not column.nullable:
                yield Fault(name, "必填。 Is required")
            continue
        if stored is not None and stored[column_name] == value:
            continue
        for foreign in column.foreign_keys:
            target = foreign.column.table
            there = sa.exists().where(foreign.column == value)
            if "retired" in target.c:
                there = there.where(~target.c.retired)
            if not connection.scalar(sa.select(there)):
                sort = next(one.refers for one in layer.collection.fields if one.name == name)
                error = codes.unknown(connection, sort or target.name, str(value))
                yield Fault(name, str(error), tuple(error.candidates))
