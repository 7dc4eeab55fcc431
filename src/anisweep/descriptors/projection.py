"""Compute AniSOAP's descriptors, with the interface of the published package."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from anisweep.descriptors import hyperparameters, tensormap
from anisweep.descriptors.arrays import FrameArrays, check
from anisweep.descriptors.features import Descriptors, without_isolated
from anisweep.descriptors.frames import covering, frames_as_list, gather, runs, survey
from anisweep.descriptors.kernels.run import Output, WantedOutput, check_output, compute, room
from anisweep.descriptors.kernels.structures import BasisTables
from anisweep.descriptors.radial_basis import RadialBasis

#: Particles for each thread that are gathered at a time, so that memory does not grow with the frames.
AT_A_TIME = 2048


class EllipsoidalDensityProjection:
    r"""Expand the density of ellipsoidal neighbours in radial functions and spherical harmonics.

    Each neighbour is a normalised Gaussian :math:`g_j` whose standard deviations along the body axes are
    half its diameters. The density around a centre, and its coefficients, are

    .. math::

        \rho_i(\mathbf{x}) = \sum_j g_j(\mathbf{x} - \mathbf{r}_{ij}), \qquad
        c^i_{nlm} = \int R_{nl}(x) \, Y_{lm}(\hat{\mathbf{x}}) \, \rho_i(\mathbf{x}) \, d\mathbf{x}

    with the sum over all neighbours within the cutoff, the centre itself among them unless
    ``subtract_center_contribution`` says otherwise. The radial functions :math:`R_{nl}` are orthonormalised
    from :math:`r^{l+2n}`, for ``gto`` times :math:`\exp(-r^2 / 2 \sigma^2)`.

    Parameters
    ----------
    max_angular : int
        Highest l.
    radial_basis_name : str
        ``gto`` or ``monomial``.
    cutoff_radius : float
        Neighbours are sought within this distance, in Angstrom.
    compute_gradients : bool
        As in the published package, where it does nothing either: see `gradients`.
    subtract_center_contribution : bool
        Leave a centre's own density out.
    radial_gaussian_width : float, optional
        Width :math:`\sigma` of the envelope in Angstrom; for ``gto`` alone.
    max_radial : int or list of int, optional
        k for k + 1 radial functions, or one k for each l. Without it there are (max_angular - l) // 2 + 1.
    rotation_key : str
        Name of the array of orientations in the frames.
    rotation_type : str
        ``quaternion`` (w, x, y, z; of any length) or ``matrix``; both turn the body to the lab frame.
    basis_rcond : float
        Eigenvalues of the radial overlap up to this are dropped.
    basis_tol : float
        More than this dropped is an error.
    threads : int
        Exactly so many threads compute; no bit of the result depends on it.
    drop_isolated : bool
        Leave out centres and frames without any neighbour, as the published package does. Otherwise their
        features are zero.
    cutoff_smoothing : float, optional
        Within so many Angstrom of the cutoff a neighbour's density fades as (1 + cos) / 2, so that
        functions of the descriptors do not jump. Without it, as in the published package, none fades.
    precision : str
        ``fp64``, or ``fp32``: up to twice as fast, with relative errors up to 1e-5. Geometry is float64
        always.

    Raises
    ------
    BadInput
        For hyperparameters that make no sense, and for frames, naming frame and particle.
    NotImplementedError
        For another basis, and for ``compute_gradients``.

    Examples
    --------
    >>> import numpy as np
    >>> from ase import Atoms
    >>> from anisweep.descriptors import EllipsoidalDensityProjection
    >>> frame = Atoms("CO", positions=[[0, 0, 0], [4, 0, 0]])
    >>> frame.arrays["quaternion"] = np.array([[1.0, 0, 0, 0], [1, 0, 1, 0]])
    >>> for axis, diameter in enumerate([3.0, 3.0, 1.0], start=1):
    ...     frame.arrays[f"c_diameter[{axis}]"] = np.full(2, diameter)
    >>> projection = EllipsoidalDensityProjection(
    ...     max_angular=2, radial_basis_name="gto", cutoff_radius=7.0, radial_gaussian_width=1.5
    ... )

    The mean over the particles of each frame:

    >>> projection.power_spectrum([frame]).shape
    (1, 24)

    Each particle by itself, with what rows and columns are. The first column is l = 0, species 6 and n = 0
    twice:

    >>> features = projection.describe([frame], per_centre=True)
    >>> features.values.shape, features.species.tolist()
    ((2, 24), [6, 8])
    >>> features.columns[0].tolist()
    (0, 0, 6, 0, 6, 0)
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
        precision: str = "fp64",
    ) -> None:
        hyperparameters.no_gradients(compute_gradients)
        self.subtract_center_contribution = hyperparameters.truth(
            "subtract_center_contribution", subtract_center_contribution
        )
        self.rotation_key, self.rotation_type = hyperparameters.orientations(rotation_key, rotation_type)
        self.threads = hyperparameters.threads(threads)
        self.drop_isolated = hyperparameters.truth("drop_isolated", drop_isolated)

        name: Any = radial_basis_name
        self.radial_basis = RadialBasis(
            name,
            hyperparameters.length_as_float("cutoff_radius", cutoff_radius),
            hyperparameters.width(name, radial_gaussian_width),
            hyperparameters.radial_counts(max_angular, max_radial),
            hyperparameters.basis_rcond(basis_rcond),
            hyperparameters.basis_tol(basis_tol),
        )
        fades = hyperparameters.smoothing(cutoff_smoothing, self.radial_basis.cutoff)
        self.precision = hyperparameters.precision(precision)
        self.tables = BasisTables(self.radial_basis, smoothing=fades, single=precision == "fp32")
        _ = self.tables.mixing  # so that a basis that cannot be orthonormalised is refused here

        if rotation_type == "quaternion":
            warnings.warn(
                "In quaternion mode, quaternions are assumed to be in (w,x,y,z) format.", stacklevel=2
            )

    @property
    def number_type(self) -> type:
        """Return the type of the features' numbers."""
        return self.tables.number_type

    @property
    def max_angular(self) -> int:
        """Return the highest l."""
        return self.radial_basis.lmax

    @property
    def cutoff_radius(self) -> float:
        """Return the cutoff in Angstrom."""
        return self.radial_basis.cutoff

    @property
    def radial_basis_name(self) -> str:
        """Return the name of the basis, ``gto`` or ``monomial``."""
        return self.radial_basis.name

    @property
    def num_ns(self) -> list[int]:
        """Return the number of radial functions for each l."""
        return self.radial_basis.get_num_radial_functions()

    def transform(
        self, frames: Any, show_progress: bool = False, normalize: bool = True, rust_moments: bool = True
    ) -> Any:
        """Return the coefficients of each centre as a TensorMap, with the published names; needs metatensor.

        Parameters
        ----------
        frames : list of Atoms
            What to describe.
        normalize : bool
            Orthonormalise the radial functions; else they are r^(l + 2n), times the envelope.
        show_progress, rust_moments : bool
            Of the published package, without a meaning here.

        Returns
        -------
        TensorMap
            A block for each species of centre and l, of shape (centres, 2l + 1, species and radial
            functions).

        Raises
        ------
        BadInput
            For frames, naming frame and particle.
        ImportError
            Without metatensor.
        """
        tables = self.tables if normalize else replace(self.tables, normalize=False)
        return tensormap.coefficients(self._describe(frames, "coefficients", True, tables))

    def power_spectrum(
        self,
        frames: Any,
        mean_over_samples: bool = True,
        show_progress: bool = False,
        rust_moments: bool = True,
    ) -> Any:
        r"""Return the power spectrum, of any number of species.

        Channels a and b are each a species and an n:

        .. math:: p^l_{ab} = \frac{(-1)^l}{\sqrt{2l + 1}} \sum_m c_{alm} \, c_{blm}

        Parameters
        ----------
        frames : list of Atoms
            What to describe.
        mean_over_samples : bool
            Average over the centres of each frame.
        show_progress, rust_moments : bool
            Of the published package, without a meaning here.

        Returns
        -------
        ndarray or TensorMap
            The mean over centres, of shape (frames, features); the axis of frames stays when there is one
            frame. When ``mean_over_samples`` is False, a TensorMap with a row for each centre and a block
            for each species of centre.

        Raises
        ------
        BadInput
            For frames, naming frame and particle.
        ImportError
            For a TensorMap, without metatensor.
        """
        features = self.describe(frames, "power_spectrum", per_centre=not mean_over_samples)
        return features.values if mean_over_samples else tensormap.power_spectrum(features)

    def describe(
        self,
        frames: Any,
        output: Output = "power_spectrum",
        per_centre: bool = False,
        species: Sequence[int] | None = None,
        first: int = 0,
    ) -> Descriptors:
        r"""Return features as a plain array with labels; other memory does not grow with the frames.

        Pair features are the products of the centre's own density, in the first radial function, with its
        neighbours. So each is a sum over neighbours, of which the centre is none. Only even l have them:

        .. math:: N^l_b = \frac{1}{\sqrt{2l + 1}} \sum_m s_{lm} \, c_{blm}

        Parameters
        ----------
        frames : list of Atoms, or FrameArrays
            What to describe.
        output : str
            ``power_spectrum``, ``coefficients`` or ``pair_features``.
        per_centre : bool
            One row for each centre; else the mean over the centres of each frame.
        species : list of int, optional
            Species of the neighbours, so that parts of a data set have the same columns; else those that
            occur.
        first : int
            Number of the first frame, in the rows' labels and in errors.

        Returns
        -------
        Descriptors
            The features, and what their rows and columns are.

        Raises
        ------
        BadInput
            For frames, naming frame and particle, for an output that does not exist, and for particles of a
            species that is not among those given.
        """
        check_output(output)
        return self._describe(frames, output, bool(per_centre), self.tables, species, first)

    def gather(self, frames: Any, first: int = 0) -> FrameArrays:
        """Return the arrays of frames, checked.

        Frames without orientations keep their axes along x, y and z.

        Parameters
        ----------
        frames : list of Atoms, or FrameArrays
            What to read; arrays, which dynamics move, are those that are returned.
        first : int
            What errors call the first frame.

        Raises
        ------
        BadInput
            For frames, naming frame and particle.
        """
        if isinstance(frames, FrameArrays):
            check(frames, self.rotation_key)
            return frames

        frames = frames_as_list(frames)
        counts, _ = survey(frames, first)
        return self._gather(self._oriented(frames, first), counts, first)

    def _gather(self, frames: list[Any], counts: np.ndarray, first: int) -> FrameArrays:
        return gather(frames, counts, self.rotation_key, self.rotation_type, first)

    def _gathered(self, frames: list[Any], counts: np.ndarray, first: int) -> Iterator[FrameArrays]:
        """Yield the arrays of some frames at a time."""
        for begin, end in runs(counts, self._at_a_time(1)):
            yield self._gather(frames[begin:end], counts[begin:end], first + begin)

    def _oriented(self, frames: list[Any], first: int) -> list[Any]:
        """Return the frames, all with orientations."""
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
        """Return a copy whose particles have their axes along x, y and z."""
        axes = np.array([1.0, 0, 0, 0]) if self.rotation_type == "quaternion" else np.eye(3)
        copied = frame.copy()
        copied.arrays[self.rotation_key] = np.broadcast_to(axes, (len(copied), *axes.shape)).copy()
        return copied

    def _describe(
        self,
        frames: Any,
        output: Output,
        per_centre: bool,
        tables: BasisTables,
        neighbours: Sequence[int] | None = None,
        first: int = 0,
    ) -> Descriptors:
        if isinstance(frames, FrameArrays):
            counts, there, gathered = frames.counts, frames.species, iter([self.gather(frames)])
        else:
            frames = frames_as_list(frames)
            counts, there = survey(frames, first)
            gathered = self._gathered(self._oriented(frames, first), counts, first)
        species = covering(neighbours, there)

        wanted = WantedOutput(output, per_centre, not self.subtract_center_contribution)
        values = room(tables, counts, species, wanted)
        found, numbers = self._fill(values, gathered, tables, species, wanted)

        frame = np.arange(first, first + len(counts))
        kind = centre = np.full(len(counts), -1)
        if per_centre:
            centre = np.arange(len(numbers)) - np.repeat(np.cumsum(counts) - counts, counts)
            frame = np.repeat(frame, counts)
            kind = numbers

        features = Descriptors(output, values, frame, centre, kind, species, tables.radial.counts, found)
        return without_isolated(features, counts) if self.drop_isolated else features

    def _fill(
        self,
        values: np.ndarray,
        gathered: Iterable[FrameArrays],
        tables: BasisTables,
        species: np.ndarray,
        wanted: WantedOutput,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compute the values; return the neighbour species found for each centre, and its own species."""
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
        """Return how many particles are gathered together, for so many neighbour species."""
        return AT_A_TIME * self.threads

    def _compute(
        self,
        tables: BasisTables,
        arrays: FrameArrays,
        species: np.ndarray,
        wanted: WantedOutput,
        into: np.ndarray,
    ) -> np.ndarray:
        """Write the features of some frames; return which neighbour species each centre has."""
        return compute(tables, arrays, species, wanted, self.threads, into=into)[1]


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    """Join arrays one after another; mostly there is one."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
