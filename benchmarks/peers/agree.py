"""Answers are compared before they are timed: the same items, the same number, the same places to six decimals."""

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from app.queries import tiles
from benchmarks.peers.workloads import Workload

TOLERANCE = 1.01e-6


class Disagreement(SystemExit):
    """Two servers answered differently; the message says how."""


def _numbers(coordinates: Any) -> Iterator[float]:
    if isinstance(coordinates, int | float):
        yield coordinates
    else:
        for one in coordinates:
            yield from _numbers(one)


def _places(answer: Mapping[str, Any]) -> dict[str, list[float]]:
    """The coordinates of each feature by its id."""
    features = answer.get("features", [answer])
    return {str(one["id"]): list(_numbers((one["geometry"] or {}).get("coordinates", ()))) for one in features}


def check(workload: Workload, addresses: Mapping[str, str]) -> str:
    """A sentence about what agreed. Raises ``Disagreement``."""
    answers = {}
    for server, path in workload.paths.items():
        if server in addresses:
            answers[server] = httpx.get(addresses[server] + path, trust_env=False, timeout=120).raise_for_status()
    if workload.kind == "none":
        return ", ".join(f"{server} {len(one.content):,} bytes" for server, one in answers.items())
    if workload.kind == "tile":
        numbers = {server: _tile_features(one.content) for server, one in answers.items()}
        # a tile that is cut holds as many, but not the same, so that others of them lie in the margin
        cut = all(whole == tiles.most_features() for _, whole in numbers.values())
        if not cut and len({inside for inside, _ in numbers.values()}) > 1:
            raise Disagreement(f"{workload.name}: features in the tile and with its margin {numbers}")
        return f"{next(iter(numbers.values()))[1 if cut else 0]} features in each tile"
    (first, ours), *others = answers.items()
    here = _places(ours.json())
    for server, theirs in others:
        there = _places(theirs.json())
        _same(workload, first, here, server, there)
        matched = {name: one.json().get("numberMatched") for name, one in ((first, ours), (server, theirs))}
        if None not in matched.values() and len(set(matched.values())) > 1:
            raise Disagreement(f"{workload.name}: matched {matched}")
    return f"{len(here)} items, the same ids and coordinates" if others else f"{len(here)} items"


def _same(
    workload: Workload, first: str, here: Mapping[str, list[float]], server: str, there: Mapping[str, list[float]]
) -> None:
    if here.keys() != there.keys():
        raise Disagreement(
            f"{workload.name}: {len(here)} items from {first}, {len(there)} from {server}, "
            f"{len(here.keys() ^ there.keys())} in one alone, such as {sorted(here.keys() ^ there.keys())[:3]}"
        )
    for item, numbers in here.items():
        if len(numbers) != len(there[item]) or any(
            abs(one - other) > TOLERANCE for one, other in zip(numbers, there[item], strict=True)
        ):
            raise Disagreement(f"{workload.name}: {item} is elsewhere in {server}")


def _tile_features(content: bytes) -> tuple[int, int]:
    """Points of a vector tile's only layer: those in the tile itself, and with those in the margin around it.

    Mapbox Vector Tile 2.1: layers are fields 3 of a tile, features fields 2 of a layer, and geometries fields 4 of a
    feature; a point is a command and two parameters, numbers with the sign last.
    """
    inside = whole = 0
    for layer in (content for kind, content in _fields(content) if kind == 3):
        for feature in (content for kind, content in _fields(layer) if kind == 2):
            geometry = next(content for kind, content in _fields(feature) if kind == 4)
            x, y = list(_varints(geometry))[1:3]
            inside += all(0 <= (one >> 1) ^ -(one & 1) < 4096 for one in (x, y))
            whole += 1
    return inside, whole


def _varints(content: bytes) -> Iterator[int]:
    value = shift = 0
    for byte in content:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def _fields(content: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message of Protocol Buffers; numbers come without their value."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = content[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(content):
        key = number()
        if key & 7 == 2:
            length = number()
            yield key >> 3, content[at : at + length]
            at += length
        else:
            number()
            yield key >> 3, b""
