"""A service over a database of one test, with keys to write."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.edits import keys
from tests.conftest import connect, http, served, settings_for

ITEMS = "/collections/platforms/items"
PARK = "jiaxing-hightech-park"
NEW: dict[str, Any] = {
    "type": "Feature",
    "geometry": {"type": "Point", "coordinates": [120.7, 30.75]},
    "properties": {
        "kind": "laboratory", "name": "长三角量子实验室", "name_en": "Yangtze Delta Quantum Laboratory",
        "name_en_source": "own translation", "geometry_method": "point", "position_accuracy_m": 50,
        "position_source": "visited",
    },
}  # fmt: skip


@dataclass
class Editor:
    """Writes with one key; every request but a creation carries the mark that a GET gave, unless told otherwise."""

    client: httpx.Client
    key: str

    def headers(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", **(more or {})}

    def etag(self, item: str) -> str:
        return self.client.get(f"{ITEMS}/{item}").raise_for_status().headers["etag"]

    def create(self, feature: Mapping[str, Any] = NEW, **more: str) -> httpx.Response:
        typed = {"Content-Type": "application/geo+json", **_named(more)}
        return self.client.post(ITEMS, json=feature, headers=self.headers(typed))

    def put(self, item: str, feature: Any, **more: str) -> httpx.Response:
        return self._send("PUT", item, feature, "application/geo+json", more)

    def patch(self, item: str, patch: Any, **more: str) -> httpx.Response:
        return self._send("PATCH", item, patch, "application/merge-patch+json", more)

    def set(self, item: str, **properties: Any) -> httpx.Response:
        return self.patch(item, {"properties": properties}).raise_for_status()

    def delete(self, item: str, **more: str) -> httpx.Response:
        named = _named(more)
        named.setdefault("If-Match", self.etag(item))
        return self.client.delete(f"{ITEMS}/{item}", headers=self.headers(named))

    def history(self, item: str) -> list[dict[str, Any]]:
        changes: list[dict[str, Any]] = self._read(f"{ITEMS}/{item}/history")["changes"]
        return changes

    def undo(self, item: str, change: int, match: str) -> httpx.Response:
        address = f"{ITEMS}/{item}/history/{change}/undo"
        return self.client.post(address, headers=self.headers({"If-Match": match}))

    def item(self, item: str) -> dict[str, Any]:
        return self._read(f"{ITEMS}/{item}")

    def _read(self, path: str) -> dict[str, Any]:
        """With the key: an answer of its own, not one that was kept while another program wrote."""
        found: dict[str, Any] = self.client.get(path, headers=self.headers()).raise_for_status().json()
        return found

    def _send(self, method: str, item: str, body: Any, media_type: str, more: Mapping[str, str]) -> httpx.Response:
        named = {"Content-Type": media_type, **_named(more)}
        if "If-Match" not in named:
            named["If-Match"] = self.etag(item)
        if not named["If-Match"]:
            del named["If-Match"]
        return self.client.request(method, f"{ITEMS}/{item}", json=body, headers=self.headers(named))


def _named(more: Mapping[str, str]) -> dict[str, str]:
    """``if_match`` as If-Match."""
    return {name.replace("_", "-").title(): value for name, value in more.items()}


@pytest.fixture
def make_key(database_url: sa.URL) -> Callable[..., str]:
    """A function that makes a key in this test's database."""

    def make(name: str = "测绘科", role: keys.Role = "editor", *collections: str, unconditional: bool = False) -> str:
        opens = collections or (("platforms",) if role == "editor" else ())
        with connect(database_url).begin() as connection:
            return keys.create(connection, name, role, opens, allow_unconditional=unconditional)

    return make


@pytest.fixture
def own_client(database_url: sa.URL) -> Iterator[httpx.Client]:
    """A client of the service over this test's database."""
    with served(settings_for(database_url)) as address, http(address) as client:
        yield client


@pytest.fixture
def editor(own_client: httpx.Client, make_key: Callable[..., str]) -> Editor:
    return Editor(own_client, make_key())
