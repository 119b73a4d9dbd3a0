"""Uploads over HTTP: for keys that may write, tried by default, within limits of their own."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import yaml

from app.edits import keys
from tests.conftest import connect, http, served, settings_for
from tests.imports.conftest import STATIONS
from tests.imports.test_rules import GOOD, written

DEFINITION = yaml.safe_dump({**STATIONS, "crs": "EPSG:4326"}, allow_unicode=True)


@pytest.fixture
def client(database_url: sa.URL) -> Iterator[httpx.Client]:
    with (
        served(settings_for(database_url, upload_max_mb=1)) as address,
        http(address) as opened,
    ):
        yield opened


def key(url: sa.URL, role: Any, *collections: str) -> dict[str, str]:
    with connect(url).connect() as connection, connection.begin():
        made = keys.create(connection, f"{role} {collections}", role, collections)
    return {"Authorization": f"Bearer {made}"}


def send(client: httpx.Client, path: Path, headers: dict[str, str], **form: Any) -> httpx.Response:
    return client.post("/imports", headers=headers, data=form, files={"file": (path.name, path.read_bytes())})


def test_tried_then_applied(client: httpx.Client, database_url: sa.URL, tmp_path: Path) -> None:
    path = written(tmp_path / "站点.csv", GOOD)
    admin, editor = key(database_url, "admin"), key(database_url, "editor", "stations")
    tried = send(client, path, admin, definition=DEFINITION)
    assert tried.status_code == 200, tried.text
    assert (tried.json()["accepted"], tried.json()["applied"], tried.json()["file"]) == (1, False, "站点.csv")
    assert client.get("/collections/stations").status_code == 404

    counted = outcomes(client)
    done = send(client, path, admin, definition=DEFINITION, apply="true")
    assert done.json()["changes"] == {"added": 1}
    assert outcomes(client) - counted == {"applied": 1}
    found = client.get("/collections/stations/items", headers={"Innomap-Token": done.headers["innomap-token"]})
    assert [one["id"] for one in found.json()["features"]] == ["a-1"]

    # an editor may import into the layer that the key opens, and nothing else
    more = written(tmp_path / "more.csv", ["A-2", *GOOD[1:]])
    added = send(client, more, editor, layer="stations", map=["operator=名称"], apply="true", why="补录")
    assert added.json()["changes"] == {"added": 1, "changed": 0, "unchanged": 0}
    assert send(client, more, editor, layer="platforms").status_code == 403


def outcomes(client: httpx.Client) -> Counter[str]:
    """How many uploads came to what, as the metrics have it."""
    found = re.findall(
        r'^innomap_uploads_total\{outcome="(\w+)"\} ([\d.]+)$', client.get("/metrics").text, re.MULTILINE
    )
    return Counter({outcome: int(float(number)) for outcome, number in found})


def test_refusals(client: httpx.Client, database_url: sa.URL, tmp_path: Path) -> None:
    path = written(tmp_path / "in.csv", GOOD)
    admin, reader = key(database_url, "admin"), key(database_url, "reader")
    large = tmp_path / "large.csv"
    large.write_bytes(path.read_bytes() + b"x" * (3 << 20))
    # the other limits are tried where files are read; over HTTP each is told alike
    beyond = tmp_path / "beyond.csv"
    beyond.write_bytes(path.read_bytes() + b"x" * (1 << 20))
    cases: list[tuple[int, str | None, Path, dict[str, str], dict[str, Any]]] = [
        (401, "Authorization", path, {}, {"definition": DEFINITION}),
        (403, "Authorization", path, reader, {"definition": DEFINITION}),
        (413, "body", large, admin, {"definition": DEFINITION}),
        (400, "file", beyond, admin, {"definition": DEFINITION}),
        (400, "layer", path, admin, {}),
        (400, "layer", path, admin, {"layer": "counties"}),
        (404, "collectionId", path, admin, {"layer": "nothing"}),
        (400, "definition", path, admin, {"definition": "id: x"}),
        (400, "layer", path, admin, {"definition": DEFINITION, "layer": "platforms"}),
        (400, "apply", path, admin, {"definition": DEFINITION, "apply": "yes"}),
        (400, "colour", path, admin, {"definition": DEFINITION, "colour": "red"}),
        (400, "map", path, admin, {"definition": DEFINITION, "map": "x"}),
    ]
    counted = outcomes(client)
    for status, parameter, file, headers, form in cases:
        answer = send(client, file, headers, **form)
        assert answer.status_code == status, (form, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json().get("parameter") == parameter
        if file == beyond:
            assert "larger than 1 MiB" in answer.json()["detail"]
    assert outcomes(client) - counted == {"file": 1}
    assert client.post("/imports", headers=admin, json={}).status_code == 415
    assert json.loads(client.get("/collections").text)["collections"][-1]["id"] != "stations"
