"""The one app factory: FastAPI with Dash on it, the API, the live stream and the screens."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import dash
import httpx
from dash import Dash
from dash.exceptions import DependencyException
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.gzip import GZipMiddleware

from pingji import __version__, logs
from pingji.dashboard import errors, health
from pingji.dashboard.alarms import Alarms
from pingji.dashboard.api import accounts as account_routes
from pingji.dashboard.api import audit as audit_routes
from pingji.dashboard.api import (
    exports,
    figures,
    grid_files,
    grid_proposals,
    grid_steps,
    me,
    modes,
    movements,
    names,
    organisation_files,
    own_account,
)
from pingji.dashboard.api import grids as grid_routes
from pingji.dashboard.api import map as map_routes
from pingji.dashboard.api import organisation as organisation_routes
from pingji.dashboard.chores import Chores
from pingji.dashboard.context import Context
from pingji.dashboard.guard import Callers, Guard
from pingji.dashboard.headers import SecurityHeaders, mark_styles
from pingji.dashboard.limits import AddressLimits, BodyLimits, CallerLimits
from pingji.dashboard.live import Hub
from pingji.dashboard.logs import Requests
from pingji.dashboard.metrics import Metrics
from pingji.dashboard.pages import account, accounts, audit, desk, grids, organisation, shelters, wall
from pingji.dashboard.pages import health as health_page
from pingji.dashboard.refusals import Refusals
from pingji.dashboard.sign_in import routes as sign_in
from pingji.dashboard.texts import t
from pingji.data.engine import open_engine
from pingji.data.notify import Listener
from pingji.data.schema import require_current
from pingji.data.slow_queries import note_slow
from pingji.data.writer import Writer
from pingji.settings import Settings

HERE = Path(__file__).parent
COMPRESS_FROM = 2_000  # bytes: small answers are faster as they are


def create_app(settings: Settings) -> FastAPI:
    """A complete Pingji on one store, ready for uvicorn; nothing is opened before it starts."""
    engine = open_engine(settings.database_url)
    listener = Listener(engine, lambda: hub.wake())
    writer = Writer(engine, on_commit=listener.poke)
    callers = Callers(engine, settings.idle_min)
    context = Context(settings, engine, writer, on_change=listener.poke, on_access=callers.forget)
    hub = Hub(context)
    chores = Chores(context)
    alarms = Alarms(context, hub)
    metrics = Metrics()
    note_slow(engine, settings.slow_query_ms, metrics.slow_queries.inc)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        require_current(engine)
        writer.start()
        await hub.start()
        listener.start()
        await _finish_dash(server, callers)
        chores.start()
        alarms.start()
        _spare_the_collector()
        try:
            yield
        finally:
            await alarms.stop()
            await chores.stop()
            listener.stop()
            await hub.stop()
            writer.stop()
            engine.dispose()

    server = FastAPI(
        title="Pingji",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    server.state.alarms = alarms
    errors.register(server, Refusals(engine).note)
    for routes in (
        movements.router(context),
        modes.router(context),
        figures.router(context, hub),
        map_routes.router(context),
        grid_routes.router(context),
        grid_steps.router(context),
        grid_files.router(context),
        grid_proposals.router(context),
        account_routes.router(context),
        own_account.router(context),
        me.router(context, callers),
        names.router(context),
        exports.router(context),
        audit_routes.router(context),
        organisation_routes.router(context),
        organisation_files.router(context),
    ):
        server.include_router(routes, prefix="/api/v1")
    server.include_router(sign_in.router(context))
    server.include_router(health.router(context, hub, metrics))

    _document(server)
    server.add_middleware(GZipMiddleware, minimum_size=COMPRESS_FROM, compresslevel=4)
    server.add_middleware(CallerLimits, settings=settings, on_limit=metrics.limited.inc)  # inside the guard
    server.add_middleware(Guard, callers=callers, public_url=settings.public_url or "")
    screens = _add_screens(server)
    server.add_middleware(BodyLimits, settings=settings)
    server.add_middleware(AddressLimits, settings=settings, on_limit=metrics.limited.inc)
    server.add_middleware(Requests, metrics=metrics)
    server.add_middleware(SecurityHeaders, settings=settings, hashes=screens.csp_hashes)
    return server


def app_from_environment() -> FastAPI:
    """The app as a worker process makes it: settings from the environment."""
    settings = Settings()
    logs.configure(settings.log_format, settings.log_level)
    return create_app(settings)


async def _finish_dash(server: FastAPI, callers: Callers) -> None:
    """Dash completes its pages when `/` is first asked for; a wall that came before that would stay white."""
    headers = {"Authorization": f"Bearer {callers.own_secret}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(server), base_url="http://self", headers=headers) as own:
        (await own.get("/")).raise_for_status()


def _spare_the_collector() -> None:
    """What is loaded by now stays for good: searched for garbage at every few requests, it costs more than they do."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _document(server: FastAPI) -> None:
    """The API's documentation, from files of our own: FastAPI's page fetches from elsewhere and runs inline."""
    server.mount("/static", StaticFiles(directory=HERE / "static"), name="static")

    @server.get("/api/docs", include_in_schema=False)
    def docs() -> FileResponse:
        return FileResponse(HERE / "static" / "swagger-ui" / "index.html", media_type="text/html")

    @server.get("/api/{rest:path}", include_in_schema=False)
    def nothing_here(rest: str) -> None:
        """Else Dash would answer a mistyped route with a page."""
        raise HTTPException(404)


async def no_such_file(request: Request, _: Exception) -> JSONResponse:
    """What Dash has no component for."""
    return errors.problem(404, "not_found", {"where": ""}, request.url.path)


def _add_screens(server: FastAPI) -> Dash:
    """Dash comes last: its catch-all route answers whatever nothing else did."""
    title = t("app.title", "zh_CN")
    app = Dash(
        "pingji.dashboard",
        server=server,
        use_pages=True,
        pages_folder="",
        assets_folder=str(HERE / "assets"),
        assets_path_ignore=["vendor"],  # served, but loaded only by the page that needs it
        title=title,
        update_title=None,
        suppress_callback_exceptions=True,
    )
    # Else whoever asks for a file that no page has is told that the server failed, and the log fills with it.
    server.add_exception_handler(DependencyException, no_such_file)
    # Told that there is a WebSocket, Dash's renderer tries to connect for ever; our stream is SSE.
    app.backend.websocket_capability = False
    for page in (desk, grids, wall, shelters, organisation, audit, accounts, account, health_page):
        dash.register_page(page.__name__, path=page.PATH, title=title, layout=page.layout)
        page.register(app)
    app.layout = dash.page_container
    mark_styles(app)
    return app
