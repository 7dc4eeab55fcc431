"""Compute forces, torques and stress: analytic derivatives of any differentiable function of the descriptors.

Without a smooth cutoff, which AniSOAP does not have, a function of the descriptors jumps where a neighbour
crosses the cutoff; derivatives are those between the jumps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import covering
from anisweep.descriptors.kernels.run import (
    Backward,
    Forward,
    JacobianRows,
    Output,
    WantedOutput,
    add_rows,
    check_output,
    compute,
    widths,
)
from anisweep.descriptors.masks import real_numbers, unmasked
from anisweep.descriptors.projection import EllipsoidalDensityProjection


@dataclass(frozen=True)
class Gradients:
    r"""Hold the derivatives of a function E, summed over all frames, for all their particles in turn.

    Attributes
    ----------
    positions : ndarray, shape (particles, 3)
        :math:`\partial E / \partial \mathbf{x}`; forces are minus this.
    rotations : ndarray, shape (particles, 3)
        :math:`\partial E / \partial \boldsymbol{\theta}`, where a particle turns by the rotation vector
        :math:`\boldsymbol{\theta}` in the lab frame; torques are minus this.
    strain : ndarray, shape (frames, 3, 3)
        :math:`\partial E / \partial \epsilon`, where positions and cell are multiplied by :math:`1 +
        \epsilon` and orientations stay; ``stresses`` are made of it.
    diameters : ndarray or None, shape (particles, 3)
        :math:`\partial E / \partial` diameter, when asked for.
    arrays : FrameArrays
        The frames.
    """

    positions: np.ndarray
    rotations: np.ndarray
    strain: np.ndarray
    diameters: np.ndarray | None
    arrays: FrameArrays

    @property
    def forces(self) -> np.ndarray:
        """Return the forces, of shape (particles, 3)."""
        return -self.positions

    @property
    def torques(self) -> np.ndarray:
        """Return the torques in the lab frame, of shape (particles, 3)."""
        return -self.rotations

    @property
    def stresses(self) -> np.ndarray:
        """Return the stresses (frames, 3, 3), the symmetric part of dE/d strain over the volume.

        They are NaN in frames that are not periodic in all directions.
        """
        periodic = self.arrays.periodic.all(axis=1)
        volumes = np.where(periodic, np.abs(np.linalg.det(self.arrays.cells)), np.nan)
        stresses: np.ndarray = (self.strain + self.strain.swapaxes(1, 2)) / (2 * volumes[:, None, None])
        return stresses

    @property
    def quaternions(self) -> np.ndarray:
        """Return dE/dq of shape (particles, 4), at right angles to q: the length of q does not matter to E.

        Raises
        ------
        BadInput
            When the orientations were given as matrices.
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
        """Return dE/d cell (frames, 3, 3), vectors in rows, at fixed positions; zero where not periodic."""
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
    """Compute features, and the derivatives of a function E of them, in one pass.

    Parameters
    ----------
    projection : EllipsoidalDensityProjection
        Which descriptors. Isolated centres count as zero and are never dropped.
    frames : list of Atoms
        What to describe.
    cotangent : ndarray
        dE/d features: (rows, features), or (features,) when it is the same for all rows, as for a linear
        model. For other models compute the features first, by ``projection.describe``.
    output : str
        ``power_spectrum``, ``coefficients`` or ``pair_features``.
    per_centre : bool
        One row for each centre; else the mean over the centres of each frame.
    diameters : bool
        Also derive by diameters, which takes longer.
    species : list of int, optional
        Species of the neighbours, as for ``projection.describe``.

    Returns
    -------
    features : ndarray, shape (rows, features)
        What ``projection.describe`` gives.
    gradients : Gradients
        The derivatives.

    Raises
    ------
    BadInput
        What is wrong with the frames, with the output, or with the cotangent.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from anisweep.descriptors import EllipsoidalDensityProjection, gradients
    >>> frame = Atoms("X2", positions=[[0, 0, 0], [4, 0, 1]])
    >>> frame.arrays["quaternion"] = np.array([[1.0, 0, 0, 0], [1, 0, 1, 0]])
    >>> for axis, diameter in enumerate([3.0, 3.0, 1.0], start=1):
    ...     frame.arrays[f"c_diameter[{axis}]"] = np.full(2, diameter)
    >>> projection = EllipsoidalDensityProjection(
    ...     max_angular=2, radial_basis_name="gto", cutoff_radius=7.0, radial_gaussian_width=1.5
    ... )

    An energy that is the sum of all features. What one particle does to the other, the other does to it:

    >>> features, derivatives = gradients(projection, [frame], np.ones(6))
    >>> bool(np.allclose(derivatives.forces.sum(axis=0), 0))
    True
    """
    arrays, columns, wanted = _gathered(projection, frames, output, per_centre, species)
    rows = int(arrays.start[-1]) if per_centre else len(arrays.counts)
    shape = (rows, sum(widths(projection.tables.radial.counts, len(columns), output)))

    checked: np.ndarray = _checked(cotangent, shape).astype(projection.number_type, copy=False)
    backward = _backward(arrays, checked, diameters)
    features, _ = compute(projection.tables, arrays, columns, wanted, projection.threads, backward)

    return features, Gradients(
        backward.positions, backward.rotations, backward.strain, backward.diameters, arrays
    )


