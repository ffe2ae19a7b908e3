"""Smooth displacement."""

import numpy as np

from pingji.geo.noise import displacement


def test_size_is_about_the_amplitude_and_the_field_is_smooth() -> None:
    xy = np.random.default_rng(1).uniform(0, 50_000, (5000, 2))
    moved = displacement(xy, 7, 2000.0, 100.0)
    assert 70 < moved.std() < 130
    assert np.abs(displacement(xy + 1.0, 7, 2000.0, 100.0) - moved).max() < 3.0
    assert (displacement(xy, 7, 2000.0, 100.0) == moved).all()
    assert (displacement(xy, 8, 2000.0, 100.0) != moved).any()
