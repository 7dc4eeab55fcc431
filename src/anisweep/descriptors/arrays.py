"""Hold the particles of frames as plain arrays, and refuse impossible numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anisweep.descriptors.errors import BadInput

#: Angstrom; from there on few digits after the point are left.
LARGEST = 1e9

DIAMETERS = ("c_diameter[1]", "c_diameter[2]", "c_diameter[3]")
WIDTH = {"quaternion": 4, "matrix": 9}


@dataclass(frozen=True)
class FrameArrays:
    """Hold all particles of all frames, one after another.

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