def tangent(
    projection: EllipsoidalDensityProjection,
    frames: Any,
    displacements: np.ndarray,
    turns: np.ndarray,
    strains: np.ndarray | None = None,
    output: Output = "power_spectrum",
    per_centre: bool = False,
    species: Sequence[int] | None = None,
) -> np.ndarray:
    r"""Compute the derivative of the features along one direction of all particles, J v.

    .. math::

        \left. \frac{d}{dt} \right|_{t = 0} \mathbf{p}\left(
        (\mathbf{x}_j + t \mathbf{v}_j) (1 + t \epsilon), \; e^{t [\boldsymbol{\omega}_j]_\times} R_j \right)

    It is the transpose of what :func:`gradients` computes: g times J v is J^T g times v. So a model that
    learns from forces needs no second derivatives of the features.

    Parameters
    ----------
    projection : EllipsoidalDensityProjection
        Which descriptors. Isolated centres count as zero and are never dropped.
    frames : list of Atoms
        What to describe.
    displacements : ndarray, shape (particles, 3)
        How the particles of all frames move, :math:`\mathbf{v}`, in Angstrom.
    turns : ndarray, shape (particles, 3)
        How they turn, as rotation vectors in the lab frame, :math:`\boldsymbol{\omega}`, in radians.
    strains : ndarray, shape (frames, 3, 3), optional
        How positions and cell of each frame, as row vectors, are strained, :math:`\epsilon`; orientations
        stay.
    output : str
        ``power_spectrum``, ``coefficients`` or ``pair_features``.
    per_centre : bool
        One row for each centre; else the mean over the centres of each frame.
    species : list of int, optional
        Species of the neighbours, as for ``projection.describe``.

    Returns
    -------
    ndarray
        Of the shape that ``projection.describe`` gives its values, (rows, features).

    Raises
    ------
    BadInput
        What is wrong with the frames, with the output, or with a direction: its shape, or the frame and the
        particle where it is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from anisweep.descriptors import EllipsoidalDensityProjection, tangent
    >>> frame = Atoms("X2", positions=[[0, 0, 0], [4, 0, 1]])
    >>> frame.arrays["quaternion"] = np.array([[1.0, 0, 0, 0], [1, 0, 1, 0]])
    >>> for axis, diameter in enumerate([3.0, 3.0, 1.0], start=1):
    ...     frame.arrays[f"c_diameter[{axis}]"] = np.full(2, diameter)
    >>> projection = EllipsoidalDensityProjection(
    ...     max_angular=2, radial_basis_name="gto", cutoff_radius=7.0, radial_gaussian_width=1.5
    ... )

    Nothing changes where both particles move alike; something does where the second one turns:

    >>> still = np.zeros((2, 3))
    >>> together = np.ones((2, 3))
    >>> bool(np.allclose(tangent(projection, [frame], together, still), 0))
    True
    >>> bool(np.allclose(tangent(projection, [frame], still, [[0, 0, 0], [0, 1, 0]]), 0))
    False
    """
    arrays, columns, wanted = _gathered(projection, frames, output, per_centre, species)
    forward = Forward(
        _direction("displacements", displacements, arrays),
        _direction("turns", turns, arrays),
        None if strains is None else _strains(strains, arrays),
    )

    changes, _ = compute(projection.tables, arrays, columns, wanted, projection.threads, forward=forward)
    return changes


