"""How fast the service answers beside tipg, pygeoapi, QGIS Server and PostGIS alone, over one database on this machine.

Makes a private cluster in --folder (kept for the next run), fills it with the repository's data and made-up
enterprises, starts the servers with two web processes each, compares their answers, and measures them in rounds that
take turns. Writes results.json and results.md.
"""

import argparse
import contextlib
import shutil
import tempfile
from pathlib import Path

import sqlalchemy as sa

from app.db.embedded import cluster
from benchmarks.peers import agree, data, qgis, servers
from benchmarks.peers.downloads import download, median
from benchmarks.peers.measure import by_http, by_sql, rounds
from benchmarks.peers.report import Report
from benchmarks.peers.servers import Server
from benchmarks.peers.workloads import Workload, workloads

#: Enterprises in the two layers.
SIZES = {"small": (200, 2_000), "full": (17_000, 1_000_000)}
PEERS = ("tipg", "pygeoapi", "qgis")
#: Those that need nothing of the system beside Python.
DEFAULT = ("tipg", "pygeoapi")
#: Megabytes of the response cache where a row is measured with it.
CACHE_MB = 64


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="full", help="small: no peers unless named; seconds in all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="of each server in a round")
    parser.add_argument("--only", nargs="+", default=[], metavar="ROW", help="rows whose names begin so, or downloads")
    parser.add_argument("--peers", nargs="*", choices=PEERS, help="default: tipg pygeoapi; small: none")
    parser.add_argument("--workers", type=int, default=2, help="web processes of each server")
    parser.add_argument("--folder", type=Path, help="what is installed and made (default: a temporary folder, removed)")
    parser.add_argument(
        "--results", type=Path, default=Path(), help="where results.json and results.md go (default: .)"
    )
    given = parser.parse_args()
    if given.peers is None:
        given.peers = [] if given.size == "small" else list(DEFAULT)
    return given


def main() -> None:
    given = arguments()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="innomap-benchmark-"))
    folder.mkdir(parents=True, exist_ok=True)
    # the database server runs as an account of its own when this runs as root
    folder.chmod(0o755)
    try:
        with cluster(folder / "data") as running:
            measure(given, folder, running.url())
        print((given.results / "results.md").read_text())
    finally:
        if not given.folder:
            shutil.rmtree(folder)


def measure(given: argparse.Namespace, folder: Path, url: sa.URL) -> None:
    few, many = SIZES[given.size]
    data.prepare(url, folder, (few, many))
    asked = [one for one in workloads(url, few, many) if not given.only or one.name.startswith(tuple(given.only))]
    if not asked and "downloads" not in given.only:
        raise SystemExit(f"--only: no row begins so: {' '.join(given.only)}")
    report = Report(given.results, {"rounds": given.rounds, "seconds": given.seconds, "enterprises": [few, many]})
    with contextlib.ExitStack() as stack:
        running = {"product": stack.enter_context(servers.product(url, given.workers, folder, 0))}
        if "tipg" in given.peers:
            running["tipg"] = stack.enter_context(servers.tipg(url, given.workers, folder))
        if "pygeoapi" in given.peers:
            names: tuple[str, ...] = ("platforms", "counties", data.layer(few), data.layer(many))
            running["pygeoapi"] = stack.enter_context(servers.pygeoapi(url, given.workers, folder, names))
        if "qgis" in given.peers:
            names = ("counties", data.layer(few), data.layer(many))
            running["qgis"] = stack.enter_context(qgis.qgis(url, given.workers, folder, names))
        keeping: dict[str, Server] = {}
        if any(one.cached for one in asked):
            keeping["product"] = stack.enter_context(servers.product(url, given.workers, folder, CACHE_MB))
        for workload in asked:
            beside = running | keeping if workload.cached else running
            row(report, workload, beside, url, given)
        if not given.only or "downloads" in given.only:
            downloads(report, running, few, many, given.rounds)


def row(report: Report, workload: Workload, running: dict[str, Server], url: sa.URL, given: argparse.Namespace) -> None:
    """Compare the answers to one question, then time them."""
    agreed = agree.check(workload, {name: one.address for name, one in running.items()})
    loads = {
        name: by_http(one.address + workload.paths[name], workload.clients)
        for name, one in running.items()
        if name in workload.paths
    }
    for name, statement in (("sql", workload.sql), ("plain", workload.plain)):
        if statement:
            loads[name] = by_sql(url, statement, workload.clients)
    report.row(workload, rounds(loads, given.rounds, given.seconds), agreed)


def downloads(report: Report, running: dict[str, Server], few: int, many: int, count: int) -> None:
    """The smaller layer from everybody, the larger one from the service alone."""
    paths = {
        "product": f"/exports/{data.layer(few)}.geojson",
        "tipg": f"/collections/{data.SCHEMA}.{data.layer(few)}/items?limit={few}",
        "pygeoapi": f"/collections/{data.layer(few)}/items?f=json&limit={few}",
        "qgis": f"/wfs3/collections/{data.layer(few)}/items.geojson?limit={few}",
    }
    found = {
        name: median([download(one, paths[name]) for _ in range(count)])
        for name, one in running.items()
        if name in paths
    }
    report.download(f"{few:,} enterprises", found)
    path = f"/exports/{data.layer(many)}.geojson"
    report.download(f"{many:,} enterprises", {"product": download(running["product"], path)})


if __name__ == "__main__":
    main()
