"""Keys: made once, kept as a hash, refused when wrong, and known for what they open."""

import re
from collections.abc import Callable

import httpx
import pytest
import sqlalchemy as sa

from app.api.keys import MOST_ADDRESSES, WINDOW_S, Tries
from app.db import tables as t
from app.edits import keys
from tests.conftest import connect, http, served, settings_for
from tests.edits.conftest import ITEMS, NEW, PARK


def write(client: httpx.Client, key: str | None) -> httpx.Response:
    headers = {"Content-Type": "application/geo+json"} | ({"Authorization": key} if key else {})
    return client.post(ITEMS, json=NEW, headers=headers)


def test_only_the_hash_is_kept(connection: sa.Connection, make_key: Callable[..., str]) -> None:
    text = make_key()
    assert re.fullmatch(r"innomap_[0-9a-f]{12}_[A-Za-z0-9_-]{43}", text)
    row = connection.scalars(sa.text("SELECT k::text FROM api_key k")).one()
    assert text.split("_", 2)[2] not in row
    assert make_key("another").split("_", 2)[2] != text.split("_", 2)[2]


def test_names(connection: sa.Connection, make_key: Callable[..., str]) -> None:
    """A name means one holder, for good."""
    make_key("测绘科")
    assert keys.revoke(connection, "测绘科")
    assert not keys.revoke(connection, "测绘科")
    with pytest.raises(keys.NameTaken):
        make_key("测绘科")
    for unfit in ("", " a", "a\n", "x" * 81):
        with pytest.raises(ValueError, match="printable"):
            make_key(unfit)
    with pytest.raises(ValueError, match="collections"):
        keys.create(connection, "b", "admin", ["platforms"])


def test_found_and_not(connection: sa.Connection, make_key: Callable[..., str]) -> None:
    text = make_key()
    key = keys.find(connection, text)
    assert key is not None
    assert (key.name, key.may_edit("platforms"), key.may_edit("enterprises")) == ("测绘科", True, False)
    locator, secret = text.split("_", 2)[1:]
    flipped = ("a" if secret[0] != "a" else "b") + secret[1:]
    for wrong in (
        "",
        text + "x",
        text[:-1],
        f"innomap_{locator}_{flipped}",
        f"innomap_{'0' * 12}_{secret}",
        text.upper(),
    ):
        assert keys.find(connection, wrong) is None
    keys.revoke(connection, "测绘科")
    assert keys.find(connection, text) is None


def test_who_may_write(own_client: httpx.Client, make_key: Callable[..., str], connection: sa.Connection) -> None:
    nobody = write(own_client, None)
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"] == 'Bearer realm="innomap"'
    assert nobody.headers["content-type"] == "application/problem+json"
    for wrong in ("Bearer x", "Bearer", "Basic dXNlcjpwYXNz", "x"):
        # a wrong one is nobody's, on reads too
        for answer in (write(own_client, wrong), own_client.get(ITEMS, headers={"Authorization": wrong})):
            assert answer.status_code == 401
            assert answer.json()["parameter"] == "Authorization"
            assert "invalid_token" in answer.headers["www-authenticate"]
    reader, other = make_key("r", "reader"), make_key("o", "editor", "enterprises")
    for key in (reader, other):
        assert write(own_client, f"Bearer {key}").status_code == 403
        assert own_client.get(f"{ITEMS}/{PARK}", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    admin = make_key("a", "admin")
    assert write(own_client, f"bearer  {admin}").status_code == 201
    used = connection.execute(sa.select(t.api_key.c.name).where(t.api_key.c.last_used.is_not(None))).scalars().all()
    assert set(used) == {"r", "o", "a"}
    keys.revoke(connection, "a")
    assert write(own_client, f"Bearer {admin}").status_code == 401


def test_never_in_an_address(own_client: httpx.Client, make_key: Callable[..., str]) -> None:
    answer = own_client.post(f"{ITEMS}?access_token={make_key()}", json=NEW)
    assert answer.status_code == 400
    assert answer.json()["parameter"] == "access_token"


def test_failed_tries_are_limited(
    database_url: sa.URL, make_key: Callable[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    good = {"Authorization": f"Bearer {make_key()}"}
    with served(settings_for(database_url, failed_keys_per_minute=3)) as address, http(address) as client:
        caplog.set_level(0)
        assert client.get(ITEMS, headers=good).status_code == 200
        wrong = [client.get(ITEMS, headers={"Authorization": "Bearer guess"}) for _ in range(5)]
        assert [one.status_code for one in wrong] == [401, 401, 401, 429, 429]
        assert 0 < int(wrong[-1].headers["retry-after"]) <= 60
        assert client.get(ITEMS, headers=good).status_code == 429
        # nobody in particular is not limited, nor is another client of the same proxy
        assert client.get(ITEMS).status_code == 200
        assert client.get(ITEMS, headers=good | {"X-Forwarded-For": "203.0.113.7"}).status_code == 200
        assert client.get(ITEMS, headers=good | {"X-Forwarded-For": "127.0.0.1"}).status_code == 429
    assert good["Authorization"].split("_")[-1] not in caplog.text


def test_tries_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute, or when ten thousand others have failed since."""
    now = 1000.0
    monkeypatch.setattr("app.api.keys.time.monotonic", lambda: now)
    tries = Tries(2)
    tries.failed("one")
    now += 20
    assert tries.wait("one") == 0
    tries.failed("one")
    assert tries.wait("one") == WINDOW_S - 20
    now += WINDOW_S - 20
    assert tries.wait("one") == 0
    tries.failed("one")
    assert tries.wait("one") == 20
    for number in range(MOST_ADDRESSES):
        tries.failed(str(number))
    assert tries.wait("one") == 0
    assert len(tries._failed) == MOST_ADDRESSES


def test_data_that_are_not_public(database_url: sa.URL, make_key: Callable[..., str]) -> None:
    key = {"Authorization": f"Bearer {make_key('r', 'reader')}"}
    with served(settings_for(database_url, public=False)) as address, http(address) as client:
        assert [client.get(one).status_code for one in (ITEMS, "/", "/api", "/livez", "/readyz")] == [
            401,
            401,
            401,
            200,
            200,
        ]
        assert client.get(ITEMS, headers=key).status_code == 200


def test_a_key_may_be_found_by_nobody_else(make_key: Callable[..., str], database_url: sa.URL) -> None:
    """The comparison takes the whole hash, whatever was found by the locator."""
    text = make_key()
    with connect(database_url).begin() as connection:
        connection.execute(sa.update(t.api_key).values(hash=b""))
        assert keys.find(connection, text) is None


def test_hashes_are_compared_in_constant_time(
    connection: sa.Connection, make_key: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every try takes the same steps: one look by the locator, one comparison that does not stop at a difference."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return False

    text = make_key()
    monkeypatch.setattr("app.edits.keys.hmac.compare_digest", compare)
    for given in (text, text[:-1] + "_", f"innomap_{'0' * 12}_{text[-43:]}", "nothing like a key"):
        assert keys.find(connection, given) is None
    assert [len(one) for pair in compared for one in pair] == [32] * 8
