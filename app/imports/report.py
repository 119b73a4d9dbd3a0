"""What an import found and did, for people and for programs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

#: Refusals, repairs and suspicions listed one by one; all are counted.
LISTED = 200
SHOWN = 20


class Refusal(NamedTuple):
    """Row of the file, field and rule; ``value`` is the beginning of what stood there."""

    row: int
    field: str
    rule: str
    value: str | None


class Repair(NamedTuple):
    """Row of the file, and how its geometry was mended."""

    row: int
    how: str


@dataclass
class Report:
    """Counts are exact; lists stop at ``LISTED``. ``applied`` says whether anything was written."""

    file: str
    sha256: str
    format: str
    layer: str
    encoding: str | None = None
    crs: str | None = None
    crs_known: str | None = None
    read: int = 0
    accepted: int = 0
    refused: int = 0
    refused_by: Counter[str] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)
    repaired: int = 0
    repairs: list[Repair] = field(default_factory=list)
    duplicates: list[dict[str, Any]] = field(default_factory=list)
    duplicates_suspected: int = 0
    counties: dict[str, int] = field(default_factory=dict)
    changes: dict[str, int] = field(default_factory=dict)
    changed: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    applied: bool = False
    run: int | None = None

    def refuse(self, row: int, name: str, rule: str, value: Any = None) -> None:
        """Note that a row is refused; a row is counted once, for its first fault."""
        self.refused += 1
        self.refused_by[f"{name}: {rule}"] += 1
        if len(self.refusals) < LISTED:
            self.refusals.append(Refusal(row, name, rule, None if value is None else str(value)[:80]))

    def repair(self, row: int, how: str) -> None:
        self.repaired += 1
        if len(self.repairs) < LISTED:
            self.repairs.append(Repair(row, how))

    def suspect(self, what: str, rows: Sequence[int], count: int, **more: Any) -> None:
        """Note rows that may be one thing."""
        self.duplicates_suspected += count
        if len(self.duplicates) < LISTED:
            self.duplicates.append({"what": what, "rows": list(rows), **more})

    def as_dict(self) -> dict[str, Any]:
        made = asdict(self)
        made["refused_by"] = dict(self.refused_by.most_common())
        made["refusals"] = [one._asdict() for one in self.refusals]
        made["repairs"] = [one._asdict() for one in self.repairs]
        return made


def lines(report: dict[str, Any]) -> Iterator[str]:
    """The report as people read it."""
    yield f"{report['file']}: {report['format']} → {report['layer']}"
    if report["encoding"]:
        yield f"编码 Encoding: {report['encoding']}"
    if report["crs"]:
        yield f"坐标系 Reference system: {report['crs']}（{report['crs_known']}）"
    yield (
        f"读入 read {report['read']}，接受 accepted {report['accepted']}，拒绝 refused {report['refused']}，"
        f"修复 repaired {report['repaired']}，疑似重复 duplicates suspected {report['duplicates_suspected']}"
    )
    for rule, count in list(report["refused_by"].items())[:SHOWN]:
        yield f"  拒绝 refused {count} × {rule}"
    for one in sorted(report["refusals"], key=lambda one: int(one["row"]))[:SHOWN]:
        value = f" = {one['value']!r}" if one["value"] is not None else ""
        yield f"  第 {one['row']} 行 row {one['row']} {one['field']}{value}: {one['rule']}"
    for one in report["repairs"][:SHOWN]:
        yield f"  第 {one['row']} 行 row {one['row']}: {one['how']}"
    for one in report["duplicates"][:SHOWN]:
        rows = ", ".join(map(str, one["rows"]))
        more = "".join(f" {name}={value}" for name, value in one.items() if name not in ("what", "rows"))
        yield f"  {one['what']}: 行 rows {rows}{more}"
    if report["counties"]:
        yield "按县 By county: " + "，".join(f"{name} {count}" for name, count in report["counties"].items())
    verb = "已 done" if report["applied"] else "将 would"
    yield f"{verb}: " + "，".join(f"{name} {count}" for name, count in report["changes"].items())
    for one in report["changed"][:SHOWN]:
        yield f"  {one['id']}: {', '.join(one['fields'])}"
    yield from report["notes"]
