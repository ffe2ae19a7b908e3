"""Who reads the audit is in the audit: one entry for a search, a check, an export."""

import time

from sqlalchemy import Connection, Engine

from pingji.data.audit.append import record
from pingji.data.audit.clean import clean_detail
from pingji.data.audit.search import READ, VERIFIED, Wanted, latest_of
from pingji.data.audit.verify import Anchor, Verdict, verify
from pingji.data.engine import reading, writing
from pingji.data.origin import origin

EXPORTED = "audit_exported"
SAME_SEARCH_US = 10 * 60 * 1_000_000  # for so long more of a search, or the same again, is one reading
_LOOKED_AT = 20  # latest readings of a person among which that search is looked for


def read_by(engine: Engine, wanted: Wanted) -> None:
    """Tell of a search, before what it found is given out; more of it, or the same again, is not told twice."""
    asked = clean_detail(wanted.told)
    since = time.time_ns() // 1000 - SAME_SEARCH_US
    with reading(engine) as conn:
        told = latest_of(conn, READ, actor=origin().name, limit=_LOOKED_AT)
    if any(one.at >= since and one.actor_id == origin().id and one.detail == asked for one in told):
        return
    with writing(engine) as conn:
        record(conn, action=READ, object=wanted.object, detail=asked)


def verified_by(engine: Engine, anchor: Anchor | None = None) -> Verdict:
    """Check the chain, and tell that it was checked and with what result."""
    with reading(engine) as conn:
        verdict = verify(conn, anchor)
    tell_check(engine, verdict, anchor)
    return verdict


def tell_check(engine: Engine, verdict: Verdict, anchor: Anchor | None) -> None:
    """Tell that the chain was checked, and with what result."""
    with writing(engine) as conn:
        record(conn, action=VERIFIED, detail=_result(verdict, anchor))


def exported_by(conn: Connection, wanted: Wanted, name: str, n: int, digest: str) -> None:
    """Tell of an export: what was asked for, how many entries, and the file's SHA-256, by which it is known again."""
    record(conn, action=EXPORTED, object=name, detail={**wanted.told, "n": n, "sha256": digest})


def _result(verdict: Verdict, anchor: Anchor | None) -> dict[str, object]:
    told: dict[str, object] = {"whole": verdict.whole, "entries": verdict.entries, "head": str(verdict.head)}
    if anchor is not None:
        told["anchor"] = str(anchor)
    if verdict.breach is not None:
        told |= {"seq": verdict.breach.seq, "kind": verdict.breach.kind.value, "until": verdict.breach.until}
    return told
