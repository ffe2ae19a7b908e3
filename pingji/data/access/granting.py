"""What somebody may hand on: rights within the area that the own right to manage accounts covers, and no wider."""

from collections.abc import Collection

from sqlalchemy import Connection

from pingji.data import areas
from pingji.data.access.accounts import Account
from pingji.data.errors import DataError
from pingji.data.places import places_named
from pingji.data.scopes import ZONE, find_scope
from pingji.ops.access import EVERYWHERE, Area, Caller, Grant, OutsideYourArea, Permission

MANAGE = Permission.MANAGE_ACCOUNTS


class UnknownGrantScope(DataError):
    """Nothing has the code that a grant names. `scope`."""


class OwnRights(DataError):
    """Nobody changes the own rights: whoever makes accounts would hand out names to himself."""


class Reach:
    """Where a caller may manage accounts, in the county that is served (empty: there is none yet)."""

    def __init__(self, conn: Connection, county: str, caller: Caller) -> None:
        self._conn = conn
        self._county = county
        self._scopes = caller.scopes([MANAGE])
        self._area = areas.area_of(conn, county, self._scopes) if county else Area(whole=EVERYWHERE in self._scopes)
        self._places: dict[str, bool] = {}

    def require(self, grants: Collection[Grant]) -> None:
        """That the caller may hand out these.

        Raises
        ------
        OutsideYourArea
        UnknownGrantScope
        """
        for scope in sorted({grant.scope for grant in grants}):
            if not self.covers(scope):
                raise OutsideYourArea(scope=scope)
            if not self.exists(scope):
                raise UnknownGrantScope(scope=scope)

    def manages(self, known: Account) -> bool:
        """Whether an account lies within reach as a whole: who resets a password has all its rights."""
        return all(self.covers(grant.scope) for grant in known.grants)

    def covers(self, scope: str) -> bool:
        """Whether a scope lies within reach; of codes of nothing only whoever reaches everything learns that."""
        if EVERYWHERE in self._scopes:
            return True
        if scope == EVERYWHERE:
            return False
        if self._area.whole:
            return True
        if scope not in self._places:
            self._places[scope] = self._within(scope)
        return self._places[scope]

    def exists(self, scope: str) -> bool:
        """Whether the code is that of something in the county."""
        if scope == EVERYWHERE or not self._county:
            return scope == EVERYWHERE
        found = find_scope(self._conn, self._county, scope)
        if found is not None and found.level != ZONE:  # zones come and go with their sheets: nobody answers for one
            return True
        return scope in places_named(self._conn, self._county, [scope])

    def _within(self, scope: str) -> bool:
        found = find_scope(self._conn, self._county, scope) if self._county else None
        if found is not None:
            return areas.holds(self._area, found)
        place = places_named(self._conn, self._county, [scope]).get(scope)
        return place is not None and self._area.holds(
            township=place.township, community=place.community, places=(scope,)
        )
