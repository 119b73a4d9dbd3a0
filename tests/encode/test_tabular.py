"""Exports as CSV: everything there, Chinese intact, no formula."""

import csv
import io
from decimal import Decimal

import httpx
import pytest

from app.encode.tabular import cell
from app.encode.values import legible


def _rows(client: httpx.Client, address: str, **query: str) -> list[dict[str, str]]:
    answer = client.get(address, params=query)
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_a_layer_has_a_line_for_every_item_with_its_properties(client: httpx.Client) -> None:
    items = client.get("/collections/platforms/items", params={"limit": "10000"}).json()["features"]
    rows = {row["id"]: row for row in _rows(client, "/exports/platforms.csv")}
    assert set(rows) == {item["id"] for item in items}
    for item in items:
        assert rows[item["id"]]["name"] == item["properties"]["name"]
        assert rows[item["id"]]["industries"] == "；".join(item["properties"]["industries"])


def test_parameters_choose_lines_and_columns(client: httpx.Client) -> None:
    rows = _rows(client, "/exports/platforms.csv", within="海宁", properties="name,kind")
    asked = client.get("/collections/platforms/items", params={"within": "海宁", "limit": "1000"}).json()
    assert len(rows) == asked["numberMatched"]
    assert list(rows[0]) == [
        "id", "kind", "name", "geometry_method", "schematic", "lon", "lat", "wkt", "crs", "data_version", "attribution",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_text_never_becomes_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


def test_values_as_a_spreadsheet_shows_them() -> None:
    values = (None, True, Decimal("42.70"), -3, ["甲", "乙"], [{"a": 1}], "甲")
    assert [cell(legible(one)) for one in values] == ["", "true", "42.70", -3, "甲；乙", '[{"a": 1}]', "甲"]
