"""SQL of temporal relations, as OWL-Time defines them; an instant is a time that ends when it starts."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

Sql = sa.ColumnElement[Any]
Span = tuple[Sql, Sql]

RELATIONS: dict[str, Callable[[Span, Span], Sql]] = {
    "t_after": lambda a, b: a[0] > b[1],
    "t_before": lambda a, b: a[1] < b[0],
    "t_disjoint": lambda a, b: sa.or_(a[0] > b[1], a[1] < b[0]),
    "t_equals": lambda a, b: sa.and_(a[0] == b[0], a[1] == b[1]),
    "t_intersects": lambda a, b: sa.and_(a[0] <= b[1], a[1] >= b[0]),
    "t_contains": lambda a, b: sa.and_(a[0] < b[0], a[1] > b[1]),
    "t_during": lambda a, b: sa.and_(a[0] > b[0], a[1] < b[1]),
    "t_finishedBy": lambda a, b: sa.and_(a[0] < b[0], a[1] == b[1]),
    "t_finishes": lambda a, b: sa.and_(a[0] > b[0], a[1] == b[1]),
    "t_meets": lambda a, b: a[1] == b[0],
    "t_metBy": lambda a, b: a[0] == b[1],
    "t_overlappedBy": lambda a, b: sa.and_(a[0] > b[0], a[0] < b[1], a[1] > b[1]),
    "t_overlaps": lambda a, b: sa.and_(a[0] < b[0], a[1] > b[0], a[1] < b[1]),
    "t_startedBy": lambda a, b: sa.and_(a[0] == b[0], a[1] > b[1]),
    "t_starts": lambda a, b: sa.and_(a[0] == b[0], a[1] < b[1]),
}
