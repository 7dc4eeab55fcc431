"""AniSOAP's descriptors in Torch: any device, several precisions, differentiable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.compute import Output, Wanted, check_output
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import covering
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.descriptors.tables import Tables as Hyperparameters
from anisweep.descriptors.torch_backend import geometry, rotation
from anisweep.descriptors.torch_backend.batch import Batch, Neighbours, batch_of
from anisweep.descriptors.torch_backend.expansion import expand
from anisweep.descriptors.torch_backend.moments import Tables
from anisweep.descriptors.torch_backend.oscillator import oscillator

PRECISIONS = ("fp64", "fp32", "tf32", "bf16")

#: Tensors of the size of a chunk that are alive at the same time.
ALIVE = 10


class TorchProjection(EllipsoidalDensityProjection):
    """`EllipsoidalDensityProjection` in Torch: the same arguments and methods, and some that give tensors.

    Parameters
    ----------
    device : of Torch, with float64: ``cpu``, ``cuda``, ``cuda:1``
    precision : ``fp64``, ``fp32``, or ``tf32`` and ``bf16``, which are fp32 but for the operands of the
        contraction. Geometry is float64 always. ``tf32`` needs CUDA
    memory : bytes that the work on pairs may take beyond inputs and results
    fused : let Triton kernels do the costliest stage. None: on CUDA where Triton is installed, but for bf16
    settings : as of `EllipsoidalDensityProjection`; ``threads`` is Torch's own affair and refused

    Raises
    ------
    BadInput
        a precision that does not exist, or not on this device; else as `EllipsoidalDensityProjection`
    ImportError
        fused, without Triton
    """

    def __init__(
        self,
        *args: Any,
        device: str = "cpu",
        precision: str = "fp64",
        memory: int = 2**28,
        fused: bool | None = None,
        **settings: Any,
    ) -> None:
        if precision not in PRECISIONS:
            raise BadInput(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
        if precision == "tf32" and torch.device(device).type != "cuda":
            raise BadInput(f"precision tf32 exists on CUDA only, not on {device}: choose fp32")
        if fused and precision == "bf16":
            raise BadInput("fused: the Triton kernels have no precision bf16: choose fused=False, or tf32")
        if fused and find_spec("triton") is None:
            raise ImportError("fused: Triton is not installed; on Linux: pip install triton")
        if "threads" in settings:
            raise BadInput("threads: here Torch has its own; set them by torch.set_num_threads")

        super().__init__(*args, **settings)
        self.device = device
        self.precision = precision
        self.memory = memory
        self.fused = _with_triton(device, precision) if fused is None else fused
        self.dtype = torch.float64 if precision == "fp64" else torch.float32
        self.number_type = np.float64 if precision == "fp64" else np.float32
        self.torch_tables = _tensors(self.tables, self.dtype, device)

    def features(
        self,
        frames: Any,
        output: Output = "power_spectrum",
        per_centre: bool = False,
        species: Sequence[int] | None = None,
    ) -> Tensor:
        """Features on the device, without derivatives.

        Parameters
        ----------
        frames : of ase.Atoms
        output, per_centre, species : as of `describe`. Isolated centres are zero

        Returns
        -------
        (centres or frames, features), float64 for ``fp64``, else float32
        """
        check_output(output)
        arrays = self.gather(frames)
        batches = self._batches(arrays, covering(species, arrays.species))
        return torch.cat([self._of(batch, output, per_centre) for batch in batches])

    def batch(self, frames: Any, species: Sequence[int] | None = None) -> Batch:
        """Frames as tensors on the device, with their neighbours, to be differentiated by.

        Parameters
        ----------
        frames : of ase.Atoms
        species : of the neighbours, so that all batches have the same columns; else those that occur
        """
        arrays = self.gather(frames)
        return self._batch(arrays, range(len(arrays.counts)), covering(species, arrays.species))

    def coefficients_of(self, batch: Batch, per_centre: bool = True) -> Tensor:
        """Coefficients, differentiable by the four tensors of the batch.

        Returns
        -------
        (centres or frames, features) in the order l, m, species, n
        """
        coefficients = torch.cat([part.flatten(1) for part in self._by_degree(batch)], dim=1)
        return coefficients if per_centre else _mean(coefficients, batch.neighbours)

    def power_spectrum_of(self, batch: Batch, per_centre: bool = False) -> Tensor:
        """Power spectrum, differentiable by the four tensors of the batch.

        Returns
        -------
        (centres or frames, features) in the order l, (species, n), (species, n)
        """
        spectra = []
        with torch.autocast(batch.positions.device.type, enabled=False):
            for l, part in enumerate(self._by_degree(batch)):
                c = part.flatten(2)
                spectra.append((-1) ** l / sqrt(2 * l + 1) * torch.bmm(c.mT, c).flatten(1))

        spectrum = torch.cat(spectra, dim=1)
        return spectrum if per_centre else _mean(spectrum, batch.neighbours)

    def _by_degree(self, batch: Batch) -> list[Tensor]:
        """For each l the coefficients (centres, 2l + 1, species, n)."""
        basis, near, tables = self.radial_basis, batch.neighbours, self.torch_tables
        rotations = geometry.matrices_of(batch.orientations)
        r = geometry.displacements(batch.positions, batch.cells, near)

        mean, rho, weight = geometry.gaussians(
            r, rotations[near.neighbour], batch.diameters[near.neighbour], basis.width**2, basis.scale
        )
        if self.tables.smoothing > 0:
            weight = weight * geometry.fading(r, basis.cutoff, self.tables.smoothing)

        centres, species = len(batch.positions), len(near.species)
        mean, rho, weight = (part.to(self.dtype) for part in (mean, rho, weight))
        values = expand(
            mean, rho, weight, rotations, centres * species, near.groups, tables, self.precision, self.fused
        )
        parts = rotation.by_degree(values, tables.counts)
        return [part.unflatten(0, (centres, species)).transpose(1, 2) for part in parts]

    def _of(self, batch: Batch, output: Output, per_centre: bool) -> Tensor:
        with torch.no_grad():
            if output == "coefficients":
                return self.coefficients_of(batch, per_centre)
            return self.power_spectrum_of(batch, per_centre)

    def _compute(
        self,
        tables: Hyperparameters,
        arrays: FrameArrays,
        species: np.ndarray,
        wanted: Wanted,
        into: np.ndarray,
    ) -> np.ndarray:
        if not tables.normalize:
            raise BadInput("normalize=False is not in Torch: use EllipsoidalDensityProjection")

        found = []
        row = 0
        for batch in self._batches(arrays, species):
            rows = batch.neighbours.groups.row.cpu().numpy()
            found.append(np.bincount(rows, minlength=len(batch.positions) * len(species)))
            values = self._of(batch, wanted.output, wanted.per_centre).cpu().numpy()
            into[row : row + len(values)] = values
            row += len(values)
        return np.concatenate(found).reshape(-1, len(species)) > 0

    def _batches(self, arrays: FrameArrays, species: np.ndarray) -> Iterator[Batch]:
        """Runs of frames of so many centres that what is kept for each stays within the memory."""
        ends = (
            np.searchsorted(arrays.start, arrays.start[:-1] + self._at_a_time(len(species)), side="right") - 1
        )
        first, count = 0, len(arrays.counts)

        while first < count:
            end = max(first + 1, int(ends[first]))
            yield self._batch(arrays, range(first, end), species)
            first = end

    def _batch(self, arrays: FrameArrays, frames: range, species: np.ndarray) -> Batch:
        return batch_of(
            arrays,
            frames,
            species,
            self.radial_basis.cutoff,
            not self.subtract_center_contribution,
            self._pairs(),
            self.device,
        )

    def _pairs(self) -> int:
        """Of a chunk: its products, their sums, and what is made of them."""
        largest = max(int(powers.shape[1]) for powers in self.torch_tables.powers)
        return self._fitting(ALIVE * largest + 4 * self._numbers(1))

    def _at_a_time(self, species: int) -> int:
        """Centres of a run of frames."""
        return self._fitting(4 * self._numbers(species))

    def _fitting(self, numbers: int) -> int:
        """How often so many numbers fit into the memory."""
        return max(1, int(self.memory // (numbers * int(self.dtype.itemsize))))

    def _numbers(self, species: int) -> int:
        """Of coefficients and of matrices of one centre."""
        turning = sum((2 * l + 1) ** 2 for l in range(self.radial_basis.lmax + 1))
        return species * self.torch_tables.features + turning


def _with_triton(device: str, precision: str) -> bool:
    """Whether its kernels can be used."""
    return torch.device(device).type == "cuda" and precision != "bf16" and find_spec("triton") is not None


def _mean(values: Tensor, near: Neighbours) -> Tensor:
    """Over the centres of each frame; zero where there is none."""
    sums = values.new_zeros(len(near.counts), values.shape[1]).index_add(0, near.frame, values)
    return sums / near.counts.clamp(min=1)[:, None]


def _tensors(hyperparameters: Hyperparameters, dtype: torch.dtype, device: str) -> Tables:
    """Tables of the device; rotations are made in float64."""
    radial = hyperparameters.radial
    blocks = oscillator(radial)

    def tensor(array: np.ndarray, kind: torch.dtype) -> Tensor:
        return torch.tensor(array, dtype=kind, device=device)

    return Tables(
        counts=list(radial.counts),
        degree=radial.degree,
        powers=[tensor(block.powers, torch.int64) for block in blocks],
        matrices=[tensor(block.matrix, dtype) for block in blocks],
        order=tensor(np.argsort(np.concatenate([block.columns for block in blocks])), torch.int64),
        swings=[tensor(rotation.swing(l), torch.float64) for l in range(radial.lmax + 1)],
        generators=[tensor(rotation.generators(l), dtype) for l in range(radial.lmax + 1)],
    )
