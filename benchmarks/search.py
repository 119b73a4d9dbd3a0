"""How the search fares among a million entries: its plan, and its time beside a scan of the whole table.

    python benchmarks/search.py [--entries 1000000] [--plans] [--data DIR]

Makes a private cluster in memory, fills it with made-up entries in the proportions of the real ones, prints one line a
question and removes everything, unless ``--data`` names where to keep it. Nothing else is touched.
"""

import argparse
import contextlib
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from pypinyin import Style, lazy_pinyin
from sqlalchemy.ext.compiler import compiles

from app.db.embedded import cluster
from app.db.migrate import upgrade
from app.ingest.search import NAME, OTHER_NAME, WORDS
from app.queries.search import PREPARE, counts, rarest_first, separate, statement

SEED = 20250101
PAGE = 20
RUNS = 7
#: What every tenth entry contains.
COMMON = "创新"
#: The 3,755 most usual characters (level 1 of GB/T 2312), in the order of their codes.
CHARACTERS = [
    character
    for code in range(0xB0, 0xD8)
    for character in bytes(byte for low in range(0xA1, 0xFF) for byte in (code, low)).decode("gb2312", "ignore")
]
#: Entries of one item: its name, another name, a few words, a sentence; the lengths of the real ones.
ENTRIES = ((NAME, 6, 16), (OTHER_NAME, 4, 12), (WORDS, 3, 8), (WORDS, 25, 75))
QUESTIONS = (
    ("two characters, every tenth entry", COMMON),
    ("two characters, usual", "{usual}"),
    ("two characters, rare", "{rare}"),
    ("one character, usual", "{usual[0]}"),
    ("one character, in most sentences", "的"),
    ("four characters", "{four}"),
    ("two words", COMMON + " {usual}"),
    ("pinyin in full, four syllables", "{pinyin}"),
    ("pinyin, two syllables", "chuangxin"),
    ("initials, four letters", "{initials}"),
    ("initials, two letters", "cx"),
    ("one letter", "a"),
    ("nothing", "龘龘"),
)


def rows(count: int) -> Iterator[tuple[str, str, int, str, str, str]]:
    """Entries (collection, item, rank, text, pinyin, initials); characters as unequally frequent as in real text."""
    chance = random.Random(SEED)  # noqa: S311
    weights = [1 / (place + 10) for place in range(len(CHARACTERS))]
    sounds = {one: lazy_pinyin(one)[0] for one in (*CHARACTERS, "的")}
    first = {one: lazy_pinyin(one, style=Style.FIRST_LETTER)[0] for one in sounds}
    shuffled = chance.sample(CHARACTERS, len(CHARACTERS))
    for number in range(count):
        rank, least, most = ENTRIES[number % len(ENTRIES)]
        text = "".join(chance.choices(shuffled, weights, k=chance.randint(least, most)))
        if number % 10 == 0:
            place = chance.randrange(len(text))
            text = text[:place] + COMMON + text[place:]
        if rank == WORDS and least > 20:
            text = text[:10] + "的" + text[10:]
        names = len(text) <= 60
        pinyin = "".join(map(sounds.__getitem__, text)) if names else ""
        initials = "".join(map(first.__getitem__, text)) if names else ""
        yield "platforms", f"made-up-{number // len(ENTRIES)}", rank, text, pinyin, initials


def fill(url: sa.URL, count: int) -> None:
    """Write the entries and bring the table's statistics up to date."""
    columns = "collection, item, rank, text, pinyin, initials"
    with psycopg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        connection.execute("TRUNCATE search_entry")
        connection.execute("DROP INDEX ix_search_entry_grams")
        with connection.cursor().copy(f"COPY search_entry ({columns}) FROM STDIN") as copy:
            for row in rows(count):
                copy.write_row(row)
        connection.execute("CREATE INDEX ix_search_entry_grams ON search_entry USING gin (grams)")
        connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE search_entry")


def question(pattern: str, connection: sa.Connection) -> str:
    """A question with words that occur."""
    find = "SELECT text, initials FROM search_entry WHERE rank = 1 AND row_id > 4000 ORDER BY row_id LIMIT 1"
    text, initials = connection.execute(sa.text(find)).one()
    usual = "".join(random.Random(SEED).sample(CHARACTERS, len(CHARACTERS))[:2])  # noqa: S311
    rare = "".join(random.Random(SEED).sample(CHARACTERS, len(CHARACTERS))[-2:])  # noqa: S311
    return pattern.format(
        usual=usual, rare=rare, four=text[:4], pinyin="".join(lazy_pinyin(text[:4])), initials=initials[:4]
    )


