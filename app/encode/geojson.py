"""GeoJSON text around features that PostGIS has built."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from app.crs import CRS84, Crs

MEDIA_TYPE = "application/geo+json"
#: One feature a line, without the record separators of RFC 8142: what tools for lines of JSON expect.
LINES = "application/x-ndjson"


def _crs_member(crs: Crs) -> dict[str, Any]:
    """The ``crs`` member of the 2008 GeoJSON, for coordinates that RFC 7946 does not know."""
    return {} if crs is CRS84 else {"crs": {"type": "name", "properties": {"name": crs.uri}}}


def _head(members: Mapping[str, Any], crs: Crs) -> str:
    """The collection's own members, open for its features."""
    text = json.dumps({"type": "FeatureCollection", **_crs_member(crs), **members}, ensure_ascii=False)
    return f'{text[:-1]}, "features": [\n'


def feature_collection(features: Sequence[str], members: Mapping[str, Any], crs: Crs = CRS84) -> bytes:
    """A FeatureCollection of ready features; ``members`` are added beside them."""
    return (_head(members, crs) + ",\n".join(features) + "\n]}\n").encode()


async def feature_stream(
    features: AsyncIterator[str], members: Mapping[str, Any], crs: Crs = CRS84
) -> AsyncIterator[bytes]:
    """The same piece by piece, for a layer of any size."""
    yield _head(members, crs).encode()
    separator = ""
    async for feature in features:
        yield (separator + feature).encode()
        separator = ",\n"
    yield b"\n]}\n"


async def line_stream(
    features: AsyncIterator[str], members: Mapping[str, Any], crs: Crs = CRS84
) -> AsyncIterator[bytes]:
    """One feature a line; the first carries ``members``, and each its reference system unless that is CRS84."""
    first = True
    async for feature in features:
        added = {**_crs_member(crs), **(members if first else {})}
        # PostGIS writes a line break nowhere but inside a text, where JSON escapes it
        yield feature_with(feature, added, crs) if added else f"{feature}\n".encode()
        first = False


def feature_with(feature: str, members: Mapping[str, Any], crs: Crs = CRS84) -> bytes:
    """One Feature with members added beside its own."""
    added = json.dumps({**_crs_member(crs), **members}, ensure_ascii=False)
    return f"{feature.rstrip()[:-1]}, {added[1:]}\n".encode()
