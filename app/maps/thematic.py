"""A thematic map before it is drawn: each region's value, its class, and all that has to be said beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from app.maps import wording
from app.maps.classes import Class, Method, class_of, classify, classify_changes
from app.maps.wording import Both, after, number, with_sign
from app.queries.thematic import Regions, Time

Row = Mapping[str, Any]
#: A number; words in place of one; a mark printed in place of one; nothing printed.
State = Literal["number", "text", "mark", "none"]
WHERE: dict[str, Both] = {
    "counties": ("各县（市、区）", "counties"), "haining-areas": ("各片区", "areas"), "cities": ("各设区市", "cities"),
}  # fmt: skip
METHOD_NAMES: dict[Method, Both] = {
    "jenks": ("自然断点（Jenks）", "natural breaks (Jenks)"),
    "quantile": ("分位数", "quantiles"),
    "equal": ("等间距", "equal intervals"),
}
EXACT = ("exact", "rank")


@dataclass(frozen=True)
class Item:
    """One region: what is shown for it, and the printed rows that say so."""

    region: str
    name: str
    name_en: str
    value: Decimal | None
    #: What the map writes: a number with its bound, or the mark printed in its place.
    label: str
    state: State
    rows: Sequence[Row] = ()
    #: Printed for the same region and time, but not shown.
    others: Sequence[Row] = ()
    number: int | None = None  # of the class

    @property
    def sources(self) -> list[Sequence[Row]]:
        """The rows shown, those of one place in a document together."""
        return _by_source(self.rows)

    @property
    def other_sources(self) -> list[Sequence[Row]]:
        return _by_source(self.others)


@dataclass(frozen=True)
class Theme:
    """A quantity over regions, classed."""

    #: Regions, quantity, unit and time, without the documents that the title has too.
    heading: Both
    subject: Both
    unit: Both
    when: Both
    items: Sequence[Item]
    classes: Sequence[Class]
    method: Method
    change: bool
    target: bool
    #: The whole that the regions make up, where a value of it is printed; ``ratio`` if theirs compare with it.
    reference: Item | None = None
    ratio: bool = False
    documents: Mapping[str, Both] = field(default_factory=dict)
    notes: Sequence[Both] = ()

    @property
    def title(self) -> Both:
        """Heading and documents; of more than two the first is named."""
        zh, en = ([one[n] for one in self.documents.values()] for n in (0, 1))
        return (
            self.heading[0] + _named(zh, "，", "、", "等 {} 份文件"),
            self.heading[1] + _named(en, " – ", "; ", "and others, {} documents in all"),
        )

    def ranked(self) -> list[Item]:
        """Those with a number, the greatest first; equal ones by id."""
        known = [one for one in self.items if one.value is not None]
        return sorted(known, key=lambda one: (-(one.value or 0), one.region))

    def without(self) -> list[Item]:
        return [one for one in self.items if one.value is None]


def _by_source(rows: Sequence[Row]) -> list[Sequence[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault((row["document"], row["section"], row["line_start"], row["line_end"]), []).append(row)
    return list(found.values())


def class_text(one: Class, unit: str) -> str:
    """The bounds of a class as its legend prints them: ``> 3.2 – 4.7 %``."""
    low, high = number(one.low), number(one.high)
    if one.low == one.high:
        return after(low, unit)
    return after(f"{'' if one.includes_low else '> '}{low} – {'' if one.includes_high else '< '}{high}", unit)


def printed_theme(
    indicator: Row, over: str, compared: Regions, rows: Sequence[Row], at: Time, since: Time | None, method: Method
) -> Theme:
    """An indicator's printed values at one time, or their change ``since`` another."""
    make = _value(rows, at) if since is None else _change(rows, at, since)
    items, classes = classed([make(one) for one in compared.rows], method, change=since is not None)
    whole = make(compared.parent)
    shown = [row for one in items for row in one.rows]
    documents = {row["document"]: (f"《{row['title']}》", str(row["title_en"])) for row in shown}
    zh, en = wording.time(at)
    if since:
        zh_since, en_since = wording.time(since)
        if since.years == at.years:
            zh, en = f"{zh}减{zh_since}", f"{en} minus {en_since}"
        else:
            zh, en = f"{zh_since}至{zh}的变化", f"change from {en_since} to {en}"
    unit = wording.unit_of_change(indicator["unit"]) if since else wording.unit(indicator["unit"])
    subject = (str(indicator["name"]), str(indicator["name_en"]))
    where = where_of(over, compared)
    in_zh, in_en = (f"（{unit[0]}）" if unit[0] else "", f" ({wording.spelt(unit[1])})" if unit[1] else "")
    return Theme(
        heading=(f"{where[0]}{subject[0]}{in_zh}，{zh}", f"{where[1]}: {subject[1]}{in_en}, {en}"),
        subject=subject, unit=unit, when=(zh, en), items=items, classes=classes, method=method,
        change=since is not None, target=at.kind == "target", reference=whole if whole.value is not None else None,
        ratio=wording.is_ratio(indicator["unit"]),
        documents=documents, notes=_notes(items, shown, at, since),
    )  # fmt: skip


