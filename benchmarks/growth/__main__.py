"""How the time of an answer grows with the features of a layer, the vertices of an outline, and the clients at once.

Makes a private cluster in --folder (kept for the next run), fills it by SQL, starts the service without its response
cache, and asks. Writes growth.json, growth.md and growth.svg. Ten million features take about 10 GB and ten minutes
to make.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import sqlalchemy as sa

from app.db.embedded import cluster
from benchmarks.growth import data, questions
from benchmarks.growth.measure import load, times
from benchmarks.growth.report import Report
from benchmarks.peers.servers import product


def _numbers(text: str) -> int:
    return int(float(text))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/benchmark growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    many = {"type": _numbers, "nargs": "*"}
    parser.add_argument("--features", default=[10**n for n in range(3, 8)], **many)
    parser.add_argument("--vertices", default=[10**n for n in range(2, 7)], **many)
    parser.add_argument("--clients", default=[2**n for n in range(9)], **many)
    parser.add_argument("--among", type=_numbers, default=100_000, help="points that outlines and clients are asked of")
    parser.add_argument(
        "--seconds", type=int, default=5, help="of each number, of many clients twice that; 0: as short as can be"
    )
    parser.add_argument("--workers", type=int, default=2, help="web processes")
    parser.add_argument("--folder", type=Path, help="where the cluster is kept (default: a temporary one, removed)")
    parser.add_argument("--results", type=Path, default=Path(), help="where the results go (default: .)")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="innomap-growth-"))
    folder.mkdir(parents=True, exist_ok=True)
    # the database server runs as an account of its own when this runs as root
    folder.chmod(0o755)
    try:
        with cluster(folder / "data") as running:
            measure(given, folder, running.url())
    finally:
        if not given.folder:
            shutil.rmtree(folder)
    print((given.results / "growth.md").read_text())


def measure(given: argparse.Namespace, folder: Path, url: sa.URL) -> None:
    beside = [given.among] if given.vertices or given.clients else []
    data.prepare(url, sorted({*given.features, *beside}), given.vertices)
    report = Report(given.results, {"seconds": given.seconds, "workers": given.workers, "among": given.among})
    with product(url, given.workers, folder, 0) as server:
        for count in given.features:
            for question in questions.of_features(count):
                report.times("features", count, question, times(server.address, question, given.seconds))
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            asked = {one: questions.of_vertices(connection, given.among, one) for one in given.vertices}
        for vertices, some in asked.items():
            for question in some:
                report.times("vertices", vertices, question, times(server.address, question, given.seconds))
        for clients in given.clients:
            for question in questions.of_clients(given.among):
                report.load(clients, question, load(server.address, question, clients, max(1, 2 * given.seconds)))
    report.draw()


if __name__ == "__main__":
    main()
