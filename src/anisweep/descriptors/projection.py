"""AniSOAP's descriptors behind the interface of the published package."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral, Real
from typing import Any

import numpy as np

from anisweep.descriptors import labels
from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.basis import RadialBasis, radial_counts
from anisweep.descriptors.columns import columns_of, of_pairs
from anisweep.descriptors.compute import Output, Wanted, check_output, compute, room, widths
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import (
    covering,
    gather,
    listed,
    runs,
    survey,
)
from anisweep.descriptors.tables import Tables

#: Particles for each thread that are gathered at a time, so that memory does not grow with the frames.
AT_A_TIME = 2048

MOST_THREADS = 1024


@dataclass(frozen=True)
class Descriptors:
    """Features as a plain array, with what its rows and columns are.

    Attributes
    ----------
    output : ``coefficients`` or ``power_spectrum``
    values : (rows, features), float64. Coefficients run l, m, species, n; power spectra l, (species, n),
        (species, n), the last fastest
    frame : (rows,) frame of each row
    centre : (rows,) particle in its frame, or -1 where the row is a frame's mean
    species : (rows,) of the centre, or -1
    neighbours : species of the neighbours, sorted
    counts : radial functions for each l
    found : (centres, neighbours) whether a centre has a neighbour (or itself) of a species
    dropped : whether rows without any neighbour were left out
    """

    output: Output
    values: np.ndarray
    frame: np.ndarray
    centre: np.ndarray
    species: np.ndarray
    neighbours: np.ndarray
    counts: tuple[int, ...]
    found: np.ndarray
    dropped: bool = False

    @cached_property
    def columns(self) -> np.ndarray:
        """What each column is: (features,) of l, m, species and n of the first and of the second channel.

        Coefficients have no second channel, power spectra no m: these read -1 and 0.
        """
        return columns_of(self.output, self.counts, self.neighbours)

    def of_degree(self, l: int) -> np.ndarray:
        """(rows, columns of one l)."""
        ends = np.cumsum([0, *widths(self.counts, len(self.neighbours), self.output)])
        return self.values[:, ends[l] : ends[l + 1]]

    def of_pairs(self, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
        """(rows, columns) of a power spectrum whose channels have these species, in this order each.

        Raises
        ------
        BadInput
            for coefficients, for no pairs, and for a species that is not among the neighbours
        """
        return self.values[:, of_pairs(self.columns, pairs)]

    def centre_species(self) -> list[int]:
        """Species of the centres, sorted."""
        return [int(species) for species in np.unique(self.species)]

    def met(self, species: int) -> np.ndarray:
        """Which neighbour species centres of a species have: all, unless isolated centres were dropped."""
        if not self.dropped or len(self.found) != len(self.species):
            return np.ones(len(self.neighbours), dtype=bool)
        met: np.ndarray = self.found[self.species == species].any(axis=0)
        return met


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
        _check_choices(compute_gradients, rotation_key, rotation_type, threads, basis_rcond, basis_tol)
        self.subtract_center_contribution = subtract_center_contribution
        self.rotation_key = rotation_key
        self.rotation_type = rotation_type
        self.threads = threads
        self.drop_isolated = drop_isolated

        width = _width(radial_basis_name, radial_gaussian_width)
        counts = radial_counts(max_angular, max_radial)
        name: Any = radial_basis_name
        basis = RadialBasis(
            name, _length("cutoff_radius", cutoff_radius), width, counts, float(basis_rcond), float(basis_tol)
        )
        self.radial_basis = basis
        self.tables = Tables(basis, smoothing=_smoothing(cutoff_smoothing, cutoff_radius))
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

    def gather(self, frames: Any, first: int = 0, counts: np.ndarray | None = None) -> FrameArrays:
        """The arrays of frames, checked. Frames without orientations keep their axes along x, y and z.

        Parameters
        ----------
        frames : of ase.Atoms
        first : what errors call the first frame
        counts : (frames,) particles of each, where they are known

        Raises
        ------
        BadInput
            for frames, naming frame and particle
        """
        frames = listed(frames)
        counts = survey(frames, first)[0] if counts is None else counts
        bare = [i for i, frame in enumerate(frames) if self.rotation_key not in frame.arrays]

        if bare:
            there = ", ".join(frames[bare[0]].arrays)
            others = f", as those of {len(bare) - 1} more frames" if len(bare) > 1 else ""
            warnings.warn(
                f"Frame {first + bare[0]} does not have rotations stored, this may cause errors down the "
                f"line: no array {self.rotation_key!r} among {there}. Its particles keep their axes along x, "
                f"y and z{others}.",
                stacklevel=3,
            )
            frames = frames.copy()
            for i in bare:
                frames[i] = self._unrotated(frames[i])

        return gather(frames, counts, self.rotation_key, self.rotation_type, first)

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
        species = species if neighbours is None else covering(neighbours, species)
        gathered = (
            self.gather(frames[begin:end], first + begin, counts[begin:end])
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
        return _without_isolated(described, counts) if self.drop_isolated else described

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


def _without_isolated(described: Descriptors, counts: np.ndarray) -> Descriptors:
    """Only rows that have a neighbour; a frame's mean is then over the centres that have one."""
    alive = np.asarray(described.found.any(axis=1))
    values, kept = described.values, alive

    if len(described.frame) != len(alive) or (described.centre < 0).any():
        there = np.bincount(np.repeat(np.arange(len(counts)), counts), alive, len(counts))
        kept = there > 0
        shares = counts / np.maximum(there, 1)
        values = values * shares.astype(values.dtype)[:, None]

    return replace(
        described,
        values=values[kept],
        frame=described.frame[kept],
        centre=described.centre[kept],
        species=described.species[kept],
        found=described.found[alive],
        dropped=True,
    )


