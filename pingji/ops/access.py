"""Who may do what, and where: roles, permissions, and the area that a grant holds in. Deny by default.

A role is a set of permissions; a grant is a role within a scope, named by the code of a county, township, community,
grid or place. What nobody granted is refused. `docs/access.md` shows the table to people.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from pingji.ops.errors import OpsError


class AccessError(OpsError):
    """Something that this caller may not do."""


class SignInNeeded(AccessError):
    """Nobody is signed in, or no longer."""


class NotPermitted(AccessError):
    """None of the caller's roles has the permission. `permission`."""


class OutsideYourArea(AccessError):
    """The caller has the permission, but not there. `scope`."""


class CrossSite(AccessError):
    """Another site made a browser send this."""


class Permission(StrEnum):
    """One thing that a role may do."""

    SEE_AGGREGATES = "see_aggregates"  # what a wall shows: counts only, small ones suppressed
    SEE_MAP = "see_map"  # layers with the fields of staff; names and phones masked
    SEE_FIGURES = "see_figures"  # exact counts
    SEE_PEOPLE = "see_people"  # lists of persons, names masked
    SEE_CONTACTS = "see_contacts"  # whom to call at a transfer point or a shelter, who is on duty there
    SEE_NAMES = "see_names"  # names and phones, with a purpose, written into the audit
    COUNT = "count"  # state where people are
    SET_PLACES = "set_places"  # open, divert, close transfer points and shelters
    SWITCH = "switch"  # press the one key, and recall it
    SEE_GRIDS = "see_grids"  # the workbench: change sets, history
    EDIT_GRIDS = "edit_grids"
    REVIEW_GRIDS = "review_grids"  # return or publish what somebody else drew
    SEE_ORGANISATION = "see_organisation"
    EDIT_ORGANISATION = "edit_organisation"
    EXPORT = "export"  # files without names
    EXPORT_PERSONAL = "export_personal"  # files with names, with a purpose, written into the audit
    SEE_JOURNAL = "see_journal"
    MANAGE_ACCOUNTS = "manage_accounts"
    SEE_AUDIT = "see_audit"
    SEE_HEALTH = "see_health"


class Role(StrEnum):
    """What a person, a device or a program is here for."""

    ADMINISTRATOR = "administrator"
    COMMANDER = "commander"
    DUTY_OFFICER = "duty_officer"
    GIS_EDITOR = "gis_editor"
    GIS_REVIEWER = "gis_reviewer"
    COMMUNITY_STAFF = "community_staff"
    SHELTER_DESK = "shelter_desk"
    FIELD = "field"
    LEADER = "leader"
    AUDITOR = "auditor"
    WALL = "wall"


_P = Permission
_LOOK = frozenset({_P.SEE_MAP, _P.SEE_FIGURES})
_COMMAND = _LOOK | {
    _P.SEE_CONTACTS,
    _P.SEE_PEOPLE,
    _P.SEE_NAMES,
    _P.SET_PLACES,
    _P.SWITCH,
    _P.SEE_GRIDS,
    _P.SEE_ORGANISATION,
    _P.SEE_JOURNAL,
    _P.EXPORT,
    _P.EXPORT_PERSONAL,
    _P.SEE_HEALTH,
}
# Powers are kept apart: who makes accounts reads no names, who reads the audit does nothing that it tells of, and who
# draws a border does not publish it.
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: _LOOK
    | {
        _P.MANAGE_ACCOUNTS,
        _P.SEE_HEALTH,
        _P.SEE_JOURNAL,
        _P.SEE_ORGANISATION,
        _P.EDIT_ORGANISATION,
        _P.EXPORT,
    },
    Role.COMMANDER: _COMMAND,
    Role.DUTY_OFFICER: _COMMAND | {_P.COUNT},
    Role.GIS_EDITOR: _LOOK | {_P.SEE_GRIDS, _P.EDIT_GRIDS, _P.SEE_ORGANISATION, _P.EXPORT},
    Role.GIS_REVIEWER: _LOOK | {_P.SEE_GRIDS, _P.REVIEW_GRIDS, _P.SEE_ORGANISATION, _P.EXPORT},
    Role.COMMUNITY_STAFF: _LOOK
    | {
        _P.SEE_CONTACTS,
        _P.SEE_PEOPLE,
        _P.SEE_NAMES,
        _P.COUNT,
        _P.SET_PLACES,
        _P.SEE_ORGANISATION,
        _P.EDIT_ORGANISATION,
        _P.SEE_JOURNAL,
    },
    Role.SHELTER_DESK: _LOOK | {_P.SEE_CONTACTS, _P.SEE_PEOPLE, _P.SEE_NAMES, _P.COUNT, _P.SET_PLACES},
    Role.FIELD: frozenset({_P.SEE_MAP, _P.SEE_CONTACTS, _P.SEE_PEOPLE, _P.SEE_NAMES, _P.COUNT}),
    Role.LEADER: _LOOK | {_P.SEE_CONTACTS, _P.SEE_GRIDS, _P.SEE_ORGANISATION, _P.SEE_JOURNAL},
    Role.AUDITOR: frozenset({_P.SEE_AUDIT, _P.SEE_JOURNAL, _P.SEE_HEALTH}),
    Role.WALL: frozenset({_P.SEE_AGGREGATES}),
}


