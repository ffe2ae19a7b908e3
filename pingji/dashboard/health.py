"""`/healthz`, `/readyz`, `/metrics` and `/api/v1/health`: for whoever keeps the service running."""

import time

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pingji.dashboard import health_checks
from pingji.dashboard.access import Routes, needs, public
from pingji.dashboard.context import Context
from pingji.dashboard.errors import problem
from pingji.dashboard.live import Hub
from pingji.dashboard.metrics import Metrics
from pingji.data.engine import reading
from pingji.data.schema import require_current
from pingji.ops.access import Permission


def router(context: Context, hub: Hub, metrics: Metrics) -> APIRouter:
    """The routes of health."""
    routes = Routes(tags=["health"])
    metrics.watch(hub, context.writer, context.engine)

    @routes.get("/healthz")
    @public
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @routes.get("/readyz")
    @public
    def readyz() -> Response:
        """The store answers, has this program's tables and a county."""
        require_current(context.engine)
        with reading(context.engine):
            county = context.county_or_none()
        if county is None:
            return problem(503, "no_county", {}, "/readyz")
        return Response('{"status":"ready"}', media_type="application/json")

    @routes.get("/metrics")
    @needs(Permission.SEE_HEALTH)
    async def prometheus() -> Response:
        """Prometheus figures of this process."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @routes.get("/api/v1/health")
    @needs(Permission.SEE_HEALTH)
    def state() -> dict[str, object]:
        """How the service is: database, stream, disk, clock, certificate, backup, audit; each with what to do."""
        return health_checks.document(health_checks.look(context, hub), time.time())

    return routes
