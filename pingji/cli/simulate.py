"""`pingji simulate`: drives a scenario through the public API, as phones would."""

import os
import sys
import time
import uuid
from threading import Thread
from typing import Annotated

import httpx
import typer
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from pingji.cli.console import fail, out, say
from pingji.cli.phones import Api, Phone, upload
from pingji.cli.scenario import act_out, load_households, plan_acts
from pingji.dashboard.texts import t
from pingji.settings import Settings

TICK_S = 0.5


def simulate(
    url: Annotated[str, typer.Option(help="Where the service is.")] = "http://127.0.0.1:8050",
    speed: Annotated[float, typer.Option(min=0.1, help="Minutes of the scenario in a minute of the clock.")] = 6.0,
    seed: Annotated[int, typer.Option(help="The same seed plays the same scenario.")] = 1,
    level: Annotated[int, typer.Option(min=1, max=4, help="Response level.")] = 2,
    fresh: Annotated[bool, typer.Option("--fresh", help="End an exercise that is open, and begin a new one.")] = False,
    while_stdin: Annotated[bool, typer.Option("--while-stdin", hidden=True)] = False,
) -> None:
    """Play an evacuation exercise: press the key where nobody is counting yet, then tell, move and count people."""
    if while_stdin:
        Thread(target=_end_with_stdin, daemon=True).start()
    settings = Settings()
    language = settings.language
    api = Api(url, settings.token.get_secret_value() if settings.token else None)
    try:
        api.wait_until_ready(30)
        _open_exercise(api, level, fresh, language)
        _play(api, speed, seed, language)
    except (TimeoutError, httpx.TransportError):
        fail("cli.simulate.no_service", language, url=url)
    except httpx.HTTPStatusError as error:
        if error.response.status_code in (401, 403):
            fail("cli.simulate.not_permitted", language)
        fail("cli.simulate.refused", language, reason=error.response.text[:500])


def _end_with_stdin() -> None:
    """For a parent that may be killed: the pipe it holds closes with it."""
    sys.stdin.buffer.read()
    os._exit(0)


def _open_exercise(api: Api, level: int, fresh: bool, language: str) -> None:
    """An open exercise of the county; a real emergency is none of our business."""
    mode = api.get("modes")
    if mode["mode"] in ("emergency", "recovery"):
        if not mode["exercise"]:
            fail("cli.simulate.real_emergency", language)
        if not fresh:
            return
        reason = t("cli.simulate.reason_end", language)
        for to in ("recovery", "routine") if mode["mode"] == "emergency" else ("routine",):
            _press(api, mode["scope"], to, None, reason, exercise=to == "recovery")
    _press(api, mode["scope"], "emergency", level, t("cli.simulate.reason", language), exercise=True)


def _press(api: Api, scope: str, to: str, level: int | None, reason: str, exercise: bool) -> None:
    body = {"press_id": str(uuid.uuid4()), "scope": scope, "to": to, "exercise": exercise, "reason": reason}
    response = api.post("modes", {**body, "level": level})
    response.raise_for_status()


def _play(api: Api, speed: float, seed: int, language: str) -> None:
    households = load_households(api)
    people = sum(len(h.people) for h in households)
    say("cli.simulate.begins", language, households=f"{len(households):,}", people=f"{people:,}")
    acts = plan_acts(households, seed)
    phones: dict[str, Phone] = {}
    began, said, told = time.monotonic(), 0, 0
    columns = (*Progress.get_default_columns()[:3], TextColumn("{task.completed:,.0f} / {task.total:,.0f}"))
    with Progress(*columns, TimeElapsedColumn(), console=out) as progress:
        task = progress.add_task(t("cli.simulate.sent", language), total=len(acts))
        while told < len(acts) or any(phone.queue for phone in phones.values()):
            minute = (time.monotonic() - began) * speed / 60
            due = told
            while due < len(acts) and acts[due].minute <= minute:
                due += 1
            act_out(acts[told:due], phones)
            told = due
            said += upload(api, list(phones.values()))
            progress.update(task, completed=said)
            time.sleep(TICK_S)
    refused = sum(len(phone.refused) for phone in phones.values())
    say("cli.simulate.done", language, sent=f"{said:,}", refused=f"{refused:,}")
