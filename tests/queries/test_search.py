"""The search: what is found, what comes first, and that the grams decide nothing wrongly."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from pypinyin import Style, lazy_pinyin

from app.db import tables as t
from app.ingest.search import refresh
from app.queries import search
from app.queries.search import PREPARE, counts, rarest_first, separate, statement
from tests.tables import table

COLLECTIONS = (
    "platforms", "counties", "cities", "towns", "regions", "places", "layout_elements", "indicators", "tasks",
)  # fmt: skip
EVERYTHING = 100_000


@pytest.fixture(scope="module")
def entries(loaded_url: sa.URL) -> Iterator[sa.Connection]:
    engine = sa.create_engine(loaded_url, poolclass=sa.NullPool)
    with engine.connect() as opened:
        yield opened


def question(
    connection: sa.Connection, words: str, collections: Iterable[str] = (), limit: int = EVERYTHING, offset: int = 0
) -> sa.Select[Any]:
    parts = separate(words)
    if len(parts) > 1:
        parts = rarest_first(parts, connection.execute(counts(parts)).one())
    return statement(parts, " ".join(words.lower().split()), list(collections), limit, offset)


def found(connection: sa.Connection, words: str, collections: Iterable[str] = ()) -> list[Any]:
    rows = list(connection.execute(question(connection, words, collections)).all())
    assert not any(row.cut for row in rows)
    return rows


def ids(connection: sa.Connection, words: str, collections: Iterable[str] = ()) -> list[tuple[str, str]]:
    return [(row.collection, row.item) for row in found(connection, words, collections)]


def test_every_alias_finds_its_platform(entries: sa.Connection, geodata: Path) -> None:
    aliases = [row for row in table(geodata, "aliases") if row["platform"]]
    assert len(aliases) > 50
    lost = [row for row in aliases if ("platforms", row["platform"]) not in ids(entries, row["name"], ["platforms"])]
    assert lost == []


def test_every_alias_of_a_region_finds_it(entries: sa.Connection, geodata: Path) -> None:
    aliases = [row for row in table(geodata, "aliases") if row["region"]]
    assert len(aliases) > 50
    for row in aliases:
        assert row["region"] in {item for _, item in ids(entries, row["name"])}, row


def test_any_two_neighbouring_characters_of_every_platform_name_find_it(entries: sa.Connection, geodata: Path) -> None:
    """Every pair by the condition that the index decides, and for each name one pair by the whole search."""
    named: dict[str, set[str]] = {}
    for row in table(geodata, "platforms"):
        for one, other in pairwise(row["name"]):
            if not (one + other).isspace() and " " not in one + other:
                named.setdefault((one + other).lower(), set()).add(row["id"])
    assert len(named) > 1000
    e = t.search_entry.c
    grams = sa.select(e.item, sa.func.unnest(e.grams).label("gram")).where(e.collection == "platforms").subquery()
    held: dict[str, set[str]] = {}
    for item, gram in entries.execute(sa.select(grams).where(sa.func.length(grams.c.gram) == 2)):
        held.setdefault(gram, set()).add(item)
    assert {pair: items - held.get(pair, set()) for pair, items in named.items()} == {pair: set() for pair in named}
    rarest = {}
    for pair, items in sorted(named.items(), key=lambda one: -len(one[1])):
        rarest.update(dict.fromkeys(items, pair))
    for item, pair in rarest.items():
        assert {found for _, found in ids(entries, pair, ["platforms"])} == held[pair], (item, pair)


def holding(connection: sa.Connection, words: str) -> set[tuple[str, str]]:
    """Items that hold every word, by a look at every entry in Python."""
    e = t.search_entry.c
    held: dict[tuple[str, str], list[str]] = {}
    for row in connection.execute(sa.select(e.collection, e.item, e.text, e.pinyin, e.initials)):
        held.setdefault((row.collection, row.item), []).append("\n".join((row.text.lower(), row.pinyin, row.initials)))
    parts = words.lower().split()
    return {item for item, texts in held.items() if all(any(part in text for text in texts) for part in parts)}


@pytest.mark.parametrize(
    "words",
    ["创新", "新", "科技城", "人工智能", "海宁 半导体", "嘉善  智能 传感", "G60", "g60", "jx", "jiaxing", "kjc", "a",
     "1", "R&D", "（", "“一廊”", "Science City", "创新 cx", "海宁 没有这个词"],
)  # fmt: skip
def test_finds_exactly_what_holds_every_word(entries: sa.Connection, words: str) -> None:
    got = ids(entries, words)
    assert len(got) == len(set(got))
    assert set(got) == holding(entries, words)


def test_words_may_stand_in_different_entries(entries: sa.Connection) -> None:
    """The name says 海宁, the industries say 泛半导体: neither entry alone holds both."""
    rows = entries.execute(
        sa.text(
            "SELECT a.item FROM search_entry a JOIN search_entry b USING (collection, item)"
            " WHERE collection = 'platforms' AND a.rank = 1 AND a.text LIKE '%海宁%' AND b.text LIKE '%泛半导体%'"
            " AND NOT EXISTS (SELECT 1 FROM search_entry c WHERE c.collection = a.collection AND c.item = a.item"
            " AND c.text LIKE '%海宁%' AND c.text LIKE '%泛半导体%')"
        )
    ).all()
    assert rows, "the data has no such item any more: choose other words"
    assert {("platforms", row.item) for row in rows} <= set(ids(entries, "海宁 泛半导体"))


def test_pinyin_in_full_and_by_initials_finds_every_platform(entries: sa.Connection, geodata: Path) -> None:
    e = t.search_entry.c
    written = {tuple(row) for row in entries.execute(sa.select(e.text, e.pinyin, e.initials).where(e.rank == 1))}
    for row in table(geodata, "platforms"):
        full = "".join(filter(str.isalnum, "".join(lazy_pinyin(row["name"])))).lower()
        initials = "".join(filter(str.isalnum, "".join(lazy_pinyin(row["name"], style=Style.FIRST_LETTER)))).lower()
        assert (row["name"], full, initials) in written, row["name"]
        # asked one way or the other, for there are many
        words = full if len(full) % 2 else initials.upper()
        assert ("platforms", row["id"]) in ids(entries, words, ["platforms"]), (row["name"], words)


@pytest.mark.parametrize(
    ("words", "item"),
    [
        ("haining", ("counties", "330481")),
        ("hns", ("counties", "330481")),
        ("jiashan", ("counties", "330421")),
        ("csj", ("platforms", "yangtze-delta-new-energy-institute")),
        ("changsanjiao", ("platforms", "yangtze-delta-new-energy-institute")),
        ("尖山新区", ("regions", "haining-area-jianshan")),
    ],
)
def test_readings_that_people_type(entries: sa.Connection, words: str, item: tuple[str, str]) -> None:
    assert item in ids(entries, words)


@pytest.mark.parametrize(("wild", "plain"), [("%", "%"), ("_", "_"), ("\\", "\\"), ("创%新", "创%新"), ("创_", "创_")])
def test_wildcards_are_letters(database_url: sa.URL, wild: str, plain: str) -> None:
    with sa.create_engine(database_url, poolclass=sa.NullPool).begin() as connection:
        assert set(ids(connection, wild)) == holding(connection, wild)
        for item, text in (("with", f"前{plain}后"), ("without", "前创甲新后")):
            row = {"collection": "platforms", "item": item, "rank": 1, "text": text, "pinyin": "", "initials": ""}
            connection.execute(sa.insert(t.search_entry).values(row))
        got = ids(connection, wild)
        assert ("platforms", "with") in got
        assert ("platforms", "without") not in got


def test_case_does_not_matter(entries: sa.Connection) -> None:
    assert ids(entries, "g60") == ids(entries, "G60") != []


@pytest.mark.parametrize("level", ["name", "alias"])
def test_an_exact_name_comes_first(entries: sa.Connection, geodata: Path, level: str) -> None:
    if level == "name":
        expected: dict[str, set[str]] = {}
        for row in table(geodata, "platforms"):
            expected.setdefault(row["name"], set()).add(row["id"])
    else:
        expected = {}
    for row in table(geodata, "aliases"):
        if row["platform"]:
            expected.setdefault(row["name"], set()).add(row["platform"])
    for row in table(geodata, "platforms"):
        if row["name"] in expected:
            expected[row["name"]].add(row["id"])
    e = t.search_entry.c
    own = sa.select(e.item, e.text).where(e.collection == "platforms")
    texts = [(row.item, row.text) for row in entries.execute(own)]
    contested = {name for name in expected if len({item for item, text in texts if name in text}) > len(expected[name])}
    assert len(contested) > 10
    for name in contested:
        items = expected[name]
        first = ids(entries, name, ["platforms"])[: len(items)]
        assert {item for _, item in first} == items, name


def test_names_come_before_texts_and_beginnings_before_middles(entries: sa.Connection) -> None:
    rows = found(entries, "嘉兴", ["platforms"])
    ranks = [row.rank for row in rows]
    assert ranks == sorted(ranks)
    starts = [row.text.startswith("嘉兴") for row in rows if row.rank == 1]
    assert starts == sorted(starts, reverse=True)
    assert {True, False} == set(starts)


def test_the_shown_name_is_the_items_own(entries: sa.Connection, geodata: Path) -> None:
    name = {row["id"]: row["name"] for row in table(geodata, "platforms")}
    rows = found(entries, "科技", ["platforms"])
    assert {row.rank for row in rows} == {1, 2, 3}
    assert [row.name for row in rows] == [name[row.item] for row in rows]


def test_pages_are_complete_and_do_not_overlap(entries: sa.Connection) -> None:
    whole = ids(entries, "创新")
    assert len(whole) > 60
    pages = [entries.execute(question(entries, "创新", (), 25, start)).all() for start in range(0, len(whole) + 25, 25)]
    assert [(row.collection, row.item) for page in pages for row in page] == whole
    assert {row.total for page in pages for row in page} == {len(whole)}


def test_a_question_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="no words"):
        separate(" 　")


def test_grams_are_characters_and_pairs(entries: sa.Connection) -> None:
    cut = "SELECT grams(:words)"
    assert sorted(entries.scalar(sa.text(cut), {"words": "G60 创新　谷"}) or []) == sorted(
        ["g", "g6", "6", "60", "0", "创", "创新", "新", "谷"]
    )
    assert entries.scalar(sa.text(cut), {"words": ""}) == []


def test_the_gram_index_serves_two_characters(entries: sa.Connection) -> None:
    entries.execute(PREPARE)
    compiled = question(entries, "湘家", (), 20).compile(entries.engine, compile_kwargs={"literal_binds": True})
    plan = "\n".join(entries.exec_driver_sql(f"EXPLAIN {compiled}").scalars())
    assert "Bitmap Index Scan on ix_search_entry_grams" in plan


def test_beyond_the_limit_names_and_exact_ones_still_come_first(
    entries: sa.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With only three entries of a rank looked at, the answer says that it was cut, and is not worse at its top."""
    whole = found(entries, "嘉兴市")
    monkeypatch.setattr(search, "MAX_ENTRIES", 3)
    some = entries.execute(question(entries, "嘉兴市")).all()
    assert all(row.cut for row in some)
    assert some[0].item == whole[0].item == "330400"
    assert {row.rank for row in some} >= {1, 3}
    assert len(some) < len(whole)
    assert {(row.collection, row.item) for row in some} <= {(row.collection, row.item) for row in whole}


