"""Faces of a planar division: which touch along how much border, and gathering them into contiguous regions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray


@dataclass(frozen=True)
class Borders:
    """Shared border segments of a coverage, one entry a segment.

    Attributes
    ----------
    first, second : int64, shape (n,)
        Indices of the two faces.
    length_m : float64, shape (n,)
    middle : float64, shape (n, 2)
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    length_m: NDArray[np.float64]
    middle: NDArray[np.float64]


def shared_borders(faces: NDArray[np.object_]) -> Borders:
    """The segments that two faces of a coverage have in common.

    Examples
    --------
    >>> b = shared_borders(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]))
    >>> list(zip(b.first.tolist(), b.second.tolist(), b.length_m.tolist()))
    [(0, 1, 1.0)]
    >>> apart = shapely.MultiPolygon([shapely.box(1, 0, 2, 1), shapely.box(5, 0, 6, 1)])
    >>> len(shared_borders(np.array([shapely.box(0, 0, 1, 1), apart])).first)
    1
    """
    parts, part_face = shapely.get_parts(faces, return_index=True)  # of a multipart, get_rings gives none
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    ring_face = part_face[ring_part]
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[:-1] == ring[1:]
    a, b, face = xy[:-1][same], xy[1:][same], ring_face[ring[:-1][same]]
    swap = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    key = np.where(swap[:, None], np.hstack([b, a]), np.hstack([a, b]))
    order = np.lexsort(key.T[::-1])
    key, face = key[order], face[order]
    pair = np.flatnonzero((key[1:] == key[:-1]).all(axis=1))
    low, high = np.minimum(face[pair], face[pair + 1]), np.maximum(face[pair], face[pair + 1])
    k = key[pair]
    return Borders(low, high, np.hypot(k[:, 2] - k[:, 0], k[:, 3] - k[:, 1]), (k[:, :2] + k[:, 2:]) / 2)


def components(size: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """A component number for each of `size` faces, given the pairs, shape (n, 2), that hang together.

    Examples
    --------
    >>> components(4, np.array([[0, 1], [2, 3]])).tolist()
    [0, 0, 2, 2]
    """
    label = np.arange(size)
    while len(pairs):
        low = np.minimum(label[pairs[:, 0]], label[pairs[:, 1]])
        new = label.copy()
        np.minimum.at(new, pairs[:, 0], low)
        np.minimum.at(new, pairs[:, 1], low)
        new = new[new]
        if (new == label).all():
            break
        label = new
    return label


def gather(weights: Sequence[float], borders: dict[tuple[int, int], float], count: int) -> list[int]:
    """Contiguous regions by merging, again and again, the lightest one into the neighbour with most common border.

    Parameters
    ----------
    weights : sequence of float
        Size of each face.
    borders : dict
        Common border length of touching faces, key (low index, high index).
    count : int
        Regions wanted; more remain where the faces don't hang together.

    Returns
    -------
    list of int
        A region number from 0 for each face.

    Examples
    --------
    >>> gather([5.0, 1.0, 4.0], {(0, 1): 2.0, (1, 2): 3.0}, 2)
    [0, 1, 1]
    """
    owner = list(range(len(weights)))
    size = dict(enumerate(weights))
    links: dict[int, dict[int, float]] = {i: {} for i in owner}
    for (a, b), length in borders.items():
        links[a][b] = links[b][a] = length
    while len(size) > count:
        linked = [i for i in size if links[i]]
        if not linked:
            break
        light = min(linked, key=lambda i: (size[i], i))
        into = max(links[light], key=lambda i: (links[light][i], -i))
        size[into] += size.pop(light)
        for other, length in links.pop(light).items():
            del links[other][light]
            if other != into:
                links[into][other] = links[other][into] = links[into].get(other, 0.0) + length
        owner = [into if o == light else o for o in owner]
    number = {o: n for n, o in enumerate(sorted(size))}
    return [number[o] for o in owner]
