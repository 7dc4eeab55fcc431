"""Run the published algorithm in tensors, from the moments of each neighbour-list block to the features.

Set-up, neighbour list and the pair loop up to the moments stay the package's, so that these modes and
``torch_mixed`` differ in nothing before the contractions. From there on everything is a tensor, and a
mode says only how it contracts the moments of a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from anisoap.representations import ellipsoidal_density_projection as package
from ase import Atoms
from metatensor import Labels, TensorBlock, TensorMap

from anisweep.cell import Hypers, Output
from anisweep.modes import Timer, Unavailable, _published
from anisweep.modes._species import one_species

DTYPES = {"fp64": torch.float64, "fp32": torch.float32}


@dataclass(frozen=True)
class Calculator:
    """Hold what does not depend on the frames.

    Attributes
    ----------
    solids : for each l, solid harmonics in monomials, shape (2l + 1, n, d, d, d), d = l + 2n - 1
    radials : for each l, normalisation and orthonormalisation in one matrix, shape (n, n)
    """

    projection: Any
    output: Output
    solids: list[torch.Tensor]
    radials: list[torch.Tensor]


@dataclass(frozen=True)
class _Expansion:
    """Hold the coefficients around the centres of one species, from the neighbours of one species.

    Attributes
    ----------
    samples : (frame, particle) of each centre; the same for all neighbour species of a centre species
    rows : index into ``samples`` of each pair's centre
    values : for each l, shape (pairs, 2l + 1, n); summed over neighbours (centres, 2l + 1, n)
    """

    centre: int
    neighbour: int
    samples: np.ndarray
    rows: torch.Tensor
    values: list[torch.Tensor]


#: How a mode contracts: (solids, moments of shape (pairs, d, d, d), einsum) -> ``_Expansion.values``.
Contract = Callable[[list[torch.Tensor], torch.Tensor, Callable[..., torch.Tensor]], list[torch.Tensor]]


def prepare(hypers: Hypers, output: Output, precision: str, device: str) -> Calculator:
    """Return the tables of the package, folded in float64 and then converted once."""
    if device == "cuda" and not torch.cuda.is_available():
        raise Unavailable("device cuda: Torch sees none on this machine")

    projection = _published.projection(hypers)
    to_tensor = partial(torch.tensor, dtype=DTYPES[precision], device=device)

    solids = []
    radials = []
    for l, table in enumerate(projection.sph_to_cart):
        solids.append(to_tensor(table / np.sqrt(4 * np.pi / (2 * l + 1))))
        radials.append(to_tensor(_radial_matrix(projection.radial_basis, l, table.shape[1])))

    return Calculator(projection, output, solids, radials)


def compute(
    calculator: Calculator, frames: list[Atoms], clock: Timer, contract: Contract
) -> TensorMap | np.ndarray:
    """Return coefficients of any number of species, or the power spectrum of one, in the mode's precision.

    Raises
    ------
    Unavailable
        Power spectrum of two or more species.
    """
    if calculator.output == "power_spectrum":
        one_species(frames)

    einsum = clock.wrap("contraction", torch.einsum)

    def contract_block(moments: torch.Tensor) -> list[torch.Tensor]:
        return contract(calculator.solids, moments, einsum)

    expand = partial(_expand, calculator, clock, contract_block, package.pairwise_ellip_expansion)

    with (
        torch.inference_mode(),
        _published.replaced(package, "pairwise_ellip_expansion", expand),
        _published.replaced(package, "contract_pairwise_feat", _sum_neighbours),
        _published.on_the_clock(calculator.projection, clock),
    ):
        sums = calculator.projection.transform(frames, normalize=False)

        with clock.stage("orthonormalise"):
            features = [_orthonormalise(expansion, calculator.radials, einsum) for expansion in sums]

        if calculator.output == "power_spectrum":
            with clock.stage("power_spectrum"):
                return _power_spectrum(features[0], clock, einsum)

        with clock.stage("setup"):
            return _tensor_map(features, clock)


def _radial_matrix(basis: Any, l: int, count: int) -> np.ndarray:
    """Return the matrix by which the package orthonormalises the radial functions of one l."""
    identity = TensorBlock(
        values=np.eye(count).reshape(count, 1, count),
        samples=Labels.range("row", count),
        components=[Labels.range("component", 1)],
        properties=Labels(["n", "neighbor_types"], np.array([[n, 0] for n in range(count)])),
    )
    features = TensorMap(Labels(["angular_channel"], np.array([[l]])), [identity])

    return np.asarray(basis.orthonormalize_basis(features)[0].values[:, 0, :])


def _expand(
    calculator: Calculator,
    clock: Timer,
    contract: Callable[[torch.Tensor], list[torch.Tensor]],
    pair_loop: Callable[..., Any],
    lmax: int,
    neighbours: TensorMap,
    *rest: Any,
    **options: Any,
) -> list[_Expansion]:
    """Expand each pair, block by block, in the place of the package's pair loop.

    That loop still runs, up to the moments; the contractions wait until a block's moments are together
    and converted at once.
    """
    with _kept_moments() as kept:
        pair_loop(lmax, neighbours, *rest, **options)

    into_torch = clock.wrap("conv_in", _into_torch)
    waiting = iter(kept)
    expansions = []

    for centre, group in groupby(neighbours.items(), key=lambda item: int(item[0]["first_atom_type"])):
        keys, blocks = zip(*group, strict=True)

        # All neighbour species of a centre species share its list of centres.
        pairs = [np.asarray(block.samples.values)[:, :2] for block in blocks]
        samples, rows = np.unique(np.concatenate(pairs), axis=0, return_inverse=True)
        ends = np.cumsum([len(part) for part in pairs])[:-1]

        for key, part in zip(keys, np.split(rows, ends), strict=True):
            moments, centres = into_torch(list(islice(waiting, len(part))), part, calculator.solids)
            values = contract(moments)
            expansions.append(_Expansion(centre, int(key["second_atom_type"]), samples, centres, values))

    return expansions


@contextmanager
def _kept_moments() -> Iterator[list[np.ndarray]]:
    """Collect the moments of each pair, in the package's order, while its contractions do nothing."""
    compute_moments = package.compute_moments
    kept = []

    # The package goes on to scale the moments of a pair in place, so what is kept are scaled moments.
    def keep(*arguments: Any) -> np.ndarray:
        moments: np.ndarray = compute_moments(*arguments)
        kept.append(moments)
        return moments

    def shape_only(subscripts: str, solid: np.ndarray, moments: np.ndarray) -> np.ndarray:
        return solid[:, :, 0, 0, 0]

    with (
        _published.replaced(package, "compute_moments", keep),
        _published.replaced(np, "einsum", shape_only),
    ):
        yield kept


