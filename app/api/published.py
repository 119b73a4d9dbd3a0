"""Lets each request see the layers that stewards imported, without a line in the functions that answer it."""

from fastapi import Request

from app.catalog import BUILT_IN, COLLECTIONS
from app.db.engine import snapshot
from app.queries.imported import Imported

#: Parameters that may name a place of any collection.
PLACES = ("within", "along", "filter", "collections")
#: Resources that list every collection.
LISTS = frozenset(("/", "/collections", "/api", "/api.html", "/credits", "/search", "/imports"))


async def see_imported(request: Request) -> None:
    """Read the imported layers where the question may be about one; questions about others pay nothing for them."""
    if _concerned(request):
        imported: Imported = request.app.state.imported
        async with snapshot(request.app.state.reader) as connection:
            COLLECTIONS.see(await imported.current(connection))


def _concerned(request: Request) -> bool:
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    if path in LISTS or any(name in request.query_params for name in PLACES):
        return True
    named = request.path_params.get("collectionId") or request.path_params.get("name", "").partition(".")[0]
    return bool(named) and named not in BUILT_IN