class Explain(sa.Executable, sa.ClauseElement):
    """A statement's plan, measured."""

    inherit_cache = False

    def __init__(self, explained: sa.Select[Any]) -> None:
        self.explained = explained


@compiles(Explain)
def _explain(element: Explain, compiler: Any, **options: Any) -> str:
    return f"EXPLAIN (ANALYZE, BUFFERS) {compiler.process(element.explained, **options)}"


def ask(connection: sa.Connection, words: str) -> sa.Select[Any]:
    """The statement for a question, made as the service makes it."""
    parts = separate(words)
    if len(parts) > 1:
        parts = rarest_first(parts, connection.execute(counts(parts)).one())
    return statement(parts, " ".join(words.lower().split()), (), PAGE)


def plan(connection: sa.Connection, words: str) -> str:
    return "\n".join(connection.scalars(Explain(ask(connection, words))))


def access(text: str) -> str:
    """How the plan reads the entries."""
    used = "gram index" if "Bitmap Index Scan on ix_search_entry_grams" in text else ""
    return used or ("scan" if "Seq Scan on search_entry" in text else "?")


def milliseconds(connection: sa.Connection, words: str, runs: int) -> tuple[float, str]:
    """Median time of a question as the service asks it, and how many items it finds."""
    took, total = [], ""
    for _ in range(runs):
        start = time.perf_counter()
        found = connection.execute(ask(connection, words)).all()
        took.append((time.perf_counter() - start) * 1000)
        total = f"{found[0].total}{'+' if found[0].cut else ''}" if found else "0"
    return statistics.median(took), total


def measure(url: sa.URL, show_plans: bool) -> None:
    """One line a question: items found, time with the index and without, buffers read."""
    indexed = sa.create_engine(url, connect_args={"options": "-c jit=off"})
    scanning = sa.create_engine(url, connect_args={"options": "-c jit=off -c enable_bitmapscan=off"})
    with indexed.begin() as connection, scanning.begin() as scan:
        connection.execute(PREPARE)
        size = "SELECT pg_size_pretty(pg_table_size('search_entry')), pg_size_pretty(pg_relation_size('{}'))"
        table, index = connection.execute(sa.text(size.format("ix_search_entry_grams"))).one()
        print(f"entries {table}, gram index {index}\n")
        print("| question | words | items | reads by | ms | ms by scan |\n| --- | --- | ---: | --- | ---: | ---: |")
        for title, pattern in QUESTIONS:
            words = question(pattern, connection)
            text = plan(connection, words)
            fast, total = milliseconds(connection, words, RUNS)
            slow, same = milliseconds(scan, words, 1)
            if same != total and "+" not in total:
                raise SystemExit(f"{words!r}: {total} items by the index, {same} by a scan")
            print(f"| {title} | {words} | {total} | {access(text)} | {fast:.1f} | {slow:.0f} |", flush=True)
            if show_plans:
                print(f"\n```\n{text}\n```\n")


@contextlib.contextmanager
def folder(given: Path | None) -> Iterator[Path]:
    """The folder given, or one in memory that is removed again."""
    if given:
        yield given
        return
    made = Path(tempfile.mkdtemp(prefix="innomap-search-", dir="/dev/shm"))
    made.chmod(0o755)  # the server runs as an account of its own when this runs as root
    try:
        yield made
    finally:
        shutil.rmtree(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--plans", action="store_true", help="print each plan too")
    parser.add_argument("--data", type=Path, help="keep the cluster here, and use what an earlier run left")
    given = parser.parse_args()
    with folder(given.data) as data, cluster(data) as server:
        url = server.url()
        with contextlib.closing(sa.create_engine(url, poolclass=sa.NullPool).connect()) as connection:
            upgrade(connection)
            held = connection.scalar(sa.text("SELECT count(*) FROM search_entry"))
        if held != given.entries:
            start = time.perf_counter()
            fill(url, given.entries)
            print(f"{given.entries} entries written and indexed in {time.perf_counter() - start:.0f} s", flush=True)
        measure(url, given.plans)


if __name__ == "__main__":
    main()
