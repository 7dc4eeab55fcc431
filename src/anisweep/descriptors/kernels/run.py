"""Compute features from arrays, by passing blocks of centres to the kernels."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Literal

import numpy as np

from anisweep.descriptors.arrays import FrameArrays
from anisweep.descriptors.errors import BadInput, NoThreads
from anisweep.descriptors.kernels.loader import kernels
from anisweep.descriptors.kernels.structures import (
    BasisTables,
    Chosen,
    Derivatives,
    Directions,
    Particles,
    Task,
    address,
)

Output = Literal["coefficients", "power_spectrum", "pair_features"]
OUTPUTS = ("coefficients", "power_spectrum", "pair_features")

#: Centres of one frame that are averaged together; larger frames are divided, so that threads share them.
LARGEST_SEGMENT = 512

FINE, NO_MEMORY, FLAT_CELL, TOO_MANY_IMAGES, NO_THREADS = range(5)


@dataclass(frozen=True)
class WantedOutput:
    """Say what to compute.

    Attributes
    ----------
    output : ``coefficients`` (in the order l, m, species, n), ``power_spectrum`` (l, then (species, n)
        twice), or ``pair_features`` (even l, species, n)
    per_centre : one row for each centre; else the mean over the centres of each frame, zero for an empty one
    self_pairs : whether a centre's own density counts; in pair features it is no neighbour
    """

    output: Output
    per_centre: bool
    self_pairs: bool


@dataclass(frozen=True)
class Segments:
    """Divide frames into runs of centres, each of one frame.

    Attributes
    ----------
    frame : (segments,)
    start : (segments + 1,) first particle
    """

    frame: np.ndarray
    start: np.ndarray

    @classmethod
    def of(cls, arrays: FrameArrays) -> Segments:
        """Return frames as they are, and those with more particles than LARGEST_SEGMENT in parts."""
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
    """Hold the input of the backward pass, and the arrays to which it adds derivatives.

    Attributes
    ----------
    cotangent : (centres or frames, features) by the features of each row, of the tables' number type; or
        (1, features), the same for all rows
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
        """Return the highest derivative of the moments that is needed."""
        return 1 if self.diameters is None else 2

    def pointers(self) -> Derivatives:
        """Return the structure that the kernels read."""
        return Derivatives(
            positions=self.positions.ctypes.data,
            rotations=self.rotations.ctypes.data,
            diameters=None if self.diameters is None else self.diameters.ctypes.data,
            strain=self.strain.ctypes.data,
        )


@dataclass(frozen=True)
class Forward:
    """Hold the directions of directional derivatives, as contiguous arrays of float64.

    Attributes
    ----------
    displacements, turns : (particles, 3)
    strains : (frames, 3, 3), or None
    """

    displacements: np.ndarray
    turns: np.ndarray
    strains: np.ndarray | None

    def pointers(self) -> Directions:
        """Return the structure that the kernels read."""
        return Directions(
            displacements=address(self.displacements),
            turns=address(self.turns),
            strains=None if self.strains is None else address(self.strains),
        )


@dataclass(frozen=True)
class JacobianRows:
    """Hold the particles that rows of the Jacobian are asked of, and the array to which these are added.

    Attributes
    ----------
    record : (particles,) the first record of each, or -1; a particle has one where features are a mean,
        else one for each centre of its frame
    out : (records, 6, features)
    """

    record: np.ndarray
    out: np.ndarray

    def pointers(self) -> Chosen:
        """Return the structure that the kernels read."""
        return Chosen(record=address(self.record), out=self.out.ctypes.data)


class Inputs:
    """Hold the particles as the kernels read them, and the arrays that must stay alive for that.

    ``general`` treats all shapes as if their three axes differed, which derivatives by diameters need;
    ``apart`` does not sum spheres of a kind, since derivatives are wanted by some of them.
    """

    def __init__(
        self, arrays: FrameArrays, species: np.ndarray, general: bool = False, apart: bool = False
    ) -> None:
        self.arrays = arrays
        self.species = arrays.places(species)
        self.alike, alike_count = _alike(arrays.diameters, self.species, general or apart)

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
    """Return the number of values in a row for each l, with `counts` radial functions."""
    if output == "coefficients":
        return [(2 * l + 1) * species * count for l, count in enumerate(counts)]
    if output == "pair_features":
        return [0 if l % 2 else species * count for l, count in enumerate(counts)]
    return [(species * count) ** 2 for count in counts]


