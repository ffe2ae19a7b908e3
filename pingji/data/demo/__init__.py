"""The demo county (示范数据): the real outline and names of Yongji, and below them a synthetic, repeatable county."""

from collections.abc import Callable

from sqlalchemy import Engine

from pingji.data.bulk import insert_rows
from pingji.data.demo.county import DemoCounty, make
from pingji.data.engine import writing
from pingji.data.tables import LAYER_TABLES, area, org_pair, org_post, org_unit, party_link, party_member, person

__all__ = ["DemoCounty", "build_county", "save_county"]

Progress = Callable[[str, float], None]


def _silent(_stage: str, _done: float) -> None:
    """Progress that nobody watches."""


def build_county(seed: int = 220221, progress: Progress | None = None) -> DemoCounty:
    """Make the county, the same for the same seed.

    Parameters
    ----------
    seed : int
    progress : callable, optional
        Told the stage and how much is done, 0–1.
    """
    return make(seed, progress or _silent)


def save_county(engine: Engine, county: DemoCounty, progress: Progress | None = None) -> None:
    """Put the county into a store in place of whatever it held under that code, all or nothing."""
    tell = progress or _silent
    tables = [area, *LAYER_TABLES.values(), person, party_member, party_link, org_unit, org_post, org_pair]
    with writing(engine) as conn:
        for n, table in enumerate(tables):
            tell(table.name, n / len(tables))
            conn.execute(table.delete().where(table.c.county == county.county))
            insert_rows(conn, table, county.county, county.rows[table.name])
    tell("done", 1.0)
