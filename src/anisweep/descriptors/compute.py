"""From arrays to features: hands runs of centres to the kernels."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Literal

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput, NoThreads
from anisweep.descriptors.library import kernels
from anisweep.descriptors.tables import Derivatives, Particles, Tables, Task, address

Output = Literal["coefficients", "power_spectrum"]
OUTPUTS = ("coefficients", "power_spectrum")

#: Centres of one frame that are averaged together; larger frames are divided, so that threads share them.
LARGEST_SEGMENT = 512

FINE, NO_MEMORY, FLAT_CELL, TOO_MANY_IMAGES, NO_THREADS = range(5)


@dataclass(frozen=True)
class Wanted:
    """What to compute.

    Attributes
    ----------
    output : ``coefficients`` (in the order l, m, species, n), or ``power_spectrum`` (l, then (species, n)
        twice)
    per_centre : one row for each centre; else the mean over the centres of each frame, zero for an empty one
    self_pairs : whether a centre's own density counts
    """

    output: Output
    per_centre: bool
    self_pairs: bool


@dataclass(frozen=True)
class Segments:
    """Runs of centres of one frame.

    Attributes
    ----------
    frame : (segments,)
    start : (segments + 1,) first particle
    """

    frame: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, arrays: FrameArrays) -> Segments:
        """Frames as they are; those with more particles than LARGEST_SEGMENT in parts."""
        counts = arrays.counts
        if counts.max(initial=0) <= LARGEST_SEGMENT:
            return cls(np.arange(len(counts)), arrays.start)

        parts = np.maximum(1, -(-counts // LARGEST_SEGMENT))
        frame = np.repeat(np.arange(len(counts)), parts)
        place = np.arange(len(frame)) - np.repeat(np.cumsum(parts) - parts, parts)
        start = np.concatenate([arrays.start[frame] + place * LARGEST_SEGMENT, arrays.start[-1:]])
        return cls(frame, start)


@dataclass(frozen=True)
class Backward:
    """Derivatives of a function of the features: what goes in, and where sums are added.

    Attributes
    ----------
    cotangent : (centres or frames, features) by the features of each centre
    positions, rotations : (particles, 3)
    strain : (frames, 3, 3)
    diameters : (particles, 3), or None
    """

    cotangent: np.ndarray
    positions: np.ndarray
    rotations: np.ndarray
    strain: np.ndarray
    diameters: np.ndarray | None

    @property
    def order(self) -> int:
        """Highest derivative of the moments."""
        return 1 if self.diameters is None else 2

    def pointers(self) -> Derivatives:
        """The structure for the kernels."""
        return Derivatives(
            positions=self.positions.ctypes.data,
            rotations=self.rotations.ctypes.data,
            diameters=None if self.diameters is None else self.diameters.ctypes.data,
            strain=self.strain.ctypes.data,
        )


class Inputs:
    """The particles as the kernels read them, and the arrays that must stay alive for that.

    ``general`` treats all shapes as if their three axes differed, which derivatives by diameters need.
    """

    def __init__(self, arrays: FrameArrays, species: np.ndarray, general: bool) -> None:
        self.arrays = arrays
        self.species = arrays.places(species)
        self.alike, alike_count = _alike(arrays.diameters, self.species, general)

        self.pointers = Particles(
            positions=address(arrays.positions),
            rotations=address(arrays.rotations),
            diameters=address(arrays.diameters),
            cells=address(arrays.cells),
            periodic=address(arrays.periodic),
            start=address(arrays.start),
            species=address(self.species),
            alike=address(self.alike),
            alike_count=alike_count,
            species_count=len(species),
            matrices=arrays.rotations.shape[1] == 9,
            general=general,
        )


def check_output(output: str) -> None:
    """Raise ``BadInput`` for an output that does not exist."""
    if output not in OUTPUTS:
        raise BadInput(f"output must be one of {', '.join(OUTPUTS)}, not {output!r}")


def widths(counts: tuple[int, ...], species: int, output: Output) -> list[int]:
    """Values in a row for each l, with `counts` radial functions."""
    if output == "coefficients":
        return [(2 * l + 1) * species * count for l, count in enumerate(counts)]
    return [(species * count) ** 2 for count in counts]


def compute(
    tables: Tables,
    arrays: FrameArrays,
    species: np.ndarray,
    wanted: Wanted,
    threads: int = 1,
    backward: Backward | None = None,
    into: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Features of all centres, or their mean over each frame.

    Parameters
    ----------
    tables : the basis
    arrays : the frames
    species : those of the neighbours, sorted; every particle has one of them
    wanted : which features
    threads : exactly so many compute; not a bit of the features depends on it
    backward : also add derivatives to its arrays; one frame is then the work of one thread, and the order
        of the sums, so their last digit, depends on the threads
    into : where to write the features; a new array when left out

    Returns
    -------
    features : shape (centres or frames, features), float64
    found : shape (centres, species), whether a centre has a neighbour (or itself) of a species

    Raises
    ------
    BadInput
        a cell without volume, or far smaller than the cutoff
    """
    segments = Segments.of(arrays)
    results = room(tables, arrays.counts, species, wanted) if into is None else into
    found = np.zeros((len(arrays.numbers), len(species)), dtype=np.int64)
    divided = not wanted.per_centre and len(segments.frame) > len(arrays.counts)

    features = np.empty((len(segments.frame), results.shape[1])) if divided else results
    _run(tables, arrays, species, wanted, segments, features, found, backward, threads)

    if divided:
        np.add.reduceat(features, np.searchsorted(segments.frame, np.arange(len(arrays.counts))), out=results)
    return results, found > 0


