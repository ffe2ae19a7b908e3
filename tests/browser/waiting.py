"""Waiting for a condition in a page whose content policy forbids `eval`, by which Playwright's own way polls.

`evaluate` comes in through the browser's debugger, which no policy concerns: here the same condition is asked again
and again from outside.
"""

import time
from contextlib import suppress
from typing import Any

from playwright.sync_api import Error, Page
from playwright.sync_api import TimeoutError as TookTooLong

STEP_MS = 20


def wait_for_function(page: Page, expression: str, *, arg: Any = None, timeout: float = 30_000, **_: Any) -> None:
    """Until the expression, or what the function returns, is true; a page that is being loaded is asked again."""
    asked = f"(arg) => {{ const f = ({expression}); return !!(typeof f === 'function' ? f(arg) : f) }}"
    until = time.monotonic() + timeout / 1000
    while True:
        with suppress(Error):  # its page is just being replaced by the next
            if page.evaluate(asked, arg):
                return
        if time.monotonic() > until:
            raise TookTooLong(f"{timeout:.0f} ms were not enough for {expression}")
        page.wait_for_timeout(STEP_MS)


def install() -> None:
    """Have every page wait like this."""
    Page.wait_for_function = wait_for_function  # type: ignore[assignment, method-assign]
