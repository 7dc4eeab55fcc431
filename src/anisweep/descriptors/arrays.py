"""Hold the particles of frames as plain arrays, and refuse impossible numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from anisweep.descriptors.errors import BadInput
from anisweep.descriptors.masks import real_numbers, unmasked

#: Angstrom; from there on few digits after the point are left.
LARGEST = 1e9

DIAMETERS = ("c_diameter[1]", "c_diameter[2]", "c_diameter[3]")
WIDTH = {"quaternion": 4, "matrix": 9}


@dataclass(frozen=True)
class FrameArrays:
    """Hold all particles of all frames, one after another: what is taken in place of many ASE frames.

    Attributes
    ----------
    positions : (particles, 3), Angstrom
    rotations : (particles, 4) quaternions (w, x, y, z), or (particles, 9) matrices body -> lab frame
    diameters : (particles, 3), Angstrom
    numbers : (particles,) species
    cells : (frames, 3, 3), vectors in rows, Angstrom
    periodic : (frames, 3)
    start : (frames + 1,) first particle of each frame
    first : what the first frame is called in errors
    """

    positions: np.ndarray
    rotations: np.ndarray
    diameters: np.ndarray
    numbers: np.ndarray
    cells: np.ndarray
    periodic: np.ndarray
    start: np.ndarray
    first: int

    @classmethod
    def of(
        cls,
        positions: Any,
        orientations: Any,
        diameters: Any,
        species: Any,
        cells: Any = None,
        counts: Any = None,
    ) -> FrameArrays:
        """Copy plain arrays of the particles of all frames; whatever takes them checks their numbers.

        Parameters
        ----------
        positions : ndarray, shape (particles, 3)
            In Angstrom.
        orientations : ndarray, shape (particles, 4) or (particles, 3, 3)
            Quaternions w, x, y, z of any length, or matrices from the body to the lab frame.
        diameters : ndarray, shape (particles, 3) or (3,)
            In Angstrom.
        species : ndarray of int, shape (particles,), or int
            Of each particle, or of all.
        cells : ndarray, shape (frames, 3, 3) or (3, 3), optional
            Vectors in rows, in Angstrom, of frames that are periodic in all directions; else none is.
        counts : ndarray of int, shape (frames,), optional
            Particles of each frame; else all are of one.

        Raises
        ------
        BadInput
            For arrays of other shapes, and for what is no number.

        Examples
        --------
        Two frames of two discs each, in the same cell:

        >>> import numpy as np
        >>> positions = [[0, 0, 0], [4, 0, 0], [0, 0, 0], [0, 4, 0]]
        >>> quaternions = [[1, 0, 0, 0]] * 4
        >>> frames = FrameArrays.of(
        ...     positions, quaternions, [3, 3, 1], species=1, cells=np.eye(3) * 20, counts=[2, 2]
        ... )
        >>> frames.cells.shape
        (2, 3, 3)
        """
        places, turns = real_numbers("positions", positions), real_numbers("orientations", orientations)
        if places.ndim != 2:
            raise BadInput(f"positions must have the shape (particles, 3), not {places.shape}")

        of_frames = _whole("counts", [len(places)] if counts is None else counts)
        if of_frames.ndim != 1 or (of_frames < 0).any() or of_frames.sum() != len(places):
            raise BadInput(f"counts must be from 0 on, and {len(places)} together, not {counts!r:.80}")

        arrays = cls.empty("matrix" if turns.ndim == 3 else "quaternion", of_frames, first=0)
        _copy("positions", places, arrays.positions)
        _copy("orientations", turns, arrays.rotations.reshape((-1, 3, 3) if turns.ndim == 3 else (-1, 4)))
        _copy("diameters", real_numbers("diameters", diameters), arrays.diameters)
        _copy("species", _whole("species", species), arrays.numbers)
        _copy("cells", real_numbers("cells", np.zeros((3, 3)) if cells is None else cells), arrays.cells)
        arrays.periodic[:] = cells is not None
        return arrays

    @classmethod
    def empty(cls, rotation_type: str, counts: np.ndarray, first: int) -> FrameArrays:
        """Allocate arrays for frames with so many particles."""
        start = np.zeros(len(counts) + 1, dtype=np.int64)
        counts.cumsum(out=start[1:])
        particles = int(start[-1])

        return cls(
            positions=np.empty((particles, 3)),
            rotations=np.empty((particles, WIDTH[rotation_type])),
            diameters=np.empty((particles, 3)),
            numbers=np.empty(particles, dtype=np.int64),
            cells=np.empty((len(counts), 3, 3)),
            periodic=np.empty((len(counts), 3), dtype=np.uint8),
            start=start,
            first=first,
        )

    @cached_property
    def counts(self) -> np.ndarray:
        """Return the number of particles of each frame."""
        counts: np.ndarray = self.start[1:] - self.start[:-1]
        return counts

    @cached_property
    def species(self) -> np.ndarray:
        """Return the species of all particles, sorted."""
        return np.unique(self.numbers)

    def between(self, first: int, end: int) -> FrameArrays:
        """Return the frames from the first to before the end."""
        here = slice(int(self.start[first]), int(self.start[end]))
        return FrameArrays(
            positions=self.positions[here],
            rotations=self.rotations[here],
            diameters=self.diameters[here],
            numbers=self.numbers[here],
            cells=self.cells[first:end],
            periodic=self.periodic[first:end],
            start=self.start[first : end + 1] - here.start,
            first=self.first + first,
        )

    def particles(self, frames: np.ndarray) -> np.ndarray:
        """Return where the particles of some frames are, frame after frame."""
        counts = self.counts[frames]
        ends = counts.cumsum()
        places: np.ndarray = np.arange(counts.sum()) + np.repeat(self.start[frames] - ends + counts, counts)
        return places

    def chosen(self, frames: np.ndarray) -> FrameArrays:
        """Return copies of some frames, in the order in which they are given."""
        here = self.particles(frames)
        return FrameArrays(
            positions=self.positions[here],
            rotations=self.rotations[here],
            diameters=self.diameters[here],
            numbers=self.numbers[here],
            cells=self.cells[frames],
            periodic=self.periodic[frames],
            start=np.concatenate([[0], self.counts[frames].cumsum()]),
            first=0,
        )

    def places(self, species: np.ndarray) -> np.ndarray:
        """Return (particles,) the place of each particle's species among the given, sorted ones.

        Raises
        ------
        BadInput
            for a species that is not among them: somebody changed the frames since they were counted
        """
        places = np.searchsorted(species, self.numbers).clip(max=len(species) - 1)
        if not _all(species[places] == self.numbers):
            raise BadInput("the species of the frames changed while they were described: describe copies")
        return places

    def where(self, particle: int) -> str:
        """Return the words for a particle: its frame, and its place there."""
        frame = int(np.searchsorted(self.start, particle, side="right")) - 1
        return f"frame {self.first + frame}, particle {particle - self.start[frame]}"


def _whole(name: str, given: Any) -> np.ndarray:
    """Return whole numbers that fit into 64 bits, or refuse what are none."""
    numbers = unmasked(given, name)
    if numbers.dtype.kind not in "iu" or (numbers.size and numbers.max() > np.iinfo(np.int64).max):
        raise BadInput(f"{name} must be whole numbers, not {given!r:.80}")
    return numbers.astype(np.int64)


def _copy(name: str, values: np.ndarray, into: np.ndarray) -> None:
    """Copy values of each row, or those of all rows."""
    if values.shape not in (into.shape, into.shape[1:]):
        raise BadInput(f"{name} must have the shape {into.shape}, or {into.shape[1:]}, not {values.shape}")
    into[:] = values


def check(arrays: FrameArrays, rotation_key: str) -> None:
    """Raise ``BadInput`` for numbers that no descriptor can be computed from."""
    beyond = f"is not finite, or over {LARGEST:g} Angstrom"
    _require(arrays, "positions", np.abs(arrays.positions) < LARGEST, beyond)
    _require(arrays, rotation_key, np.abs(arrays.rotations) < 1e100, "is not finite, or over 1e100")
    _require(arrays, DIAMETERS, arrays.diameters < LARGEST, beyond)
    _require(arrays, DIAMETERS, arrays.diameters > 0, "is not positive, and a diameter must be")

    if arrays.rotations.shape[1] == 4:
        nonzero = np.vecdot(arrays.rotations, arrays.rotations) > 1e-200
        _require(arrays, rotation_key, nonzero[:, None], "is a quaternion of length zero: no orientation")
    else:
        matrices = arrays.rotations.reshape(-1, 3, 3)
        square = np.abs(matrices @ matrices.swapaxes(1, 2) - np.eye(3)).max(axis=(1, 2)) < 1e-6
        proper = square & (np.linalg.det(matrices) > 0)
        _require(arrays, rotation_key, proper[:, None], "is no rotation matrix (orthogonal, determinant +1)")

    if not _all(np.isfinite(arrays.cells)):
        frame = int(np.flatnonzero(~np.isfinite(arrays.cells).all(axis=(1, 2)))[0])
        raise BadInput(f"frame {arrays.first + frame}: its cell is not finite")


def _require(arrays: FrameArrays, names: str | tuple[str, ...], good: np.ndarray, complaint: str) -> None:
    """Raise ``BadInput`` about the first particle that is not good.

    ``names`` are one of all columns of what must be good, or one of each.
    """
    if _all(good):
        return

    particle = int(np.flatnonzero(~good.all(axis=1))[0])
    name = names if isinstance(names, str) else names[int(good[particle].argmin())]
    raise BadInput(f"{arrays.where(particle)}: {name} {complaint}")


def _all(good: np.ndarray) -> bool:
    """Return the same as good.all(), in a tenth of the time."""
    return int(np.count_nonzero(good)) == good.size
