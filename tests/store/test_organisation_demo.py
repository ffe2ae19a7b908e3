"""The organisation of the demo county: its numbers, what it lacks, and that its lists come quickly."""

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import pytest
from sqlalchemy import Connection, Engine

from pingji.data import schema
from pingji.data.demo import save_county
from pingji.data.engine import open_engine, reading
from pingji.data.organisation import burden, committees, completeness, sponsors, tree, vacancies
from pingji.data.organisation import posts as seats
from pingji.data.organisation.ground import EVERYWHERE, Ground, Reach, load_ground
from pingji.ops.organisation.committees import NO_FIRST_SECRETARY, NOT_PAIRED
from tests.demo import county

SLOW_S = 0.4  # a list on a busy machine; 0.1 s on a quiet one


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('demo') / 'pingji.db'}")
    schema.upgrade(engine)
    save_county(engine, county())
    return engine


def test_85_departments_and_9_joint_committees(demo: Engine) -> None:
    with reading(demo) as conn:
        ground = load_ground(conn, "220221")
        found = committees.committees_of(conn, ground, ground.reach(EVERYWHERE))
        offices = tree.departments(conn, ground)
    assert len(offices) == len({d for one in found for d in one.departments}) == 85
    assert len(found) == 9
    assert sum(len(ground.grids_of[one.community]) for one in found) == 72
    assert [one.warnings for one in found] == [*[()] * 7, (NOT_PAIRED,), (NO_FIRST_SECRETARY,)]


def test_somebody_holds_five_posts_and_some_are_vacant(demo: Engine) -> None:
    with reading(demo) as conn:
        ground = load_ground(conn, "220221")
        reach = ground.reach(EVERYWHERE)
        (one,) = burden.overloaded(conn, ground, reach)
        counts = vacancies.counts_by_level(conn, ground, reach, seats.today())
        grids = completeness.big_grids(conn, ground, reach)
        figures = sponsors.by_grid(conn, ground, reach)
    assert len(one.posts) == 5
    vacant, posts = (sum(level[name] for level in counts.values()) for name in ("no_holder", "posts"))
    assert 0.005 < vacant / posts < 0.04
    complete = sum(big.filled == 6 for big in grids)
    assert 0.4 < complete / len(grids) < 0.9
    assert 0 < sum(f.covered for f in figures) < sum(f.households for f in figures) == 101_534


LISTS: dict[str, Callable[[Connection, Ground, Reach], object]] = {
    "tree": lambda conn, ground, reach: tree.below(conn, ground, reach, "220221"),
    "vacancies": lambda conn, ground, reach: vacancies.listed(conn, ground, reach, seats.today(), None),
    "counts": lambda conn, ground, reach: vacancies.counts_by_level(conn, ground, reach, seats.today()),
    "completeness": completeness.big_grids,
    "overloaded": burden.overloaded,
    "committees": committees.committees_of,
    "sponsors": sponsors.by_grid,
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_come_quickly(demo: Engine, name: str) -> None:
    with reading(demo) as conn:
        ground = load_ground(conn, "220221")
        reach = ground.reach(EVERYWHERE)
        taken = []
        for _ in range(4):  # the first opens what is sealed
            begin = perf_counter()
            assert LISTS[name](conn, ground, reach)
            taken.append(perf_counter() - begin)
    assert min(taken) < SLOW_S


def test_the_names_are_labelled_as_made_up(demo: Engine, tmp_path: Path) -> None:
    table = county().rows["org_post"]
    held = [name for column in ("holder", "deputy") for name in table[column] if name]
    assert len(held) > 8000
    assert all(name.endswith("（示范）") for name in held)
