"""The one app factory: FastAPI with Dash on it, the API, the live stream and the screens."""

from pathlib import Path

import dash
from dash import Dash
from fastapi import FastAPI

from pingji.dashboard.pages import desk, shelters, wall
from pingji.settings import Settings

ASSETS_DIR = Path(__file__).parent / "assets"


def create_app(settings: Settings) -> FastAPI:
    """A complete Pingji on one store, ready for uvicorn."""
    server = FastAPI(title="Pingji", docs_url="/api/docs", openapi_url="/api/openapi.json", redoc_url=None)
    dash_app = Dash(
        "pingji.dashboard",
        server=server,
        use_pages=True,
        pages_folder="",
        assets_folder=str(ASSETS_DIR),
        title="平急一张图",
        update_title=None,
        suppress_callback_exceptions=True,
    )
    for page in (desk, wall, shelters):
        dash.register_page(page.__name__, path=page.PATH, title="平急一张图", layout=page.layout)
        page.register(dash_app)
    dash_app.layout = dash.page_container
    return server
