"""A selection as a file of any format: text formats piece by piece, the others by way of a spool on disk."""

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from anyio import to_thread
from sqlalchemy.ext.asyncio import AsyncConnection

from app.encode import gdal, geojson, geopackage, kml, parquet, shapefile, tabular, workbook
from app.encode.layer import AXES, Layer, Row, Style
from app.encode.spool import Spool
from app.queries import items, rows
from app.queries.features import View
from app.queries.ready import Readiness, readiness
from app.queries.selection import Selection
from app.queries.versions import State

Pieces = AsyncGenerator[bytes, None]
#: What stands for the geometry in a table: well-known text, the anchor point, or both.
GEOMETRY = ("both", "wkt", "lonlat")
#: Properties that say how far a geometry may be believed: no choice of properties leaves them out of a file.
FLAGS = ("geometry_method", "schematic")
LICENCE = (
    "各来源的许可见 attribution；程序的许可（Apache-2.0）不及于数据。"
    " The licence of each source stands with it in attribution; the program's own (Apache-2.0) does not cover the data."
)
SCHEMATIC = (
    "schematic 为 true 的图形是示意，不是边界；geometry_method 说明每个图形的来历。行政区轮廓仅供参考，无审图号。"
    " Where schematic is true the shape is a drawing, no boundary; geometry_method says how each is known. Outlines are"
    " for reference, not an approved map."
)


class TooLarge(ValueError):
    """The file would pass the limit; the message says so."""


@dataclass(frozen=True)
class Job:
    """What is to be written: the items, how they are shown, how many at most, and the layer that the file holds.

    ``members`` are what a GeoJSON answer says beside its features; ``key`` differs where the content may, the format
    apart; ``ready`` says which features stand ready. ``progress`` hears how many items were read.
    """

    selection: Selection
    view: View
    layer: Layer
    limit: int | None
    members: Mapping[str, Any]
    key: str
    ready: Readiness
    progress: Callable[[int], None] = lambda count: None


@dataclass(frozen=True)
class Format:
    """A file format: its media type, and how it comes about: ``stream`` piece by piece, or ``write`` from a spool."""

    media_type: str
    stream: Callable[[AsyncConnection, Job], Pieces] | None = None
    write: Callable[[Spool, Path], None] | None = None
    wgs84_only: bool = False
    tabular: bool = False


async def _features(connection: AsyncConnection, job: Job) -> AsyncGenerator[Sequence[str], None]:
    count = 0
    async with aclosing(items.stream(connection, job.selection, job.view, job.limit, job.ready)) as features:
        async for part in features:
            count += len(part)
            job.progress(count)
            yield part


async def _geojson(connection: AsyncConnection, job: Job) -> Pieces:
    async with aclosing(_features(connection, job)) as features:
        members = {"name": job.layer.name, **job.members, "metadata": job.layer.about}
        async for piece in geojson.feature_stream(features, members, job.view.crs):
            yield piece


async def _lines(connection: AsyncConnection, job: Job) -> Pieces:
    async with aclosing(_features(connection, job)) as features:
        async for piece in geojson.line_stream(features, {"metadata": job.layer.about}, job.view.crs):
            yield piece


async def _batches(connection: AsyncConnection, job: Job) -> AsyncGenerator[list[Row], None]:
    count = 0
    async with aclosing(rows.batches(connection, job.selection, job.view, job.layer, job.limit)) as found:
        async for part in found:
            count += len(part)
            job.progress(count)
            yield part


def _by_rows(
    write: Callable[[Layer, AsyncIterator[Sequence[Row]]], AsyncIterator[bytes]],
) -> Callable[[AsyncConnection, Job], Pieces]:
    async def stream(connection: AsyncConnection, job: Job) -> Pieces:
        async with aclosing(_batches(connection, job)) as found:
            async for piece in write(job.layer, found):
                yield piece

    return stream