@dataclass(frozen=True)
class Jacobian:
    r"""Hold the derivatives of features by chosen particles.

    A record is the derivatives of one row of the features by one particle: where rows are means, of its
    frame's row; else there is a record for each centre of its frame, the particle itself among them.

    Attributes
    ----------
    values : ndarray, shape (records, 6, features)
        Three by position, :math:`\partial \mathbf{p} / \partial \mathbf{x}`, then three by the turn, a
        rotation vector in the lab frame: :math:`\partial \mathbf{p} / \partial \boldsymbol{\theta}`.
    frame : ndarray, shape (records,)
        Frame of the particle.
    particle : ndarray, shape (records,)
        Its place in the frame.
    centre : ndarray, shape (records,)
        Place of the centre in the frame, or -1 where the row is a frame's mean.
    strain : ndarray or None, shape (rows, 3, 3, features)
        By the strain of each row's frame, :math:`\partial \mathbf{p} / \partial \epsilon`, when asked for.
    """

    values: np.ndarray
    frame: np.ndarray
    particle: np.ndarray
    centre: np.ndarray
    strain: np.ndarray | None

    @property
    def positions(self) -> np.ndarray:
        """Return the derivatives by positions, of shape (records, 3, features)."""
        return self.values[:, :3]

    @property
    def rotations(self) -> np.ndarray:
        """Return the derivatives by turns in the lab frame, of shape (records, 3, features)."""
        return self.values[:, 3:]


