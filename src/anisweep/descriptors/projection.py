"""AniSOAP's descriptors behind the interface of the published package."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from anisweep.descriptors import labels
from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.basis import RadialBasis, radial_counts
from anisweep.descriptors.compute import Output, Wanted, check_output, compute, room
from anisweep.descriptors.described import Descriptors, without_isolated
from anisweep.descriptors.frames import covering, gather, listed, runs, survey
from anisweep.descriptors.hyperparameters import check_choices, length, smoothing, width
from anisweep.descriptors.tables import Tables

#: Particles for each thread that are gathered at a time, so that memory does not grow with the frames.
AT_A_TIME = 2048


class EllipsoidalDensityProjection:
    """Expansion of the density of ellipsoidal neighbours in a radial basis and spherical harmonics.

    Parameters
    ----------
    max_angular : highest l
    radial_basis_name : ``gto`` or ``monomial``
    cutoff_radius : Angstrom, a float
    compute_gradients : as in the published package, not here: see `anisweep.descriptors.gradients`
    subtract_center_contribution : leave a centre's own density out
    radial_gaussian_width : Angstrom, a float, of the envelope; for ``gto`` alone
    max_radial : None ((max_angular - l) // 2 + 1 functions), an integer k (k + 1), or one for each l
    rotation_key : array of orientations in the frames
    rotation_type : ``quaternion`` (w, x, y, z; any length) or ``matrix``; both take the body to space
    basis_rcond : eigenvalues of the radial overlap up to this are dropped
    basis_tol : more than this dropped is an error
    threads : exactly so many compute
    drop_isolated : leave out centres and frames without any neighbour, as the published package does.
        Otherwise their features are zero
    cutoff_smoothing : Angstrom, a float: within so much of the cutoff a neighbour's density fades as
        (1 + cos) / 2, so that functions of the descriptors do not jump. None, as in the published package,
        lets none fade

    Raises
    ------
    BadInput
        (a ValueError) for hyperparameters that make no sense, and for frames, naming frame and particle
    NotImplementedError
        for another basis, and for compute_gradients
    """

    #: Of the features.
    number_type: type = np.float64

    def __init__(
        self,
        max_angular: int,
        radial_basis_name: str,
        cutoff_radius: float,
        compute_gradients: bool = False,
        subtract_center_contribution: bool = False,
        radial_gaussian_width: float | None = None,
        max_radial: int | Sequence[int] | None = None,
        rotation_key: str = "quaternion",
        rotation_type: str = "quaternion",
        basis_rcond: float = 0,
        basis_tol: float = 1e-8,
        *,
        threads: int = 1,
        drop_isolated: bool = False,
        cutoff_smoothing: float | None = None,
    ) -> None:
        check_choices(compute_gradients, rotation_key, rotation_type, threads, basis_rcond, basis_tol)
        self.subtract_center_contribution = subtract_center_contribution
        self.rotation_key = rotation_key
        self.rotation_type = rotation_type
        self.threads = threads
        self.drop_isolated = drop_isolated

        envelope = width(radial_basis_name, radial_gaussian_width)
        counts = radial_counts(max_angular, max_radial)
        name: Any = radial_basis_name
        cutoff = length("cutoff_radius", cutoff_radius)
        basis = RadialBasis(name, cutoff, envelope, counts, float(basis_rcond), float(basis_tol))
        self.radial_basis = basis
        self.tables = Tables(basis, smoothing=smoothing(cutoff_smoothing, cutoff_radius))
        _ = self.tables.mixing  # so that a basis that cannot be orthonormalised is refused here

        if rotation_type == "quaternion":
            warnings.warn(
                "In quaternion mode, quaternions are assumed to be in (w,x,y,z) format.", stacklevel=2
            )

    @property
    def max_angular(self) -> int:
        """Highest l."""
        return self.radial_basis.lmax

    @property
    def cutoff_radius(self) -> float:
        """Angstrom."""
        return self.radial_basis.cutoff

    @property
    def radial_basis_name(self) -> str:
        """``gto`` or ``monomial``."""
        return self.radial_basis.name

    @property
    def num_ns(self) -> list[int]:
        """Radial functions for each l."""
        return self.radial_basis.get_num_radial_functions()

    def transform(
        self, frames: Any, show_progress: bool = False, normalize: bool = True, rust_moments: bool = True
    ) -> Any:
        """Coefficients of each centre as a TensorMap, with the published names; needs metatensor.

        Parameters
        ----------
        frames : of ase.Atoms
        normalize : orthonormalise the radial functions; else they are r^(l + 2n), times the envelope
        show_progress, rust_moments : of the published package, without a meaning here

        Returns
        -------
        TensorMap
            a block for each species of centre and l, of shape (centres, 2l + 1, species and radial functions)

        Raises
        ------
        BadInput
            for frames, naming frame and particle
        ImportError
            without metatensor
        """
        tables = self.tables if normalize else replace(self.tables, normalize=False)
        return labels.coefficients(self._describe(frames, "coefficients", True, tables))

    def power_spectrum(
        self,
        frames: Any,
        mean_over_samples: bool = True,
        show_progress: bool = False,
        rust_moments: bool = True,
    ) -> Any:
        """Power spectrum of any number of species.

        Parameters
        ----------
        frames : of ase.Atoms
        mean_over_samples : average over the centres of each frame
        show_progress, rust_moments : of the published package, without a meaning here

        Returns
        -------
        ndarray, shape (frames, features)
            the mean over centres; the axis of frames stays when there is one frame
        TensorMap
            when mean_over_samples is False: one row for each centre, one block for each species of centre

        Raises
        ------
        BadInput
            for frames, naming frame and particle
        ImportError
            for a TensorMap without metatensor
        """
        described = self.describe(frames, "power_spectrum", per_centre=not mean_over_samples)
        return described.values if mean_over_samples else labels.power_spectrum(described)

    def describe(
        self,
        frames: Any,
        output: Output = "power_spectrum",
        per_centre: bool = False,
        species: Sequence[int] | None = None,
        first: int = 0,
    ) -> Descriptors:
        """Features as a plain array with its labels. Beyond these, memory does not grow with the frames.

        Parameters
        ----------
        frames : of ase.Atoms
        output : ``power_spectrum`` or ``coefficients``
        per_centre : one row for each centre; else the mean over the centres of each frame
        species : of the neighbours, so that parts of a data set have the same columns; else those that occur
        first : number of the first frame, in the rows' labels and in errors

        Raises
        ------
        BadInput
            for frames, naming frame and particle, for an output that does not exist, and for particles of
            a species that is not among those given
        """
        check_output(output)
        return self._describe(frames, output, bool(per_centre), self.tables, species, first)

    def gather(self, frames: Any, first: int = 0) -> FrameArrays:
        """The arrays of frames, checked. Frames without orientations keep their axes along x, y and z.

        Parameters
        ----------
        frames : of ase.Atoms
        first : what errors call the first frame

        Raises
        ------
        BadInput
            for frames, naming frame and particle
        """
        frames = listed(frames)
        counts, _ = survey(frames, first)
        return self._gather(self._oriented(frames, first), counts, first)

    def _gather(self, frames: list[Any], counts: np.ndarray, first: int) -> FrameArrays:
        return gather(frames, counts, self.rotation_key, self.rotation_type, first)

    def _oriented(self, frames: list[Any], first: int) -> list[Any]:
        """The frames, all with orientations."""
        bare = [i for i, frame in enumerate(frames) if self.rotation_key not in frame.arrays]

        if bare:
            there = ", ".join(frames[bare[0]].arrays)
            others = f", as those of {len(bare) - 1} more frames" if len(bare) > 1 else ""
            warnings.warn(
                f"Frame {first + bare[0]} does not have rotations stored, this may cause errors down the "
                f"line: no array {self.rotation_key!r} among {there}. Its particles keep their axes along x, "
                f"y and z{others}.",
                stacklevel=4,
            )
            frames = frames.copy()
            for i in bare:
                frames[i] = self._unrotated(frames[i])

        return frames

    def _unrotated(self, frame: Any) -> Any:
        """A copy whose particles have their axes along x, y and z."""
        axes = np.array([1.0, 0, 0, 0]) if self.rotation_type == "quaternion" else np.eye(3)
        copied = frame.copy()
        copied.arrays[self.rotation_key] = np.broadcast_to(axes, (len(copied), *axes.shape)).copy()
        return copied

    def _describe(
        self,
        frames: Any,
        output: Output,
        per_centre: bool,
        tables: Tables,
        neighbours: Sequence[int] | None = None,
        first: int = 0,
    ) -> Descriptors:
        frames = listed(frames)
        counts, species = survey(frames, first)
        species = covering(neighbours, species)
        frames = self._oriented(frames, first)
        gathered = (
            self._gather(frames[begin:end], counts[begin:end], first + begin)
            for begin, end in runs(counts, self._at_a_time(1))
        )

        wanted = Wanted(output, per_centre, not self.subtract_center_contribution)
        values = room(tables, counts, species, wanted, self.number_type)
        found, numbers = self._fill(values, gathered, tables, species, wanted)

        frame = np.arange(first, first + len(frames))
        kind = centre = np.full(len(frames), -1)
        if per_centre:
            centre = np.arange(len(numbers)) - np.repeat(np.cumsum(counts) - counts, counts)
            frame = np.repeat(frame, counts)
            kind = numbers

        described = Descriptors(output, values, frame, centre, kind, species, tables.radial.counts, found)
        return without_isolated(described, counts) if self.drop_isolated else described

    def _fill(
        self,
        values: np.ndarray,
        gathered: Iterable[FrameArrays],
        tables: Tables,
        species: np.ndarray,
        wanted: Wanted,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compute the values; returns what was found for each centre, and its species."""
        found, numbers = [], []
        row = 0

        for arrays in gathered:
            part = values[row : row + len(arrays.numbers if wanted.per_centre else arrays.counts)]
            found.append(self._compute(tables, arrays, species, wanted, part))
            row += len(part)
            if wanted.per_centre:
                numbers.append(arrays.numbers)
            del arrays  # before the next ones are gathered

        return _joined(found), _joined(numbers or [species[:0]])

    def _at_a_time(self, species: int) -> int:
        """Particles whose arrays are gathered together, where neighbours have so many species."""
        return AT_A_TIME * self.threads

    def _compute(
        self, tables: Tables, arrays: FrameArrays, species: np.ndarray, wanted: Wanted, into: np.ndarray
    ) -> np.ndarray:
        """Write the features of some frames; which centres have a neighbour of which species."""
        return compute(tables, arrays, species, wanted, self.threads, into=into)[1]


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """One after another; mostly there is one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