def _into_torch(
    moments: list[np.ndarray], rows: np.ndarray, solids: list[torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Convert a block: its moments, stacked, and the centre of each pair."""
    # The package computes a higher degree than the contractions read.
    size = max(solid.shape[-1] for solid in solids)
    stacked = np.stack([cube[:size, :size, :size] for cube in moments])

    return torch.from_numpy(stacked).to(solids[0]), torch.from_numpy(rows).to(solids[0].device)


def _into_numpy(values: torch.Tensor) -> np.ndarray:
    return np.asarray(values.cpu())


def _sum_neighbours(expansions: list[_Expansion], *_: Any, **__: Any) -> list[_Expansion]:
    """Sum over the neighbours of each centre, in the place of the package's function."""
    sums = []

    for pairs in expansions:
        values = [
            part.new_zeros(len(pairs.samples), *part.shape[1:]).index_add_(0, pairs.rows, part)
            for part in pairs.values
        ]
        sums.append(replace(pairs, values=values))

    return sums


def _orthonormalise(
    expansion: _Expansion, radials: list[torch.Tensor], einsum: Callable[..., torch.Tensor]
) -> _Expansion:
    values = [
        einsum("ijk,kl->ijl", part, radial) for part, radial in zip(expansion.values, radials, strict=True)
    ]
    return replace(expansion, values=values)


def _power_spectrum(features: _Expansion, clock: Timer, einsum: Callable[..., torch.Tensor]) -> np.ndarray:
    """Return (-1)^l / sqrt(2l + 1) sum_m c_am c_bm, averaged over the centres of each frame.

    The calls are the package's, one for each m, and one more for each l, from which it learns the shape.
    """
    invariants = []

    for l, values in enumerate(features.values):
        count = values.shape[-1]
        left = values.repeat_interleave(count, dim=2)
        right = values.repeat(1, 1, count) * ((-1) ** l / np.sqrt(2 * l + 1))
        total = torch.zeros_like(einsum("iq,iq->iq", left[:, 0], right[:, 0]))

        for m in range(2 * l + 1):
            total += einsum("iq,iq->iq", left[:, m], right[:, m])

        invariants.append(total)

    # Centres are sorted by frame.
    _, sizes = np.unique(features.samples[:, 0], return_counts=True)
    frames = torch.cat(invariants, dim=1).split(sizes.tolist())
    means = torch.stack([centres.mean(dim=0) for centres in frames])

    return clock.wrap("conv_out", _into_numpy)(means)


def _tensor_map(features: list[_Expansion], clock: Timer) -> TensorMap:
    """Return the package's TensorMap; its properties run neighbour species slow, n fast."""
    into_numpy = clock.wrap("conv_out", _into_numpy)
    keys = []
    blocks = []

    for centre, group in groupby(features, key=attrgetter("centre")):
        expansions = list(group)
        samples = Labels(["type", "center"], expansions[0].samples)

        for l, parts in enumerate(zip(*(expansion.values for expansion in expansions), strict=True)):
            count = parts[0].shape[-1]
            properties = [[n, expansion.neighbour] for expansion in expansions for n in range(count)]

            block = TensorBlock(
                values=into_numpy(torch.cat(parts, dim=2)),
                samples=samples,
                components=[Labels("spherical_component_m", np.arange(-l, l + 1).reshape(-1, 1))],
                properties=Labels(["n", "neighbor_types"], np.array(properties)),
            )
            keys.append([centre, l])
            blocks.append(block)

    return TensorMap(Labels(["types_center", "angular_channel"], np.array(keys)), blocks)
