"""Proposals of grids: how long one takes, and how good it is beside METIS alone and beside k-means."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import pymetis
import shapely
from numpy.typing import NDArray

from bench.figures import Figure, ms
from bench.setting import Setting
from pingji.geo.crs import to_metric
from pingji.geo.partitioning import Candidate, Scene, crossings, propose
from pingji.geo.partitioning.atoms import Atoms, atoms_of
from pingji.geo.partitioning.measure import scores_of
from pingji.geo.partitioning.model import as_array
from tests.neighbourhoods import CRS, neighbourhood

HOUSEHOLDS, LOW, HIGH, MEDIUM = 6_000, 300, 500, 400
SCENES, QUICK = 5, 2
SECONDS, IN_RANGE = 10.0, 0.95


def rows(setting: Setting, quick: bool) -> Iterator[Figure]:
    taken: list[float] = []
    steps: list[int] = []
    best: list[Candidate] = []
    ours: list[tuple[float, int, float]] = []
    peers: dict[str, list[tuple[float, int, float]]] = {name: [] for name in PEERS}
    for seed in range(1, (QUICK if quick else SCENES) + 1):
        scene = neighbourhood(HOUSEHOLDS, seed=seed)
        told: list[float] = []
        began = time.perf_counter()
        found = propose(scene, LOW, HIGH, progress=lambda share, _: told.append(share))  # noqa: B023
        taken.append(time.perf_counter() - began)
        steps.append(len(told))
        best.append(found[0])
        ours.append((found[0].scores.in_range, max(c.scores.crossings for c in found), found[0].scores.on_roads))
        for name, peer in PEERS.items():
            peers[name].append(_measured(scene, peer))
    in_range = min(c.scores.in_range for c in best)
    over = max(row[1] for row in ours)
    yield Figure(
        f"proposal for {HOUSEHOLDS:,} households, {len(taken)} made communities with a river and two bridges",
        f"{ms(max(taken))} at most, {min(steps)} steps of progress; {_text(ours)}",
        f"≤ {SECONDS:.0f} s, ≥ {IN_RANGE:.0%} of grids in range, none over the river without a bridge",
        "; ".join(f"{name}: {_text(measured)}" for name, measured in peers.items()),
        max(taken) <= SECONDS and in_range >= IN_RANGE and over == 0,
        f"the best candidate of each; worst in range {in_range:.0%}; crossings over all candidates",
    )


def _text(measured: list[tuple[float, int, float]]) -> str:
    in_range, over, on_roads = zip(*measured, strict=True)
    return f"in range {np.mean(in_range):.0%}, {sum(over)} over the river, {np.mean(on_roads):.0%} of borders on roads"


def _measured(scene: Scene, peer: Callable[[Scene, Atoms], NDArray[np.int64]]) -> tuple[float, int, float]:
    """A peer's division of the same atoms, by our scores."""
    atoms = atoms_of(scene, MEDIUM // 8, lambda share, step: None)
    label = np.unique(peer(scene, atoms), return_inverse=True)[1].reshape(-1).astype(np.int64)
    nowhere = np.full(len(scene.homes), -1, dtype=np.int64)
    scores = scores_of(atoms, label, scene.households, nowhere, LOW, HIGH)
    face = label[atoms.atom]
    grids = [shapely.coverage_union_all(atoms.faces[face == grid]) for grid in range(scores.grids)]
    return scores.in_range, crossings(scene, grids), scores.on_roads


def _metis(scene: Scene, atoms: Atoms) -> NDArray[np.int64]:
    """METIS as it comes: neighbours by touching, every border costs the same, parts as even as it makes them."""
    near: list[set[int]] = [set() for _ in atoms.households]
    for a, b in atoms.atom[atoms.borders.sides[atoms.borders.inner]].tolist():
        if a != b:
            near[a].add(b)
            near[b].add(a)
    starts = np.cumsum([0, *(len(n) for n in near)]).tolist()
    graph = pymetis.CSRAdjacency(starts, [b for n in near for b in sorted(n)])
    count = int(scene.households.sum()) // MEDIUM
    return np.asarray(pymetis.part_graph(count, graph, vweights=atoms.households.tolist())[1], dtype=np.int64)


def _kmeans(scene: Scene, atoms: Atoms) -> NDArray[np.int64]:
    """Lloyd's k-means of the atoms' middles, weighted by households: compact, and blind to all else."""
    at = [atoms.faces[atoms.atom == atom] for atom in range(len(atoms.households))]
    middles = shapely.centroid(as_array([shapely.coverage_union_all(faces) for faces in at]))
    xy = shapely.get_coordinates(to_metric(middles, CRS))
    rng, weights = np.random.default_rng(1), np.maximum(atoms.households, 1e-6)
    centres = xy[rng.choice(len(xy), int(scene.households.sum()) // MEDIUM, replace=False)]
    for _ in range(50):
        label = np.linalg.norm(xy[:, None] - centres[None], axis=2).argmin(axis=1)
        for k in np.unique(label):
            centres[k] = np.average(xy[label == k], axis=0, weights=weights[label == k])
    return np.asarray(label, dtype=np.int64)


PEERS: dict[str, Callable[[Scene, Atoms], NDArray[np.int64]]] = {"METIS alone": _metis, "k-means": _kmeans}
