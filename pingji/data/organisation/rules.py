"""The numbers of a county's organisation, as stored: only those that were changed."""

from sqlalchemy import Connection, select

from pingji.data.sql import upsert
from pingji.data.tables import org_rule
from pingji.ops.organisation.rules import NAMES, Rules


def load_rules(conn: Connection, county: str) -> Rules:
    """The rules that hold in a county."""
    c = org_rule.c
    rows = conn.execute(select(c.name, c.value).where(c.county == county))
    return Rules(**{name: value for name, value in rows if name in NAMES})


def change_rules(conn: Connection, county: str, values: dict[str, int]) -> Rules:
    """Change some of them.

    Raises
    ------
    RuleOutOfRange
    """
    rules = load_rules(conn, county).changed(**values)
    if values:
        statement = upsert(conn, org_rule)
        keys = [org_rule.c.county, org_rule.c.name]
        rows = [{"county": county, "name": name, "value": value} for name, value in values.items()]
        replaced = {"value": statement.excluded["value"]}
        conn.execute(statement.on_conflict_do_update(index_elements=keys, set_=replaced), rows)
    return rules
