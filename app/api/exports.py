"""Downloads: a whole layer or any selection of it, in any format."""

import base64
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api import asking, params
from app.api.answers import headers
from app.api.export_files import ExportFiles
from app.api.openapi import documented
from app.api.problems import Problem
from app.api.turns import heavy
from app.catalog import Collection
from app.crs import CRS84
from app.db.engine import snapshot
from app.maps.qgis_style import styles
from app.queries import exports
from app.queries.exports import FORMATS, Format, Job
from app.queries.versions import state

router = APIRouter(tags=["exports"])
#: Parameters beside those that choose items.
SHOWING = ("crs", "properties", "sortby", "limit")
#: Of tables: what stands for the geometry.
GEOMETRY = "geometry"
SUM = ".sha256"


@dataclass(frozen=True)
class Asked:
    """A download: the collection and format its name gives, and its parameters."""

    collection: Collection
    extension: str
    format: Format
    given: Mapping[str, str]


def asked(name: str, pairs: Iterable[tuple[str, str]]) -> Asked:
    """What a file name and parameters ask for. Raises a problem for whatever is wrong with them."""
    layer, dot, extension = name.partition(".")
    if not dot or extension not in FORMATS:
        raise Problem(
            404, f"没有格式 {extension!r}。 No format {extension!r}.", parameter="name",
            allowed=[f"{layer}.{one}" for one in FORMATS],
        )  # fmt: skip
    described, form = params.collection(layer), FORMATS[extension]
    given = params.once(pairs, (*asking.selecting(described), *SHOWING, *([GEOMETRY] if form.tabular else [])))
    if params.choice(given, GEOMETRY, exports.GEOMETRY) == "lonlat" and not described.has_position:
        raise Problem(
            400, f"{described.id} 没有定位点。 {described.id} has no anchor points.", parameter=GEOMETRY,
            allowed=[one for one in exports.GEOMETRY if one != "lonlat"],
        )  # fmt: skip
    if form.wgs84_only and asking.view(described, given).crs is not CRS84:
        raise Problem(400, f"{extension} 只用 CRS84。 {extension} is CRS84 only.", parameter="crs", allowed=[CRS84.uri])
    return Asked(described, extension, form, given)


async def job(connection: AsyncConnection, wanted: Asked) -> Job:
    """The items asked for, and what their file says of itself."""
    described, given = wanted.collection, wanted.given
    question = await asking.question(connection, described, given)
    known = await state(connection, asking.layers(described, given))
    limit = params.whole("limit", given["limit"], 1) if "limit" in given else None
    view, drawn = asking.view(described, given), styles(described)
    return exports.job(question.selection, view, question.said, known, given, drawn, limit)


def filename(found: Job, extension: str) -> str:
    """The collection and the places it is narrowed to, in ASCII."""
    selection = found.selection
    return "-".join([selection.collection.id, *(place.id for place in selection.within)]) + f".{extension}"


async def lasting() -> AsyncIterator[AsyncExitStack]:
    """What lasts until the last byte of an answer has left, or its client."""
    async with AsyncExitStack() as stack:
        yield stack


@router.get("/exports/{name}", openapi_extra=documented("export"), dependencies=[Depends(heavy("exports"))])
async def get_export(request: Request, name: str, stack: Annotated[AsyncExitStack, Depends(lasting)]) -> Response:
    """下载图层。 Download a layer; without ``limit`` all of it, with the same parameters as the items.

    The name of a file with ``.sha256`` behind gives its checksum.
    """
    wanted = asked(name.removesuffix(SUM), request.query_params.multi_items())
    answer = await _answer(request, stack, wanted, name.endswith(SUM))
    if not isinstance(answer, StreamingResponse):
        await stack.aclose()
    return answer


async def _answer(request: Request, stack: AsyncExitStack, wanted: Asked, as_sum: bool) -> Response:
    files: ExportFiles = request.app.state.exports
    connection = await stack.enter_async_context(snapshot(request.app.state.reader))
    made = await headers(request, connection, asking.layers(wanted.collection, wanted.given), wanted.extension)
    found = await job(connection, wanted)
    named = filename(found, wanted.extension)
    if wanted.format.stream is not None and not as_sum:
        pieces = wanted.format.stream(connection, found)
        # before its connection, when a client leaves in the middle
        stack.push_async_callback(pieces.aclose)
        made["Content-Disposition"] = f'attachment; filename="{named}"'
        return StreamingResponse(pieces, media_type=wanted.format.media_type, headers=made)
    if wanted.format.stream is not None:
        digest = hashlib.sha256()
        async with aclosing(wanted.format.stream(connection, found)) as content:
            async for piece in content:
                digest.update(piece)
        return _sum(digest.digest(), named, made)
    path, digest_of_file = await files.file(connection, wanted.format, wanted.extension, found)
    if as_sum:
        return _sum(digest_of_file, named, made)
    made["Content-Disposition"] = f'attachment; filename="{named}"'
    # the same state gives the same bytes, so that the rest of a broken download fits its beginning
    made["ETag"] = made["ETag"].removeprefix("W/")
    made["Repr-Digest"] = f"sha-256=:{base64.b64encode(digest_of_file).decode()}:"
    return FileResponse(path, headers=made, media_type=wanted.format.media_type)


def _sum(digest: bytes, named: str, made: Mapping[str, str]) -> Response:
    """As ``sha256sum --check`` reads it."""
    return PlainTextResponse(f"{digest.hex()}  {named}\n", headers=made)
