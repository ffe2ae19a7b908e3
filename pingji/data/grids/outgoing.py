"""Grids of any day as files: GeoPackage and Shapefile with a style for QGIS, GeoJSON, and the register as XLSX."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from pingji.data import features
from pingji.data.errors import UnknownFormat
from pingji.data.files.export import as_array, whole_or_nothing, write_vector
from pingji.data.grids import styles
from pingji.data.grids.ground import UnknownCommunity, community_names
from pingji.data.grids.history import Version, end_of_day, grids_at
from pingji.data.grids.placing import first_of
from pingji.data.grids.register import Entry, RegisterWords, write_register
from pingji.data.grids.stored import array_of
from pingji.data.operations import operations_of
from pingji.geo.coverage.measure import central_crs, ground_m2
from pingji.ops.errors import OpsError
from pingji.ops.masking import mask_name, mask_phone

LAYER = "grids"
_EXACT = 15  # digits of a degree in GeoJSON: all that a number has
# Fields of vector files, ten letters at most: the same names in all formats, so that one style fits all.
_FIELDS: Mapping[str, Callable[[Entry], object]] = {
    "code": lambda e: e.code,
    "label": lambda e: e.code[-3:],
    "name": lambda e: e.name,
    "community": lambda e: e.community,
    "comm_name": lambda e: e.community_name,
    "leader": lambda e: e.leader,
    "leader_tel": lambda e: e.leader_phone,
    "deputy": lambda e: e.deputy,
    "deputy_tel": lambda e: e.deputy_phone,
    "households": lambda e: e.households,
    "residents": lambda e: e.residents,
    "party_hh": lambda e: e.party_households,
    "area_m2": lambda e: round(e.area_m2),
    "light": lambda e: e.light,
    "valid_from": lambda e: e.valid_from,
    "valid_to": lambda e: e.valid_to,
    "reason": lambda e: e.reason,
}


class NoGridsThen(OpsError):
    """No grid stood at the end of this day. `date`."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """Grids of one day in the order of codes: entries of the register, and polygons in EPSG:4490 lon/lat degrees."""

    entries: Sequence[Entry]
    shapes: NDArray[np.object_]
    day: date


def listing_of(conn: Connection, county: str, day: date, communities: Sequence[str] = ()) -> Listing:
    """The grids that stood at the end of a day, of some communities or of the county.

    Party households are counted in grids that stand now; how many a grid of the past had, nobody has kept.

    Raises
    ------
    UnknownCommunity
        Nothing was found, and there is no such community.
    """
    found = grids_at(conn, county, end_of_day(day), communities=communities or None)
    shapes = array_of(version.shape for version in found)
    homes = array_of(f.geometry for f in features.load_features(conn, county, "party_households", columns=()))
    stand = [i for i, version in enumerate(found) if version.ended_at is None]
    party = first_of(shapes[stand], homes)
    members = dict(zip(stand, np.bincount(party[party >= 0], minlength=len(stand)).tolist(), strict=True))
    areas = ground_m2(shapes, central_crs(shapes)).tolist() if len(shapes) else []
    names = community_names(conn, county)
    unknown = [code for code in communities if code not in names]
    if unknown and not found:  # grids can be there before their communities are
        raise UnknownCommunity(community=unknown[0])
    entries = [
        _entry(version, names, members.get(i), area) for i, (version, area) in enumerate(zip(found, areas, strict=True))
    ]
    return Listing(entries, shapes, day)


def _entry(version: Version, names: Mapping[str, str], party: int | None, area_m2: float) -> Entry:
    return Entry(
        version.code,
        version.name,
        version.community,
        names.get(version.community, ""),
        version.leader,
        version.leader_phone,
        version.deputy,
        version.deputy_phone,
        version.households,
        version.residents,
        party,
        area_m2,
        version.valid_from,
        version.valid_to,
        version.reason,
    )


def masked(listing: Listing, *, names: bool = True) -> Listing:
    """The same with phone numbers masked (138****1234), and names too unless `names`."""
    entries = [
        replace(e, leader_phone=mask_phone(e.leader_phone), deputy_phone=mask_phone(e.deputy_phone))
        for e in listing.entries
    ]
    if not names:
        entries = [replace(e, leader=mask_name(e.leader), deputy=mask_name(e.deputy)) for e in entries]
    return replace(listing, entries=entries)


def exercise_open(conn: Connection, county: str) -> bool:
    """Whether an exercise is going on: what leaves the house then says so."""
    return any(operation.is_open and operation.exercise for operation in operations_of(conn, county))


def fields_of(entry: Entry) -> dict[str, object]:
    """A grid as vector files have it."""
    return {name: value(entry) for name, value in _FIELDS.items()}


def write_grids(path: Path, listing: Listing, words: RegisterWords, *, encoding: str = "UTF-8") -> int:
    """Write grids to .gpkg, .shp, .geojson or .xlsx; how many they are.

    Parameters
    ----------
    path : Path
        The file appears whole or not at all, with what belongs to it (.dbf, .qml, …) beside it.
    listing : Listing
        Phone numbers are written as they are in it.
    words : RegisterWords
        For the register.
    encoding : str
        Of the texts of a Shapefile: UTF-8 or GBK.

    Raises
    ------
    UnknownFormat, NotAFile, CantWrite
        A suffix that we do not write, a folder that is not there or takes no files.
    NoGridsThen
        The listing is empty.
    """
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise UnknownFormat(file=path.name, value=", ".join(FORMATS))
    if not listing.entries:
        raise NoGridsThen(date=listing.day.isoformat())
    with whole_or_nothing(path) as made:
        if suffix == ".xlsx":
            write_register(made, listing.entries, words)
        else:
            fields = {name: as_array([value(e) for e in listing.entries]) for name, value in _FIELDS.items()}
            write_vector(FORMATS[suffix], made, LAYER, fields, listing.shapes, encoding=encoding, digits=_EXACT)
        if suffix == ".gpkg":
            styles.embed(made, LAYER)
        if suffix in (".gpkg", ".shp"):
            styles.put_beside(made)
    return len(listing.entries)


FORMATS: Mapping[str, str] = {".gpkg": "GPKG", ".shp": "ESRI Shapefile", ".geojson": "GeoJSON", ".xlsx": ""}
