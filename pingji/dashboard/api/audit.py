"""`/api/v1/audit`: search, state, check and export of the audit; who asks is in it too (`docs/audit.md`)."""

import shutil
import tempfile
from datetime import date
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import FileResponse
from pydantic import StringConstraints
from starlette.background import BackgroundTask

from pingji.dashboard.access import Routes, Who, area_of, needs
from pingji.dashboard.api.common import NO_NUL
from pingji.dashboard.audit_words import action_text, breach_text, words
from pingji.dashboard.context import Context, now_us
from pingji.data.audit import Entry, readers, search
from pingji.data.audit.export import export
from pingji.data.audit.search import VERIFIED, Wanted
from pingji.data.audit.verify import Anchor, Verdict, anchor_of, head_of
from pingji.data.engine import reading, writing
from pingji.ops.access import EVERYWHERE, Caller, OutsideYourArea, Permission
from pingji.ops.day import day_of, end_of

Text = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL, strip_whitespace=True)]
Day = Annotated[date | None, Query(ge=date(2000, 1, 1), le=date(2999, 12, 31))]
Language = Literal["zh_CN", "en"]
PAGE, MOST = 100, 500
_DAY_US = 86_400_000_000
_MEDIA = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def wanted_of(
    since: Day = None,
    until: Day = None,
    actor: Text = "",
    action: Text = "",
    object: Text = "",
    text: Text = "",
    outcome: Text = "",
) -> Wanted:
    """What a query asks for; `since` and `until` are days of the county, both included."""
    begins = None if since is None else end_of(since) + 1 - _DAY_US  # China has no summer time
    return Wanted(begins, None if until is None else end_of(until), actor, action, object, text, outcome)


Asked = Annotated[Wanted, Depends(wanted_of)]


def router(context: Context) -> APIRouter:
    """The routes of the audit."""
    routes = Routes(prefix="/audit", tags=["audit"])

    @routes.get("")
    @needs(Permission.SEE_AUDIT)
    def find(
        who: Who,
        asked: Asked,
        before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = PAGE,
        lang: Language = "zh_CN",
    ) -> dict[str, object]:
        """Entries, newest first; `next` is what `before` is for the entries that follow, null at the end."""
        _require_whole(context, who)
        with reading(context.engine) as conn:
            found = search.search(conn, asked, before_seq=before, limit=limit + 1)
        readers.read_by(context.engine, asked)
        more = found[limit - 1].seq if len(found) > limit else None
        return {"entries": [_entry(entry, lang) for entry in found[:limit]], "next": more}

    @routes.get("/state")
    @needs(Permission.SEE_AUDIT)
    def state(who: Who, lang: Language = "zh_CN") -> dict[str, object]:
        """How many entries there are and since when, the last check, and what there is to choose from."""
        _require_whole(context, who)
        with reading(context.engine) as conn:
            head, first = head_of(conn), search.first_at(conn)
            checked = search.latest_of(conn, VERIFIED)
            actions, actors = search.actions(conn), search.actors(conn)
        return {
            "entries": head.seq if head else None,
            "head": str(head) if head else None,
            "since": None if first is None else first // 1000,
            "verified": _checked(checked[0]) if checked else None,
            "actors": actors,
            "actions": [{"action": action, "text": action_text(action, lang)} for action in actions],
        }

    @routes.get("/verify")
    @needs(Permission.SEE_AUDIT)
    def check(who: Who, anchor: Text = "", lang: Language = "zh_CN") -> dict[str, object]:
        """Check the whole chain, and that it goes through an anchor, `SEQ:HASH`, where one is given."""
        _require_whole(context, who)
        expected = anchor_of(anchor) if anchor else None
        return _verdict(readers.verified_by(context.engine, expected), lang, who.name, expected)

    @routes.get("/export")
    @needs(Permission.SEE_AUDIT)
    def export_file(who: Who, asked: Asked, format: Literal["csv", "xlsx"], lang: Language = "zh_CN") -> FileResponse:
        """The entries as a file, oldest first, with every column that the chain is made of."""
        _require_whole(context, who)
        return _export(context, asked, format, lang)

    return routes


def _require_whole(context: Context, who: Caller) -> None:
    """The audit belongs to the installation: sign-ins lie in no township, and a part of a chain can't be checked."""
    if EVERYWHERE in who.scopes((Permission.SEE_AUDIT,)):
        return  # also where there is no county yet
    if not area_of(context, who, Permission.SEE_AUDIT).whole:
        raise OutsideYourArea(scope=context.county_code)


def _entry(entry: Entry, language: str) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at / 1000,  # milliseconds
        "actor": entry.actor,
        "actor_id": entry.actor_id,
        "door": entry.door,
        "address": entry.address,
        "request": entry.request,
        "action": entry.action,
        "text": action_text(entry.action, language),
        "object": entry.object,
        "scope": entry.scope,
        "purpose": entry.purpose,
        "outcome": entry.outcome,
        "detail": entry.detail,
        "previous": entry.previous,
        "hash": entry.hash,
    }


def _checked(entry: Entry) -> dict[str, object]:
    """The last check, as its own entry tells of it."""
    told = entry.detail
    return {
        "at": entry.at // 1000,
        "by": entry.actor,
        "whole": bool(told.get("whole")),
        "entries": told.get("entries"),
        "breach": {name: told.get(name) for name in ("seq", "kind", "until")} if "kind" in told else None,
    }


def _verdict(verdict: Verdict, language: str, by: str, anchor: Anchor | None) -> dict[str, object]:
    breach = verdict.breach
    told = None if breach is None else {"seq": breach.seq, "kind": breach.kind.value, "until": breach.until}
    return {
        "at": now_us() // 1000,
        "by": by,
        "whole": verdict.whole,
        "entries": verdict.entries,
        "head": str(verdict.head),
        "anchor": None if anchor is None else str(anchor),
        "breach": told,
        "text": "" if breach is None else breach_text(breach, language),
    }


def _export(context: Context, asked: Wanted, format: str, language: str) -> FileResponse:
    """Written first, then told with its digest, and only then given out."""
    folder = Path(tempfile.mkdtemp(prefix="pingji-"))
    try:
        path = folder / f"audit_{day_of(now_us()).isoformat()}.{format}"
        with reading(context.engine) as conn:
            n = export(conn, asked, path, words(language))
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        with writing(context.engine) as conn:
            readers.exported_by(conn, asked, path.name, n, digest)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    done = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(path, filename=path.name, media_type=_MEDIA[format], background=done)
