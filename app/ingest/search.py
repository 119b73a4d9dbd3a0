"""Entries for the search, made from what the database holds: words, their pinyin, and the pinyin's initials."""

from collections.abc import Iterator
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy import Connection

from app.db import tables as t
from app.pinyin import initials, syllables

NAME, OTHER_NAME, WORDS = 1, 2, 3
REGION_COLLECTIONS = {"county": "counties", "city": "cities", "town": "towns"}
#: Regions that are no layer of their own are found for their indicator values, or else (zones, places outside the
#: map) for what the register of regions says of them.
MEASURED, OTHER_REGIONS = "regions", "places"
#: Longest text that is worth its pinyin: names, not paragraphs.
PINYIN_LENGTH = 60

Entry = tuple[str, str, int, str]


def refresh(connection: Connection, platform: str | None = None) -> int:
    """Bring the entries up to date, all or those of one platform; how many changed."""
    entry = t.search_entry
    names = ("collection", "item", "rank", "text", "pinyin", "initials")
    entries = _entries(connection) if platform is None else _platforms(connection, t.platform.c.id == platform)
    wanted = {(*one, *_spoken(one[-1])) for one in entries}
    stored = sa.select(entry.c.row_id, *(entry.c[name] for name in names))
    if platform is not None:
        stored = stored.where(entry.c.collection == "platforms", entry.c.item == platform)
    held = {tuple(row[1:]): row[0] for row in connection.execute(stored)}
    obsolete = [row_id for content, row_id in held.items() if content not in wanted]
    fresh = [dict(zip(names, content, strict=True)) for content in sorted(wanted - held.keys())]
    if obsolete:
        connection.execute(sa.delete(entry).where(entry.c.row_id.in_(obsolete)))
    if fresh:
        connection.execute(sa.insert(entry), fresh)
    return len(obsolete) + len(fresh)


@lru_cache(maxsize=20_000)
def _spoken(text: str) -> tuple[str, str]:
    """Pinyin in full and its initials, letters and digits only: nobody types the brackets and quotes of a name."""
    if len(text) > PINYIN_LENGTH or text.isascii():
        return "", ""
    return _letters(syllables(text)), _letters(initials(text))


def _letters(parts: list[str]) -> str:
    return "".join(filter(str.isalnum, "".join(parts))).lower()


def _platforms(connection: Connection, *which: sa.ColumnElement[bool]) -> Iterator[Entry]:
    """What platforms are found by: names, texts, and what documents say of them."""
    p = t.platform
    shown = sa.select(p.c.id).where(~p.c.retired, *which)
    for row in connection.execute(sa.select(p).where(p.c.id.in_(shown))):
        yield "platforms", row.id, NAME, row.name
        yield "platforms", row.id, OTHER_NAME, row.name_en
        for words in (row.positioning, row.concept, row.builder):
            if words:
                yield "platforms", row.id, WORDS, words
    for column, rank in (
        (t.alias.c.name, OTHER_NAME),
        (t.industry_link.c.words, WORDS),
        (t.task.c.text, WORDS),
        (t.mention.c.quote, WORDS),
    ):
        platform = column.table.c.platform
        for item, words in connection.execute(sa.select(platform, column).where(platform.in_(shown))):
            yield "platforms", item, rank, words


def _entries(connection: Connection) -> Iterator[Entry]:
    r, e, i = t.region, t.layout_element, t.indicator
    yield from _platforms(connection)
    regions = connection.execute(sa.select(r.c.id, r.c.level, r.c.name, r.c.name_en).where(~r.c.retired)).all()
    measured = set(connection.scalars(sa.select(t.indicator_value.c.region).distinct()))
    collection_of = {
        row.id: REGION_COLLECTIONS.get(row.level, MEASURED if row.id in measured else OTHER_REGIONS) for row in regions
    }
    for row in regions:
        yield collection_of[row.id], row.id, NAME, row.name
        yield collection_of[row.id], row.id, OTHER_NAME, row.name_en
    for alias in connection.execute(sa.select(t.alias).where(t.alias.c.region.is_not(None))):
        if alias.region in collection_of:
            yield collection_of[alias.region], alias.region, OTHER_NAME, alias.name
    for element in connection.execute(sa.select(e.c.id, e.c.name, e.c.name_en, e.c.definition)):
        yield "layout_elements", element.id, NAME, element.name
        yield "layout_elements", element.id, OTHER_NAME, element.name_en
        if element.definition:
            yield "layout_elements", element.id, WORDS, element.definition
    for indicator in connection.execute(sa.select(i.c.id, i.c.name, i.c.name_en)):
        yield "indicators", indicator.id, NAME, indicator.name
        yield "indicators", indicator.id, OTHER_NAME, indicator.name_en
    task = t.task.c
    # what a platform shall do is found with the platform
    of_plans = sa.select(task.id, task.title, task.text).where(task.platform.is_(None))
    for of_plan in connection.execute(of_plans):
        yield "tasks", of_plan.id, NAME, of_plan.title or of_plan.text
        yield "tasks", of_plan.id, WORDS, of_plan.text
    for label in connection.execute(sa.select(t.indicator_label.c.indicator, t.indicator_label.c.label)):
        yield "indicators", label.indicator, OTHER_NAME, label.label