EVERYWHERE = "*"  # the scope of a grant that was made before there was a county


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role within a scope: the code of a county, township, community, grid, transfer point or shelter, or `*`."""

    role: Role
    scope: str


@dataclass(frozen=True, slots=True)
class Area:
    """The part of a county that somebody's grants cover, as the codes that rows carry.

    Membership of codes, never a comparison of prefixes: 岔路河镇 (220273100) belongs to 220221, and `22022` is the
    prefix of several counties.
    """

    whole: bool = False
    townships: frozenset[str] = frozenset()
    communities: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    def holds(self, *, township: str = "", community: str = "", grid: str = "", places: Collection[str] = ()) -> bool:
        """Whether something that carries these codes lies in the area; the narrowest code that it has decides.

        >>> area = Area(communities=frozenset({"220221101001"}), townships=frozenset())
        >>> area.holds(township="220221101", community="220221101001"), area.holds(township="220221101")
        (True, False)
        >>> Area(whole=True).holds()
        True
        """
        return self.whole or bool(
            not self.places.isdisjoint(places)
            or (grid and grid in self.grids)
            or (community in self.communities if community else township in self.townships)
        )

    @property
    def nothing(self) -> bool:
        """Whether the area is empty."""
        return self == Area()


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks: an account, an API token, a device or a wall. `door` says by which way it came in."""

    id: str
    name: str  # as journal and audit show it; unique in a county
    grants: tuple[Grant, ...]
    door: str  # session | token | device | system

    @property
    def roles(self) -> frozenset[Role]:
        """The roles of all grants."""
        return frozenset(grant.role for grant in self.grants)

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the caller may do somewhere."""
        return frozenset().union(*(PERMISSIONS[grant.role] for grant in self.grants))

    def may(self, *permissions: Permission) -> bool:
        """Whether the caller may do one of these somewhere.

        >>> Caller("1", "Wall", (Grant(Role.WALL, "220221"),), "token").may(Permission.SEE_NAMES)
        False
        """
        return any(permission in PERMISSIONS[grant.role] for grant in self.grants for permission in permissions)

    def scopes(self, permissions: Iterable[Permission]) -> frozenset[str]:
        """The codes within which the caller may do one of these."""
        wanted = frozenset(permissions)
        return frozenset(grant.scope for grant in self.grants if wanted & PERMISSIONS[grant.role])


def require(caller: Caller | None, permissions: Collection[Permission]) -> Caller:
    """The caller, who may do one of these somewhere. No permissions: any caller.

    Raises
    ------
    SignInNeeded
        Nobody is signed in.
    NotPermitted
        None of the roles has one of the permissions.
    """
    if caller is None:
        raise SignInNeeded()
    if permissions and not caller.may(*permissions):
        raise NotPermitted(permission=sorted(permissions)[0].value)
    return caller
