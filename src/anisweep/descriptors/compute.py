"""From arrays to features: hands blocks of centres to the kernels."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np

from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.frames import FrameArrays
from anisweep.descriptors.library import kernels
from anisweep.descriptors.tables import Particles, Tables, Task

Output = Literal["coefficients", "power_spectrum"]
OUTPUTS = ("coefficients", "power_spectrum")

#: Centres of one frame that are averaged by one call; larger frames are divided, so that threads share them.
LARGEST_SEGMENT = 512

#: Pieces of work for each thread.
PIECES = 4

FINE, NO_MEMORY, FLAT_CELL, TOO_MANY_IMAGES = range(4)


@dataclass(frozen=True)
class Segments:
    """Runs of centres of one frame.

    Attributes
    ----------
    frame : (segments,)
    start : (segments + 1,) first particle
    weight : (segments,) 1 / particles of the frame
    """

    frame: np.ndarray
    start: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, arrays: FrameArrays) -> Segments:
        """Frames as they are; those with more particles than LARGEST_SEGMENT in parts."""
        counts = arrays.counts
        weight = 1.0 / np.maximum(counts, 1)

        if counts.max(initial=0) <= LARGEST_SEGMENT:
            return cls(np.arange(len(counts)), arrays.start, weight)

        parts = np.maximum(1, -(-counts // LARGEST_SEGMENT))
        frame = np.repeat(np.arange(len(counts)), parts)
        place = np.arange(len(frame)) - np.repeat(np.cumsum(parts) - parts, parts)
        start = np.concatenate([arrays.start[frame] + place * LARGEST_SEGMENT, arrays.start[-1:]])
        return cls(frame, start, weight[frame])


def species_of(arrays: FrameArrays) -> np.ndarray:
    """The species of all frames, sorted."""
    numbers = arrays.numbers
    if len(numbers) and (numbers == numbers[0]).all():
        return numbers[:1]
    return np.unique(numbers)


def widths(tables: Tables, species: int, output: Output) -> list[int]:
    """Values of a centre for each l."""
    if output == "coefficients":
        return [(2 * l + 1) * species * count for l, count in enumerate(tables.radial.counts)]
    return [(species * count) ** 2 for count in tables.radial.counts]


def compute(
    tables: Tables,
    arrays: FrameArrays,
    species: np.ndarray,
    output: Output,
    per_centre: bool,
    self_pairs: bool,
    threads: int = 1,
) -> np.ndarray:
    """Features of all centres, or their mean over each frame.

    Parameters
    ----------
    tables : the basis
    arrays : the frames
    species : sorted, those that neighbours may have
    output : ``coefficients`` (in the order l, m, species, n) or ``power_spectrum`` (l, then (species, n) twice)
    per_centre : one row for each centre; else the mean over the centres of each frame, zero for an empty one
    self_pairs : whether a centre's own density counts
    threads : exactly so many compute

    Returns
    -------
    ndarray, shape (centres or frames, features), float64

    Raises
    ------
    BadInput
        a cell without volume, or far smaller than the cutoff
    """
    segments = Segments.of(arrays)
    width = sum(widths(tables, len(species), output))
    rows = int(arrays.start[-1]) if per_centre else len(segments.frame)
    out = np.empty((rows, width))

    if not per_centre:
        out[segments.start[1:] == segments.start[:-1]] = 0

    _run(tables, arrays, species, segments, out, OUTPUTS.index(output), per_centre, self_pairs, threads)

    if per_centre or len(segments.frame) == len(arrays.counts):
        return out
    return np.add.reduceat(out, np.searchsorted(segments.frame, np.arange(len(arrays.counts))))


def _run(
    tables: Tables,
    arrays: FrameArrays,
    species: np.ndarray,
    segments: Segments,
    out: np.ndarray,
    output: int,
    per_centre: bool,
    self_pairs: bool,
    threads: int,
) -> None:
    basis = tables.pointers()
    inputs = Inputs(arrays, species)
    library = kernels()

    def part(first: int, end: int) -> None:
        task = Task(
            output=output,
            self_pairs=self_pairs,
            per_centre=per_centre,
            first=first,
            end=end,
            frame=segments.frame.ctypes.data,
            from_particle=segments.start.ctypes.data,
            weight=segments.weight.ctypes.data,
            width=out.shape[1],
            out=out.ctypes.data,
        )
        status = library.anisweep_run(
            ctypes.byref(basis), ctypes.byref(inputs.pointers), ctypes.byref(task)
        )
        _complain(status, task.failed_frame)

    if threads == 1:
        part(0, len(segments.frame))
        return

    targets = np.linspace(0, segments.start[-1], PIECES * threads + 1)
    cuts = np.searchsorted(segments.start, targets)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(part, cuts[:-1], cuts[1:]))


class Inputs:
    """The particles as the kernels read them, and the arrays that must stay alive for that."""

    def __init__(self, arrays: FrameArrays, species: np.ndarray) -> None:
        self.arrays = arrays
        self.species = (
            np.zeros(len(arrays.numbers), dtype=np.int64)
            if len(species) == 1
            else np.searchsorted(species, arrays.numbers)
        )
        self.alike, alike_count = _alike(arrays.diameters, self.species)

        self.pointers = Particles(
            positions=arrays.positions.ctypes.data,
            rotations=arrays.rotations.ctypes.data,
            diameters=arrays.diameters.ctypes.data,
            cells=arrays.cells.ctypes.data,
            periodic=arrays.periodic.ctypes.data,
            start=arrays.start.ctypes.data,
            species=self.species.ctypes.data,
            alike=self.alike.ctypes.data,
            alike_count=alike_count,
            species_count=len(species),
            matrices=arrays.rotations.shape[1] == 9,
        )


def _alike(diameters: np.ndarray, species: np.ndarray) -> tuple[np.ndarray, int]:
    """A number for each kind of sphere (size and species), -1 for what is no sphere."""
    numbers = np.full(len(diameters), -1, dtype=np.int64)
    sphere = (diameters[:, 0] == diameters[:, 1]) & (diameters[:, 1] == diameters[:, 2])
    if not sphere.any():
        return numbers, 0

    kinds = np.stack([diameters[sphere, 0], species[sphere]], axis=1)
    distinct, inverse = np.unique(kinds, axis=0, return_inverse=True)
    numbers[sphere] = inverse.ravel()
    return numbers, len(distinct)


def _complain(status: int, frame: int) -> None:
    if status == NO_MEMORY:
        raise MemoryError("the kernels got no memory: compute fewer frames at a time")
    if status == FLAT_CELL:
        raise BadInput(f"frame {frame}: it is periodic, but its cell vectors span no volume; give it a cell, or set pbc")
    if status == TOO_MANY_IMAGES:
        raise BadInput(f"frame {frame}: its cell is far smaller than the cutoff (over 100,000 images); check its units")
