"""Every screen that the guard knows is there, and every screen that is there the guard knows."""

import dash

from pingji.dashboard.guard import PAGES
from tests.app.callers import Client


def test_the_guards_screens_are_the_apps(client: Client) -> None:
    registered = {page["path"] for page in dash.page_registry.values()}
    assert registered == set(PAGES)
