"""Orientations at random, and where Euler's angles, quaternions or matrices may fail."""

import numpy as np
from hypothesis import strategies as st

#: A body's z axis along or against that of space, on the equator, half turns, and quarters of them.
SPECIAL = {
    "identity": [1, 0, 0, 0],
    "its other quaternion": [-1, 0, 0, 0],
    "half a turn about x": [0, 1, 0, 0],
    "half a turn about y": [0, 0, 1, 0],
    "half a turn about z": [0, 0, 0, 1],
    "half a turn about a diagonal": [0, 1, 1, 0],
    "a quarter about x": [1, 1, 0, 0],
    "a quarter about y": [1, 0, 1, 0],
    "a quarter about z": [1, 0, 0, -1],
    "a third about a diagonal": [1, 1, 1, 1],
}

TILTS = [0.0, 1e-300, 1e-17, 1e-16, 1e-14, 1e-12, 1e-10, 1e-8, 1e-4]


def random_orientations(seed):
    """Two quaternions of any length."""
    return np.random.default_rng(seed).normal(size=(2, 4))


@st.composite
def near_special(draw):
    """A quaternion that is special but for a tilt, of any length."""
    special = draw(st.sampled_from(sorted(SPECIAL.values())))
    axis = draw(st.sampled_from([*np.eye(4).tolist(), [0.5, -0.5, 0.5, 0.5]]))
    tilted = np.array(special, dtype=float) + draw(st.sampled_from(TILTS)) * np.array(axis)
    return draw(st.sampled_from([1e-40, 0.5, 3.0])) * tilted


pairs_of_special = st.tuples(near_special(), near_special()).map(np.array)

#: Two quaternions: at random, or special ones.
orientations = st.integers(0, 10**6).map(random_orientations) | pairs_of_special
