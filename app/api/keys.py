"""Keys in requests: ``Authorization: Bearer …``.

A wrong key is refused, on reads too, and never taken for nobody; too many wrong ones are slowed. Whatever answers
before ``identify`` has run must leave requests with this header alone.
"""

import time
from collections import OrderedDict, deque

from fastapi import Request

from app.api.problems import Problem
from app.db.engine import snapshot
from app.edits import keys
from app.edits.keys import Key

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="innomap"'}
WRONG = {"WWW-Authenticate": 'Bearer realm="innomap", error="invalid_token"'}
WINDOW_S = 60.0
#: Addresses remembered; the one that failed longest ago is forgotten first.
MOST_ADDRESSES = 10_000
#: What tells of the service, not of the data, and needs no key anywhere.
OPEN = ("/livez", "/readyz", "/metrics")


class Tries:
    """Wrong keys by client address within the last minute, in this process."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until an address may try again, 0 where it may."""
        times = self._recent(address)
        return max(0.0, times[0] + WINDOW_S - time.monotonic()) if len(times) >= self.most else 0.0

    def failed(self, address: str) -> None:
        """Remember a wrong key."""
        times = self._recent(address)
        times.append(time.monotonic())
        self._failed[address] = times
        self._failed.move_to_end(address)
        if len(self._failed) > MOST_ADDRESSES:
            self._failed.popitem(last=False)

    def _recent(self, address: str) -> deque[float]:
        times = self._failed.get(address, deque(maxlen=self.most))
        while times and times[0] + WINDOW_S <= time.monotonic():
            times.popleft()
        return times


async def identify(request: Request) -> None:
    """Find the key of a request and keep it in ``request.state.key``; before anything else of the request is looked at.

    Raises a 401 for a wrong key, or for none where the data are not public, and a 429 after too many wrong ones.
    """
    request.state.key = None
    given = request.headers.getlist("authorization")
    if not given:
        if not request.app.state.settings.public and request.url.path not in OPEN:
            raise unauthorised("须有密钥。 A key is required.")
        return
    tries: Tries = request.app.state.tries
    address = request.client.host if request.client else ""
    if wait := tries.wait(address):
        raise Problem(
            429, "错误的密钥过多，请稍后再试。 Too many wrong keys: try again later.",
            headers={"Retry-After": str(int(wait) + 1)},
        )  # fmt: skip
    scheme, _, text = given[0].partition(" ")
    found: Key | None = None
    if len(given) == 1 and scheme.lower() == "bearer":
        # those who read the data do not see the keys; and one that was revoked opens nothing, however far standbys are
        async with snapshot(request.app.state.writer) as connection:
            found = await connection.run_sync(keys.find, text.strip())
    if found is None:
        tries.failed(address)
        detail = "密钥无效或已作废。 The key is wrong or was revoked."
        raise Problem(401, detail, parameter="Authorization", headers=WRONG)
    request.state.key = found
    if keys.stale(found):
        async with request.app.state.writer.begin() as connection:
            await connection.run_sync(keys.used, found.name)


def unauthorised(detail: str) -> Problem:
    """No key where one is needed."""
    return Problem(401, detail, parameter="Authorization", headers=CHALLENGE)


def editor(request: Request, collection: str) -> Key:
    """The key of a request, which opens a collection for writing. Raises a 401 or 403."""
    key: Key | None = request.state.key
    if key is None:
        raise unauthorised("写入须有密钥（Authorization: Bearer …）。 Writing takes a key (Authorization: Bearer …).")
    if not key.may_edit(collection):
        detail = f"密钥 {key.name} 不可编辑 {collection}。 The key {key.name} does not open {collection}."
        raise Problem(403, detail, parameter="Authorization")
    return key
