"""Alarms for the duty officer: when a light of the health page changes, whoever listens outside is told once."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping

from pingji.dashboard.context import Context
from pingji.dashboard.health_checks import look, text_of
from pingji.dashboard.live import Hub
from pingji.dashboard.outbound import OutboundFailed, OutboundRefused, allowed_networks, find, send
from pingji.logs import note
from pingji.ops.health import Check, Light
from pingji.settings import Settings

log = logging.getLogger(__name__)
EVERY_S = 15.0
TWICE = 2  # one bad look is a hiccup
_BAD = (Light.AMBER, Light.RED)


class Watch:
    """Remembers what was told, so that it is told again only when it changes."""

    def __init__(self) -> None:
        self._told: dict[str, Light] = {}
        self._seen: dict[str, tuple[Light, int]] = {}

    def changed(self, checks: Iterable[Check]) -> list[Check]:
        """The checks whose light has been another one for two looks; at first only those that are bad."""
        news = []
        for check in checks:
            light, times = self._seen.get(check.name, (check.light, 0))
            times = times + 1 if light is check.light else 1
            self._seen[check.name] = (check.light, times)
            told = self._told.get(check.name, Light.GREEN)
            if times < TWICE or told is check.light or check.light is Light.GREY:
                continue
            self._told[check.name] = check.light
            news.append(check)
        return news


class Alarms:
    """The loop that looks and tells; it does nothing where no webhook is set."""

    def __init__(self, context: Context, hub: Hub) -> None:
        self._context = context
        self._hub = hub
        self._watch = Watch()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch."""
        if self._context.settings.webhook_url:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            try:
                await asyncio.to_thread(self.round)
            except Exception:  # a watch that ends at the first surprise watches nothing
                log.exception("the watch over the service failed")

    def round(self) -> None:
        """Look once, and tell what changed."""
        for check in self._watch.changed(look(self._context, self._hub)):
            tell(self._context.settings, check)


def tell(settings: Settings, check: Check, sender: Callable[..., int] = send) -> bool:
    """Send one alarm; whether somebody took it. What went wrong is logged, never raised."""
    note(
        log,
        logging.WARNING if check.light in _BAD else logging.INFO,
        "alarm",
        check=check.name,
        light=check.light.value,
    )
    if not settings.webhook_url or settings.webhook_secret is None:
        return False
    try:
        target = find(settings.webhook_url, allowed_networks(settings.webhook_allow))
        sender(target, message_of(check, settings.language), settings.webhook_secret.get_secret_value())
    except (OutboundRefused, OutboundFailed, ValueError) as error:
        note(log, logging.ERROR, "alarm not delivered", kind=type(error).__name__, reason=_reason(error))
        return False
    return True


def message_of(check: Check, language: str) -> dict[str, object]:
    """What is sent: no names, no codes, only what the health page shows."""
    return {
        "product": "pingji",
        "at": int(time.time() * 1000),
        "check": check.name,
        "light": check.light.value,
        "state": check.state,
        "text": text_of(check, language),
        "values": dict(check.values),
    }


def _reason(error: Exception) -> object:
    params: Mapping[str, object] = getattr(error, "params", {})
    return params.get("reason", "")
