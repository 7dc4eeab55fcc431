"""Compute AniSOAP's descriptors in Torch: on any device, in several precisions, differentiable."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from math import sqrt
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anisweep.descriptors import hyperparameters
from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import covering
from anisweep.descriptors.kernels.run import Output, WantedOutput, check_output
from anisweep.descriptors.kernels.structures import BasisTables
from anisweep.descriptors.projection import EllipsoidalDensityProjection
from anisweep.descriptors.torch_backend import geometry, on_kernels, rotation
from anisweep.descriptors.torch_backend.batch import (
    Batch,
    Neighbours,
    batch_of,
    counted_as_neighbours,
    own_densities,
)
from anisweep.descriptors.torch_backend.expansion import expand
from anisweep.descriptors.torch_backend.moments import BasisTensors
from anisweep.descriptors.torch_backend.oscillator import oscillator

PRECISIONS = ("fp64", "fp32", "tf32", "bf16")

#: Tensors of the size of a chunk that are alive at the same time.
ALIVE = 10

#: Bytes for the work on pairs, where nobody says how many; on CUDA at least, as each chunk costs launches.
MEMORY = 2**28


class TorchProjection(EllipsoidalDensityProjection):
    """Compute in Torch what `EllipsoidalDensityProjection` computes, also as a layer of a model.

    It has the same arguments and methods, and some that give tensors.

    Parameters
    ----------
    device : str
        Of Torch, with float64: ``cpu``, ``cuda``, ``cuda:1``.
    precision : str
        ``fp64``, ``fp32``, or ``tf32`` and ``bf16``, which are fp32 but for the operands of the contraction.
        Geometry is float64 always. ``tf32`` needs CUDA.
    memory : int, optional
        Bytes that the work on pairs may take beyond inputs and results: by default 256 MiB, and on CUDA a
        quarter of what is free now, if that is more.
    fused : bool, optional
        Let Triton kernels do the costliest stage. Without it they do so on CUDA where Triton is installed,
        but for bf16.
    settings
        As for `EllipsoidalDensityProjection`; ``threads`` is Torch's own affair and refused.

    Raises
    ------
    BadInput
        For a precision that does not exist, or not on this device; else as `EllipsoidalDensityProjection`.
    ImportError
        When fused, without Triton.
    """

    def __init__(
        self,
        *args: Any,
        device: str = "cpu",
        precision: str = "fp64",
        memory: int | None = None,
        fused: bool | None = None,
        **settings: Any,
    ) -> None:
        if precision not in PRECISIONS:
            raise BadInput(f"precision must be one of {', '.join(PRECISIONS)}, not {precision!r}")
        _check_device(device)
        if precision == "tf32" and torch.device(device).type != "cuda":
            raise BadInput(f"precision tf32 exists on CUDA only, not on {device}: choose fp32")
        if fused and precision == "bf16":
            raise BadInput("fused: the Triton kernels have no precision bf16: choose fused=False, or tf32")
        if fused and find_spec("triton") is None:
            raise ImportError("fused: Triton is not installed; on Linux: pip install triton")
        if "threads" in settings:
            raise BadInput("threads: here Torch has its own; set them by torch.set_num_threads")

        super().__init__(*args, **settings, precision="fp64" if precision == "fp64" else "fp32")
        self.device = device
        self.precision = precision
        self.memory = hyperparameters.memory(_memory_of(device) if memory is None else memory)
        self.fused = _with_triton(device, precision) if fused is None else fused
        self.dtype = torch.float64 if precision == "fp64" else torch.float32
        self.torch_tables = _tensors(self.tables, self.dtype, device)

    def features(
        self,
        frames: Any,
        output: Output = "power_spectrum",
        per_centre: bool = False,
        species: Sequence[int] | None = None,
    ) -> Tensor:
        """Return features on the device, without derivatives.

        Parameters
        ----------
        frames : list of Atoms
            What to describe.
        output : str
            ``power_spectrum``, ``coefficients`` or ``pair_features``.
        per_centre : bool
            One row for each centre; else the mean over the centres of each frame. Isolated centres are zero.
        species : list of int, optional
            Species of the neighbours; else those that occur.

        Returns
        -------
        Tensor, shape (rows, features)
            In float64 for ``fp64``, else float32.
        """
        check_output(output)
        arrays = self.gather(frames)
        batches = self._batches(arrays, covering(species, arrays.species), output)
        return torch.cat([self._of(batch, output, per_centre) for batch in batches])

    def batch(self, frames: Any, species: Sequence[int] | None = None) -> Batch:
        """Return frames as tensors on the device, with their neighbours, to be differentiated by.

        Parameters
        ----------
        frames : list of Atoms
            What to describe.
        species : list of int, optional
            Species of the neighbours, so that all batches have the same columns; else those that occur.

        Returns
        -------
        Batch
            What `power_spectrum_of`, `coefficients_of` and `pair_features_of` take.
        """
        arrays = self.gather(frames)
        return self._batch(arrays, range(len(arrays.counts)), covering(species, arrays.species))

    def coefficients_of(self, batch: Batch, per_centre: bool = True) -> Tensor:
        """Return coefficients, differentiable by the four tensors of the batch.

        Parameters
        ----------
        batch : Batch
            Frames, as `batch` gives them.
        per_centre : bool
            One row for each centre; else the mean over the centres of each frame.

        Returns
        -------
        Tensor, shape (rows, features)
            In the order l, m, species, n.
        """
        return self._derivable(batch, "coefficients", per_centre)

    def power_spectrum_of(self, batch: Batch, per_centre: bool = False) -> Tensor:
        """Return power spectra, differentiable by the four tensors of the batch.

        Parameters
        ----------
        batch : Batch
            Frames, as `batch` gives them.
        per_centre : bool
            One row for each centre; else the mean over the centres of each frame.

        Returns
        -------
        Tensor, shape (rows, features)
            In the order l, (species, n), (species, n).
        """
        return self._derivable(batch, "power_spectrum", per_centre)

    def pair_features_of(self, batch: Batch, per_centre: bool = False) -> Tensor:
        """Return pair features, differentiable by the four tensors of the batch.

        Parameters
        ----------
        batch : Batch
            Frames, as `batch` gives them.
        per_centre : bool
            One row for each centre; else the mean over the centres of each frame.

        Returns
        -------
        Tensor, shape (rows, features)
            In the order l (even ones), species, n.
        """
        return self._derivable(batch, "pair_features", per_centre)

    def _derivable(self, batch: Batch, output: Output, per_centre: bool) -> Tensor:
        """Return features from the kernels where these have the derivatives, else from steps in Torch."""
        if self.precision in ("fp64", "fp32") and on_kernels.can_derive(batch):
            features = self._kernel_call(batch, output).features(*on_kernels.geometry_of(batch))
        else:
            features = self._in_torch(batch, output)
        return features if per_centre else _mean(features, batch.neighbours)

    def _kernel_call(self, batch: Batch, output: Output) -> on_kernels.KernelCall:
        assert batch.read is not None

        def in_torch(positions: Tensor, cells: Tensor, orientations: Tensor) -> Tensor:
            moved = replace(batch, positions=positions, cells=cells, orientations=orientations)
            return self._in_torch(moved, output)

        return on_kernels.KernelCall(
            self.tables,
            batch.read.arrays,
            np.array(batch.neighbours.species, dtype=np.int64),
            WantedOutput(output, True, not self.subtract_center_contribution),
            self.rotation_key,
            in_torch,
        )

    def _in_torch(self, batch: Batch, output: Output) -> Tensor:
        """Return the features of each centre."""
        if output == "coefficients":
            return torch.cat([part.flatten(1) for part in self._by_degree(batch)], dim=1)

        with torch.autocast(batch.positions.device.type, enabled=False):
            products = self._pair_products if output == "pair_features" else self._products
            return torch.cat([part.flatten(1) for part in products(batch)], dim=1)

    def _products(self, batch: Batch) -> Iterator[Tensor]:
        """Yield for each l the power spectrum of each centre."""
        for l, part in enumerate(self._by_degree(batch)):
            c = part.flatten(2)
            yield (-1) ** l / sqrt(2 * l + 1) * torch.bmm(c.mT, c)

    def _pair_products(self, batch: Batch) -> Iterator[Tensor]:
        """Yield for each even l the pair features of each centre."""
        densities = self._by_degree(own_densities(batch, self._pairs()))
        counted = counted_as_neighbours(batch).to(self.dtype)[:, None, :, None]

        for l, (part, own) in enumerate(zip(self._by_degree(batch), densities, strict=True)):
            if l % 2 == 0:
                neighbours = (part - counted * own).flatten(2)
                yield torch.bmm(own[:, :, 0, :1].mT, neighbours) / sqrt(2 * l + 1)

    def _by_degree(self, batch: Batch) -> list[Tensor]:
        """Return for each l the coefficients (centres, 2l + 1, species, n)."""
        basis, near, tables = self.radial_basis, batch.neighbours, self.torch_tables
        rotations = geometry.matrices_of(batch.orientations)
        r = geometry.displacements(batch.positions, batch.cells, near)

        mean, rho, weight = geometry.gaussians(
            r, rotations[near.neighbour], batch.diameters[near.neighbour], basis.width**2, basis.scale
        )
        if self.tables.smoothing > 0:
            weight = weight * geometry.fading(r, basis.cutoff, self.tables.smoothing)

        centres, species = batch.positions.shape[0], len(near.species)
        mean, rho, weight = (part.to(self.dtype) for part in (mean, rho, weight))
        values = expand(
            mean, rho, weight, rotations, centres * species, near.groups, tables, self.precision, self.fused
        )
        parts = rotation.by_degree(values, tables.counts)
        return [part.unflatten(0, (centres, species)).transpose(1, 2) for part in parts]

    def _of(self, batch: Batch, output: Output, per_centre: bool) -> Tensor:
        with torch.no_grad():
            return self._derivable(batch, output, per_centre)

    def _compute(
        self,
        tables: BasisTables,
        arrays: FrameArrays,
        species: np.ndarray,
        wanted: WantedOutput,
        into: np.ndarray,
    ) -> np.ndarray:
        if not tables.normalize:
            raise BadInput("normalize=False is not in Torch: use EllipsoidalDensityProjection")

        found = []
        row = 0
        for batch in self._batches(arrays, species, wanted.output):
            rows = batch.neighbours.groups.row.cpu().numpy()
            found.append(np.bincount(rows, minlength=len(batch.positions) * len(species)))
            values = self._of(batch, wanted.output, wanted.per_centre).cpu().numpy()
            into[row : row + len(values)] = values
            row += len(values)
        return np.concatenate(found).reshape(-1, len(species)) > 0

    def _batches(self, arrays: FrameArrays, species: np.ndarray, output: Output) -> Iterator[Batch]:
        """Yield runs of frames of so many centres that what is kept for each stays within the memory."""
        ends = (
            np.searchsorted(arrays.start, arrays.start[:-1] + self._at_a_time(len(species)), side="right") - 1
        )
        first, count = 0, len(arrays.counts)

        while first < count:
            end = max(first + 1, int(ends[first]))
            yield self._batch(arrays, range(first, end), species, output)
            first = end

    def _batch(
        self,
        arrays: FrameArrays,
        frames: range,
        species: np.ndarray,
        output: Output | None = None,
    ) -> Batch:
        """Return the tensors of some frames; in pair features no particle is its own neighbour."""
        return batch_of(
            arrays,
            frames,
            species,
            self.radial_basis.cutoff,
            not self.subtract_center_contribution and output != "pair_features",
            self._pairs(),
            self.device,
        )

    def _pairs(self) -> int:
        """Return the number of pairs per chunk that fit into the memory budget."""
        largest = max(int(powers.shape[1]) for powers in self.torch_tables.powers)
        return self._fitting(ALIVE * largest + 4 * self._numbers(1))

    def _at_a_time(self, species: int) -> int:
        """Return the number of centres per run of frames that fit into the memory budget."""
        return self._fitting(4 * self._numbers(species))

    def _fitting(self, numbers: int) -> int:
        """Return how often so many numbers fit into the memory budget."""
        return max(1, int(self.memory // (numbers * int(self.dtype.itemsize))))

    def _numbers(self, species: int) -> int:
        """Return how many numbers the coefficients and the matrices of one centre have."""
        turning = sum((2 * l + 1) ** 2 for l in range(self.radial_basis.lmax + 1))
        return species * self.torch_tables.features + turning


def _check_device(device: str) -> None:
    """Refuse what Torch does not know, and CUDA where there is none."""
    allowed = "cpu, or cuda or cuda:1 where there is a GPU"
    try:
        kind = torch.device(device).type
    except (RuntimeError, TypeError):
        raise hyperparameters.refused("device", device, allowed, "Try 'cpu'") from None
    if kind == "cuda" and not torch.cuda.is_available():
        remedy = "Torch finds no GPU here; `nvidia-smi` shows what the machine has"
        raise hyperparameters.refused("device", device, allowed, remedy)


def _memory_of(device: str) -> int:
    """Return the bytes that the work on pairs takes on a device unless it is told otherwise."""
    if torch.device(device).type != "cuda":
        return MEMORY
    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return max(MEMORY, int(free + unused) // 4)


def _with_triton(device: str, precision: str) -> bool:
    """Return True if Triton's kernels can be used."""
    return torch.device(device).type == "cuda" and precision != "bf16" and find_spec("triton") is not None


def _mean(values: Tensor, near: Neighbours) -> Tensor:
    """Return the mean over the centres of each frame; zero where there is none."""
    sums = values.new_zeros(near.counts.shape[0], values.shape[1]).index_add(0, near.frame, values)
    return sums / near.counts.clamp(min=1)[:, None]


def _tensors(settings: BasisTables, dtype: torch.dtype, device: str) -> BasisTensors:
    """Return the tables on the device; those of rotations are float64."""
    radial = settings.radial
    blocks = oscillator(radial)

    def tensor(array: np.ndarray, kind: torch.dtype) -> Tensor:
        return torch.tensor(array, dtype=kind, device=device)

    return BasisTensors(
        counts=list(radial.counts),
        degree=radial.degree,
        powers=[tensor(block.powers, torch.int64) for block in blocks],
        matrices=[tensor(block.matrix, dtype) for block in blocks],
        order=tensor(np.argsort(np.concatenate([block.columns for block in blocks])), torch.int64),
        swings=[tensor(rotation.swing(l), torch.float64) for l in range(radial.lmax + 1)],
        generators=[tensor(rotation.generators(l), torch.float64) for l in range(radial.lmax + 1)],
    )
