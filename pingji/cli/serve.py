"""`pingji serve`: the running product."""

import os
import socket
from collections.abc import Callable
from typing import Annotated

import typer
import uvicorn
from pydantic import SecretStr

from pingji import logs
from pingji.cli.console import fail, say
from pingji.cli.keys import prepare
from pingji.cli.problems import readable_problems
from pingji.data import schema
from pingji.data.access.first import ensure_administrator
from pingji.data.engine import open_engine
from pingji.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.")]
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def serve(host: Host = None, port: Port = None) -> None:
    """Serve the screens and the API on the configured store."""
    run(settings_for(host, port))


def settings_for(host: str | None, port: int | None) -> Settings:
    """The settings of the environment, with what the command line says over them."""
    settings = Settings()
    return settings.model_copy(update={k: v for k, v in (("host", host), ("port", port)) if v is not None})


def run(settings: Settings, on_start: Callable[[], None] = lambda: None) -> None:
    """Serve until stopped; refuses a port that is taken. The first start makes an administrator."""
    if settings.workers > 1 and settings.database_url.startswith("sqlite"):
        fail("cli.serve.workers_need_postgresql", settings.language)
    _refuse_taken_port(settings)
    with readable_problems(settings.language):
        engine = open_engine(settings.database_url)
        schema.upgrade(engine)
        prepare(engine, settings.language)
        first = ensure_administrator(engine)
        engine.dispose()
    os.environ.update(_environment(settings))  # worker processes read their settings from there
    say("cli.serve.at", settings.language, url=f"http://{settings.host}:{settings.port}")
    if first is not None:
        say("cli.serve.first_administrator", settings.language, login=first.login, password=first.password)
    if settings.host not in LOOPBACK and not (settings.public_url or "").startswith("https://"):
        say("cli.serve.not_secure", settings.language)
    on_start()
    logs.configure(settings.log_format, settings.log_level)
    uvicorn.run(
        "pingji.dashboard.app:app_from_environment",
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_config=None,  # ours: pingji.logs
        access_log=False,
        timeout_graceful_shutdown=3,
        backlog=2048,
        ws="none",  # nothing of ours speaks WebSocket: the live stream is SSE
    )


def _environment(settings: Settings) -> dict[str, str]:
    values = settings.model_dump(exclude_none=True)
    plain = {k: v.get_secret_value() if isinstance(v, SecretStr) else v for k, v in values.items()}
    return {f"PINGJI_{name.upper()}": str(value) for name, value in plain.items()}


def _refuse_taken_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            fail("cli.serve.port_taken", settings.language, port=settings.port, reason=error.strerror)