FORMATS: dict[str, Format] = {
    "geojson": Format(geojson.MEDIA_TYPE, stream=_geojson),
    "geojsonl": Format(geojson.LINES, stream=_lines),
    "gpkg": Format(geopackage.MEDIA_TYPE, write=geopackage.geopackage),
    "fgb": Format(gdal.FLATGEOBUF, write=gdal.flatgeobuf),
    "parquet": Format(parquet.MEDIA_TYPE, write=parquet.parquet),
    "shp.zip": Format(shapefile.MEDIA_TYPE, write=shapefile.shapefile),
    "kml": Format(kml.MEDIA_TYPE, stream=_by_rows(kml.kml_stream), wgs84_only=True),
    "csv": Format(tabular.MEDIA_TYPE, stream=_by_rows(tabular.csv_stream), tabular=True),
    "xlsx": Format(workbook.MEDIA_TYPE, write=workbook.workbook, tabular=True),
}


def job(
    selection: Selection,
    view: View,
    said: Mapping[str, Any],
    state: State,
    question: Mapping[str, str],
    styles: Sequence[Style] = (),
    limit: int | None = None,
) -> Job:
    """The job for a selection; ``said`` is what the answer says of itself, ``question`` the parameters given."""
    if view.properties is not None:
        view = replace(view, properties=[*view.properties, *(one for one in FLAGS if one not in view.properties)])
    # a file has east first; where a system has that anyhow, the items are what they are on a page
    view = replace(view, as_file=view.crs.flipped)
    described = selection.collection
    fields = rows.fields(selection, view)
    about: dict[str, Any] = {
        "title": described.title,
        "title_en": described.title_en,
        "description": described.description,
        "description_en": described.description_en,
        **said,
        "licence": LICENCE,
        "data_version": state.numbered,
        "crs": {
            "code": view.crs.code, "uri": view.crs.uri, "name": view.crs.name, "name_en": view.crs.name_en,
            "axes": AXES[view.crs.unit],
        },
        "schematic_note": SCHEMATIC,
        "fields": {
            one.name: {"title": one.title, "title_en": one.title_en, **({"unit": one.unit} if one.unit else {})}
            for one in fields
        },
    }  # fmt: skip
    if question:
        about["question"] = dict(question)
    if state.changed_at:
        about["data_as_of"] = state.changed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    form = question.get("geometry", GEOMETRY[0])
    layer = Layer(
        described.id, described.title, described.title_en, fields, about, view.crs,
        anchored=described.has_position and form != "wkt", wkt=form != "lonlat", styles=styles,
    )  # fmt: skip
    key = f"{state.mark} {described.id} {sorted(question.items())}"
    return Job(selection, view, layer, limit, said, key, readiness(state, described))


async def write_file(
    connection: AsyncConnection,
    form: Format,
    job: Job,
    path: Path,
    most: int,
) -> None:
    """Write a job's items to ``path``, in a folder that is empty.

    Raises ``TooLarge`` where a format that needs the whole would take more than ``most`` bytes; a text format does not.
    """
    if form.stream is not None:
        with path.open("wb") as file:
            async with aclosing(form.stream(connection, job)) as pieces:
                async for piece in pieces:
                    await to_thread.run_sync(file.write, piece)
    elif form.write is not None:
        spool = await _spooled(connection, job, path.with_name("items.arrow"), most)
        await to_thread.run_sync(form.write, spool, path)


async def _spooled(connection: AsyncConnection, job: Job, path: Path, most: int) -> Spool:
    spool = Spool(path, job.layer)
    try:
        async with aclosing(_batches(connection, job)) as found:
            async for part in found:
                await to_thread.run_sync(spool.write, part)
                if spool.size > most:
                    raise TooLarge(
                        f"超过 {most >> 20} MiB 的上限，请缩小选取范围，或取没有上限的 geojson、geojsonl、csv。"
                        f" More than the limit of {most >> 20} MiB: narrow the question, or take geojson, geojsonl or"
                        " csv, which have none."
                    )
    finally:
        spool.close()
    return spool


def checksum(path: Path) -> bytes:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