def compute(
    tables: BasisTables,
    arrays: FrameArrays,
    species: np.ndarray,
    wanted: WantedOutput,
    threads: int = 1,
    backward: Backward | None = None,
    into: np.ndarray | None = None,
    forward: Forward | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Compute the features of all centres, or their mean over each frame.

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
    forward : compute derivatives of the features along these directions, in place of the features

    Returns
    -------
    features : shape (centres or frames, features), of the tables' number type; or what they change by
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

    features = np.empty((len(segments.frame), results.shape[1]), results.dtype) if divided else results
    _run(tables, arrays, species, wanted, segments, features, found, backward, forward, None, threads)

    if divided:
        np.add.reduceat(features, np.searchsorted(segments.frame, np.arange(len(arrays.counts))), out=results)
    return results, found > 0


def add_rows(
    tables: BasisTables,
    arrays: FrameArrays,
    species: np.ndarray,
    wanted: WantedOutput,
    threads: int,
    rows: JacobianRows,
) -> None:
    """Add derivatives of the features by some particles to the array of `rows`.

    One frame is the work of one thread. The order of the sums, so their last digit, depends on the threads.

    Raises
    ------
    BadInput
        a cell without volume, or far smaller than the cutoff
    """
    # The kernels need the width of features, and leave these alone.
    features = np.empty((1, rows.out.shape[2]), rows.out.dtype)
    found = np.zeros((len(arrays.numbers), len(species)), dtype=np.int64)
    _run(tables, arrays, species, wanted, Segments.of(arrays), features, found, None, None, rows, threads)


def room(
    tables: BasisTables,
    counts: np.ndarray,
    species: np.ndarray,
    wanted: WantedOutput,
) -> np.ndarray:
    """Allocate the output array for frames with so many particles, of numbers as the kernels write them."""
    rows = int(counts.sum()) if wanted.per_centre else len(counts)
    columns = sum(widths(tables.radial.counts, len(species), wanted.output))
    return np.empty((rows, columns), tables.number_type)


def _run(
    tables: BasisTables,
    arrays: FrameArrays,
    species: np.ndarray,
    wanted: WantedOutput,
    segments: Segments,
    features: np.ndarray,
    found: np.ndarray,
    backward: Backward | None,
    forward: Forward | None,
    rows: JacobianRows | None,
    threads: int,
) -> None:
    """Call the kernels, which take one block of centres after another."""
    general = backward is not None and backward.diameters is not None
    inputs = Inputs(arrays, species, general, apart=rows is not None)

    task = Task(
        output=OUTPUTS.index(wanted.output),
        self_pairs=wanted.self_pairs and wanted.output != "pair_features",
        per_centre=wanted.per_centre,
        segments=len(segments.frame),
        threads=threads,
        frame=address(segments.frame),
        from_particle=address(segments.start),
        width=features.shape[1],
        out=address(features),
        found=address(found),
        cotangent=None if backward is None else backward.cotangent.ctypes.data,
        cotangent_step=0 if backward is None or len(backward.cotangent) == 1 else features.shape[1],
    )
    order = 1 if backward is None else backward.order
    structures = (
        tables.pointers,
        None if backward is None and forward is None and rows is None else tables.wider[order],
        inputs.pointers,
        task,
        None if backward is None else backward.pointers(),
        None if forward is None else forward.pointers(),
        None if rows is None else rows.pointers(),
    )
    status = kernels(tables.single).anisweep_run(
        *(None if structure is None else ctypes.byref(structure) for structure in structures)
    )
    complain(status, arrays.first + task.failed_frame)


def _alike(diameters: np.ndarray, species: np.ndarray, apart: bool) -> tuple[np.ndarray, int]:
    """Return a number for each kind of sphere (size and species), and -1 for what is treated as no sphere."""
    numbers = np.full(len(diameters), -1, dtype=np.int64)
    if apart:
        return numbers, 0

    sphere = (diameters[:, 0] == diameters[:, 1]) & (diameters[:, 1] == diameters[:, 2])
    if not np.count_nonzero(sphere):
        return numbers, 0

    kinds = np.stack([diameters[sphere, 0], species[sphere]], axis=1)
    distinct, inverse = np.unique(kinds, axis=0, return_inverse=True)
    numbers[sphere] = inverse.ravel()
    return numbers, len(distinct)


def complain(status: int, frame: int) -> None:
    """Raise the error that a status of the kernels stands for."""
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
