"""The county's balance sheet after many movements: it is read from counts, so it must not slow down with the log."""

import time
from collections.abc import Iterator

from sqlalchemy import select
from uuid_utils import uuid7

from bench.figures import Figure, ms, percentile
from bench.load import Plan, run
from bench.setting import COUNTY, STORES, Setting, serving
from pingji.dashboard import queries
from pingji.dashboard.context import now_us
from pingji.data.engine import open_engine, reading, writing
from pingji.data.ingest import record
from pingji.data.places import places_of
from pingji.data.scopes import COUNTY as LEVEL
from pingji.data.scopes import Scope
from pingji.data.tables import whereabouts
from pingji.ops.movement import Kind, Movement

FIRST, LAST, TARGET_S = 100_000, 1_000_000, 0.050
BATCH = 4_000


def rows(setting: Setting, quick: bool) -> Iterator[Figure]:
    steps = (20_000, 60_000) if quick else (FIRST, LAST)
    for kind in STORES[:1] if quick else STORES:
        with setting.store(kind) as store:
            with serving(store) as server:
                server.press("emergency")
            done, before = 0, 0.0
            for total in steps:
                began = time.monotonic()
                insert(store, done, total)
                filled = (total - done) / (time.monotonic() - began)
                done = total
                query = _query(store)
                with serving(store) as server:
                    run(Plan(server.port, server.token, 1, 10, path="/api/v1/balance"))
                    answer = run(Plan(server.port, server.token, 1, 100, path="/api/v1/balance"))
                yield Figure(
                    f"balance sheet of the county after {total:,} movements, {kind}",
                    f"p50 {ms(answer.p50_s)}, p99 {ms(answer.p99_s)} by HTTP; query p50 {ms(query)}",
                    f"≤ {ms(TARGET_S)}"
                    if not before
                    else f"≤ {ms(TARGET_S)}, no slower than {ms(before)} (± 20 % or 1 ms)",
                    f"GROUP BY over the log: {ms(_from_the_log(store))}",
                    answer.p50_s <= TARGET_S and (not before or answer.p50_s <= 1.2 * before + 0.001),
                    f"written at {filled:,.0f} movements/s, a tenth by name",
                )
                before = answer.p50_s


def insert(store: str, done: int, total: int) -> None:
    """Movements through the writer's own path in big batches: nine clicks to one person who moves about."""
    engine = open_engine(store)
    with reading(engine) as conn:
        places = sorted(places_of(conn, COUNTY))
        persons = list(conn.scalars(select(whereabouts.c.person).order_by(whereabouts.c.person)))
    at = now_us()
    for begin in range(done, total, BATCH):
        batch = []
        for n in range(begin, min(begin + BATCH, total)):
            subject = {"person": persons[n // 10 % len(persons)]} if n % 10 == 0 else {"count": 1}
            kind = Kind.COUNT if n % 10 else Kind.ARRIVE
            batch.append(
                Movement(str(uuid7()), f"d{n % 50}", n, kind, at, at + n, places[n // 7 % len(places)], **subject)
            )
        with writing(engine) as conn:
            outcome = record(conn, COUNTY, batch, at)
        if len(outcome.accepted) != len(batch):
            raise RuntimeError(f"refused: {outcome.refused[:3]}")
    engine.dispose()


def _query(store: str) -> float:
    engine, taken = open_engine(store), []
    county = Scope(COUNTY, COUNTY, LEVEL, "")
    for _ in range(30):
        with reading(engine) as conn:
            began = time.perf_counter()
            queries.balance(conn, county, county, now_us())
            taken.append(time.perf_counter() - began)
    engine.dispose()
    return percentile(taken, 0.5)


def _from_the_log(store: str) -> float:
    """The peer: the same county's present counts, asked of the log of movements."""
    from sqlalchemy import func

    from pingji.data.tables import movement as log

    engine = open_engine(store)
    with reading(engine) as conn:
        began = time.perf_counter()
        conn.execute(select(log.c.place, log.c.kind, func.sum(log.c.count)).group_by(log.c.place, log.c.kind)).all()
        taken = time.perf_counter() - began
    engine.dispose()
    return taken
