"""AniSOAP's descriptors behind the interface of the published package."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from anisweep.descriptors import labels
from anisweep.descriptors.basis import RadialBasis, radial_counts
from anisweep.descriptors.compute import Output, Wanted, compute, species_of, widths
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import FrameArrays, gather
from anisweep.descriptors.tables import Tables


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
    found : (centres, neighbours) zero where a centre has no neighbour (nor itself) of a species
    """

    output: Output
    values: np.ndarray
    frame: np.ndarray
    centre: np.ndarray
    species: np.ndarray
    neighbours: np.ndarray
    counts: tuple[int, ...]
    found: np.ndarray

    @cached_property
    def columns(self) -> np.ndarray:
        """What each column is: (features,) of l, m, species and n of the first and of the second channel.

        Coefficients have no second channel, power spectra no m: these read -1 and 0.
        """
        kind = np.dtype([(name, np.int64) for name in ("l", "m", "species_a", "n_a", "species_b", "n_b")])
        rows: list[tuple[int, ...]] = []

        for l, count in enumerate(self.counts):
            channels = [(int(species), n) for species in self.neighbours for n in range(count)]
            if self.output == "coefficients":
                rows += [(l, m, *a, -1, -1) for m in range(-l, l + 1) for a in channels]
            else:
                rows += [(l, 0, *a, *b) for a in channels for b in channels]

        return np.array(rows, dtype=kind)

    def of_degree(self, l: int) -> np.ndarray:
        """The columns of one l."""
        ends = np.cumsum([0, *widths(self.counts, len(self.neighbours), self.output)])
        return self.values[:, ends[l] : ends[l + 1]]

    def of_pairs(self, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
        """The columns of a power spectrum whose channels have these species, in this order each.

        Raises
        ------
        BadInput
            for coefficients, and for a species that is not among the neighbours
        """
        if self.output != "power_spectrum":
            raise BadInput(
                "species pairs are of the power spectrum: coefficients have one species for each column"
            )

        for species in {s for pair in pairs for s in pair}:
            if species not in self.neighbours:
                raise BadInput(f"no neighbour of species {species}: there are {self.neighbours.tolist()}")

        first, second = self.columns["species_a"], self.columns["species_b"]
        chosen = np.logical_or.reduce([(first == a) & (second == b) for a, b in pairs])
        return self.values[:, chosen]

    def centre_species(self) -> list[int]:
        """Species of the centres, sorted."""
        return [int(species) for species in np.unique(self.species)]

    def met(self, species: int) -> np.ndarray:
        """Which neighbour species centres of a species have: all, unless isolated centres were dropped."""
        if len(self.found) != len(self.species):
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
        if compute_gradients:
            raise NotImplementedError(
                "Sorry! Gradients have not yet been implemented here: see anisweep.descriptors.gradients"
            )
        if rotation_type not in ("quaternion", "matrix"):
            raise BadInput(
                "We have only implemented transforming quaternions (`quaternion`) and rotation matrices "
                "(`matrix`)."
            )
        if threads < 1:
            raise BadInput(f"threads must be at least 1, not {threads!r}")

        self.max_angular = max_angular
        self.cutoff_radius = cutoff_radius
        self.radial_basis_name = radial_basis_name
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
        self.num_ns = list(counts)
        self.tables = Tables(basis, smoothing=_smoothing(cutoff_smoothing, cutoff_radius))
        _ = self.tables.mixing  # so that a basis that cannot be orthonormalised is refused here

        if rotation_type == "quaternion":
            warnings.warn(
                "In quaternion mode, quaternions are assumed to be in (w,x,y,z) format.", stacklevel=2
            )

    def transform(
        self, frames: Any, show_progress: bool = False, normalize: bool = True, rust_moments: bool = True
    ) -> Any:
        """Coefficients of each centre as a TensorMap, with the published names; needs metatensor.

        Parameters
        ----------
        frames : of ase.Atoms
        normalize : orthonormalise the radial functions; else they are r^(l + 2n), times the envelope
        show_progress, rust_moments : of the published package, without a meaning here
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
        """
        described = self.describe(frames, "power_spectrum", per_centre=not mean_over_samples)
        return described.values if mean_over_samples else labels.power_spectrum(described)

    def describe(
        self, frames: Any, output: Output = "power_spectrum", per_centre: bool = False
    ) -> Descriptors:
        """Features as a plain array with its labels.

        Parameters
        ----------
        frames : of ase.Atoms
        output : ``power_spectrum`` or ``coefficients``
        per_centre : one row for each centre; else the mean over the centres of each frame
        """
        return self._describe(frames, output, per_centre, self.tables)

    def gather(self, frames: Any) -> FrameArrays:
        """The arrays of frames, checked. Frames without orientations keep their axes along x, y and z."""
        frames = [frames] if hasattr(frames, "get_positions") else list(frames)
        bare = [i for i, frame in enumerate(frames) if self.rotation_key not in frame.arrays]

        for i in bare:
            warnings.warn(
                f"Frame {i} does not have rotations stored, this may cause errors down the line: no array "
                f"{self.rotation_key!r}, so its particles keep their axes along x, y and z.",
                stacklevel=3,
            )
            frames[i] = frames[i].copy()
            unrotated = [1.0, 0, 0, 0] if self.rotation_type == "quaternion" else np.eye(3)
            frames[i].arrays[self.rotation_key] = np.array([unrotated] * len(frames[i]))

        return gather(frames, self.rotation_key, self.rotation_type)

    def _compute(
        self, tables: Tables, arrays: FrameArrays, species: np.ndarray, wanted: Wanted
    ) -> tuple[np.ndarray, np.ndarray]:
        return compute(tables, arrays, species, wanted, self.threads)

    def _describe(self, frames: Any, output: Output, per_centre: bool, tables: Tables) -> Descriptors:
        arrays = self.gather(frames)
        species = species_of(arrays)
        wanted = Wanted(output, per_centre, not self.subtract_center_contribution)
        values, found = self._compute(tables, arrays, species, wanted)

        frame = np.arange(len(arrays.counts))
        centre: np.ndarray = np.full(len(frame), -1)
        kind = centre
        if per_centre:
            frame = np.repeat(frame, arrays.counts)
            centre = np.arange(len(frame)) - arrays.start[frame]
            kind = arrays.numbers

        described = Descriptors(output, values, frame, centre, kind, species, tables.radial.counts, found)
        return _without_isolated(described, arrays) if self.drop_isolated else described


def _without_isolated(described: Descriptors, arrays: FrameArrays) -> Descriptors:
    """Only rows that have a neighbour; a frame's mean is then over the centres that have one."""
    alive = np.asarray(described.found.any(axis=1))
    values, kept = described.values, alive

    if len(described.frame) != len(alive) or (described.centre < 0).any():
        counts = np.bincount(
            np.repeat(np.arange(len(arrays.counts)), arrays.counts), alive, len(arrays.counts)
        )
        kept = counts > 0
        shares = arrays.counts / np.maximum(counts, 1)
        values = values * shares.astype(values.dtype)[:, None]

    return replace(
        described,
        values=values[kept],
        frame=described.frame[kept],
        centre=described.centre[kept],
        species=described.species[kept],
        found=described.found[alive],
    )


def _length(name: str, value: Any) -> float:
    """A length in Angstrom. Integers are refused, as by the published package."""
    if isinstance(value, bool) or type(value) is int:
        raise BadInput(
            f"{name} is set as an integer, which could cause overflow errors. Pass in float: {value}.0"
        )
    if not (np.isreal(value) and np.isfinite(value) and value > 0):
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
