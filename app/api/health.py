"""Is the service alive, can it answer, and how does it fare."""

from hashlib import sha256

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy.exc import SQLAlchemyError

from app import __version__
from app.api.edge import Networks
from app.api.metrics import Told, exposition
from app.api.problems import Problem
from app.db.engine import snapshot
from app.queries.freshness import imports
from app.queries.rights import can_only_read
from app.queries.versions import State, state

router = APIRouter(tags=["health"])


@router.get("/livez")
async def get_livez() -> dict[str, str]:
    """进程在运行。 The process runs."""
    return {"status": "ok"}


@router.get("/readyz")
async def get_readyz(request: Request) -> dict[str, object]:
    """数据库可用，并给出数据的版本与时间。 The database answers; its data's version, and when they changed last."""
    async with snapshot(request.app.state.reader.primary) as connection:
        found, safe = await state(connection), await can_only_read(connection)
    return {
        "status": "ok",
        "release": __version__,
        "data_version": data_version(found),
        "data_changed_at": found.changed_at,
        # false where the server has no role that can only read: reads are then held by their transactions alone
        "reads_only": safe,
    }


def data_version(found: State) -> str:
    """A short name of a state of all data; it changes with any of them."""
    return sha256(found.mark.encode()).hexdigest()[:12]


@router.get("/metrics", response_class=Response, include_in_schema=False)
async def get_metrics(request: Request) -> Response:
    """Metrics for Prometheus, to the networks that the settings name."""
    if not Networks(request.app.state.settings.metrics_networks).hold(request.client.host if request.client else ""):
        raise Problem(
            403, "仅限 INNOMAP_METRICS_NETWORKS 所列网络。 For the networks of INNOMAP_METRICS_NETWORKS alone."
        )
    told = Told()
    for standby in request.app.state.reader.standbys:
        told.tell("innomap_standby_up", "Whether a standby answers reads", standby.up, number=str(standby.number))
    try:
        async with snapshot(request.app.state.reader) as connection:
            found, runs = await state(connection), await imports(connection)
    except SQLAlchemyError:
        told.tell("innomap_database_up", "Whether the database answered", 0)
    else:
        told.tell("innomap_database_up", "Whether the database answered", 1)
        told.tell("innomap_data_version", "The state of the data", 1, version=data_version(found))
        if found.changed_at:
            about = "When the data changed last, in seconds since 1970"
            told.tell("innomap_data_changed_timestamp_seconds", about, found.changed_at.timestamp())
        for run in runs:
            told.tell("innomap_imports", "Imports into a layer", run.number, layer=run.layer)
            about = "When a layer was imported last, in seconds since 1970"
            told.tell("innomap_import_timestamp_seconds", about, run.last.timestamp(), layer=run.layer)
    content, media_type = exposition(told)
    return Response(content, media_type=media_type)
