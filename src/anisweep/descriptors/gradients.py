"""Forces, torques, stress: derivatives of any differentiable function of the descriptors, analytic.

Without a smooth cutoff, which AniSOAP does not have, a function of the descriptors jumps where a neighbour
crosses the cutoff; derivatives are those between the jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.compute import Backward, Output, Wanted, check_output, compute, widths
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import covering
from anisweep.descriptors.projection import EllipsoidalDensityProjection


@dataclass(frozen=True)
class Gradients:
    """Derivatives of the sum over all frames of a function E, particles of all frames one after another.

    Attributes
    ----------
    positions : (particles, 3) dE/dx; forces are minus this
    rotations : (particles, 3) dE/dtheta, where a particle turns by the rotation vector theta in space;
        torques are minus this
    strain : (frames, 3, 3) dE/d epsilon, where positions and cell are multiplied by (1 + epsilon) and
        orientations stay; divided by the volume it is the stress
    diameters : (particles, 3) dE/d diameter, or None when not asked for
    arrays : the frames
    """

    positions: np.ndarray
    rotations: np.ndarray
    strain: np.ndarray
    diameters: np.ndarray | None
    arrays: FrameArrays

    @property
    def forces(self) -> np.ndarray:
        return -self.positions

    @property
    def torques(self) -> np.ndarray:
        return -self.rotations

    @property
    def quaternions(self) -> np.ndarray:
        """(particles, 4) dE/dq, in space at right angles to q: the length of q does not matter to E.

        Raises
        ------
        BadInput
            when the orientations were given as matrices
        """
        q = self.arrays.rotations
        if q.shape[1] != 4:
            raise BadInput("orientations were given as matrices: use `rotations`")

        # A turn by theta changes q by (0, theta) q / 2.
        scalar, vector = q[:, :1], q[:, 1:]
        real = -np.einsum("ij,ij->i", self.rotations, vector)[:, None]
        imaginary = scalar * self.rotations + np.cross(self.rotations, vector)
        quaternions: np.ndarray = np.hstack([real, imaginary]) * (2 / np.einsum("ij,ij->i", q, q))[:, None]
        return quaternions

    @property
    def cells(self) -> np.ndarray:
        """(frames, 3, 3) dE/d cell, vectors in rows, at fixed positions; zero where not periodic."""
        frame = np.repeat(np.arange(len(self.strain)), self.arrays.counts)
        images = self.strain.copy()
        np.subtract.at(images, frame, self.arrays.positions[:, :, None] * self.positions[:, None, :])

        # A displacement is x_j - x_i + sum_k n_k h_k, and strain is the sum of displacement and derivative.
        periodic = np.where(self.arrays.periodic[:, :, None] > 0, self.arrays.cells, 0.0)
        cells: np.ndarray = np.linalg.pinv(periodic.swapaxes(1, 2)) @ images
        return cells


def gradients(
    projection: EllipsoidalDensityProjection,
    frames: Any,
    cotangent: np.ndarray,
    output: Output = "power_spectrum",
    per_centre: bool = False,
    diameters: bool = False,
    species: Sequence[int] | None = None,
) -> tuple[np.ndarray, Gradients]:
    """Features, and derivatives of a function E of them, in one pass.

    Parameters
    ----------
    projection : which descriptors; isolated centres count as zero, never dropped
    frames : of ase.Atoms
    cotangent : dE/d features: (rows, features), or (features,) when it is the same for all rows, as for a
        linear model. For other models compute the features first (``projection.describe``)
    output, per_centre : as of ``projection.describe``
    diameters : also derive by diameters, which takes longer
    species : of the neighbours, as of ``projection.describe``

    Returns
    -------
    features : (rows, features)
    gradients : see there

    Raises
    ------
    BadInput
        what is wrong with the frames, with the output, or with the cotangent
    """
    check_output(output)
    arrays = projection.gather(frames)
    columns = covering(species, arrays.species)
    rows = int(arrays.start[-1]) if per_centre else len(arrays.counts)
    shape = (rows, sum(widths(projection.tables.radial.counts, len(columns), output)))

    backward = _backward(arrays, _checked(cotangent, shape), per_centre, diameters)
    wanted = Wanted(output, bool(per_centre), not projection.subtract_center_contribution)
    features, _ = compute(projection.tables, arrays, columns, wanted, projection.threads, backward)

    return features, Gradients(
        backward.positions, backward.rotations, backward.strain, backward.diameters, arrays
    )


def _checked(cotangent: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    try:
        checked = np.ascontiguousarray(np.broadcast_to(np.asarray(cotangent, dtype=float), shape))
    except ValueError:
        raise BadInput(
            f"the cotangent has shape {np.shape(cotangent)}: it must be {shape}, as the features, "
            f"or ({shape[1]},)"
        ) from None

    if not np.isfinite(checked).all():
        row = int(np.flatnonzero(~np.isfinite(checked).all(axis=1))[0])
        raise BadInput(f"the cotangent is not finite in row {row}: the model's derivatives must be numbers")
    return checked


def _backward(arrays: FrameArrays, cotangent: np.ndarray, per_centre: bool, diameters: bool) -> Backward:
    """Room for the derivatives. A mean's cotangent is each centre's, divided by their number."""
    particles, frames = int(arrays.start[-1]), len(arrays.counts)
    if not per_centre:
        cotangent = cotangent / np.maximum(arrays.counts, 1)[:, None]

    return Backward(
        cotangent,
        positions=np.zeros((particles, 3)),
        rotations=np.zeros((particles, 3)),
        strain=np.zeros((frames, 3, 3)),
        diameters=np.zeros((particles, 3)) if diameters else None,
    )
