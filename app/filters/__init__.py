"""CQL2 (OGC 21-065r2), text and JSON, into bound SQLAlchemy conditions over a collection's rows.

``guard`` (limits, before anything is parsed) → ``parse`` → ``check`` (allow-listed names, agreeing types) →
``compile``.
Nothing of the request reaches the database but bound values: no name, no function, no piece of text.
"""

from app.filters.compile import Relations, compile
from app.filters.errors import FilterError
from app.filters.functions import FUNCTIONS, Function
from app.filters.parse import Expression, Language, from_tree, parse, remembered

__all__ = [
    "FUNCTIONS", "Expression", "FilterError", "Function", "Language", "Relations", "compile", "from_tree", "parse",
    "remembered",
]  # fmt: skip
