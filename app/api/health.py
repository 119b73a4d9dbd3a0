"""Is the service alive, and can it answer."""

from fastapi import APIRouter, Request

from app.db.engine import snapshot
from app.queries.freshness import changed_at

router = APIRouter(tags=["health"])


@router.get("/livez")
async def get_livez() -> dict[str, str]:
    """进程在运行。 The process runs."""
    return {"status": "ok"}


@router.get("/readyz")
async def get_readyz(request: Request) -> dict[str, object]:
    """数据库可用，并给出数据时间。 The database answers; when its data changed last."""
    async with snapshot(request.app.state.reader) as connection:
        return {"status": "ok", "data_changed_at": await changed_at(connection)}
