"""Rules of grids: how many households one should have, and what new ones are called."""

import re
from collections.abc import Collection, Sequence
from typing import Literal

from pingji.ops.errors import OpsError

FEWEST, MOST = 300, 500  # households; a warning outside, never a refusal
DIGITS = 3  # of a grid within its community, after the 12 of the community
CODE_DIGITS = 12 + DIGITS

Light = Literal["empty", "few", "ok", "many"]


class CodesExhausted(OpsError):
    """A community has used up its grid codes. `community`."""


def light(households: int) -> Light:
    """Whether a grid has the size that it should have.

    >>> [light(n) for n in (0, 299, 300, 500, 501)]
    ['empty', 'few', 'ok', 'ok', 'many']
    """
    if households == 0:
        return "empty"
    return "few" if households < FEWEST else "ok" if households <= MOST else "many"


def number(community: str, places: Sequence[tuple[float, float]], used: Collection[str]) -> list[str]:
    """Codes for new grids of a community: its code and three digits, from west to east, then from north to south.

    Parameters
    ----------
    community : str
        12-digit code.
    places : sequence of (lon, lat), EPSG:4490 degrees
        Middle of each new grid.
    used : collection of str
        Every code that was ever given out in the community: none is used again, and numbers go on after the highest.

    Returns
    -------
    list of str
        In the order of `places`.

    Raises
    ------
    CodesExhausted

    Examples
    --------
    >>> number("220221100001", [(126.6, 43.6), (126.5, 43.6), (126.5, 43.7)], ["220221100001004"])
    ['220221100001007', '220221100001006', '220221100001005']
    """
    own = [code[len(community) :] for code in used if code.startswith(community)]
    highest = max((int(rest) for rest in own if rest.isdigit()), default=0)
    digits = max(DIGITS, CODE_DIGITS - len(community))  # a census tract abroad has 11 digits and leaves 4
    if highest + len(places) >= 10**digits:
        raise CodesExhausted(community=community)
    order = sorted(range(len(places)), key=lambda i: (places[i][0], -places[i][1]))
    codes = [""] * len(places)
    for n, i in enumerate(order, start=highest + 1):
        codes[i] = f"{community}{n:0{digits}d}"
    return codes


def provisional(community: str, used: Collection[str]) -> str:
    """The code of a new grid while it is in a draft; publishing numbers it.

    >>> provisional("220221100001", ["220221100001n01"])
    '220221100001n02'
    """
    n = 1
    while f"{community}n{n:02d}" in used:
        n += 1
    return f"{community}n{n:02d}"


def is_provisional(code: str) -> bool:
    """Whether a code is one of a draft.

    >>> is_provisional("220221100001n02"), is_provisional("220221100001002")
    (True, False)
    """
    return re.search(r"n\d{2,3}$", code) is not None
