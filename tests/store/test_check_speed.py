"""The check of a whole county, 101,534 households, stays quick enough to be run after every import."""

import time

from sqlalchemy import Engine

from pingji.data.check import check
from pingji.data.demo import save_county
from pingji.data.engine import reading
from tests.demo import county

CHECK_S = 10.0


def test_the_demo_county_is_checked_within_ten_seconds(engine: Engine) -> None:
    save_county(engine, county())
    began = time.perf_counter()
    with reading(engine) as conn:
        found = check(conn, "220221")
    took = time.perf_counter() - began
    print(f"\ncheck of the demo county on {engine.dialect.name}: {took:.1f} s")
    assert [finding for finding in found if finding.severity == "error"] == []
    assert took < CHECK_S
