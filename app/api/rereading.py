"""A read whose standby was lost under it is asked again, of another server; its client does not notice.

Writes read from the primary alone.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.db.standbys import Readers


class Reread:
    """Stands before the application: what that answered without a server to read from is held back and asked again.

    What has begun to leave cannot be taken back: a download that loses its server is cut off.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        readers: Readers | None = getattr(scope["app"].state, "reader", None) if scope["type"] == "http" else None
        if readers is None or not readers.standbys or not reads(scope):
            await self.app(scope, receive, send)
            return
        attempts = len(readers.standbys)
        received: list[Message] = []
        while attempts and not await self._asked(readers, scope, receive, send, received):
            attempts -= 1
        if not attempts:
            # every standby was lost in turn: as it is without them
            await self.app(scope, _again(received, receive), send)

    async def _asked(
        self, readers: Readers, scope: Scope, receive: Receive, send: Send, received: list[Message]
    ) -> bool:
        """Ask once; false where the answer was lost with its server, and nothing of it was sent."""
        begun = False

        with readers.reading() as reading:

            async def sending(message: Message) -> None:
                nonlocal begun
                if begun or not reading.lost:
                    begun = True
                    await send(message)

            try:
                await self.app({**scope}, _again(received, receive), sending)
            except Exception:
                if begun or not reading.lost:
                    raise
            return begun


def _again(received: list[Message], receive: Receive) -> Receive:
    """The body from its beginning, however much of it was read before."""
    position = 0

    async def receiving() -> Message:
        nonlocal position
        if position == len(received):
            received.append(await receive())
        position += 1
        return received[position - 1]

    return receiving


def reads(scope: Scope) -> bool:
    """Whether a request writes nothing."""
    return scope["method"] in ("GET", "HEAD") or (scope["method"] == "POST" and scope["path"].endswith("/search"))
