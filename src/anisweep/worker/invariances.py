"""Test that the power spectrum does not change under symmetries, and does change under the control.

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
    """Return the frame with positions, cell and orientations rotated."""
    turned = only_orientations_rotated(frame)
    turned.set_cell(TURN.apply(frame.cell.array))
    turned.positions = TURN.apply(frame.positions)
    return turned


def translated(frame: Atoms) -> Atoms:
    """Return the frame with all particles moved alike."""
    moved = frame.copy()
    moved.positions += MOVE
    return moved


def permuted(frame: Atoms) -> Atoms:
    """Return the frame with its particles in another order."""
    return frame[np.random.default_rng(5).permutation(len(frame))]


def sign_changed(frame: Atoms) -> Atoms:
    """Return the frame with -q for each quaternion q, which is the same orientation."""
    changed = frame.copy()
    changed.arrays["c_q"] *= -1
    return changed


def inverted(frame: Atoms) -> Atoms:
    """Return the mirror image through the origin.

    A lattice and an ellipsoid are their own inversions: only the positions change.
    """
    changed = frame.copy()
    changed.positions *= -1
    return changed


def only_orientations_rotated(frame: Atoms) -> Atoms:
    """Return the frame with its orientations rotated, and nothing else.

    SciPy has the real part of a quaternion last, canonical frames have it first.
    """
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
    """Return for each change the largest |difference| / max |reference| of the spectrum.

    Parameters
    ----------
    spectrum : gives the power spectrum of frames as a vector, whose order is that of frames and features
    frames : canonical
    """
    reference = spectrum(frames)
    scale = float(np.abs(reference).max()) or 1.0
    changed = {name: spectrum([change(frame) for frame in frames]) for name, change in CHANGES.items()}
    return {name: float(np.abs(values - reference).max()) / scale for name, values in changed.items()}
