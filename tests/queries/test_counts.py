"""Counts are remembered by the state of the data that they were made in, and never beyond it."""

from collections.abc import Callable

import httpx
import pytest
import sqlalchemy as sa

from app.queries import counts
from app.queries.selection import Selection
from tests.conftest import connect, http, served, settings_for

COUNT = "numberMatched"


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions whose items were counted."""
    found: list[str] = []
    original = counts.statement

    def statement(selection: Selection) -> object:
        found.append(str(selection.asked))
        return original(selection)

    monkeypatch.setattr(counts, "statement", statement)
    return found


def test_a_count_is_made_once_and_follows_every_change(database_url: sa.URL, counted: list[str]) -> None:
    retire = sa.text("UPDATE platform SET retired = true WHERE id = (SELECT min(id) FROM platform WHERE NOT retired)")
    settings = settings_for(database_url, response_cache_mb=0)
    with served(settings) as address, httpx.Client(base_url=address, trust_env=False) as client:

        def matched(query: str) -> int:
            return int(client.get(f"/collections/platforms/items?{query}").raise_for_status().json()[COUNT])

        total = matched("limit=10000")
        assert counted == []
        assert [matched("limit=2"), matched("limit=2"), matched("limit=2&offset=3")] == [total] * 3
        assert matched(f"limit=10000&offset={total - 1}") == matched(f"limit=10&offset={total + 5}") == total
        assert matched("limit=1&kind=incubator") == matched("limit=10000&kind=incubator")
        assert ["incubator" in one for one in counted] == [False, True]
        with connect(database_url).begin() as connection:
            connection.execute(retire)
        assert matched("limit=2") == total - 1 == matched("limit=10000")


def test_copies_of_one_database_are_told_apart(
    database_url: sa.URL, template_url: sa.URL, make_database: Callable[..., sa.URL]
) -> None:
    """Each has changed once since they were the same, so that both stand at the same versions."""
    retired = {database_url: 1, make_database(template_url.database): 2}
    matched = []
    for url, number in retired.items():
        with connect(url).begin() as connection:
            connection.execute(
                sa.text("UPDATE platform SET retired = true WHERE id IN (SELECT id FROM platform"
                        " WHERE NOT retired ORDER BY id LIMIT :number)"), {"number": number},
            )  # fmt: skip
        with served(settings_for(url)) as address, http(address) as client:
            matched.append(client.get("/collections/platforms/items?limit=2").raise_for_status().json()[COUNT])
    assert matched[0] == matched[1] + 1