def test_the_rarest_word_leads(entries: sa.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A usual word beside a rare one cuts nothing off, whichever comes first."""
    expected = set(ids(entries, "海宁 泛半导体"))
    monkeypatch.setattr(search, "MAX_ENTRIES", max(entries.execute(counts(["泛半导体"])).one()) + 1)
    assert entries.execute(counts(["海宁"])).scalar() == search.MAX_ENTRIES
    for words in ("海宁 泛半导体", "泛半导体 海宁"):
        rows = entries.execute(question(entries, words)).all()
        assert {(row.collection, row.item) for row in rows} == expected
        assert not rows[0].cut


def test_refresh_follows_the_data(database_url: sa.URL) -> None:
    with sa.create_engine(database_url, poolclass=sa.NullPool).begin() as connection:
        assert refresh(connection) == 0
        one = connection.execute(sa.select(t.platform.c.id, t.platform.c.name).order_by(t.platform.c.id)).first()
        assert one is not None
        own = sa.update(t.platform).where(t.platform.c.id == one.id)
        connection.execute(own.values(name="龘龘试验平台"))
        assert refresh(connection) == 2  # the old name goes, the new one comes
        assert ids(connection, "龘龘") == [("platforms", one.id)]
        connection.execute(own.values(name=one.name))
        assert refresh(connection) == 2
        # as an older release may have written it
        connection.execute(sa.update(t.search_entry).where(t.search_entry.c.item == one.id).values(initials="old"))
        assert refresh(connection) > 0
        assert ("platforms", one.id) not in ids(connection, "old")
        assert ids(connection, "龘龘") == []


def test_what_is_retired_is_not_found(database_url: sa.URL, geodata: Path) -> None:
    alias = next(row for row in table(geodata, "aliases") if row["platform"])
    with sa.create_engine(database_url, poolclass=sa.NullPool).begin() as connection:
        before = {item for _, item in ids(connection, alias["name"], ["platforms"])}
        connection.execute(sa.update(t.platform).where(t.platform.c.id == alias["platform"]).values(retired=True))
        refresh(connection)
        assert {item for _, item in ids(connection, alias["name"], ["platforms"])} == before - {alias["platform"]}


def test_every_result_over_http_can_be_opened(client: httpx.Client) -> None:
    """One of each collection: the address given with it answers."""
    seen: dict[str, str] = {}
    for words in ("嘉", "海宁", "科技", "镇", "尖山"):
        for row in client.get("/search", params={"q": words, "limit": 1000, "f": "json"}).json()["items"]:
            seen.setdefault(row["collection"], row["href"])
    assert set(seen) == set(COLLECTIONS)
    for address in seen.values():
        answer = client.get(address, headers={"Accept": "application/json"})
        assert answer.status_code == 200, address
        assert answer.json().get("numberMatched", 1) > 0, address
