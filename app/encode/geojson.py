"""GeoJSON text around features that PostGIS has built."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from app.crs import CRS84, Crs

MEDIA_TYPE = "application/geo+json"
#: One feature a line, without the record separators of RFC 8142: what tools for lines of JSON expect.
LINES = "application/x-ndjson"


#: As ``json.dumps`` has it, which makes an encoder each time.
_json = json.JSONEncoder(ensure_ascii=False).encode


def _crs_member(crs: Crs) -> dict[str, Any]:
    """The ``crs`` member of the 2008 GeoJSON, for coordinates that RFC 7946 does not know."""
    return {} if crs is CRS84 else {"crs": {"type": "name", "properties": {"name": crs.uri}}}


def _head(members: Mapping[str, Any], crs: Crs) -> str:
    """The collection's own members, open for its features."""
    text = _json({"type": "FeatureCollection", **_crs_member(crs), **members})
    return f'{text[:-1]}, "features": [\n'


def feature_collection(features: bytes, members: Mapping[str, Any], crs: Crs = CRS84) -> bytes:
    """A FeatureCollection of ready features with commas between them; ``members`` are added beside them."""
    return b"".join((_head(members, crs).encode(), features, b"\n]}\n"))


async def feature_stream(
    features: AsyncIterator[Sequence[str]], members: Mapping[str, Any], crs: Crs = CRS84
) -> AsyncIterator[bytes]:
    """The same piece by piece, for a layer of any size; its head before the first feature is there."""
    yield _head(members, crs).encode()
    separator = ""
    async for part in features:
        yield (separator + ",\n".join(part)).encode()
        separator = ",\n"
    yield b"\n]}\n"


async def line_stream(
    features: AsyncIterator[Sequence[str]], members: Mapping[str, Any], crs: Crs = CRS84
) -> AsyncIterator[bytes]:
    """One feature a line; the first carries ``members``, and each its reference system unless that is CRS84."""
    told = False
    async for part in features:
        own, rest = (part[:0], part) if told else (part[:1], part[1:])
        lines = [feature_with(one, members, crs) for one in own]
        if crs is CRS84:
            # PostGIS writes a line break nowhere but inside a text, where JSON escapes it
            lines += [f"{one}\n".encode() for one in rest]
        else:
            lines += [feature_with(one, {}, crs) for one in rest]
        yield b"".join(lines)
        told = True


def feature_with(feature: str, members: Mapping[str, Any], crs: Crs = CRS84) -> bytes:
    """One Feature with members added beside its own."""
    added = _json({**_crs_member(crs), **members})
    return f"{feature.rstrip()[:-1]}, {added[1:]}\n".encode()
