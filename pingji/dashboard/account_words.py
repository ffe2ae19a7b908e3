"""Accounts, tokens and devices as the API shows them."""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from pingji.data.access.accounts import Account
from pingji.data.access.managing import Manager
from pingji.data.access.sessions import Device
from pingji.data.access.tokens import Token
from pingji.data.places import places_named, places_of
from pingji.data.scopes import SWITCHABLE, find_scope, scopes_of
from pingji.ops.access import EVERYWHERE, Grant


def scope_names(conn: Connection, county: str, grants: Collection[Grant]) -> dict[str, str]:
    """The names of the scopes of grants, by code; a code of nothing has none."""
    codes = {grant.scope for grant in grants}
    named = {code: place.name for code, place in places_named(conn, county, codes).items()} if county else {}
    for code in codes - set(named) if county else ():
        found = find_scope(conn, county, code)
        if found is not None:
            named[code] = found.name
    return named


def grantable(manager: Manager) -> list[dict[str, str]]:
    """The scopes that a manager may name in a grant, widest first; grids are too many to choose from a list."""
    conn, county, reach = manager.conn, manager.county, manager.reach
    found = [(EVERYWHERE, "", "everywhere")]
    if county:
        found += [(one.code, one.name, one.level) for one in scopes_of(conn, county) if one.level in SWITCHABLE]
        found += [(place.code, place.name, place.kind) for place in places_of(conn, county).values()]
    near = [one for one in found if reach is None or reach.covers(one[0])]
    return [{"code": code, "name": name, "level": level} for code, name, level in near]


def grant_words(grants: Collection[Grant], names: Mapping[str, str]) -> list[dict[str, str]]:
    """Grants with the names of their scopes."""
    return [{"role": g.role.value, "scope": g.scope, "scope_name": names.get(g.scope, "")} for g in grants]


def account_words(known: Account, at: int, names: Mapping[str, str]) -> dict[str, object]:
    """One account, without anything that it is opened with. Times in microseconds, 0: never."""
    return {
        "id": known.id,
        "login": known.login,
        "name": known.name,
        "grants": grant_words(known.grants, names),
        "second_factor": known.second_factor,
        "must_change": known.must_change,
        "by_provider": bool(known.subject),
        "locked_until": known.standing.locked_until if known.standing.locked_until > at else 0,
        "disabled": known.disabled_at is not None,
        "created_at": known.created_at,
        "signed_in_at": known.signed_in_at,
    }


def token_words(known: Token, names: Mapping[str, str]) -> dict[str, object]:
    """One token, without its secret."""
    return {
        "id": known.id,
        "kind": known.kind,
        "name": known.name,
        "grants": grant_words(known.grants, names),
        "created_at": known.created_at,
        "expires_at": known.expires_at,
    }


def device_words(known: Device, names: Mapping[str, str]) -> dict[str, object]:
    """One device that is signed on."""
    return {
        "id": known.id,
        "name": known.name,
        "grants": grant_words(known.grants, names),
        "created_at": known.created_at,
        "expires_at": known.expires_at,
        "address": known.address,
    }
