"""What was measured as JSON, as Markdown tables and as one drawing."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from app.maps.print_sheet import font_family
from benchmarks.growth.measure import Load, Times
from benchmarks.growth.questions import Question

STYLE = {"svg.fonttype": "none", "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True,
         "grid.color": "#dddddd", "svg.hashsalt": "growth"}  # fmt: skip


class Report:
    """Written after every number, so that a run that is broken off leaves what it found."""

    def __init__(self, folder: Path, said: Mapping[str, Any]) -> None:
        self._folder = folder
        self._about = {
            "date": datetime.now(UTC).isoformat(timespec="minutes"), "cores": os.cpu_count(),
            "python": platform.python_version(), **said,
        }  # fmt: skip
        self._titles: dict[str, str] = {}
        self._times: dict[str, dict[str, dict[int, Times]]] = {"features": {}, "vertices": {}}
        self._loads: dict[str, dict[int, Load]] = {}

    def times(self, by: str, size: int, question: Question, found: Times) -> None:
        """One question at one number of features or vertices."""
        self._titles[question.name] = question.title
        self._times[by].setdefault(question.name, {})[size] = found
        print(f"{size:>10,} {by}, {question.title}: {_cell(found)}", flush=True)
        self.write()

    def load(self, clients: int, question: Question, found: Load) -> None:
        """One question asked by so many at once."""
        self._titles[question.name] = question.title
        self._loads.setdefault(question.name, {})[clients] = found
        print(f"{clients:>10,} clients, {question.title}: {_rate(found)}", flush=True)
        self.write()

    def write(self) -> None:
        """All that is known so far."""
        told = {
            **self._about,
            **{
                by: {name: {size: asdict(one) for size, one in found.items()} for name, found in questions.items()}
                for by, questions in self._times.items()
            },
            "clients": {name: {n: asdict(one) for n, one in found.items()} for name, found in self._loads.items()},
        }
        (self._folder / "growth.json").write_text(json.dumps(told, indent=1))
        (self._folder / "growth.md").write_text(self.markdown())

    def markdown(self) -> str:
        parts = [
            _table(f"ms, {by}", self._titles, {name: _cells(found) for name, found in questions.items()})
            for by, questions in self._times.items()
            if questions
        ]
        if self._loads:
            cells = {name: {n: _rate(one) for n, one in found.items()} for name, found in self._loads.items()}
            parts.append(_table("requests/s, p50 / p99 ms, clients", self._titles, cells))
        return "\n".join(parts)

    def draw(self) -> None:
        """growth.svg: milliseconds by features and by vertices, requests per second and p99 by clients."""
        with mpl.rc_context(STYLE | {"font.family": [font_family()]}):
            figure = Figure(figsize=(13, 8.5), layout="constrained")
            axes: Sequence[Axes] = list(figure.subplots(2, 2).flat)
            for panel, (by, title) in zip(
                axes, (("features", "要素 features"), ("vertices", "轮廓顶点 vertices of the outline")), strict=False
            ):
                for name, found in self._times[by].items():
                    known = {size: one.median for size, one in found.items() if not one.refused}
                    panel.plot(list(known), list(known.values()), marker="o", label=self._titles[name])
                _finish(panel, title, "中位数 median, ms")
            for name, loads in self._loads.items():
                for panel, values in zip(
                    axes[2:], ([one.rate for one in loads.values()], [one.most for one in loads.values()]), strict=True
                ):
                    panel.plot(list(loads), values, marker="o", label=self._titles[name])
            _finish(axes[2], "同时的客户端 clients at once", "每秒请求 requests per second")
            _finish(axes[3], "同时的客户端 clients at once", "p99, ms")
            figure.savefig(self._folder / "growth.svg", metadata={"Date": None})


def _finish(panel: Axes, across: str, up: str) -> None:
    panel.set_xscale("log")
    panel.set_yscale("log")
    for axis in (panel.xaxis, panel.yaxis):
        # 10,000 instead of powers
        axis.set_major_formatter(StrMethodFormatter("{x:,.15g}"))
        axis.set_minor_formatter(NullFormatter())
    panel.set_xlabel(across)
    panel.set_ylabel(up)
    if panel.lines:
        panel.legend(fontsize=8, frameon=False)


def _cells(found: Mapping[int, Times]) -> dict[int, str]:
    return {size: _cell(one) for size, one in found.items()}


def _cell(one: Times) -> str:
    return f"refused ({one.refused})" if one.refused else f"{one.median:,.1f} (first {one.first:,.0f})"


def _rate(one: Load) -> str:
    failed = f", {one.errors} errors" if one.errors else ""
    return f"{one.rate:,.0f}/s, {one.half:,.0f} / {one.most:,.0f}{failed}"


def _table(head: str, titles: Mapping[str, str], cells: Mapping[str, Mapping[int, str]]) -> str:
    sizes = sorted({size for found in cells.values() for size in found})
    lines = [f"| {head} | {' | '.join(f'{size:,}' for size in sizes)} |", f"| --- |{' ---: |' * len(sizes)}"]
    for name, found in cells.items():
        lines.append(f"| {titles[name]} | {' | '.join(found.get(size, '—') for size in sizes)} |")
    return "\n".join(lines) + "\n"