def room(
    tables: Tables, counts: np.ndarray, species: np.ndarray, wanted: Wanted, kind: type = np.float64
) -> np.ndarray:
    """An array for the features of frames with so many particles."""
    rows = int(counts.sum()) if wanted.per_centre else len(counts)
    return np.empty((rows, sum(widths(tables.radial.counts, len(species), wanted.output))), kind)


def _run(
    tables: Tables,
    arrays: FrameArrays,
    species: np.ndarray,
    wanted: Wanted,
    segments: Segments,
    features: np.ndarray,
    found: np.ndarray,
    backward: Backward | None,
    threads: int,
) -> None:
    """Call the kernels, which take one block of centres after another."""
    inputs = Inputs(arrays, species, general=backward is not None and backward.diameters is not None)

    task = Task(
        output=OUTPUTS.index(wanted.output),
        self_pairs=wanted.self_pairs,
        per_centre=wanted.per_centre,
        segments=len(segments.frame),
        threads=threads,
        frame=address(segments.frame),
        from_particle=address(segments.start),
        width=features.shape[1],
        out=address(features),
        found=address(found),
        cotangent=None if backward is None else backward.cotangent.ctypes.data,
    )
    structures = (
        tables.pointers,
        None if backward is None else tables.wider[backward.order],
        inputs.pointers,
        task,
        None if backward is None else backward.pointers(),
    )
    status = kernels().anisweep_run(
        *(None if structure is None else ctypes.byref(structure) for structure in structures)
    )
    complain(status, arrays.first + task.failed_frame)


def _alike(diameters: np.ndarray, species: np.ndarray, general: bool) -> tuple[np.ndarray, int]:
    """A number for each kind of sphere (size and species), -1 for what is, or is treated as, no sphere."""
    numbers = np.full(len(diameters), -1, dtype=np.int64)
    if general:
        return numbers, 0

    sphere = (diameters[:, 0] == diameters[:, 1]) & (diameters[:, 1] == diameters[:, 2])
    if not np.count_nonzero(sphere):
        return numbers, 0

    kinds = np.stack([diameters[sphere, 0], species[sphere]], axis=1)
    distinct, inverse = np.unique(kinds, axis=0, return_inverse=True)
    numbers[sphere] = inverse.ravel()
    return numbers, len(distinct)


def complain(status: int, frame: int) -> None:
    """Raise what a status of the kernels means."""
    if status == NO_MEMORY:
        raise MemoryError("the kernels got no memory: compute fewer frames at a time")

    if status == NO_THREADS:
        raise NoThreads("the system started no more threads: ask for fewer, or see `ulimit -u`")

    if status == FLAT_CELL:
        raise BadInput(
            f"frame {frame}: it is periodic, but its cell vectors span no volume: give it a cell, or set pbc "
            "to False"
        )

    if status == TOO_MANY_IMAGES:
        raise BadInput(
            f"frame {frame}: over ten million images of its cell within the cutoff: check the cell's units"
        )
