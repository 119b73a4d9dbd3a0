"""What a check found, and the findings that were looked at and explained in ``geodata/accepted.csv``."""

import csv
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Result:
    """One line of the table: a check fails by ``failing`` alone; ``warnings`` and ``notes`` are shown."""

    name: str
    name_en: str
    checked: int = 0
    failing: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    not_run: str | None = None

    @property
    def verdict(self) -> str:
        if self.not_run is not None:
            return "未查 not run"
        if self.failing:
            return "不合格 FAIL"
        if self.warnings:
            return "警告 warning"
        return "合格 pass" if self.checked else "无对象 nothing"


class Accepted:
    """Findings a person has judged: which check, about what (two ids, or one and nothing), and why it stands.

    Raises ``ValueError`` when the file has other columns than ``check,a,b,reason``.
    """

    COLUMNS = ("check", "a", "b", "reason")

    def __init__(self, path: Path) -> None:
        self._reasons: dict[tuple[str, str, str], str] = {}
        self._used: set[tuple[str, str, str]] = set()
        if path.exists():
            with path.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                if tuple(reader.fieldnames or ()) != self.COLUMNS:
                    raise ValueError(f"{path.name}: the columns must be {','.join(self.COLUMNS)}")
                self._reasons = {(row["check"], row["a"], row["b"]): row["reason"] for row in reader}

    def reason(self, check: str, a: str, b: str = "") -> str | None:
        """Why the finding is accepted, or ``None``."""
        key = (check, a, b)
        if key not in self._reasons:
            return None
        self._used.add(key)
        return self._reasons[key]

    def result(self) -> Result:
        """Every accepted finding has a reason and is still found."""
        result = Result("已说明的发现仍存在", "Accepted findings are still found", len(self._reasons))
        for key, reason in self._reasons.items():
            said = " ".join(part for part in key if part)
            if not reason:
                result.failing.append(f"accepted.csv: {said}: has no reason")
            elif key not in self._used:
                result.warnings.append(f"accepted.csv: {said}: is no longer found, remove the row")
        return result
