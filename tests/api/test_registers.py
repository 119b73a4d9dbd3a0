"""The registers over HTTP: every filter, order and page, and that what they say equals the data files."""

import json
from collections import Counter
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa

from app.db import tables as t
from app.registers import REGISTERS, Register
from tests.conftest import connect, http, served, settings_for
from tests.tables import table

Row = dict[str, Any]
PATHS = [one.path for one in REGISTERS]
EVERYTHING = {"limit": "10000", "f": "json"}
each_register = pytest.mark.parametrize("register", REGISTERS, ids=PATHS)


def rows(client: httpx.Client, path: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
    answer = client.get(path, params={**EVERYTHING, **(parameters or {})})
    assert answer.status_code == 200, answer.text[:300]
    body = answer.json()
    assert body["numberMatched"] == body["numberReturned"] == len(body["items"])
    items: list[Row] = body["items"]
    return items


def one(found: list[Row], **values: Any) -> Row:
    """The only row that has these values."""
    chosen = [row for row in found if all(row[name] == value for name, value in values.items())]
    assert len(chosen) == 1, (values, chosen)
    return chosen[0]


def held(register: Register, row: Row, name: str) -> list[Any]:
    """The values by which a filter on a field finds a row."""
    field = register.field(name)
    assert field is not None
    if field.type == "array":
        return list(row[name])
    return [row[name]]


def written(value: Any) -> str:
    """A value as a parameter has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace(",", "\\,")


# ------------------------------------------------------------------------------------- filters, orders, pages, formats


@each_register
def test_every_field_filters(client: httpx.Client, register: Register) -> None:
    """One value, then two: a comma means or."""
    everything = rows(client, register.path)
    assert everything
    tried = 0
    for field in register.fields:
        if not field.queryable:
            continue
        every = (value for row in everything for value in held(register, row, field.name) if value is not None)
        values = list(dict.fromkeys(every))
        for chosen in filter(None, ([values[-1:]] if len(values) < 2 else [values[-1:], values[:2]])):
            found = rows(client, register.path, {field.name: ",".join(map(written, chosen))})
            expected = [row for row in everything if set(held(register, row, field.name)) & set(chosen)]
            assert found == expected, (field.name, chosen)
            tried += 1
    assert tried > 5


def test_different_parameters_mean_and(client: httpx.Client) -> None:
    asked = {"indicator": "rd-gdp-share", "region": "330400,330481", "kind": "target"}
    found = rows(client, "/indicators/values", asked)
    expected = [
        row
        for row in rows(client, "/indicators/values")
        if row["indicator"] == "rd-gdp-share" and row["region"] in ("330400", "330481") and row["kind"] == "target"
    ]
    assert found == expected != []


@pytest.mark.parametrize(
    ("path", "name", "code", "text"),
    [
        ("/indicators/values", "region", "330481", "海宁市"),
        ("/indicators/values", "region", "haining-area-yuanhua", "袁花镇"),
        ("/indicators/values", "indicator", "rd-gdp-share", "全社会R&D经费支出占GDP比重"),
        ("/indicators/values", "platform", "haiyan-nuclear-hightech-park", "海盐核电关联高新技术产业园区"),
        ("/indicators/progress", "region", "330400", "嘉兴市"),
        ("/tasks", "platform", "haiyan-nuclear-hightech-park", "海盐核电关联高新技术产业园区"),
    ],
)
def test_a_name_does_as_well_as_a_code(client: httpx.Client, path: str, name: str, code: str, text: str) -> None:
    by_code = rows(client, path, {name: code})
    assert by_code
    assert rows(client, path, {name: text}) == by_code


@each_register
def test_every_field_sorts(client: httpx.Client, register: Register) -> None:
    """Equal values stand together, unknown ones last; descending is ascending turned round."""
    # one document is enough, where there is a choice
    names = {field.name for field in register.fields}
    some = {name: "jiaxing-sti-14fyp" for name in ("document", "target_document") if name in names}
    everything = rows(client, register.path, some)
    assert len(everything) > 10
    for field in register.fields:
        if not field.queryable or field.type == "array":
            continue
        ascending = rows(client, register.path, {**some, "sortby": field.name})
        descending = rows(client, register.path, {**some, "sortby": f"-{field.name}"})
        key = [row[field.name] for row in ascending]
        known = [value for value in key if value is not None]
        assert key == known + [None] * (len(key) - len(known)), field.name
        turned = [row[field.name] for row in descending if row[field.name] is not None]
        assert list(dict.fromkeys(known)) == list(dict.fromkeys(turned))[::-1], field.name
        assert len(list(dict.fromkeys(known))) == sum(1 for n, value in enumerate(known) if known[n - 1 : n] != [value])
        if field.type in ("number", "integer"):
            assert known == sorted(known), field.name
        for found in (ascending, descending):
            assert Counter(map(repr, found)) == Counter(map(repr, everything))


def test_several_orders(client: httpx.Client) -> None:
    found = rows(client, "/indicators/values", {"sortby": "-year,value", "indicator": "rd-gdp-share"})
    keys = [(-row["year"], row["value"] is None, row["value"]) for row in found]
    assert keys == sorted(keys)
    # an unescaped + in an address arrives as a space
    plus = client.get("/indicators/values?sortby=+value&indicator=rd-gdp-share&f=json").json()["items"]
    assert plus == rows(client, "/indicators/values", {"sortby": "value", "indicator": "rd-gdp-share"})


@each_register
def test_pages_are_complete_and_the_same_each_time(client: httpx.Client, register: Register) -> None:
    """Following the next links from a page that cuts the list in about five."""
    everything = rows(client, register.path)
    size = max(len(everything) // 5, 1)
    answer = client.get(register.path, params={"limit": str(size), "f": "json"}).json()
    gathered = answer["items"]
    pages = 1
    while True:
        links = {link["rel"]: link["href"] for link in answer["links"]}
        if "next" not in links:
            break
        before = answer["items"]
        answer = client.get(links["next"]).json()
        assert answer["numberMatched"] == len(everything)
        back = next(link["href"] for link in answer["links"] if link["rel"] == "prev")
        assert client.get(back).json()["items"] == before
        gathered += answer["items"]
        pages += 1
    assert gathered == everything
    assert pages >= 5


@each_register
def test_beyond_the_end_there_is_nothing(client: httpx.Client, register: Register) -> None:
    answer = client.get(register.path, params={"offset": "9999", "f": "json"}).json()
    assert answer["items"] == []
    assert answer["numberMatched"] > 0
    assert "next" not in {link["rel"] for link in answer["links"]}


@each_register
def test_json_or_a_page(client: httpx.Client, register: Register) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for parameters, headers, kind in (
        ({}, {}, "application/json"),
        ({}, {"Accept": "application/json"}, "application/json"),
        ({}, browser, "text/html"),
        ({"f": "json"}, browser, "application/json"),
        ({"f": "html"}, {"Accept": "application/json"}, "text/html"),
    ):
        answer = client.get(register.path, params={**parameters, "limit": "3"}, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == kind
        assert "Accept" in answer.headers["vary"]


@each_register
def test_every_row_and_link_is_on_the_page(client: httpx.Client, register: Register) -> None:
    found = client.get(register.path, params={"limit": "3", "f": "json"}).json()
    text = client.get(register.path, params={"limit": "3", "f": "html"}).text
    assert register.title in text
    assert register.title_en in text
    telling = ("name", "title", "printed", "target_printed", "text", "words")
    named = next(name for name in telling if name in found["items"][0])
    for row in found["items"]:
        assert str(row[named]).replace("&", "&amp;").replace('"', "&#34;") in text
    for field in register.fields:
        if any(row[field.name] not in (None, []) for row in found["items"]) and field.name not in (
            "indicator", "industry", "region", "platform", "document",
        ):  # fmt: skip
            assert f'{field.title}<br><span lang="en">{field.title_en}' in text, field.name
    assert 'rel="next"' in text


@each_register
def test_columns_are_described(client: httpx.Client, register: Register) -> None:
    answer = client.get(register.path, params={"limit": "1", "f": "json"}).json()
    assert [column["name"] for column in answer["columns"]] == list(answer["items"][0])
    assert all(column["title"] and column["title_en"] for column in answer["columns"])


@each_register
def test_what_is_unknown_is_refused_with_what_is_known(client: httpx.Client, register: Register) -> None:
    fields = [field.name for field in register.fields if field.queryable]
    for parameters, parameter, allowed in (
        ({"nonsense": "1"}, "nonsense", {*fields, "sortby", "limit", "offset", "f", "lang"}),
        ({"sortby": "nonsense"}, "sortby", set(fields)),
        ({"sortby": ""}, "sortby", set(fields)),
        ({"f": "xml"}, "f", {"json", "html"}),
    ):
        problem(client.get(register.path, params=parameters), parameter, allowed)
    for parameters, parameter in (
        ({"limit": "0"}, "limit"),
        ({"limit": "x"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "10001"}, "offset"),
        ({fields[0]: ""}, fields[0]),
        ({fields[0]: "a,,b"}, fields[0]),
        ({fields[0]: "a\x00b"}, fields[0]),
    ):
        problem(client.get(register.path, params=parameters), parameter)
    problem(client.get(f"{register.path}?f=json&f=json"), "f")
    for field in register.fields:
        if field.queryable and field.values:
            problem(client.get(register.path, params={field.name: "nonsense"}), field.name, set(field.values))
        if field.queryable and field.type in ("number", "integer"):
            for text in ("x", "nan", "inf", "1e999"):
                problem(client.get(register.path, params={field.name: text}), field.name)
        if not field.queryable:
            problem(client.get(register.path, params={field.name: "x"}), field.name)


def problem(answer: httpx.Response, parameter: str, allowed: set[str] | None = None) -> None:
    assert answer.status_code == 400, answer.url
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["parameter"] == parameter
    assert body["detail"]
    if allowed is not None:
        assert set(body["allowed"]) == allowed


def test_nothing_matching_is_no_error(client: httpx.Client) -> None:
    assert rows(client, "/indicators/values", {"year": "1066"}) == []
    page = client.get("/indicators/values", params={"year": "1066", "f": "html"})
    assert page.status_code == 200
    assert "没有符合条件的数据" in page.text


HOSTILE = '<script>alert("1")</script>\'"&amp;'


def test_hostile_text_is_escaped(database_url: sa.URL) -> None:
    with connect(database_url).begin() as connection:
        connection.execute(sa.update(t.document).values(title=HOSTILE))
        connection.execute(sa.update(t.indicator).values(name=HOSTILE))
        connection.execute(sa.update(t.indicator_value).where(t.indicator_value.c.row_id == 1).values(printed=HOSTILE))
        connection.execute(sa.update(t.industry).values(text=HOSTILE))
        connection.execute(sa.update(t.region).values(name_en=HOSTILE))
        connection.execute(sa.update(t.industry_relation).values(reason=HOSTILE))
        connection.execute(sa.update(t.task).values(departments=[HOSTILE]))
        connection.execute(sa.update(t.disagreement_side).values(says=HOSTILE))
    with served(settings_for(database_url)) as address, http(address) as client:
        for path in PATHS:
            page = client.get(path, params={"f": "html"})
            assert page.status_code == 200
            assert "<script>alert" not in page.text, path
            assert "&lt;script&gt;alert" in page.text, path
            assert json.dumps(HOSTILE) in json.dumps(rows(client, path)), path
        page = client.get("/indicators/values", params={"f": "html", "printed": HOSTILE, "sortby": "year"})
        assert "<script>alert" not in page.text


# ---------------------------------------------------------------------------------------------- what the documents say


@pytest.mark.parametrize(
    ("year", "kind", "number", "document", "line"),
    [
        (2020, "actual", 3.31, "jiaxing-sti-14fyp", 48),
        (2024, "actual", 3.55, "jiaxing-integration-2027", 50),
        (2025, "target", 3.75, "jiaxing-sti-14fyp", 165),
        (2027, "target", 3.7, "jiaxing-integration-2027", 51),
    ],
)
def test_one_indicator_across_documents(
    client: httpx.Client, year: int, kind: str, number: float, document: str, line: int
) -> None:
    found = rows(client, "/indicators/values", {"indicator": "rd-gdp-share", "region": "嘉兴市", "year": year})
    row = one(found, kind=kind, document=document, line_start=line)
    assert row["value"] == row["number"] == number
    assert row["unit"] == row["unit_printed"] == "%"
    assert row["document_title"]


def test_target_against_actual_across_documents(client: httpx.Client) -> None:
    found = rows(client, "/indicators/progress", {"indicator": "rd-gdp-share", "region": "330400"})
    near = one(found, target_year=2025, target_document="jiaxing-sti-14fyp", target_line=165)
    assert near["target_value"] == 3.75
    assert (near["actual_year"], near["actual_value"]) == (2024, 3.55)
    assert (near["actual_document"], near["actual_line"]) == ("jiaxing-integration-2027", 50)
    assert (near["start_year"], near["start_value"], near["start_document"]) == (2020, 3.31, "jiaxing-sti-14fyp")
    assert near["progress"] == round((3.55 - 3.31) / (3.75 - 3.31), 4)
    assert near["met"] is False
    far = one(found, target_year=2027)
    assert (far["target_value"], far["target_line"]) == (3.7, 51)
    assert (far["actual_year"], far["actual_value"]) == (2024, 3.55)
    # the start is the newest actual itself: no way is walked yet
    assert (far["start_year"], far["progress"], far["met"]) == (2024, None, False)
    past = one(found, target_year=2020, target_line=49)
    assert (past["actual_year"], past["actual_value"], past["met"]) == (2020, 3.31, True)
    assert "老口径" in past["start_note"]


def met(row: Row) -> bool | None:
    better, bound = row["better"], row["target_operator"]
    if row["actual_value"] is None or (better == "neither" and bound not in ("gt", "lt")):
        return None
    actual, target = row["actual_value"], row["target_value"]
    return {
        "gt": actual > target, "lt": actual < target
    }.get(bound, actual >= target if better == "higher" else actual <= target)  # fmt: skip


def test_progress_equals_a_computation_from_the_values(client: httpx.Client) -> None:
    """Every target: its newest actual, its start, the share of the way, and whether it is met."""
    values = rows(client, "/indicators/values")
    found = rows(client, "/indicators/progress")
    targets = [row for row in values if row["kind"] == "target" and row["value"] is not None]
    assert len(found) == len(targets) > 300
    met_ones: Counter[bool | None] = Counter()
    for row in found:
        alike = [
            value
            for value in values
            if value["kind"] in ("actual", "flash")
            and value["value"] is not None
            and value["year"] <= row["target_year"]
            and value["year_from"] == row["target_year_from"]
            and all(value[name] == row[name] for name in ("indicator", "region", "platform"))
        ]
        newest = max((value["year"] for value in alike), default=None)
        assert row["actual_year"] == newest
        if newest is not None:
            best = [value for value in alike if value["year"] == newest]
            final = [value for value in best if value["kind"] == "actual"] or best
            assert (row["actual_value"], row["actual_document"], row["actual_line"], row["actual_kind"]) in {
                (value["value"], value["document"], value["line_start"], value["kind"]) for value in final
            }
        own = [v for v in alike if v["document"] == row["target_document"] and v["year"] < row["target_year"]]
        start = max((value["year"] for value in own), default=None)
        assert row["start_year"] == start
        if start is None or newest is None or newest <= start or row["target_value"] == row["start_value"]:
            assert row["progress"] is None
        else:
            share = (row["actual_value"] - row["start_value"]) / (row["target_value"] - row["start_value"])
            assert row["progress"] == pytest.approx(share, abs=0.00006)
        assert row["met"] is met(row), row
        met_ones[row["met"]] += 1
    assert met_ones[True] > 10
    assert met_ones[False] > 10
    assert met_ones[None] > 10


@pytest.mark.parametrize(
    ("printed", "operator", "number"),
    [("15（24年数据未出）", "exact", 15), ("保持基本稳定", "text", None), ("前50", "le", 50)],
)
def test_odd_prints_survive(client: httpx.Client, printed: str, operator: str, number: float | None) -> None:
    row = one(rows(client, "/indicators/values", {"printed": printed}), document="jiaxing-integration-2027")
    assert (row["operator"], row["number"], row["value"]) == (operator, number, number)


def test_two_figures_in_one_cell_and_a_corrected_unit(client: httpx.Client) -> None:
    found = rows(client, "/indicators/values", {"printed": "12800/7721"})
    assert {row["number"] for row in found} == {12800, 7721}
    assert len({row["indicator"] for row in found}) == 2
    for row in found:
        assert (row["unit_printed"], row["unit_corrected"], row["unit"]) == ("万亿元", "亿元", "亿元")
        assert row["value"] == row["number"]
        assert row["correction_reason"]


def test_every_correction_shows_both_units_and_its_reason(client: httpx.Client, geodata: Path) -> None:
    corrected = [row for row in table(geodata, "indicator_values") if row["unit_corrected"]]
    assert len(corrected) >= 5
    found = [row for row in rows(client, "/indicators/values") if row["unit_corrected"]]
    key = ("indicator", "printed", "unit_printed", "unit_corrected", "correction_reason", "document")
    assert Counter(tuple(row[name] for name in key) for row in found) == Counter(
        tuple(row[name] for name in key) for row in corrected
    )


def test_values_equal_the_files(client: httpx.Client, geodata: Path) -> None:
    """Every printed cell, its number, who answers for it and its citation; what is missing stays missing, 0 is 0."""
    files = table(geodata, "indicator_values")
    found = rows(client, "/indicators/values")
    told = [row["departments"] for row in files if row["departments"]]
    assert Counter("；".join(row["departments"]) for row in found if row["departments"]) == Counter(told)
    named = rows(client, "/indicators/values", {"departments": "市经信局"})
    assert len(named) == sum("市经信局" in one.split("；") for one in told)
    text = (
        "indicator",
        "region",
        "platform",
        "kind",
        "operator",
        "printed",
        "document",
        "section",
        "note",
        "table_name",
    )
    number = ("year_from", "year", "number", "line_start", "line_end")
    assert Counter(
        tuple(row[name] or "" for name in text)
        + tuple(None if row[name] is None else float(row[name]) for name in number)
        for row in found
    ) == Counter(
        tuple(row[name] for name in text) + tuple(float(row[name]) if row[name] else None for name in number)
        for row in files
    )
    missing = [row for row in found if row["operator"] == "missing"]
    assert {row["printed"] for row in missing} >= {"/", "-"}
    assert all(row["number"] is None and row["value"] is None and row["rank"] is None for row in missing)
    zero = [row for row in found if row["number"] == 0]
    assert len(zero) > 3
    assert all(row["value"] == 0 for row in zero)


def test_normalised_values_equal_the_units_of_the_files(client: httpx.Client, geodata: Path) -> None:
    factor = {(row["printed"], row["unit"]): float(row["factor"]) for row in table(geodata, "units")}
    changed = 0
    for row in rows(client, "/indicators/values"):
        if row["number"] is None:
            assert row["value"] is None
            continue
        given = row["unit_corrected"] or row["unit_printed"] or row["unit"]
        expected = row["number"] * (1 if given == row["unit"] else factor[given, row["unit"]])
        assert row["value"] == pytest.approx(expected)
        changed += row["value"] != row["number"]
    assert changed > 5


def test_ranking_of_the_areas_of_haining(client: httpx.Client, geodata: Path) -> None:
    """Every indicator, year and kind of 附件1, ranked again from the file."""
    levels = {row["id"]: row["level"] for row in table(geodata, "regions")}
    better = {row["id"]: row["better"] for row in table(geodata, "indicators")}
    cells: dict[tuple[str, str, str], dict[str, float | None]] = {}
    for row in table(geodata, "indicator_values"):
        if levels.get(row["region"]) == "area":
            cell = cells.setdefault((row["indicator"], row["year"], row["kind"]), {})
            cell[row["region"]] = float(row["number"]) if row["operator"] != "missing" else None
    assert len(cells) == 12
    ties = unranked = 0
    for (indicator, year, kind), values in cells.items():
        asked = {"indicator": indicator, "year": year, "kind": kind, "region_level": "area", "region_parent": "330481"}
        found = rows(client, "/indicators/values", {**asked, "sortby": "rank"})
        assert len(found) == len(values) == 13
        known = [value for value in values.values() if value is not None]
        assert better[indicator] == "higher"
        for row in found:
            value = values[row["region"]]
            if value is None:
                assert (row["rank"], row["rank_of"]) == (None, None)
                unranked += 1
            else:
                assert row["rank"] == 1 + sum(other > value for other in known)
                assert row["rank_of"] == len(known)
        ties += len(known) - len(set(known))
        ranks = [row["rank"] for row in found]
        assert ranks == sorted(ranks, key=lambda rank: (rank is None, rank))
    assert ties > 0
    assert unranked > 0


def test_a_lower_value_ranks_first_where_lower_is_better_and_repeats_count_once(database_url: sa.URL) -> None:
    v = t.indicator_value
    with connect(database_url).begin() as connection:
        connection.execute(sa.update(t.indicator).where(t.indicator.c.id == "rd-gdp-share").values(better="lower"))
        same = [v.c.indicator == "rd-gdp-share", v.c.region == "haining-area-xucun", v.c.year == 2020]
        again = [c for c in v.c if c.name not in ("row_id", "line_start")]
        copied = sa.select(*again, (v.c.line_start - 1).label("line_start")).where(*same)
        connection.execute(sa.insert(v).from_select([*(c.name for c in again), "line_start"], copied))
    with served(settings_for(database_url)) as address, http(address) as client:
        asked = {"indicator": "rd-gdp-share", "year": "2020", "region_level": "area", "sortby": "rank"}
        found = [row for row in rows(client, "/indicators/values", asked) if row["rank"] is not None]
    # 许村 has the lowest value, 0.86, now printed twice: both first, and the next is second, not third
    assert [row["region"] for row in found][:2] == ["haining-area-xucun"] * 2
    assert [row["rank"] for row in found] == [1, *range(1, 11)]
    assert {row["rank_of"] for row in found} == {10}


def test_who_has_no_peer_has_no_rank(client: httpx.Client) -> None:
    alone = rows(client, "/indicators/values", {"region": "330000,330400"})
    assert len(alone) > 300
    assert {row["rank"] for row in alone} == {None}


def test_documents_count_what_they_say(client: httpx.Client, geodata: Path) -> None:
    mentions, values = table(geodata, "mentions"), table(geodata, "indicator_values")
    found = rows(client, "/documents")
    assert {row["id"] for row in found} == {row["id"] for row in table(geodata, "documents")}
    for row in found:
        assert row["mentions"] == len({m["platform"] for m in mentions if m["document"] == row["id"]})
        assert row["values"] == sum(value["document"] == row["id"] for value in values)
        assert len(row["sha256"]) == 64
    assert sum(row["values"] for row in found) == len(values)


def test_an_indicator_is_named_as_a_table_prints_it_with_or_without_its_unit(client: httpx.Client) -> None:
    for name, code in (
        ("每万人口高价值发明专利拥有量(件)", "high-value-patents-per-10k"),
        ("每万人口高价值发明专利拥有量", "high-value-patents-per-10k"),
        ("全社会R&D经费支出占GDP比重（%）", "rd-gdp-share"),
        ("先进制造业集群规上企业营业收入（135N）", "cluster-revenue-135n"),
    ):
        found = rows(client, "/indicators/values", {"indicator": name, "region": "嘉兴市"})
        assert {row["indicator"] for row in found} == {code}
    assert client.get("/indicators/values", params={"indicator": "没有（%）"}).status_code == 400


def test_indicators_gather_labels_documents_and_warnings(client: httpx.Client, geodata: Path) -> None:
    values, labels = table(geodata, "indicator_values"), table(geodata, "indicator_labels")
    found = {row["id"]: row for row in rows(client, "/indicators")}
    assert set(found) == {row["id"] for row in table(geodata, "indicators")}
    for name, row in found.items():
        own = [value for value in values if value["indicator"] == name]
        assert row["values"] == len(own)
        assert set(row["documents"]) == {value["document"] for value in own}
        assert row["years"] == sorted({int(value["year"]) for value in own})
        assert set(row["labels"]) == {label["label"] for label in labels if label["indicator"] == name}
    assert len(found["rd-gdp-share"]["documents"]) >= 4
    warnings = 0
    for pair in table(geodata, "not_comparable"):
        for a, b in ((pair["a"], pair["b"]), (pair["b"], pair["a"])):
            assert {"indicator": b, "reason": pair["reason"]} in found[a]["not_comparable"]
            warnings += 1
    assert warnings == sum(len(row["not_comparable"] or []) for row in found.values()) > 100


def test_themes_filter_values(client: httpx.Client, geodata: Path) -> None:
    theme = {row["id"]: row["theme"] for row in table(geodata, "indicators")}
    found = rows(client, "/indicators/values", {"theme": "input", "document": "jiaxing-sti-14fyp"})
    expected = [
        row for row in table(geodata, "indicator_values")
        if row["document"] == "jiaxing-sti-14fyp" and theme[row["indicator"]] == "input"
    ]  # fmt: skip
    assert len(found) == len(expected) > 10


def test_industries_relate_both_ways(client: httpx.Client, geodata: Path) -> None:
    turned = {"narrower": "broader", "same": "same", "overlaps": "overlaps"}
    industries, relations = table(geodata, "industries"), table(geodata, "industry_relations")
    found = {row["id"]: row for row in rows(client, "/industries")}
    assert set(found) == {row["id"] for row in industries}
    expected: dict[str, set[tuple[str, str, str]]] = {}
    for row in relations:
        expected.setdefault(row["a"], set()).add((row["relation"], row["b"], row["reason"]))
        expected.setdefault(row["b"], set()).add((turned[row["relation"]], row["a"], row["reason"]))
    assert {relation for related in expected.values() for relation, *_ in related} >= {"narrower", "broader", "same"}
    for name, row in found.items():
        got = {(one["relation"], one["industry"], one["reason"]) for one in row["relations"] or []}
        assert got == expected.get(name, set()), name
        assert all(found[one["industry"]]["name"] == one["name"] for one in row["relations"] or [])
    links = table(geodata, "industry_links")
    for name, row in found.items():
        assert row["platforms"] == len({link["platform"] for link in links if link["industry"] == name})
    assert {row["scheme"] for row in found.values()} == {row["scheme"] for row in industries}


def test_seven_reforms(client: httpx.Client) -> None:
    found = rows(client, "/tasks", {"list": "reform"})
    assert [row["ord"] for row in found] == [1, 2, 3, 4, 5, 6, 7]
    for row in found:
        assert row["text"]
        assert row["document"] == "jiaxing-sti-14fyp"
        assert row["line_start"] >= 1
    assert any("创新地图和科技创新指数" in row["text"] for row in found)


def test_tasks_by_department_and_platform(client: httpx.Client, geodata: Path) -> None:
    files = table(geodata, "tasks")
    found = rows(client, "/tasks")
    assert {row["id"] for row in found} == {row["id"] for row in files}
    department = next(name for row in found for name in row["departments"])
    assert rows(client, "/tasks", {"departments": department}) == [r for r in found if department in r["departments"]]
    with_platform = {row["id"]: row["platform"] for row in files if row["platform"]}
    assert {row["id"]: row["platform"] for row in found if row["platform"]} == with_platform


def test_disagreements_found_by_reading_show_every_side(client: httpx.Client, geodata: Path) -> None:
    found = {row["id"]: row for row in rows(client, "/disagreements", {"kind": "text"})}
    assert set(found) == {row["id"] for row in table(geodata, "disagreements")}
    sides = table(geodata, "disagreement_sides")
    for name, row in found.items():
        own = sorted((side for side in sides if side["disagreement"] == name), key=lambda side: int(side["ord"]))
        assert len(own) >= 2
        key = ("document", "says", "quote")
        assert [tuple(side[k] for k in key) for side in row["sides"]] == [tuple(side[k] for k in key) for side in own]
        assert all(side["line_start"] >= 1 for side in row["sides"])


def test_disagreements_of_figures_equal_a_computation_from_the_values(client: httpx.Client) -> None:
    cells: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows(client, "/indicators/values"):
        if row["value"] is not None and row["operator"] != "rank":
            key = tuple(row[name] for name in ("indicator", "region", "platform", "year_from", "year", "kind"))
            cells.setdefault(key, []).append(row)
    expected = {
        ".".join(str(part) for part in key if part is not None): cell
        for key, cell in cells.items()
        if len({(row["value"], row["operator"]) for row in cell}) > 1
    }
    found = {row["id"]: row for row in rows(client, "/disagreements", {"kind": "figure"})}
    assert set(found) == set(expected)
    assert len(found) > 10
    titles = found["hightech-enterprises.330000.2020.actual"]
    assert (titles["title"], titles["title_en"]) == (
        "浙江省 高新技术企业数 2020年实际", "Zhejiang Province High-tech enterprises 2020 actual"
    )  # fmt: skip
    notes: Counter[str] = Counter()
    for name, row in found.items():
        key = ("document", "line_start", "printed")
        assert Counter((side["document"], side["line_start"], side["says"]) for side in row["sides"]) == Counter(
            tuple(value[k] for k in key) for value in expected[name]
        )
        low, high = (pick(value["value"] for value in expected[name]) for pick in (min, max))
        note = "same" if low == high else "near" if high - low <= 0.01 * abs(high) else ""
        words = {"same": "The same number", "near": "perhaps rounded", "": ""}[note]
        assert (row["note"] is None) if note == "" else words in row["note"], name
        notes[note] += 1
    assert set(notes) == {"same", "near", ""}


def test_addresses_are_links_on_the_page(client: httpx.Client) -> None:
    """Platform, indicator and document of a value lead to where they are described."""
    asked = {"platform": "haiyan-nuclear-hightech-park", "f": "html"}
    text = client.get("/indicators/values", params=asked).text
    base = str(client.base_url).rstrip("/")
    addresses = (
        f"{base}/collections/platforms/items/haiyan-nuclear-hightech-park",
        f"{base}/indicators/values?f=html&indicator=rd-gdp-share",
        f"{base}/documents?f=html&id=jiaxing-sti-14fyp",
    )
    for address in addresses:
        assert f'href="{escape(address)}"' in text, urlsplit(address).path
        assert client.get(address).status_code == 200
