"""Lets each request see the layers that stewards imported, without a line in the functions that answer it."""

from fastapi import Request

from app.api.answers import believed
from app.catalog import BUILT_IN, COLLECTIONS, DEFINITIONS
from app.db.engine import snapshot
from app.queries.imported import Imported

#: Parameters that may name a place of any collection.
PLACES = ("within", "along", "filter", "collections")
#: Resources that list every collection.
LISTS = frozenset(("/", "/collections", "/api", "/api.html", "/credits", "/search", "/imports"))


#: Resources whose answers tell in which state the definitions were: they are asked by those of the last look.
CONFIRMED = (
    "/collections/{collectionId}/items", "/collections/{collectionId}/items/{featureId}",
    "/collections/{collectionId}/tiles/{tileMatrixSetId}/{tileMatrix}/{tileRow}/{tileCol}",
)  # fmt: skip


async def prepare(request: Request) -> None:
    """See the imported layers before a question is looked at, as they are or, where the answer confirms it, were."""
    if not (request.method == "GET" and request.scope["route"].path in CONFIRMED and _believe(request)):
        await see_imported(request)


async def see_imported(request: Request) -> None:
    """See the imported layers where the question may be about one; questions about others pay nothing for them."""
    if _concerned(request):
        imported: Imported = request.app.state.imported
        async with snapshot(request.app.state.reader) as connection:
            COLLECTIONS.see(await imported.current(connection))


def _believe(request: Request) -> bool:
    """See the layers as the last look at the database had them, where that was lately and knows the one asked for."""
    imported: Imported = request.app.state.imported
    seen = believed(request, [DEFINITIONS])
    found = imported.known(seen.versions[DEFINITIONS]) if seen else None
    named = _named(request)
    if found is None or (named and named not in found):
        return False
    COLLECTIONS.see(found)
    return True


def _named(request: Request) -> str:
    """The collection that an address names, unless it is one of the program."""
    named: str = request.path_params.get("collectionId") or request.path_params.get("name", "").partition(".")[0]
    return "" if named in BUILT_IN else named


def _concerned(request: Request) -> bool:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return path in LISTS or not request.query_params.keys().isdisjoint(PLACES) or bool(_named(request))
