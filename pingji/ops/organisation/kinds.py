"""Levels, chains, and the kinds of units and posts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """县 · 乡镇（街道） · 社区（村） · 区域 · 网格 · 楼栋 · 单元 · 户; a department 部门 stands on no ground."""

    COUNTY = "county"
    TOWNSHIP = "township"
    COMMUNITY = "community"
    BRANCH = "branch"
    GRID = "grid"
    BUILDING = "building"
    STAIRWELL = "stairwell"
    HOUSEHOLD = "household"
    DEPARTMENT = "department"


class Chain(StrEnum):
    """平时 · 急时; posts that command nobody are in neither."""

    ROUTINE = "routine"
    EMERGENCY = "emergency"
    NEITHER = ""


class UnitKind(StrEnum):
    """What a unit is."""

    PARTY_COMMITTEE = "party_committee"
    COMMUNITY_PARTY = "community_party"
    REGIONAL_BRANCH = "regional_branch"
    GRID_BRANCH = "grid_branch"
    BUILDING_GROUP = "building_group"
    JOINT_COMMITTEE = "joint_committee"
    DEPARTMENT = "department"
    STAIRWELL = "stairwell"
    PLACE = "place"  # a place of which nobody said what it is


class PostKind(StrEnum):
    """What somebody is there for."""

    COUNTY_SECRETARY = "county_secretary"
    COUNTY_COMMANDER = "county_commander"
    TOWNSHIP_SECRETARY = "township_secretary"
    TEMPORARY_SECRETARY = "temporary_secretary"
    COMMUNITY_SECRETARY = "community_secretary"
    FIRST_SECRETARY = "first_secretary"
    REGIONAL_SECRETARY = "regional_secretary"
    GRID_SECRETARY = "grid_secretary"
    COMPOUND_LEADER = "compound_leader"
    COMMITTEE_MEMBER = "committee_member"
    ESCORT_CADRE = "escort_cadre"
    COMMUNITY_CADRE = "community_cadre"
    GRID_LEADER = "grid_leader"
    GROUP_LEADER = "group_leader"
    BUILDING_HEAD = "building_head"
    STAIRWELL_HEAD = "stairwell_head"
    DEPARTMENT_HEAD = "department_head"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Nature:
    """Where posts of a kind are (None: anywhere), and the chain that they command in."""

    level: Level | None
    chain: Chain = Chain.NEITHER


_K, _L, _C = PostKind, Level, Chain
NATURE: Mapping[PostKind, Nature] = {
    _K.COUNTY_SECRETARY: Nature(_L.COUNTY, _C.ROUTINE),
    _K.COUNTY_COMMANDER: Nature(_L.COUNTY, _C.EMERGENCY),
    _K.TOWNSHIP_SECRETARY: Nature(_L.TOWNSHIP, _C.ROUTINE),
    _K.TEMPORARY_SECRETARY: Nature(_L.TOWNSHIP, _C.EMERGENCY),
    _K.COMMUNITY_SECRETARY: Nature(_L.COMMUNITY, _C.ROUTINE),
    _K.FIRST_SECRETARY: Nature(_L.COMMUNITY, _C.EMERGENCY),
    _K.REGIONAL_SECRETARY: Nature(_L.BRANCH, _C.ROUTINE),
    _K.GRID_SECRETARY: Nature(_L.GRID, _C.ROUTINE),
    _K.COMPOUND_LEADER: Nature(_L.GRID, _C.EMERGENCY),
    _K.COMMITTEE_MEMBER: Nature(_L.GRID),
    _K.ESCORT_CADRE: Nature(_L.GRID),
    _K.COMMUNITY_CADRE: Nature(_L.GRID),
    _K.GRID_LEADER: Nature(_L.GRID),
    _K.GROUP_LEADER: Nature(_L.BUILDING, _C.ROUTINE),
    _K.BUILDING_HEAD: Nature(_L.BUILDING, _C.EMERGENCY),
    _K.STAIRWELL_HEAD: Nature(_L.STAIRWELL),
    _K.DEPARTMENT_HEAD: Nature(_L.DEPARTMENT),
    _K.OTHER: Nature(None),
}
# 六位一体, in the order in which they are named.
ROLES = (
    _K.COMMITTEE_MEMBER,
    _K.ESCORT_CADRE,
    _K.COMMUNITY_CADRE,
    _K.GRID_LEADER,
    _K.BUILDING_HEAD,
    _K.STAIRWELL_HEAD,
)
# Whoever commands, or leads a grid, has somebody to hand over to; the others have each other.
NEEDS_DEPUTY = frozenset({kind for kind, nature in NATURE.items() if nature.chain is not Chain.NEITHER}) | {
    PostKind.GRID_LEADER
}
# The levels of each chain from the top: the emergency chain is flat, it has no regional branch.
LEVELS: Mapping[Chain, tuple[Level, ...]] = {
    _C.ROUTINE: (_L.COUNTY, _L.TOWNSHIP, _L.COMMUNITY, _L.BRANCH, _L.GRID, _L.BUILDING),
    _C.EMERGENCY: (_L.COUNTY, _L.TOWNSHIP, _L.COMMUNITY, _L.GRID, _L.BUILDING),
}
DEPTH: Mapping[Level, int] = {level: n for n, level in enumerate(Level)}


def seat(unit: str, kind: PostKind, n: int = 1) -> str:
    """The code of a post.

    >>> seat("220221100001", PostKind.FIRST_SECRETARY)
    '220221100001:first_secretary:1'
    """
    return f"{unit}:{kind.value}:{n}"


def seat_parts(code: str) -> tuple[str, PostKind, int] | None:
    """Unit, kind and number of a post's code; None where it is none.

    >>> seat_parts("220221100001:first_secretary:1")[0]
    '220221100001'
    >>> seat_parts("220221100001") is None
    True
    """
    unit, kind, n = ([*code.rsplit(":", 2), "", ""])[:3]
    if not unit or kind not in set(PostKind) or not (n.isascii() and n.isdigit()) or n != str(int(n)) or n == "0":
        return None
    return unit, PostKind(kind), int(n)


def is_house(units: int) -> bool:
    """Whether a building of so many stairwells is a house, which needs no head: 0 means that nobody counted.

    >>> is_house(1), is_house(3), is_house(0)
    (True, False, False)
    """
    return units == 1