def jacobian(
    projection: EllipsoidalDensityProjection,
    frames: Any,
    particles: Sequence[Sequence[int]] | None = None,
    strain: bool = False,
    output: Output = "power_spectrum",
    per_centre: bool = False,
    species: Sequence[int] | None = None,
    first: int = 0,
) -> Jacobian:
    r"""Compute the derivatives of the features by chosen particles, as a linear fit of forces needs them.

    These are rows of J^T. The time goes with the number of particles that are chosen; the features of all
    centres that see them come on top. Where a model is at hand, :func:`gradients` is faster.

    Parameters
    ----------
    projection : EllipsoidalDensityProjection
        Which descriptors. Isolated centres count as zero and are never dropped.
    frames : list of Atoms
        What to describe.
    particles : list of lists of int, optional
        For each frame the places of the particles to derive by; all, when left out.
    strain : bool
        Also derive by the strain of each frame, which takes about as long as nine times :func:`tangent`.
    output : str
        ``power_spectrum``, ``coefficients`` or ``pair_features``.
    per_centre : bool
        Derive the features of each centre; else the mean over the centres of each frame. There are as many
        records for a particle as its frame has particles then.
    species : list of int, optional
        Species of the neighbours, as for ``projection.describe``.
    first : int
        Number of the first frame in errors.

    Returns
    -------
    Jacobian
        The derivatives, with what they are of.

    Raises
    ------
    BadInput
        What is wrong with the frames or with the output, and frame and particle for one that does not exist
        or that is chosen twice.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from anisweep.descriptors import EllipsoidalDensityProjection, gradients, jacobian
    >>> frame = Atoms("X3", positions=[[0, 0, 0], [4, 0, 1], [0, 4, 0]])
    >>> frame.arrays["quaternion"] = np.array([[1.0, 0, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0]])
    >>> for axis, diameter in enumerate([3.0, 3.0, 1.0], start=1):
    ...     frame.arrays[f"c_diameter[{axis}]"] = np.full(3, diameter)
    >>> projection = EllipsoidalDensityProjection(
    ...     max_angular=2, radial_basis_name="gto", cutoff_radius=7.0, radial_gaussian_width=1.5
    ... )

    Of the first frame, derivatives by the last particle, and what they give for the sum of all features:

    >>> rows = jacobian(projection, [frame], particles=[[2]])
    >>> rows.values.shape
    (1, 6, 6)
    >>> _, backward = gradients(projection, [frame], np.ones(6))
    >>> bool(np.allclose(rows.positions.sum(axis=2), backward.positions[2]))
    True
    """
    arrays, columns, wanted = _gathered(projection, frames, output, per_centre, species, first)
    chosen = _chosen(particles, arrays)

    width = sum(widths(projection.tables.radial.counts, len(columns), output))
    frame = np.searchsorted(arrays.start, chosen, side="right") - 1
    counts = arrays.counts[frame] if per_centre else np.ones(len(chosen), dtype=np.int64)
    ends = np.cumsum(counts)

    record = np.full(int(arrays.start[-1]), -1)
    record[chosen] = ends - counts
    values: np.ndarray = np.zeros((int(counts.sum()), 6, width), projection.number_type)
    add_rows(projection.tables, arrays, columns, wanted, projection.threads, JacobianRows(record, values))

    centre = (
        np.arange(len(values)) - np.repeat(ends - counts, counts) if per_centre else np.full(len(values), -1)
    )
    return Jacobian(
        values,
        np.repeat(frame, counts),
        np.repeat(chosen - arrays.start[frame], counts),
        centre,
        _by_strain(projection, arrays, columns, wanted) if strain else None,
    )


def _gathered(
    projection: EllipsoidalDensityProjection,
    frames: Any,
    output: Output,
    per_centre: bool,
    species: Sequence[int] | None,
    first: int = 0,
) -> tuple[FrameArrays, np.ndarray, WantedOutput]:
    """Return the frames as arrays, the neighbour species, and what is to be computed, checked."""
    check_output(output)
    arrays = projection.gather(frames, first)
    wanted = WantedOutput(output, bool(per_centre), not projection.subtract_center_contribution)
    return arrays, covering(species, arrays.species), wanted


def _chosen(particles: Sequence[Sequence[int]] | None, arrays: FrameArrays) -> np.ndarray:
    """Return the places of chosen particles among those of all frames, frame by frame."""
    if particles is None:
        return np.arange(arrays.start[-1])

    wanted = f"particles must be lists of places, one for each frame, {len(arrays.counts)} in all"
    if not isinstance(particles, Sequence | np.ndarray) or isinstance(particles, str):
        raise BadInput(f"{wanted}, not {particles!r:.80}")
    if len(particles) != len(arrays.counts):
        raise BadInput(f"{wanted}: {len(particles)} came")

    frame, places = _all_places(particles, arrays.first)
    for wrong in np.flatnonzero((places < 0) | (places >= arrays.counts[frame]))[:1]:
        there = f"the frame has {arrays.counts[frame[wrong]]}, numbered from 0 on"
        raise BadInput(
            f"frame {arrays.first + frame[wrong]}, particle {places[wrong]}: there is none, since {there}"
        )

    chosen: np.ndarray = arrays.start[frame] + places
    for twice in np.flatnonzero(np.bincount(chosen) > 1)[:1]:
        raise BadInput(f"{arrays.where(int(twice))}: it is chosen more than once")
    return chosen


