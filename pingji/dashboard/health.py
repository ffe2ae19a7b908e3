"""`/healthz`, `/readyz` and `/metrics`: for whoever keeps the service running."""

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from pingji.dashboard.context import Context
from pingji.dashboard.errors import problem
from pingji.dashboard.live import Hub
from pingji.data.engine import reading
from pingji.data.schema import require_current


def router(context: Context, hub: Hub) -> APIRouter:
    """The routes of health."""
    routes = APIRouter(tags=["health"])
    registry = CollectorRegistry()
    screens = Gauge("pingji_live_screens", "Screens connected to this process", registry=registry)
    seconds = Gauge("pingji_live_read_seconds", "Duration of the latest reading of the live figures", registry=registry)
    screens.set_function(lambda: hub.screens)
    seconds.set_function(lambda: hub.read_seconds)

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @routes.get("/readyz")
    def readyz() -> Response:
        """The store answers, has this program's tables and a county."""
        require_current(context.engine)
        with reading(context.engine):
            county = context.county_or_none()
        if county is None:
            return problem(503, "no_county", {}, "/readyz")
        return Response('{"status":"ready"}', media_type="application/json")

    @routes.get("/metrics")
    async def metrics() -> Response:
        """Prometheus figures of this process."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return routes
