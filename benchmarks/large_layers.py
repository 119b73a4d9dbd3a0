"""How the map of a layer of many points fares in a browser: first paint, pieces, frames while it is moved.

    python benchmarks/large_layers.py [--points 17000 1000000] [--pictures DIR]

Makes a private cluster in memory, fills it with the repository's data and made-up points around the towns, opens
/maps/layers/platforms in Debian's Chromium, drags and zooms it, prints one line a size, and removes everything. Ends
non-zero when a frame or a piece takes longer than a reader would call smooth.
"""

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import uvicorn
from playwright.sync_api import Page, sync_playwright

from app.db.embedded import cluster
from app.db.migrate import upgrade
from app.ingest.load import load
from app.main import create_app
from app.queries import ready
from app.settings import ROOT, Settings

CHROMIUM = "/usr/bin/chromium"
#: What is still smooth: the 95th percentile of frames while the map is dragged, the longest wait for the pieces of a
#: new view, and the first paint, in milliseconds.
FRAME, PIECES, PAINT = 50.0, 5_000.0, 1_000.0
#: Seconds after which nothing more is waited for.
LONGEST = 60
#: Points around the seats of towns, a tenth of a degree and less away, so that they are dense in some places.
FILL = """
INSERT INTO platform (id, kind, name, name_en, name_en_source, geometry_method, position_accuracy_m, position_source,
                      position, geom)
SELECT 'made-up-' || number, (ARRAY['maker_space', 'incubator', 'research_institute'])[1 + number % 3],
       '测试点' || number, 'Made-up point ' || number, 'own translation', 'point', 100, 'made up', place, place
FROM (
    SELECT number, ST_SetSRID(ST_MakePoint(
        ST_X(seat) + 0.03 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()),
        ST_Y(seat) + 0.03 * sqrt(-2 * ln(1 - random())) * sin(2 * pi() * random())), 4326) AS place
    FROM generate_series(1, :points) AS number
    JOIN (SELECT seat, row_number() OVER (ORDER BY id) - 1 AS nth, count(*) OVER () AS all_of_them
          FROM region WHERE level = 'town') AS town ON number % all_of_them = nth
) AS made
"""
#: Times between frames and tasks that block, until `stop`.
RECORD = """() => {
  const frames = [], tasks = [];
  const watch = new PerformanceObserver((list) => list.getEntries().forEach((one) => tasks.push(one.duration)));
  watch.observe({ entryTypes: ["longtask"] });
  let last = performance.now(), on = true;
  const step = (now) => { frames.push(now - last); last = now; if (on) requestAnimationFrame(step); };
  requestAnimationFrame(step);
  window.stop = () => { on = false; watch.disconnect(); return { frames: frames.slice(1), tasks }; };
}"""
PAINT_ENTRY = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
SHOWN = "document.querySelector('.leaflet-container').dataset.pieces === 'shown'"


