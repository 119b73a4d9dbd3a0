"""Errors as pages for people: what a browser would else show as JSON, with links to what would be right."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.html import page, wants_html
from app.api.links import base
from app.api.problems import MEDIA_TYPE

#: Values that would be right, as many as a page lists.
MOST = 30


class ErrorPages:
    """Turns the ``problem+json`` of a GET into a page where a browser asks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        begun: Message | None = None
        text = b""

        async def turned(message: Message) -> None:
            nonlocal begun, text
            started = message["type"] == "http.response.start"
            if started and _is_problem(message) and _is_for_a_person(request):
                begun = message
            elif begun is None:
                await send(message)
            else:
                text += message.get("body", b"")
                if not message.get("more_body"):
                    await _send_page(request, begun, json.loads(text), send)

        await self.app(scope, receive, turned)


def _is_problem(message: Message) -> bool:
    return message["status"] >= 400 and Headers(raw=message["headers"]).get("content-type", "").startswith(MEDIA_TYPE)


def _is_for_a_person(request: Request) -> bool:
    """Whether a browser asks, and for no data: ``f=html`` alone, of a program, keeps the problem as data."""
    return request.query_params.get("f", "html") == "html" and wants_html(request, {})


async def _send_page(request: Request, begun: Message, problem: Mapping[str, Any], send: Send) -> None:
    found = page(request, "problem.html", problem=problem, choices=_choices(request, problem))
    replaced = {"content-type", "content-length", "vary"}
    kept = [(name, value) for name, value in begun["headers"] if name.decode().lower() not in replaced]
    await send({**begun, "headers": [*kept, *found.raw_headers]})
    await send({"type": "http.response.body", "body": found.body})


def _choices(request: Request, problem: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What would be right, each with the address asked for but for that value; none where it has no place there."""
    name, allowed = problem.get("parameter"), problem.get("allowed", [])[:MOST]
    segment = request.scope.get("path_params", {}).get(name)
    query = request.query_params.multi_items()
    if segment is not None:
        before, _, after = request.scope["path"].partition(f"/{segment}")
        root = request.scope.get("root_path", "")
        asked = f"?{urlencode(query)}" if query else ""
        return [(one, f"{base(request)}{before.removeprefix(root)}/{quote(one)}{after}{asked}") for one in allowed]
    if any(key == name for key, _ in query):
        return [
            (one, "?" + urlencode([(key, one if key == name else value) for key, value in query])) for one in allowed
        ]
    return [(one, "") for one in allowed]
