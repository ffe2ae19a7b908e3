"""All that is looked at for the health page, in one round; and how it is said in both languages."""

import time
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import make_url

from pingji.dashboard.context import Context
from pingji.dashboard.live import Hub
from pingji.dashboard.texts import LANGUAGES, t
from pingji.data import health as measured
from pingji.ops import health
from pingji.ops.health import Check


def look(context: Context, hub: Hub) -> list[Check]:
    """Every check, in the order in which a duty officer reads them."""
    settings = context.settings
    store = measured.ask(context.engine)
    about = {"kind": store.kind, "version": store.version, "revision": store.revision, "size_mb": store.size_mb}
    verified = None if store.verified_at is None else time.time() - store.verified_at / 1e6
    folder = settings.backup_dir
    checks = [
        health.database(store.ms, store.current, about),
        health.stream(_age(hub), hub.screens),
        health.writer(context.writer.waiting),
        health.disk("disk", measured.room(_folder_of(settings.database_url))),
        health.clock(store.offset_s, measured.clock_synchronised()),
        health.certificate(
            measured.certificate_days(settings.tls_cert_file) if settings.tls_cert_file else None,
            watched=settings.tls_cert_file is not None,
        ),
        health.backup(measured.backup_age_s(folder) if folder else None, watched=folder is not None),
    ]
    if folder is not None:
        checks.append(health.disk("backup_disk", measured.room(folder)))
    if store.current:
        checks += [health.audit(verified, store.whole), health.sign_ins(store.locked)]
    return checks


def document(checks: list[Check], at: float) -> dict[str, object]:
    """The checks as the API answers them: each with a word, a sentence, and what to do."""
    return {"at": round(at * 1000), "light": health.worst(checks).value, "checks": [_said(one) for one in checks]}


def _said(check: Check) -> dict[str, object]:
    said: dict[str, object] = {"name": check.name, "light": check.light.value, "state": check.state}
    for language in LANGUAGES:
        end = "" if language == LANGUAGES[0] else f"_{language}"
        said[f"title{end}"] = t(f"health.{check.name}.title", language)
        said[f"word{end}"] = t(f"health.light.{check.light.value}", language)
        said[f"text{end}"] = _text(check.name, check.state, check.values, language)
        good = check.light is health.Light.GREEN
        said[f"do{end}"] = "" if good else _text(check.name, f"{check.state}_do", check.values, language)
    return {**said, "values": dict(check.values)}


def text_of(check: Check, language: str) -> str:
    """What a check says, with its title and what to do."""
    title = t(f"health.{check.name}.title", language)
    parts = [_text(check.name, check.state, check.values, language)]
    if check.light is not health.Light.GREEN:
        parts.append(_text(check.name, f"{check.state}_do", check.values, language))
    return f"{title}: {' '.join(parts)}"


def _text(name: str, state: str, values: Mapping[str, object], language: str) -> str:
    key = "disk" if name == "backup_disk" else name
    return t(f"health.{key}.{state}", language, **values)


def _age(hub: Hub) -> float | None:
    """Seconds since the live figures were read; None where they never were."""
    return None if hub.read_at is None else time.monotonic() - hub.read_at


def _folder_of(database_url: str) -> Path:
    """Where the embedded store lies; of a server's disk this machine knows nothing, so its own is shown."""
    url = make_url(database_url)
    return Path(url.database).parent if url.get_backend_name() == "sqlite" and url.database else Path()
