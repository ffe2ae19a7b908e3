"""The tables of the store, one set for both engines. Import `metadata` from here: it knows all of them."""

from pingji.data.tables.access import account, account_grant, session, token
from pingji.data.tables.audit import audit, audit_head
from pingji.data.tables.base import SRID, metadata
from pingji.data.tables.counts import headcount, movement, occupancy, tally, trend, whereabouts
from pingji.data.tables.decisions import journal, mode, operation, press
from pingji.data.tables.features import LAYER_TABLES, area
from pingji.data.tables.grids import change_edit, change_set, grid_lineage, grid_proposal, past_grids
from pingji.data.tables.organisation import org_call, org_pair, org_post, org_rule, org_unit
from pingji.data.tables.people import party_link, party_member, person
from pingji.data.tables.sealing import sealing_key

__all__ = [
    "LAYER_TABLES",
    "SRID",
    "account",
    "account_grant",
    "area",
    "audit",
    "audit_head",
    "change_edit",
    "change_set",
    "grid_lineage",
    "grid_proposal",
    "headcount",
    "journal",
    "metadata",
    "mode",
    "movement",
    "occupancy",
    "operation",
    "org_call",
    "org_pair",
    "org_post",
    "org_rule",
    "org_unit",
    "party_link",
    "party_member",
    "past_grids",
    "person",
    "press",
    "sealing_key",
    "session",
    "tally",
    "token",
    "trend",
    "whereabouts",
]