def where_of(over: str, compared: Regions) -> Both:
    zh, en = WHERE[over]
    return f"{compared.parent['name']}{zh}", f"{compared.parent['name_en']}, {en}"


def _named(titles: Sequence[str], before: str, between: str, more: str) -> str:
    if not titles:
        return ""
    return before + (between.join(titles) if len(titles) <= 2 else f"{titles[0]} {more.format(len(titles))}")


def item(
    region: Row, value: Decimal | None, label: str, state: State, rows: Sequence[Row] = (), others: Sequence[Row] = ()
) -> Item:
    return Item(region["id"], region["name"], region["name_en"], value, label, state, rows, others)


def _value(rows: Sequence[Row], at: Time) -> Callable[[Row], Item]:
    def make(region: Row) -> Item:
        found = _printed(rows, region, at)
        if not found:
            return item(region, None, "", "none")
        first = found[0]
        if first["value"] is not None:
            return item(region, first["value"], with_sign(first), "number", [first], found[1:])
        state: State = "mark" if first["operator"] == "missing" else "text"
        return item(region, None, first["printed"] if state == "mark" else "", state, [first], found[1:])

    return make


def _change(rows: Sequence[Row], at: Time, since: Time) -> Callable[[Row], Item]:
    before, now = _value(rows, since), _value(rows, at)

    def make(region: Row) -> Item:
        first, last = before(region), now(region)
        both, others = [*first.rows, *last.rows], [*first.others, *last.others]
        if first.value is None or last.value is None:
            return item(region, None, "", "none", both, others)
        value = last.value - first.value
        bound = "" if all(row["operator"] in EXACT for row in both) else "≈"
        return item(region, value, f"{bound}{'+' if value > 0 else ''}{number(value)}", "number", both, others)

    return make


def _printed(rows: Sequence[Row], region: Row, at: Time) -> list[Row]:
    return [row for row in rows if row["subject"] == region["id"] and at.holds(row)]


def classed(items: Sequence[Item], method: Method, *, change: bool) -> tuple[list[Item], list[Class]]:
    """The items with the number of their class, and the classes."""
    values = [float(one.value) for one in items if one.value is not None]
    classes = (classify_changes if change else classify)(values, method)
    numbered = [
        one if one.value is None else replace(one, number=class_of(float(one.value), classes)) for one in items
    ]  # fmt: skip
    return numbered, classes


def _notes(items: Sequence[Item], shown: Sequence[Row], at: Time, since: Time | None) -> list[Both]:
    """What a reader has to know before believing the colours."""
    notes: list[Both] = []
    if since and since.kind != at.kind:
        notes.append(("一端是目标，不是实际。", "One end is a target, not an actual."))
    elif at.kind == "target":
        notes.append(("这是目标，不是实际。", "These are targets, not actuals."))
    if at.year_from is not None:
        notes.append((f"{at.years.replace('-', '至')}年的累计数。", f"Sums over the years {at.years}."))
    flash = sum(row["kind"] == "flash" for row in shown)
    if flash:
        notes.append((f"{flash} 个为快报数，不是定案。", f"{flash} of the figures are flash figures, not final ones."))
    bounded = sum(row["value"] is not None and row["operator"] not in EXACT for row in shown)
    if bounded:
        notes.append(
            (
                f"{bounded} 个数值原文带限定词（以上、左右等），以其数字分级。",
                f"{bounded} of the values are printed with a bound (or more, about …); they are classed by the number.",
            )
        )
    if len({row["document"] for row in shown}) > 1:
        notes.append(
            (
                "数值出自不同文件，口径可能不同。",
                "The values come from several documents, whose definitions may differ.",
            )
        )
    apart = [
        one.name for one in items
        if one.rows and any(other["value"] is not None and _differs(other, one.rows) for other in one.others)
    ]  # fmt: skip
    if apart:
        notes.append(
            (
                f"另印有不同数值，见表：{'、'.join(apart)}。",
                f"Printed elsewhere with another number, see the table: {', '.join(apart)}.",
            )
        )
    return notes


def _differs(other: Row, rows: Sequence[Row]) -> bool:
    """Whether no row shown has the same number for the same time."""
    same = [row for row in rows if (row["year"], row["year_from"]) == (other["year"], other["year_from"])]
    return bool(same) and all(row["value"] != other["value"] for row in same)
