"""The ground of communities as it stood at a moment, with the figures of that time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from pingji.data.grids.figures import Figures, figures_of
from pingji.data.grids.ground import Ground, load_ground
from pingji.data.grids.history import Moment, Version, grids_at
from pingji.data.grids.placing import placed
from pingji.data.grids.stored import array_of
from pingji.geo.coverage import Coverage
from pingji.ops.grids import light


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Grids of another day: the ground with outlines, people and buildings of today, and the grids' own figures."""

    ground: Ground
    figures: Mapping[str, Figures]


def ground_at(conn: Connection, county: str, communities: Sequence[str], moment: Moment) -> Past:
    """The ground of some communities with the grids that stood at a moment.

    Households and residents of a grid are those that were kept with it when it ended, since people have moved
    meanwhile; party households are those of today.

    Raises
    ------
    UnknownCommunity
    """
    today = load_ground(conn, county, communities)
    versions = {version.code: version for version in _near(conn, county, today, moment)}
    codes = sorted(versions)
    shapes = array_of(versions[code].shape for code in codes)
    coverage = Coverage.of(codes, shapes, [versions[code].community for code in codes], today.coverage.crs)
    ground = replace(
        today,
        published=coverage,
        coverage=coverage,
        rows={code: _row(version) for code, version in versions.items()},
        homes=placed(coverage, today.people.points),
        party=placed(coverage, today.people.party),
    )
    return Past(ground, {code: _kept(now, versions[code]) for code, now in figures_of(ground).items()})


def _near(conn: Connection, county: str, today: Ground, moment: Moment) -> list[Version]:
    """Grids of the communities, and those around them."""
    found = grids_at(conn, county, moment, communities=today.communities)
    for outline in today.outlines.values():
        west, south, east, north = outline.bounds
        found += grids_at(conn, county, moment, box=(west, south, east, north))
    return found


def _kept(now: Figures, version: Version) -> Figures:
    fits = int(light(version.households) == "ok")
    return replace(now, households=version.households, residents=version.residents, in_range=fits)


def _row(version: Version) -> dict[str, object]:
    return {
        "name": version.name,
        "community": version.community,
        "leader": version.leader,
        "leader_phone": version.leader_phone,
        "deputy": version.deputy,
        "deputy_phone": version.deputy_phone,
        "valid_from": version.valid_from,
        "revision": version.revision,
    }
