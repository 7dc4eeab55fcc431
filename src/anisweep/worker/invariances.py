"""What the power spectrum must not feel, and what it must.

Turning everything (positions, cell and orientations), moving everything, another order of the particles, -q
for q, and the mirror image through the origin leave the power spectrum as it is. Turning the orientations
alone does not: a comparison that missed that would miss everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ase import Atoms
from scipy.spatial.transform import Rotation

TURN = Rotation.from_euler("zyx", [0.7, -1.1, 2.3])

MOVE = (0.3, -1.7, 12.9)


def rotated(frame: Atoms) -> Atoms:
    turned = only_orientations_rotated(frame)
    turned.set_cell(TURN.apply(frame.cell.array))
    turned.positions = TURN.apply(frame.positions)
    return turned


def translated(frame: Atoms) -> Atoms:
    moved = frame.copy()
    moved.positions += MOVE
    return moved


def permuted(frame: Atoms) -> Atoms:
    return frame[np.random.default_rng(5).permutation(len(frame))]


def sign_changed(frame: Atoms) -> Atoms:
    changed = frame.copy()
    changed.arrays["c_q"] *= -1
    return changed


def inverted(frame: Atoms) -> Atoms:
    """A lattice and an ellipsoid are their own inversions: only the positions change."""
    changed = frame.copy()
    changed.positions *= -1
    return changed


def only_orientations_rotated(frame: Atoms) -> Atoms:
    """SciPy has the real part of a quaternion last, canonical frames have it first."""
    turned = frame.copy()
    quaternions = Rotation.from_quat(np.roll(frame.arrays["c_q"], -1, axis=1))
    turned.arrays["c_q"] = np.roll((TURN * quaternions).as_quat(), 1, axis=1)
    return turned


#: By the names of the table's columns.
CHANGES: dict[str, Callable[[Atoms], Atoms]] = {
    "rotation": rotated,
    "translation": translated,
    "permutation": permuted,
    "sign": sign_changed,
    "inversion": inverted,
    "orientations_alone": only_orientations_rotated,
}


def largest_changes(spectrum: Callable[[list[Atoms]], np.ndarray], frames: list[Atoms]) -> dict[str, Any]:
    """For each change the largest |difference| / max |reference| of the spectrum.

    Parameters
    ----------
    spectrum : gives the power spectrum of frames as a vector, whose order is that of frames and features
    frames : canonical
    """
    reference = spectrum(frames)
    scale = float(np.abs(reference).max()) or 1.0
    changed = {name: spectrum([change(frame) for frame in frames]) for name, change in CHANGES.items()}
    return {name: float(np.abs(values - reference).max()) / scale for name, values in changed.items()}
