"""The demo county in a store: saved whole, replaced on the next save."""

from sqlalchemy import Engine, func, select

from pingji.data.demo import save_county
from pingji.data.engine import reading
from pingji.data.tables import LAYER_TABLES, area, party_link, person
from tests.demo import county


def test_saving_twice_leaves_one_county(engine: Engine) -> None:
    stages: list[str] = []
    for _ in range(2):
        save_county(engine, county(), lambda stage, _done: stages.append(stage))
    with reading(engine) as conn:
        for table in (area, *LAYER_TABLES.values(), person, party_link):
            held = conn.execute(select(func.count()).select_from(table)).scalar_one()
            assert held == county().count(table.name), table.name
        zone = conn.execute(select(LAYER_TABLES["danger_zones"].c.thresholds)).scalars().first()
    assert zone is not None
    assert zone["1"][0] < zone["1"][1]
    assert stages[-1] == "done"
