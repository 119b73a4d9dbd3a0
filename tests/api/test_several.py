"""Several services over one database: what one writes, the others give within the stated bound."""

import time
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from app.edits import keys
from app.queries.watch import BOUND_S
from tests.conftest import PATIENCE_S, connect, http, served, settings_for

ITEM = "/collections/platforms/items/juanhu-science-city"


@pytest.fixture
def two(database_url: sa.URL) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    with (
        served(settings_for(database_url)) as one,
        served(settings_for(database_url)) as other,
        http(one) as first,
        http(other) as second,
    ):
        yield first, second


def test_what_one_writes_another_gives(database_url: sa.URL, two: tuple[httpx.Client, httpx.Client]) -> None:
    first, second = two
    with connect(database_url).begin() as connection:
        key = keys.create(connection, "both", "admin")
    for concept, (writing, reading) in {"by the first": (first, second), "by the second": (second, first)}.items():
        # the other has an answer in memory, and its mark is good for a write through this one
        etag = reading.get(ITEM).raise_for_status().headers["etag"]
        written = writing.patch(
            ITEM,
            json={"properties": {"concept": concept}},
            headers={
                "Authorization": f"Bearer {key}", "Content-Type": "application/merge-patch+json", "If-Match": etag,
            },
        ).raise_for_status()  # fmt: skip
        token = {"Innomap-Token": written.headers["innomap-token"]}
        assert reading.get(ITEM, headers=token).json()["properties"]["concept"] == concept
        deadline = time.monotonic() + BOUND_S + PATIENCE_S
        while reading.get(ITEM).json()["properties"]["concept"] != concept:
            assert time.monotonic() < deadline
    page = first.get("/collections/platforms/items?limit=2").json()
    following = next(one["href"] for one in page["links"] if one["rel"] == "next").partition("/collections")[2]
    assert second.get(f"/collections{following}").json()["numberReturned"] == 2
    with connect(database_url).begin() as connection:
        assert keys.revoke(connection, "both")
    for client in two:
        assert client.get(ITEM, headers={"Authorization": f"Bearer {key}"}).status_code == 401