def _check_choices(
    compute_gradients: bool,
    rotation_key: str,
    rotation_type: str,
    threads: int,
    basis_rcond: float,
    basis_tol: float,
) -> None:
    if compute_gradients:
        raise NotImplementedError(
            "Sorry! Gradients have not yet been implemented here: see anisweep.descriptors.gradients"
        )
    if not isinstance(rotation_key, str):
        raise BadInput(f"rotation_key must be the name of an array of the frames, not {rotation_key!r}")
    if rotation_type not in ("quaternion", "matrix"):
        raise BadInput(
            "We have only implemented transforming quaternions (`quaternion`) and rotation matrices "
            "(`matrix`)."
        )
    if isinstance(threads, bool) or not isinstance(threads, Integral) or not 1 <= threads <= MOST_THREADS:
        raise BadInput(f"threads must be an integer from 1 to {MOST_THREADS}, not {threads!r}")
    for name, share in (("basis_rcond", basis_rcond), ("basis_tol", basis_tol)):
        if not isinstance(share, Real) or np.isnan(share):
            raise BadInput(f"{name} must be a number, not {share!r}")


def _length(name: str, value: Any) -> float:
    """A length in Angstrom. Integers are refused, as by the published package."""
    if isinstance(value, bool) or type(value) is int:
        raise BadInput(
            f"{name} is set as an integer, which could cause overflow errors. Pass in float: {value}.0"
        )
    if not isinstance(value, Real) or not 0 < float(value) < float("inf"):
        raise BadInput(f"{name} must be a positive length in Angstrom, not {value!r}")
    return float(value)


def _smoothing(width: float | None, cutoff: float) -> float:
    """Zero where nothing fades."""
    if width is None:
        return 0.0
    if _length("cutoff_smoothing", width) > cutoff:
        raise BadInput(
            f"cutoff_smoothing is {width}, more than cutoff_radius, {cutoff}: choose a smaller one"
        )
    return float(width)


def _width(basis: str, width: float | None) -> float:
    """Of the envelope; infinite where there is none."""
    if basis == "gto":
        if width is None:
            raise BadInput("Gaussian width must be provided with GTO basis: radial_gaussian_width=1.5")
        return _length("radial_gaussian_width", width)

    if basis == "monomial":
        if width is not None:
            raise BadInput("Gaussian width can only be provided with GTO basis")
        return float("inf")

    raise NotImplementedError(f"{basis} is not an implemented basis. Try 'monomial' or 'gto'")
