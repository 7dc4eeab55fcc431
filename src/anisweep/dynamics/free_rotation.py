r"""Turn bodies that no torque acts on: NO_SQUISH (Miller et al., J. Chem. Phys. 116, 8649, 2002).

The rotational energy is a sum over body axes, and each term alone turns a body about that axis by an angle
that is known: a symmetric product of five such turns is symplectic, and accurate to second order in the step.
The angular momentum in the lab frame stays as it is.

Orientations are quaternions (w, x, y, z) of length one, from the body to the lab frame.
"""

from __future__ import annotations

import numpy as np

from anisweep.datasets.canonical import normalised
from anisweep.datasets.user_files.orientations import from_matrices

#: Products with i, j and k from the right, q e, and from the left, e q, as matrices for rows q.
RIGHT = np.zeros((3, 4, 4))
LEFT = np.zeros((3, 4, 4))
for axis, (first, second) in enumerate([(2, 3), (3, 1), (1, 2)]):
    RIGHT[axis, [axis + 1, 0, second, first], [0, axis + 1, first, second]] = [-1, 1, 1, -1]
    LEFT[axis, [axis + 1, 0, second, first], [0, axis + 1, first, second]] = [-1, 1, -1, 1]

#: Body axes in the order of the turns, each with its part of the step.
TURNS = ((2, 0.5), (1, 0.5), (0, 1.0), (1, 0.5), (2, 0.5))


def turned(
    quaternions: np.ndarray, momenta: np.ndarray, inverse_inertia: np.ndarray, step: float
) -> np.ndarray:
    """Return the orientations one step later.

    Parameters
    ----------
    quaternions : (particles, 4)
    momenta : (particles, 3) angular momenta in the lab frame
    inverse_inertia : (3, particles) about the body axes; 0 about an axis that a body does not turn about
    """
    both = np.stack([quaternions, np.einsum("pk,kpq->pq", momenta, quaternions @ LEFT)])

    for axis, part in TURNS:
        across = both @ RIGHT[axis]
        half = np.vecdot(both[1], across[0]) * ((part * step / 2) * inverse_inertia[axis])
        both = np.cos(half)[:, None] * both + np.sin(half)[:, None] * across

    after: np.ndarray = both[0] / np.sqrt(np.vecdot(both[0], both[0]))[:, None]
    return after


def matrices_of(quaternions: np.ndarray) -> np.ndarray:
    """Return rotation matrices from the body to the lab frame, (particles, 3, 3)."""
    matrices: np.ndarray = np.einsum("jpq,kpq->pjk", quaternions @ LEFT, quaternions @ RIGHT)
    return matrices


def unit_quaternions(rotations: np.ndarray) -> np.ndarray:
    """Return orientations, quaternions of any length or matrices, as quaternions of length one."""
    if rotations.shape[1] == 9:
        return from_matrices(rotations.reshape(-1, 3, 3))
    return normalised(rotations)
