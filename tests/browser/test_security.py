"""The Content-Security-Policy in a real browser: no page of the service breaks it, and a script from outside does not
run."""

import pytest
from playwright.sync_api import Route

from .conftest import PageLog, settle

#: Violations as they happen, also those that a script catches.
LISTEN = """window.violations = [];
document.addEventListener("securitypolicyviolation",
  (event) => window.violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ""}`));"""
PAGES = (
    "/?f=html", "/api.html", "/collections?f=html", "/collections/platforms?f=html",
    "/collections/platforms/items?f=html&within=haining", "/collections/counties/items/330481?f=html",
    "/indicators/values?f=html&region=330481", "/documents?f=html", "/disagreements?f=html", "/search?f=html&q=jx",
    "/index?f=html", "/credits", "/maps/jiaxing", "/maps/haining?lang=en", "/maps/zhejiang", "/maps/jiashan.svg",
    "/maps/thematic?over=haining-areas", "/charts/progress?f=html&indicator=rd-gdp-share", "/charts/platforms?f=html",
)  # fmt: skip
INJECTED = (
    "<script>window.hurt = 'script'</script>",
    "<img src='data:,' onerror=\"window.hurt = 'handler'\">",
    "<a id='trap' href=\"javascript:window.hurt = 'address'\">.</a>",
    "<script src='http://127.0.0.1:9/elsewhere.js'></script>",
    "<base href='http://127.0.0.1:9/'>",
)


@pytest.mark.parametrize("path", PAGES)
def test_no_page_breaks_its_policy(live_server: str, page_log: PageLog, path: str) -> None:
    page_log.page.add_init_script(LISTEN)
    page_log.page.goto(f"{live_server}{path}", wait_until="networkidle")
    assert page_log.page.evaluate("window.violations") == []
    page_log.assert_clean()


def test_a_page_from_the_browsers_cache_keeps_its_policy(live_server: str, page_log: PageLog) -> None:
    page = page_log.page
    page.add_init_script(LISTEN)
    # to the end: what a reload breaks off has failed
    page.goto(f"{live_server}/maps/jiashan?lang=zh", wait_until="networkidle")
    with page.expect_response("**/maps/jiashan*") as again:
        page.reload()
    # Chromium tells of the page it has; that the server was asked is in the request
    assert "if-none-match" in again.value.request.all_headers()
    assert page.evaluate("window.violations") == []
    page.locator(".symbol").first.wait_for()
    page_log.assert_clean()


@pytest.mark.parametrize("path", ["/maps/jiaxing", "/collections/platforms/items?f=html"])
def test_what_is_injected_does_not_run(live_server: str, page_log: PageLog, path: str) -> None:
    """As if a value had come into the page unescaped."""

    def inject(route: Route) -> None:
        answer = route.fetch()
        text = answer.text().replace("</main>", "".join(INJECTED) + "</main>", 1)
        route.fulfill(response=answer, body=text)

    page = page_log.page
    page.add_init_script(LISTEN)
    page.route(f"**{path}", inject)
    page.goto(f"{live_server}{path}", wait_until="networkidle")
    page.locator("#trap").evaluate("link => link.click()")
    settle(page, 200)
    broken = page.evaluate("window.violations")
    assert page.evaluate("window.hurt") is None
    assert page.evaluate("document.baseURI").startswith(live_server)
    for expected in ("script-src-elem inline", "script-src-attr inline", "script-src-elem http://127.0.0.1:9"):
        assert any(one.startswith(expected) for one in broken), broken
    assert any(one.startswith("base-uri") for one in broken), broken