def fill(url: sa.URL, points: int) -> None:
    """The repository's data, and points without what triggers would derive for each."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        upgrade(connection)
        load(connection, ROOT / "geodata")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ALTER TABLE platform DISABLE TRIGGER USER"))
        connection.execute(sa.text("SELECT setseed(0.5)"))
        connection.execute(sa.text(FILL), {"points": points})
        connection.execute(sa.text("ALTER TABLE platform ENABLE TRIGGER USER"))
        connection.execute(sa.text("VACUUM ANALYZE platform"))


@contextlib.contextmanager
def served(url: sa.URL) -> Iterator[str]:
    """The application on a free port of this machine."""

    async def nothing(*_: object) -> None:
        """Features kept ready are of no use to a map, and a million take minutes to make."""

    ready.refresh = nothing  # type: ignore[assignment]
    settings = Settings(DATABASE_URL=url.render_as_string(hide_password=False))  # type: ignore[call-arg]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def wait(page: Page, expression: str = SHOWN) -> float:
    """Milliseconds until the pieces of the view are shown, or something else is there."""
    start = time.perf_counter()
    # not wait_for_function, which looks by `eval`, as the page's policy forbids
    while not page.evaluate(expression):
        page.wait_for_timeout(20)
        if time.perf_counter() - start > LONGEST:
            raise SystemExit(f"after {LONGEST} s still not true: {expression}")
    return (time.perf_counter() - start) * 1000


def dragged(page: Page) -> tuple[list[float], list[float], float]:
    """Frames and blocking tasks of a drag to and fro, and the wait for pieces after it."""
    page.evaluate(RECORD)
    page.mouse.move(700, 500)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(700 - 6 * step, 500 - 3 * step)
        page.wait_for_timeout(10)
    page.mouse.up()
    page.wait_for_timeout(300)
    recorded = page.evaluate("stop()")
    return recorded["frames"], recorded["tasks"], wait(page)


def measure(address: str, points: int, pictures: Path | None) -> dict[str, Any]:
    """One size: the whole view first, then closer and closer, dragged at each."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright, contextlib.ExitStack() as closing:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        closing.callback(browser.close)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        start = time.perf_counter()
        answer = page.goto(f"{address}/maps/layers/platforms?lang=zh")
        if answer is None or not answer.ok:
            raise SystemExit(f"the page did not open: {page.inner_text('body')[:2000]}")
        opened = (time.perf_counter() - start) * 1000
        waits, frames, tasks = [wait(page)], [], []
        # again: what the server kept and the browser has; that is how the page opens until the data change
        page.reload()
        wait(page)
        wait(page, PAINT_ENTRY)
        paint = page.evaluate(PAINT_ENTRY)
        for depth, zoom in enumerate((8.5, 10, 11.5, 13, 14.5, 16)):
            # around a point of its own each time, for the cache would have the last one's
            page.evaluate(f"void map_0.setView([{30.62 + depth / 40}, {120.6 + depth / 30}], {zoom})")
            page.wait_for_timeout(500)
            waits.append(wait(page))
            some, blocked, waited = dragged(page)
            frames, tasks, waits = [*frames, *some], [*tasks, *blocked], [*waits, waited]
            if pictures:
                page.screenshot(path=pictures / f"layer-{points}-{depth}.png")
        return {
            "opened": opened,
            "paint": paint,
            "frame": statistics.quantiles(frames, n=20)[-1],
            "worst": max(frames),
            "task": max(tasks, default=0.0),
            "pieces": statistics.median(waits),
            "longest": max(waits),
            "drawn": page.evaluate(
                "map_0.options.renderer._drawLast ? Object.keys(map_0.options.renderer._layers).length : 0"
            ),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[17_000, 1_000_000])
    parser.add_argument("--pictures", type=Path, help="keep pictures of each step here")
    given = parser.parse_args()
    if not Path(CHROMIUM).is_file():
        sys.exit(f"needs {CHROMIUM}: apt-get install chromium")
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    print("| points | page opened ms | first paint ms | frame p95 ms | worst | task | pieces ms | longest |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    slow = False
    for points in given.points:
        folder = Path(tempfile.mkdtemp(prefix="innomap-layers-", dir="/dev/shm"))
        folder.chmod(0o755)  # the server runs as an account of its own when this runs as root
        try:
            with cluster(folder, fast=True) as server:
                fill(server.url(), points)
                with served(server.url()) as address:
                    found = measure(address, points, given.pictures)
        finally:
            shutil.rmtree(folder)
        names = ("opened", "paint", "frame", "worst", "task", "pieces", "longest")
        print(f"| {points} | {' | '.join(f'{found[name]:.0f}' for name in names)} |", flush=True)
        slow |= found["frame"] > FRAME or found["longest"] > PIECES or found["paint"] > PAINT
    if slow:
        sys.exit(f"not smooth: frames over {FRAME} ms, pieces over {PIECES} ms or first paint over {PAINT} ms")


if __name__ == "__main__":
    main()
