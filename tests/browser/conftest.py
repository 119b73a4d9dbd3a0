"""A headless Chromium that cannot reach any host but this one, and a record of what its pages do."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.conftest import PATIENCE_S

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    # no name resolves, so that a page which needs another host fails here as in a closed network
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
]


# The synchronous Playwright keeps an event loop running in this thread; package scope ends it before
# tests elsewhere call asyncio.run.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    if not CHROMIUM.is_file():
        pytest.fail(f"The browser tests need {CHROMIUM}: apt-get install chromium fonts-noto-cjk", pytrace=False)
    # the sandbox refuses to start for root
    arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else ARGUMENTS
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments, timeout=PATIENCE_S * 1000)
        expect.set_options(timeout=PATIENCE_S * 1000)
        yield chromium
        chromium.close()


def until(page: Page, expression: str) -> None:
    """Wait until an expression is true in a page whose policy forbids `eval`, by which Playwright's own
    ``wait_for_function`` looks again and again."""
    end = time.monotonic() + PATIENCE_S
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(50)


def follow(link: Locator) -> None:
    """Click on what leads to another page, and wait until all of that page is there: the click itself may
    return while the browser still shows the old one, or a part of the new."""
    with link.page.expect_event("load"):
        link.click()


def settle(page: Page, milliseconds: int) -> None:
    """Let so much time pass in the page itself: what it meant to do sooner is done then, however slow it is."""
    page.evaluate("milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))", milliseconds)


def new_context(browser: Browser, **options: Any) -> BrowserContext:
    """A context of its own, whose pages have all the time they need; close it, or use it in ``with``."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE_S * 1000)
    return context


@dataclass
class PageLog:
    """A page and all it asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    console_errors: list[str] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.failures.append(f"{request.url}: {request.failure}"))
        self.page.on(
            "response",
            lambda response: (
                self.failures.append(f"{response.url}: {response.status}") if response.status >= 400 else None
            ),
        )
        self.page.on(
            "console",
            lambda message: self.console_errors.append(message.text) if message.type in {"error", "warning"} else None,
        )
        self.page.on("pageerror", lambda error: self.page_errors.append(str(error)))

    def foreign_requests(self) -> list[str]:
        """Requests to any host but 127.0.0.1; `data:` and `blob:` addresses stay in the page."""
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in {"data", "blob"} and urlsplit(url).hostname != "127.0.0.1"
        ]

    def assert_clean(self) -> None:
        """Nothing left this host, nothing failed, nothing was complained about."""
        assert self.requests, "no page was opened"
        assert self.foreign_requests() == []
        assert self.failures == []
        assert self.console_errors == []
        assert self.page_errors == []


@pytest.fixture
def page_log(browser: Browser) -> Iterator[PageLog]:
    """A new page, 1440×900, in a context of its own."""
    context = new_context(browser, viewport={"width": 1440, "height": 900}, locale="zh-CN")
    yield PageLog(context.new_page())
    context.close()


@pytest.fixture
def serve_page() -> Iterator[Callable[[str], str]]:
    """A function that serves HTML beside app/static on a free loopback port and returns its address."""
    servers: list[tuple[ThreadingHTTPServer, Thread]] = []

    def serve(html: str) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(urlsplit(self.path).path)
                file = ROOT / "app" / path.lstrip("/")
                if path == "/":
                    self.answer(200, "text/html; charset=utf-8", html.encode())
                elif path == "/favicon.ico":
                    self.answer(204, "image/x-icon", b"")
                elif path.startswith("/static/") and file.is_file():
                    self.answer(200, guess_type(file)[0] or "application/octet-stream", file.read_bytes())
                else:
                    self.answer(404, "text/plain", path.encode())

            def answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Keep the test's output clean."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/"

    yield serve
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def artifacts() -> Path:
    """Folder for pictures to look at; not part of the repository."""
    folder = ROOT / "test-artifacts"
    folder.mkdir(exist_ok=True)
    return folder
