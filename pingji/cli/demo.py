"""`pingji demo`: the demo county with an exercise under way, and an account for every role."""

import os
import secrets
import subprocess
import sys
import time
from typing import Annotated

import typer
from rich.progress import Progress, TimeElapsedColumn
from sqlalchemy import select

from pingji.cli.console import out, say
from pingji.cli.serve import Host, Port, run, settings_for
from pingji.dashboard.texts import t
from pingji.data import schema
from pingji.data.demo import build_county, save_county
from pingji.data.demo.accounts import make_accounts, make_tokens
from pingji.data.engine import open_engine, reading, writing
from pingji.data.tables import area
from pingji.ops.access import Role
from pingji.settings import Settings

DEMO_COUNTY = "220221"
_SCREENS = (("/", "desk"), ("/shelters", "shelters"), ("/grids", "grids"), ("/organisation", "organisation"))


def demo(
    host: Host = None,
    port: Port = None,
    speed: Annotated[float, typer.Option(min=0.1, help="Minutes of the exercise in a minute of the clock.")] = 10.0,
    exercise: Annotated[bool, typer.Option(help="Begin with an exercise under way.")] = True,
) -> None:
    """Make the demo county once, and serve it with an exercise already running."""
    settings = settings_for(host, port).model_copy(update={"county": DEMO_COUNTY, "log_level": "warning"})
    _make_county(settings)
    password, logins, tokens = _make_keys(settings)
    player: subprocess.Popen[bytes] | None = None
    url = f"http://127.0.0.1:{settings.port}"
    language = settings.language

    def play() -> None:
        nonlocal player
        for path, key in _SCREENS:
            say("cli.demo.look", language, what=t(f"cli.demo.{key}", language), url=url + path)
        wall = f"{url}/sign-in/wall?token={tokens['wall']}"
        say("cli.demo.look", language, what=t("cli.demo.wall", language), url=wall)
        say("cli.demo.sign_in", language, password=password)
        for role, login in logins.items():
            say("cli.demo.account", language, login=f"{login:<16}", role=t(f"role.{role.value}", language))
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
            environment = {**os.environ, "PINGJI_TOKEN": tokens["api"]}
            player = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment)

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


def _make_keys(settings: Settings) -> tuple[str, dict[Role, str], dict[str, str]]:
    """One password for all accounts of the demo, their logins by role, and fresh tokens; all new at each start."""
    password = "-".join(secrets.token_hex(2) for _ in range(3))
    at = time.time_ns() // 1000
    language = settings.language
    names = {role: t("cli.demo.name", language, role=t(f"role.{role.value}", language)) for role in Role}
    token_names = {kind: t(f"cli.demo.token_{kind}", language) for kind in ("api", "wall")}
    engine = open_engine(settings.database_url)
    with writing(engine) as conn:
        logins = make_accounts(conn, DEMO_COUNTY, names, password, at)
        tokens = make_tokens(conn, DEMO_COUNTY, token_names, at)
    engine.dispose()
    return password, logins, tokens
