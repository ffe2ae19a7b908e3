"""Smooth random displacement of points: straight plans drawn by rule get the wander of real lines."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


def displacement(xy: FloatArray, seed: int, wavelength_m: float, amplitude_m: float, waves: int = 10) -> FloatArray:
    """A smooth random displacement at each point, the same for the same point and seed.

    Parameters
    ----------
    xy : float64, shape (n, 2)
        Points in metres.
    seed : int
        Names the field.
    wavelength_m, amplitude_m : float
        Typical distance between bends, and root-mean-square displacement of each coordinate.
    waves : int
        Plane waves that are added up.

    Returns
    -------
    float64, shape (n, 2)

    Notes
    -----
    Because the field is a continuous function of position, lines that share vertices still share them after moving:
    a coverage stays a coverage while `2π · amplitude / wavelength` stays well below 1.

    Examples
    --------
    >>> moved = displacement(np.zeros((2, 2)), 1, 500.0, 20.0)
    >>> bool((moved[0] == moved[1]).all())
    True
    """
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 2 * np.pi, waves)
    number = 2 * np.pi / (wavelength_m * rng.uniform(0.7, 1.5, waves))
    vectors = np.stack([np.cos(angle) * number, np.sin(angle) * number])
    phases = rng.uniform(0, 2 * np.pi, (2, waves))
    dot = xy @ vectors
    scale = amplitude_m * np.sqrt(2.0 / waves)
    moved = [np.sin(dot + phases[0]).sum(axis=1), np.sin(dot + phases[1]).sum(axis=1)]
    return np.asarray(scale * np.stack(moved, axis=1))
