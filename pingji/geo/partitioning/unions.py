"""Sets of numbers that are joined little by little."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class Unions:
    """Which of n things belong together.

    Examples
    --------
    >>> groups = Unions(4)
    >>> groups.join_all([0, 2])
    >>> groups.labels().tolist()
    [0, 1, 0, 2]
    """

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def find(self, i: int) -> int:
        """The one that stands for the whole set: the lowest number."""
        while self._parent[i] != i:
            self._parent[i] = self._parent[self._parent[i]]
            i = self._parent[i]
        return i

    def join(self, i: int, j: int) -> None:
        """Put two sets together."""
        low, high = sorted((self.find(i), self.find(j)))
        self._parent[high] = low

    def join_all(self, members: Sequence[int]) -> None:
        """Put the sets of all members together."""
        for member in members[1:]:
            self.join(members[0], member)

    def labels(self) -> NDArray[np.int64]:
        """The number of each one's set, counted from 0 in the order of first appearance."""
        roots = np.array([self.find(i) for i in range(len(self._parent))], dtype=np.int64)
        return np.unique(roots, return_inverse=True)[1].astype(np.int64)
