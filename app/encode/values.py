"""Values of items as programs and as people read them; one rule for every format.

Programs (GeoPackage, FlatGeobuf, GeoParquet) get lists as JSON text, so that nothing is lost; people (CSV, XLSX,
Shapefile, KML) get lists of texts joined by ``；``.
"""

import json
import re
from decimal import Decimal
from typing import Any

#: What XML 1.0, and so XLSX and KML, cannot hold.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def exact(value: Any) -> Any:
    """A value without loss: lists and objects as JSON text, decimals as doubles."""
    if isinstance(value, Decimal):
        return float(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def legible(value: Any) -> Any:
    """A value as people read it: lists of texts joined, other lists and objects as JSON."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "；".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def printable(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return UNPRINTABLE.sub("\ufffd", text)
