"""The demo county, built once for all tests of a run."""

import hashlib
from functools import lru_cache

import numpy as np
import shapely

from pingji.data.demo import DemoCounty, build_county


@lru_cache(maxsize=1)
def county() -> DemoCounty:
    return build_county()


def shapes(table: str) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    return np.array(list(county().rows[table]["geom"]), dtype=object)


def digest(built: DemoCounty) -> str:
    """A hash of every value of every column."""
    total = hashlib.sha256()
    for table, columns in sorted(built.rows.items()):
        for name, values in sorted(columns.items()):
            total.update(f"{table}.{name}".encode())
            if name == "geom":
                total.update(b"".join(shapely.to_wkb(np.array(list(values), dtype=object)).tolist()))
            else:
                total.update(repr(list(values)).encode())
    return total.hexdigest()
