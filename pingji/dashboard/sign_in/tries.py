"""Wrong tries that no account counts: at logins that nobody has, and from one address."""

from collections import OrderedDict

from pingji.ops import sign_in as rules
from pingji.ops.sign_in import Locked, Standing, TooManyTries

ADDRESS_TRIES = 30  # an office may share one address; a single account is locked long before
REMEMBERED = 10_000


class Tries:
    """Wrong tries by key, as far as memory is given to them; the longest untouched is forgotten first."""

    def __init__(self, most: int = rules.TRIES, remembered: int = REMEMBERED) -> None:
        self._most = most
        self._remembered = remembered
        self._standing: OrderedDict[str, Standing] = OrderedDict()

    def __len__(self) -> int:
        return len(self._standing)

    def require(self, key: str, at: int) -> None:
        """That there may be another try.

        Raises
        ------
        Locked
        """
        until = self._standing.get(key, Standing()).locked_until
        if at < until:
            raise Locked(until=until)

    def count(self, key: str, at: int) -> None:
        """One went wrong."""
        before = self._standing.pop(key, Standing())
        failed = 1 if 0 < before.locked_until <= at else before.failed + 1
        self._standing[key] = Standing(failed, at + rules.LOCK_US if failed >= self._most else 0)
        if len(self._standing) > self._remembered:
            self._standing.popitem(last=False)

    def forgive(self, key: str) -> None:
        """One was right."""
        self._standing.pop(key, None)


class Addresses:
    """Wrong tries by address. A right one forgives nothing: an account of one's own would open the others'."""

    def __init__(self) -> None:
        self._tries = Tries(ADDRESS_TRIES)

    def require(self, address: str, at: int) -> None:
        """That the address may try again.

        Raises
        ------
        TooManyTries
        """
        try:
            self._tries.require(address, at)
        except Locked as locked:
            raise TooManyTries(**locked.params) from None

    def count(self, address: str, at: int) -> None:
        """One went wrong."""
        self._tries.count(address, at)
