"""The web application: wiring and lifespan, nothing else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles
from starlette_compress import CompressMiddleware, add_compress_type

from app import __version__
from app.api import (
    charts,
    collections,
    compare,
    composite,
    counties,
    editing,
    exports,
    health,
    history,
    items,
    layer_maps,
    maps,
    pages,
    popups,
    prints,
    problems,
    registers,
    search,
    thematic,
    thumbnails,
    tiles,
    uploads,
)
from app.api.answers import NotModified, not_modified
from app.api.cache import ResponseCache
from app.api.direct import Direct
from app.api.edge import Forwarded, HeadAsGet
from app.api.error_pages import ErrorPages
from app.api.export_files import export_files
from app.api.freshness import caught_up
from app.api.keys import Tries, identify
from app.api.limits import Limits
from app.api.metrics import sampled
from app.api.observed import Observed, Routed
from app.api.published import prepare
from app.api.rereading import Reread
from app.api.security import Guarded
from app.api.turns import turns
from app.db.engine import readers, writer
from app.db.server import database
from app.filters.guard import LIMITS
from app.queries.imported import Imported
from app.queries.watch import Watch
from app.settings import Settings, get_settings

#: Beside what is compressed by default.
COMPRESSED = (
    "application/geo+json", "application/problem+json", "application/schema+json", "application/vnd.mapbox-vector-tile",
    "application/vnd.oai.openapi+json", "application/vnd.google-earth.kml+xml", "application/x-ndjson",
)  # fmt: skip
for media_type in COMPRESSED:
    add_compress_type(media_type)


async def admitted(request: Request) -> None:
    """What a request goes through before its own function; one dependency, for each costs as much as what it does."""
    await identify(request)
    await caught_up(request)
    await prepare(request)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application over a database that is migrated and loaded (``innomap serve`` does both)."""
    settings = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # what the background makes ready must be what requests will ask for
        LIMITS.set(settings)
        # each web process keeps the private database up by itself, whatever happens to the one that started it
        with database(settings) as url:
            app.state.reader = readers(url, settings)
            app.state.writer = writer(url, settings)
            app.state.watch = Watch(app.state.reader, url)
            app.state.url = url
            with export_files(settings) as app.state.exports:
                async with (
                    app.state.reader.watched(),
                    app.state.watch.running(),
                    sampled(app.state.reader.engines, app.state.writer, app.state.turns),
                ):
                    yield
            await app.state.writer.dispose()

    app = FastAPI(
        title=collections.TITLE,
        description=collections.DESCRIPTION,
        version=__version__,
        lifespan=lifespan,
        # /api and /api.html are our own: OpenAPI 3.0.3, and assets from here
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(admitted)],
    )
    app.state.settings = settings
    app.state.turns = turns(settings)
    app.state.imported = Imported()
    app.state.tries = Tries(settings.failed_keys_per_minute)
    problems.install(app)
    app.add_exception_handler(NotModified, not_modified)
    for module in (
        pages, counties, compare, health, collections, items, editing, history, exports, popups, thematic, charts,
        prints, thumbnails, layer_maps, maps, registers, search, composite, tiles, uploads,
    ):  # fmt: skip
        app.include_router(module.router)
    app.router.routes[:0] = [Direct(route, admitted) for route in (*items.HOT, *tiles.HOT)]
    app.add_middleware(Reread)
    app.add_middleware(ErrorPages)
    # outermost last: addresses first, then the body goes of what would have been sent, compressed
    app.add_middleware(Limits, settings=settings)
    app.add_middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"],
        expose_headers=[
            "ETag", "Content-Crs", "Link", "Content-Disposition", "Repr-Digest", "Retry-After", "Location",
            "Innomap-Token", "Innomap-Thinned", "Innomap-Capped", "Allow", "X-Request-ID",
        ],
    )  # fmt: skip
    app.add_middleware(CompressMiddleware)
    app.add_middleware(Guarded)
    app.add_middleware(Routed)
    app.add_middleware(HeadAsGet)
    app.add_middleware(
        ResponseCache,
        limit=settings.response_cache_mb * 1_000_000,
        watch=lambda: getattr(app.state, "watch", None),
    )
    app.add_middleware(Observed, settings=settings)
    app.add_middleware(Forwarded, trusted=settings.trusted_proxies, root_path=settings.root_path)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"), name="static")
    return app
