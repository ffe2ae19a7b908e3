"""`pingji serve` and `pingji demo`: the running product."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Annotated

import typer
import uvicorn
from pydantic import SecretStr
from rich.progress import Progress, TimeElapsedColumn
from sqlalchemy import select

from pingji import logs
from pingji.cli.console import fail, out, say
from pingji.cli.problems import readable_problems
from pingji.dashboard.texts import t
from pingji.data import schema
from pingji.data.demo import build_county, save_county
from pingji.data.engine import open_engine, reading
from pingji.data.tables import area
from pingji.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on; other than 127.0.0.1 needs PINGJI_TOKEN.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on.")]
DEMO_COUNTY = "220221"
_SCREENS = (("/", "desk"), ("/wall", "wall"), ("/shelters", "shelters"), ("/grids", "grids"), ("/api/docs", "docs"))
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
        engine.dispose()
    os.environ.update(_environment(settings))  # worker processes read their settings from there
    say("cli.serve.at", settings.language, url=f"http://{settings.host}:{settings.port}")
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


def demo(
    host: Host = None,
    port: Port = None,
    speed: Annotated[float, typer.Option(min=0.1, help="Minutes of the exercise in a minute of the clock.")] = 10.0,
    exercise: Annotated[bool, typer.Option(help="Begin with an exercise under way.")] = True,
) -> None:
    """Make the demo county once, and serve it with an exercise already running."""
    settings = settings_for(host, port).model_copy(update={"county": DEMO_COUNTY})
    _make_county(settings)
    player: subprocess.Popen[bytes] | None = None
    url = f"http://127.0.0.1:{settings.port}"

    def play() -> None:
        nonlocal player
        for path, key in _SCREENS:
            say("cli.demo.look", settings.language, what=t(f"cli.demo.{key}", settings.language), url=url + path)
        if exercise:
            command = [
                sys.executable,
                "-m",
                "pingji.cli",
                "simulate",
                "--fresh",
                "--url",
                url,
                "--speed",
                str(speed),
                "--while-stdin",
            ]
            # Its standard input closes when we end, however we end: then it ends too.
            player = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

    try:
        run(settings, on_start=play)
    finally:
        if player is not None:
            player.terminate()


def _make_county(settings: Settings) -> None:
    engine = open_engine(settings.database_url)
    schema.upgrade(engine)
    with reading(engine) as conn:
        exists = conn.scalars(select(area.c.id).where(area.c.county == DEMO_COUNTY).limit(1)).first() is not None
    if not exists:
        with Progress(*Progress.get_default_columns(), TimeElapsedColumn(), console=out) as progress:
            task = progress.add_task(t("cli.demo.making", settings.language), total=2)
            county = build_county(progress=lambda _, done: progress.update(task, completed=done))
            save_county(engine, county, lambda _, done: progress.update(task, completed=1 + done))
    engine.dispose()
