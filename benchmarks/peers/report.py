"""Results as JSON and as a Markdown table."""

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.peers.downloads import Download
from benchmarks.peers.measure import Measured
from benchmarks.peers.workloads import Workload

PEERS = ("tipg", "pygeoapi", "qgis", "plain", "sql")
HEADS = {
    "tipg": "tipg", "pygeoapi": "pygeoapi", "qgis": "QGIS Server", "plain": "PostGIS alone",
    "sql": "the service's statement alone",
}  # fmt: skip


class Report:
    """What was measured, written after every row, so that a run that is broken off leaves what it found."""

    def __init__(self, folder: Path, said: Mapping[str, Any]) -> None:
        self._folder = folder
        self._about = {
            "date": datetime.now(UTC).isoformat(timespec="minutes"), "cores": os.cpu_count(),
            "python": platform.python_version(), **said,
        }  # fmt: skip
        self._rows: list[dict[str, Any]] = []
        self._downloads: list[dict[str, Any]] = []

    def row(self, workload: Workload, measured: Mapping[str, Measured], agreed: str) -> None:
        ours = measured["product"]
        row = {
            "name": workload.name, "title": workload.title, "clients": workload.clients, "agreed": agreed,
            "rates": {server: {"median": one.median, "spread": one.spread} for server, one in measured.items()},
            # who answered nothing in so short a time has no ratio
            "ratios": {
                name: ours.median / one.median for name, one in measured.items() if name != "product" and one.median
            },
        }  # fmt: skip
        self._rows.append(row)
        rates = "  ".join(f"{name} {one.median:,.1f}/s ±{one.spread:.0%}" for name, one in measured.items())
        print(f"{workload.name}: {rates}  ({agreed})", flush=True)
        self._write()

    def download(self, name: str, found: Mapping[str, Download]) -> None:
        self._downloads.append({"name": name, "servers": {server: vars(one) for server, one in found.items()}})
        for server, one in found.items():
            print(
                f"{name} from {server}: first byte {one.first * 1000:.1f} ms, whole {one.whole:.3f} s, "
                f"{one.size / 1e6:.1f} MB, memory at most {one.memory:.0f} MiB",
                flush=True,
            )
        self._write()

    def _write(self) -> None:
        told = {**self._about, "rows": self._rows, "downloads": self._downloads}
        (self._folder / "results.json").write_text(json.dumps(told, ensure_ascii=False, indent=1))
        (self._folder / "results.md").write_text(self.markdown())

    def markdown(self) -> str:
        shown = [one for one in PEERS if any(one in row["rates"] for row in self._rows)]
        lines = [
            f"| question | service, requests/s | {' | '.join(f'{HEADS[one]}' for one in shown)} |",
            f"| --- | ---: | {' | '.join('---:' for _ in shown)} |",
        ]
        for row in self._rows:
            cells = [
                f"{row['rates'][one]['median']:,.1f} ({row['ratios'][one]:.2f} ×)" if one in row["ratios"] else "—"
                for one in shown
            ]
            ours = row["rates"]["product"]
            lines.append(f"| {row['title']} | {ours['median']:,.1f} ±{ours['spread']:.0%} | {' | '.join(cells)} |")
        if self._downloads:
            lines += ["", "| download | first byte | whole | size | memory |", "| --- | ---: | ---: | ---: | ---: |"]
        for one in self._downloads:
            for server, got in one["servers"].items():
                lines.append(
                    f"| {one['name']}, {server} | {got['first'] * 1000:.1f} ms | {got['whole']:.3f} s |"
                    f" {got['size'] / 1e6:.1f} MB | {got['memory']:.0f} MiB |"
                )
        return "\n".join(lines) + "\n"
