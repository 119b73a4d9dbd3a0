"""The form above a page of items: what a person may choose by, with what there is to choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from app.catalog import Collection, Field
from app.queries.codes import options

#: Parameters asked for beside a collection's own properties.
INDUSTRY = Field("industry_contains", "产业方向含", "Industry contains")
#: Of a property that a parameter asks for better, or that repeats another.
INSTEAD = {"layout_elements": "layout_element"}
NOT_ASKED = ("declared_county", "declared_city", "name_en_source", "parent")
#: Longer lists are typed, not chosen from.
MOST_OPTIONS = 150


@dataclass(frozen=True)
class Question:
    """One field of the form; ``choices`` are value and name, empty where it is typed."""

    field: Field
    now: str
    choices: Sequence[tuple[str, str]]


async def questions(
    connection: AsyncConnection, described: Collection, given: Mapping[str, str], lang: str
) -> list[Question]:
    """Those of a collection: its codes and vocabularies, and for platforms a part of an industry's words."""
    asked = [one for one in described.queryables if (one.refers or one.values) and one.name not in NOT_ASKED]
    lists = await options(connection, {one.refers for one in asked if one.refers}, lang)
    found = []
    for one in asked:
        name = INSTEAD.get(one.name, one.name)
        choices = lists[one.refers] if one.refers else [(value, value) for value in one.values]
        if len(choices) > MOST_OPTIONS:
            choices = []
        found.append(Question(replace(one, name=name), given.get(name, ""), choices))
    if described.field("industries"):
        found.append(Question(INDUSTRY, given.get(INDUSTRY.name, ""), []))
    return found
