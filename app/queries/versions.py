"""The state of the data that an answer was read from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog.types import written
from app.db import tables as t


@dataclass(frozen=True)
class State:
    """Versions of layers in one database, and when each changed last.

    ``ready`` has the marks under which features of collections are kept ready (``queries.ready``), ``largest`` how many
    bytes each of these takes at most, ``brought`` to which version of their layer all were looked at.
    ``epoch`` makes a restored database differ from the one that was.
    """

    epoch: str
    versions: Mapping[str, int]
    times: Mapping[str, datetime]
    ready: Mapping[str, str] = field(default_factory=dict)
    largest: Mapping[str, int] = field(default_factory=dict)
    brought: Mapping[str, int | None] = field(default_factory=dict)

    @cached_property
    def changed_at(self) -> datetime | None:
        """When one of the layers changed last."""
        return max(self.times.values(), default=None)

    @cached_property
    def mark(self) -> str:
        """Text that differs for every state."""
        return f"{self.epoch} {self.numbered}"

    @cached_property
    def numbered(self) -> str:
        """The part of the mark that people may compare: each layer with its version."""
        return " ".join(f"{layer}:{version}" for layer, version in self.versions.items())

    def of(self, layers: Sequence[str]) -> "State":
        """The state of some of these layers. One that was never written has no row yet; it gets one with the first."""
        names = sorted(layers)
        versions = {layer: self.versions.get(layer, 0) for layer in names}
        times = {layer: self.times[layer] for layer in names if layer in self.times}
        return State(self.epoch, versions, times, self.ready, self.largest, self.brought)


class Moved(Exception):
    """The data are in another state than they were believed to be."""


def stated(layers: Sequence[str] | None = None) -> sa.ColumnElement[Any]:
    """The state of some layers, or of all, as text that any statement can give beside what it reads."""
    return _stated(None if layers is None else tuple(sorted(layers)))


@lru_cache(500)
def _stated(layers: tuple[str, ...] | None) -> sa.ColumnElement[Any]:
    layer, marks = t.layer_version.c, t.ready_layer.c
    known = sa.func.json_object_agg(layer.layer, sa.func.json_build_array(layer.version, layer.changed_at))
    versions = sa.select(known)
    if layers is not None:
        versions = versions.where(layer.layer.in_(layers))
    kept = sa.func.json_build_array(marks.mark, marks.largest, marks.brought_to)
    ready = sa.select(sa.func.json_object_agg(marks.collection, kept))
    parts = (t.installation.c.epoch, versions.scalar_subquery(), ready.scalar_subquery())
    text = sa.cast(sa.func.json_build_array(*parts), sa.Text)
    return sa.literal_column(written(sa.select(text).scalar_subquery()), sa.Text)


def read(text: str, layers: Sequence[str] | None = None) -> State:
    """What ``stated`` gave for the same layers."""
    return _read(text, None if layers is None else tuple(layers))


@lru_cache(500)
def _read(text: str, layers: tuple[str, ...] | None) -> State:
    epoch, found, ready = json.loads(text)
    rows = sorted((found or {}).items())
    versions = {layer: version for layer, (version, _) in rows}
    times = {layer: datetime.fromisoformat(at).astimezone(UTC) for layer, (_, at) in rows}
    kept = ready or {}
    marks, largest, brought = ({name: one[n] for name, one in kept.items()} for n in range(3))
    known = State(epoch, versions, times, marks, largest, brought)
    return known if layers is None else known.of(layers)


def confirm(text: str, believed: State) -> None:
    """Raise ``Moved`` unless what ``stated`` gave for a state's layers is that state."""
    if read(text, tuple(believed.versions)) != believed:
        raise Moved


async def state(connection: AsyncConnection, layers: Sequence[str] | None = None) -> State:
    """The state of some layers, or of all, read in the connection's own snapshot."""
    return read((await connection.execute(sa.select(stated(layers)))).scalar_one(), layers)
