"""Run the published AniSOAP for the modes, right for any number of species and open to a clock."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from anisoap.representations import ellipsoidal_density_projection as package
from ase import Atoms
from featomic import NeighborList
from metatensor import TensorMap

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer
from anisweep.modes._species import one_species


@dataclass(frozen=True)
class Published:
    """Hold the package's own calculator, and the output that is wanted of it."""

    projection: Any
    output: Output


def projection(hypers: Hypers) -> Any:
    """Return the package's ``EllipsoidalDensityProjection``, for orientations in the array ``c_q``."""
    radial = hypers.max_radial
    arguments = hypers.arguments | {"max_radial": list(radial) if isinstance(radial, tuple) else radial}

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In quaternion mode", UserWarning)

        return package.EllipsoidalDensityProjection(**arguments, rotation_key="c_q")


def compute(
    calculator: Published, frames: list[Atoms], clock: Timer, einsum: Callable[..., Any]
) -> TensorMap | np.ndarray:
    """Return coefficients or the power spectrum, computed by the package's own functions.

    Parameters
    ----------
    calculator : from this module's :class:`Published`
    frames : canonical frames
    clock : times the stages of the call
    einsum : stands in for ``numpy.einsum`` while the package computes; it does all of its contractions

    Returns
    -------
    TensorMap
        For coefficients: the package's keys, samples and property names; the properties of several
        neighbour species run species slow, n fast.
    ndarray, shape (frames, features)
        For the power spectrum, in the package's order and sign. As in the package, a frame in which
        no particle has a neighbour has no row.

    Raises
    ------
    Unavailable
        Power spectrum of two or more species.
    """
    with on_the_clock(calculator.projection, clock), replaced(np, "einsum", einsum):
        if calculator.output == "power_spectrum":
            return _power_spectrum(calculator.projection, frames, clock)

        return _coefficients(calculator.projection, frames)


@contextmanager
def on_the_clock(projection: Any, clock: Timer) -> Iterator[None]:
    """Put the package's own functions on the clock; under a silent clock they stay untouched."""
    basis = projection.radial_basis
    pieces = [
        (projection, "transform", "setup"),
        (NeighborList, "compute", "neighbours"),
        (package, "pairwise_ellip_expansion", "pair_loop"),
        (basis, "compute_gaussian_parameters", "gaussians"),
        (package, "compute_moments", "moments"),
        (package, "contract_pairwise_feat", "sum_neighbours"),
        (basis, "orthonormalize_basis", "orthonormalise"),
    ]

    with ExitStack() as stack:
        for owner, name, stage in pieces:
            function = getattr(owner, name)
            timed = clock.wrap(stage, function)

            if timed is not function:
                stack.enter_context(replaced(owner, name, timed))

        yield


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Set ``owner.name`` for the duration of a ``with`` block, whatever happens in it."""
    missing = object()
    before = vars(owner).get(name, missing)
    setattr(owner, name, value)

    try:
        yield
    finally:
        if before is missing:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


def _coefficients(projection: Any, frames: list[Atoms]) -> TensorMap:
    """Return orthonormalised coefficients: for one species this is ``transform``, step by step."""
    features = projection.transform(frames, normalize=False)

    # Published values run n slow and species fast, its labels the other way round. Orthonormalising by
    # the labels would mix species, so the values are brought into the labels' order first.
    for block in features:
        species = len(np.unique(block.properties["neighbor_types"]))
        if species > 1:
            samples, components, properties = block.values.shape
            by_n = block.values.reshape(samples, components, properties // species, species)
            block.values[:] = by_n.swapaxes(2, 3).reshape(block.values.shape)

    return projection.radial_basis.orthonormalize_basis(features)


def _power_spectrum(projection: Any, frames: list[Atoms], clock: Timer) -> np.ndarray:
    one_species(frames)

    with clock.stage("power_spectrum"):
        spectrum = projection.power_spectrum(frames)

    # The package drops the axis of frames when there is only one frame.
    features = sum(count**2 for count in projection.num_ns)
    return np.asarray(spectrum).reshape(-1, features)
