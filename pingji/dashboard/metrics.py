"""Figures of this process for Prometheus. Labels are templates of routes, methods, statuses: never what was asked."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from pingji.dashboard.live import Hub
from pingji.data.writer import Writer

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
UNROUTED = "-"  # refused before it had a route


class Metrics:
    """What is counted as it happens, and what is asked when somebody scrapes."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "pingji_request_seconds",
            "Time to an answer, or to the beginning of a stream",
            ("route", "method", "status"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._children: dict[tuple[str, str, int], Histogram] = {}
        self.sign_in_failures = self._counter("pingji_sign_in_failures", "Attempts to sign in that were refused")
        self.limited = self._counter("pingji_limited", "Requests refused because there were too many")
        self.slow_queries = self._counter("pingji_slow_queries", "Statements slower than PINGJI_SLOW_QUERY_MS")

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        key = (route, method if method in METHODS else "OTHER", status)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(*key)
        child.observe(seconds)
        if route.startswith("/sign-in") and method == "POST" and status in (401, 403, 429):
            self.sign_in_failures.inc()

    def watch(self, hub: Hub, writer: Writer, engine: Engine) -> None:
        """Show what the parts of the process say of themselves."""
        gauges = {
            "pingji_live_screens": ("Screens connected to this process", lambda: hub.screens),
            "pingji_live_read_seconds": (
                "Duration of the latest reading of the live figures",
                lambda: hub.read_seconds,
            ),
            "pingji_writer_waiting": ("Requests that wait for the writer", lambda: writer.waiting),
            "pingji_writer_group": ("Movements in the writer's latest commit", lambda: writer.latest_group),
            "pingji_database_connections": ("Connections of the pool in use", lambda: _in_use(engine)),
        }
        for name, (text, ask) in gauges.items():
            Gauge(name, text, registry=self.registry).set_function(ask)
        self.registry.register(_Written(writer))


def _in_use(engine: Engine) -> int:
    return engine.pool.checkedout() if isinstance(engine.pool, QueuePool) else 0


class _Written(Collector):
    """What the writer counted by itself."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def collect(self) -> Iterable[Metric]:
        """When somebody scrapes."""
        yield CounterMetricFamily("pingji_writer_commits", "Commits of the writer", self._writer.commits)
        yield CounterMetricFamily("pingji_writer_movements", "Movements that were written", self._writer.written)
