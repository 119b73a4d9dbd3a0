"""Routes that are found first and called at once: those of the hot path."""

from collections.abc import Awaitable, Callable

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.routing import Match, Route
from starlette.types import Scope

Admit = Callable[[Request], Awaitable[None]]


class Direct(Route):
    """A GET of a route whose function takes the request and the parts of its path, all text, and has no dependencies
    but the application's own (``admit``).

    The framework takes as long to look for such a route among all, and to find out that there is nothing to solve, as
    the database does to answer.
    """

    def __init__(self, route: APIRoute, admit: Admit) -> None:
        async def answer(request: Request) -> Response:
            await admit(request)
            found: Response = await route.endpoint(request, **request.path_params)
            return found

        super().__init__(route.path, answer, methods=["GET"])

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        # other methods are another route's
        return (match, {**found, "route": self}) if match is Match.FULL else (Match.NONE, {})