def _all_places(given: Sequence[Sequence[int]], first: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames and the places of all chosen particles."""
    together: list[Any] = list(chain.from_iterable(given)) if set(map(type, given)) == {list} else [None]

    if set(map(type, together)) <= {int} and max(map(abs, together), default=0) < 2**63:
        places = np.array(together, dtype=np.int64)  # at once, since there may be many small frames
    else:
        lists = [_places(each, first + frame) for frame, each in enumerate(given)]
        places = np.concatenate([np.empty(0, dtype=np.int64), *lists])
    return np.repeat(np.arange(len(given)), [len(each) for each in given]), places


def _places(given: Sequence[int], frame: int) -> np.ndarray:
    """Return the places of chosen particles in one frame as integers."""
    try:
        places = unmasked(given, f"particles of frame {frame}")
        integers = places.ndim == 1 and (places.dtype.kind in "iu" or not places.size)
    except BadInput:
        raise
    except ValueError:
        integers = False

    if not integers:
        raise BadInput(f"frame {frame}: its particles must be a list of integers, not {given!r:.80}")
    return places.astype(np.int64)


def _by_strain(
    projection: EllipsoidalDensityProjection, arrays: FrameArrays, columns: np.ndarray, wanted: WantedOutput
) -> np.ndarray:
    """Return derivatives of all rows by strains, one direction after another."""
    still = np.zeros((int(arrays.start[-1]), 3))
    by_strain = []

    for place in np.ndindex(3, 3):
        strains = np.zeros((len(arrays.counts), 3, 3))
        strains[:, *place] = 1
        along = Forward(still, still, strains)
        changes, _ = compute(projection.tables, arrays, columns, wanted, projection.threads, forward=along)
        by_strain.append(changes)

    stacked = np.stack(by_strain, axis=1)
    return stacked.reshape(len(stacked), 3, 3, stacked.shape[-1])


def _direction(name: str, given: np.ndarray, arrays: FrameArrays) -> np.ndarray:
    """Return a vector for each particle of all frames, checked."""
    particles = int(arrays.start[-1])
    vectors = real_numbers(name, given)
    if vectors.shape != (particles, 3):
        raise BadInput(
            f"{name} have shape {vectors.shape}: they must be ({particles}, 3), a vector for each particle "
            "of all frames"
        )

    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise BadInput(f"{arrays.where(int(finite.argmin()))}: its vector in {name} is not finite")
    return vectors


def _strains(given: np.ndarray, arrays: FrameArrays) -> np.ndarray:
    """Return a matrix for each frame, checked."""
    frames = len(arrays.counts)
    strains = real_numbers("strains", given)
    if strains.shape != (frames, 3, 3):
        raise BadInput(
            f"strains have shape {strains.shape}: they must be ({frames}, 3, 3), one for each frame"
        )

    finite = np.isfinite(strains).all(axis=(1, 2))
    if not finite.all():
        raise BadInput(f"frame {arrays.first + int(finite.argmin())}: its strain is not finite")
    return strains


def _checked(cotangent: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the cotangent of all rows, or one row where it is the same for all."""
    try:
        plain = unmasked(cotangent, "the cotangent").astype(float)
        rows = 1 if plain.ndim < 2 else shape[0]
        checked = np.ascontiguousarray(np.broadcast_to(plain, (rows, shape[1])))
    except BadInput:
        raise
    except ValueError:
        raise BadInput(
            f"the cotangent has shape {np.shape(cotangent)}: it must be {shape}, as the features, "
            f"or ({shape[1]},)"
        ) from None

    if not np.isfinite(checked).all():
        row = int(np.flatnonzero(~np.isfinite(checked).all(axis=1))[0])
        raise BadInput(f"the cotangent is not finite in row {row}: the model's derivatives must be numbers")
    return checked


def _backward(arrays: FrameArrays, cotangent: np.ndarray, diameters: bool) -> Backward:
    """Allocate the arrays of the derivatives."""
    particles, frames = int(arrays.start[-1]), len(arrays.counts)
    return Backward(
        cotangent,
        positions=np.zeros((particles, 3)),
        rotations=np.zeros((particles, 3)),
        strain=np.zeros((frames, 3, 3)),
        diameters=np.zeros((particles, 3)) if diameters else None,
    )
