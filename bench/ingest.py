"""Durable movements by the API: 50 devices at one place, server and clients together."""

import time
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import select, text

from bench.figures import Figure, ms
from bench.load import Plan, Result, run
from bench.setting import STORES, Server, Setting, cpu_seconds
from pingji.data.engine import open_engine, reading, writing
from pingji.data.tables import whereabouts

DEVICES, BATCH = 50, 200
SINGLES_SHARE, BATCHED_PER_S = 0.6, 15_000
NAMES = {"count": "clicker counts", "arrive": "named arrivals"}


def rows(setting: Setting, quick: bool) -> Iterator[Figure]:
    for store in STORES:
        with setting.server(store) as server:
            server.press("emergency")
            yield from _of_store(server, store, quick)


def _of_store(server: Server, store: str, quick: bool) -> Iterator[Figure]:
    place = server.transfer_points()[0]
    persons = _persons(server.store)
    commits = raw_commits(server.store, 200 if quick else 1_000)
    scale = 4 if quick else 1
    run(Plan(server.port, server.token, DEVICES, 20))  # warm
    run(Plan(server.port, server.token, DEVICES, 4, batch=1, places=(place,)))
    empty = run(Plan(server.port, server.token, DEVICES, 400 // scale))
    empty_rate = empty.requests / empty.seconds
    singles = Plan(server.port, server.token, DEVICES, 200 // scale, batch=1, places=(place,))
    half = len(persons) // 5
    for kind, some in (("count", ()), ("arrive", persons[:half])):
        requests = min(singles.requests, len(some) // DEVICES) if some else singles.requests
        result, cpu = _measure(server, replace(singles, kind=kind, persons=some, requests=requests))
        rate = result.requests / result.seconds
        yield Figure(
            f"single {NAMES[kind]}, {store}",
            f"{rate:,.0f}/s = {rate / empty_rate:.2f} × empty route",
            f"≥ {SINGLES_SHARE} ×" if kind == "count" else "",
            f"empty route {empty_rate:,.0f}/s; raw single-row commits {commits:,.0f}/s",
            rate >= SINGLES_SHARE * empty_rate if kind == "count" else None,
            f"p50 {ms(result.p50_s)}, p99 {ms(result.p99_s)}; {cpu}",
        )
    batched = Plan(server.port, server.token, DEVICES, max(1, 16 // scale), batch=BATCH, places=(place,))
    # Enough people for whole batches of every device; families stay together, as at a door.
    for kind, some in (("count", ()), ("arrive", persons[half:])):
        requests = max(1, len(some) // (DEVICES * BATCH)) if some else batched.requests
        result, cpu = _measure(server, replace(batched, kind=kind, persons=some, requests=requests))
        rate = result.movements / result.seconds
        yield Figure(
            f"{NAMES[kind]} in batches of {BATCH}, {store}",
            f"{rate:,.0f} movements/s",
            f"≥ {BATCHED_PER_S:,}/s",
            f"raw single-row commits {commits:,.0f}/s",
            rate >= BATCHED_PER_S,
            f"{result.movements:,} movements, p99 of a batch {ms(result.p99_s)}; {cpu}",
        )


def _measure(server: Server, plan: Plan) -> tuple[Result, str]:
    before = cpu_seconds(server.process.pid)
    result = run(plan)
    if result.bad:
        raise RuntimeError(f"{result.bad} of {result.requests} requests were not taken whole")
    spent = cpu_seconds(server.process.pid) - before
    each = 1e6 * spent / result.movements
    return result, f"server {each:.0f} µs CPU a movement, clients {1e6 * result.client_cpu_s / result.movements:.0f}"


def _persons(store: str) -> tuple[str, ...]:
    """Everybody on the roll call, family by family."""
    engine = open_engine(store)
    with reading(engine) as conn:
        c = whereabouts.c
        found = tuple(conn.scalars(select(c.person).order_by(c.household, c.person)))
    engine.dispose()
    return found


def raw_commits(store: str, n: int) -> float:
    """Single-row transactions a second, one after the other: what a durable commit costs here."""
    engine = open_engine(store)
    with writing(engine) as conn:
        conn.execute(text("CREATE TABLE bench_commit (n integer primary key)"))
    began = time.perf_counter()
    for i in range(n):
        with writing(engine) as conn:
            conn.execute(text("INSERT INTO bench_commit VALUES (:n)"), {"n": i})
    rate = n / (time.perf_counter() - began)
    with writing(engine) as conn:
        conn.execute(text("DROP TABLE bench_commit"))
    engine.dispose()
    return rate
