"""When each kind of page first shows something in a browser, and how large its HTML is.

    python benchmarks/first_paint.py [--rounds 5]

Makes a private cluster in memory with the repository's data, opens every page at three sizes in Debian's Chromium with
an empty cache, prints one line a page: the medians of the first contentful paint, the largest of all, and the bytes.
Ends non-zero when a median is over a second or a page over 300 kB.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.db.embedded import cluster
from benchmarks.large_layers import CHROMIUM, PAINT_ENTRY, fill, served, wait

SIZES = {"1440×900": (1440, 900), "820×1180": (820, 1180), "390×844": (390, 844)}
PAGES = (
    "/", "/maps/jiaxing", "/maps/jiashan", "/maps/haining", "/maps/haining?system=corridor-city-zone-points",
    "/maps/zhejiang", "/maps/layers/platforms", "/counties/330481", "/maps/thematic", "/charts",
    "/charts/progress?indicator=rd-gdp-share&region=330400", "/compare?a=330481&b=330421", "/search?q=jxkjc",
    "/collections", "/collections/platforms/items", "/collections/counties/items/330481", "/indicators", "/api.html",
)  # fmt: skip
#: The first contentful paint in milliseconds and the HTML in bytes that a page may take.
PAINT, HTML = 1_000.0, 300_000


def opened(browser: Browser, address: str, size: tuple[int, int]) -> tuple[float, int]:
    """First contentful paint in milliseconds and bytes of HTML, for a reader who never was here."""
    with browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="zh-CN") as context:
        page = context.new_page()
        answer = page.goto(address)
        if answer is None or not answer.ok:
            raise SystemExit(f"{address} did not open: {page.inner_text('body')[:2000]}")
        wait(page, PAINT_ENTRY)
        return float(page.evaluate(PAINT_ENTRY)), len(answer.body())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="innomap-paint-", dir="/dev/shm"))
    folder.chmod(0o755)  # the server runs as an account of its own when this runs as root
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    slow = False
    try:
        with cluster(folder, fast=True) as server:
            fill(server.url(), 0)
            with served(server.url()) as address, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
                print(f"| page | {' | '.join(f'{one} ms' for one in SIZES)} | largest ms | HTML kB |")
                print(f"| --- {'| ---: ' * (len(SIZES) + 2)}|")
                for path in PAGES:
                    opened(browser, f"{address}{path}", SIZES["1440×900"])  # the service's own first time
                    seen = [
                        [opened(browser, f"{address}{path}", size) for _ in range(given.rounds)]
                        for size in SIZES.values()
                    ]
                    paints = [statistics.median(paint for paint, _ in one) for one in seen]
                    largest, size = max(paint for one in seen for paint, _ in one), seen[0][0][1]
                    figures = " | ".join(f"{one:.0f}" for one in (*paints, largest, size / 1000))
                    print(f"| `{path}` | {figures} |", flush=True)
                    slow |= max(paints) > PAINT or size > HTML
                browser.close()
    finally:
        shutil.rmtree(folder)
    if slow:
        sys.exit(f"a first paint over {PAINT:.0f} ms or a page over {HTML // 1000} kB")


if __name__ == "__main__":
    main()
