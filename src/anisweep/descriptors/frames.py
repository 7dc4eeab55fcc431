"""From ASE frames to plain arrays: every array is gathered once, and what is wrong is named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from math import prod
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np

from anisweep.descriptors.errors import BadInput

#: Angstrom; from there on few digits after the point are left.
LARGEST = 1e9

DIAMETERS = ("c_diameter[1]", "c_diameter[2]", "c_diameter[3]")
WIDTH = {"quaternion": 4, "matrix": 9}
REAL, INTEGER = np.dtype(float), np.dtype(np.int64)


@dataclass(frozen=True)
class FrameArrays:
    """All particles of all frames, one after another.

    Attributes
    ----------
    positions : (particles, 3), Angstrom
    rotations : (particles, 4) quaternions (w, x, y, z), or (particles, 9) matrices body -> space
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
    first: int = 0

    @cached_property
    def counts(self) -> np.ndarray:
        """Particles of each frame."""
        counts: np.ndarray = self.start[1:] - self.start[:-1]
        return counts

    def where(self, particle: int) -> str:
        """A particle by its place in its frame."""
        frame = int(np.searchsorted(self.start, particle, side="right")) - 1
        return f"frame {self.first + frame}, particle {particle - self.start[frame]}"


def listed(frames: Any) -> list[Any]:
    """Frames as a list, also one alone. A list stays what it is.

    Raises
    ------
    BadInput
        when there is none, or the first is no ase.Atoms
    """
    if hasattr(frames, "get_positions"):
        return [frames]

    several = (
        frames if isinstance(frames, list) else list(frames if isinstance(frames, Iterable) else [frames])
    )
    if not several:
        raise BadInput("no frames: give a list of at least one ase.Atoms")
    if not hasattr(several[0], "arrays"):
        raise BadInput(
            f"frames must be ase.Atoms, and the first is {several[0]!r:.60}: ase.io.read(file, ':')"
        )
    return several


def particles_of(frames: Sequence[Any]) -> np.ndarray:
    """(frames,) particles of each."""
    return _counts([frame.arrays for frame in frames])


def runs(counts: np.ndarray, particles: int) -> list[tuple[int, int]]:
    """Ranges of frames with about so many particles each; a frame is never divided."""
    ends = np.cumsum(counts + 1)  # a frame without particles takes its time, too
    if ends[-1] <= particles:
        return [(0, len(ends))]

    inner = np.searchsorted(ends, np.arange(particles, ends[-1], particles))
    return list(pairwise(np.unique([0, *inner, len(ends)]).tolist()))


def species_among(frames: Sequence[Any]) -> np.ndarray:
    """The species of all particles of any number of frames, sorted."""
    numbers = (frame.arrays["numbers"].tolist() for frame in frames)
    return np.array(sorted(set(chain.from_iterable(numbers))), dtype=np.int64)


def species_of(numbers: np.ndarray) -> np.ndarray:
    """The species of particles, sorted."""
    if len(numbers) and _all(numbers == numbers[0]):
        return numbers[:1]
    return np.unique(numbers)


def covering(given: Sequence[int], there: np.ndarray) -> np.ndarray:
    """The given species, sorted; all that are there must be among them."""
    species = np.unique(np.asarray(given, dtype=np.int64))
    missing = np.setdiff1d(there, species)
    if len(missing):
        raise BadInput(f"species {missing[0]} is not among those given: {species.tolist()}")
    return species


def gather(
    frames: Sequence[Any],
    rotation_key: str,
    rotation_type: str,
    first: int = 0,
    counts: np.ndarray | None = None,
) -> FrameArrays:
    """Join the arrays of all frames, and check them.

    Parameters
    ----------
    frames : of ase.Atoms, with arrays ``c_diameter[1]``, ``[2]``, ``[3]`` and the orientations
    rotation_key : name of the array of orientations
    rotation_type : ``quaternion`` (w, x, y, z; any length but zero) or ``matrix``
    first : what the first frame is called in errors
    counts : particles of each frame, where they are known

    Raises
    ------
    BadInput
        an array is missing, of the wrong shape, not finite, zero where it must not be
    """
    tables = [frame.arrays for frame in frames]
    counts = _counts(tables) if counts is None else counts
    start = np.zeros(len(tables) + 1, dtype=np.int64)
    counts.cumsum(out=start[1:])
    lengths, particles = counts.tolist(), int(start[-1])
    width = WIDTH[rotation_type]

    def columns(names: tuple[str, ...], dtype: np.dtype[Any], *shape: int) -> np.ndarray:
        return _join(tables, lengths, particles, names, dtype, shape, first)

    def column(name: str, dtype: np.dtype[Any], *shape: int) -> np.ndarray:
        joined: np.ndarray = columns((name,), dtype, *shape)[0]
        return joined

    rotations = column(rotation_key, REAL, 4) if width == 4 else column(rotation_key, REAL, 3, 3)
    arrays = FrameArrays(
        positions=column("positions", REAL, 3),
        rotations=rotations.reshape(-1, width),
        diameters=np.ascontiguousarray(columns(DIAMETERS, REAL).T),
        numbers=column("numbers", INTEGER),
        cells=np.frombuffer(_bytes(map(attrgetter("cell.array"), frames))).reshape(-1, 3, 3),
        periodic=np.frombuffer(_bytes(map(attrgetter("pbc"), frames)), dtype=np.uint8).reshape(-1, 3),
        start=start,
        first=first,
    )
    check(arrays, rotation_key)
    return arrays


def check(arrays: FrameArrays, rotation_key: str = "rotations") -> None:
    """Raise ``BadInput`` for numbers that no descriptor can be computed from."""
    beyond = f"is not finite, or over {LARGEST:g} Angstrom"
    _require(arrays, "positions", np.abs(arrays.positions) < LARGEST, beyond)
    _require(arrays, rotation_key, np.abs(arrays.rotations) < 1e100, "is not finite, or over 1e100")
    _require(arrays, "c_diameter", arrays.diameters < LARGEST, beyond)
    _require(arrays, "c_diameter", arrays.diameters > 0, "is not positive, and a diameter must be")

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


def _require(arrays: FrameArrays, name: str, good: np.ndarray, complaint: str) -> None:
    if _all(good):
        return

    particle = int(np.flatnonzero(~good.all(axis=1))[0])
    raise BadInput(f"{arrays.where(particle)}: {name} {complaint}")


def _all(good: np.ndarray) -> bool:
    """The same as good.all(), in a tenth of the time."""
    return int(np.count_nonzero(good)) == good.size


def _counts(tables: Sequence[dict[str, np.ndarray]]) -> np.ndarray:
    """Particles of each frame."""
    return np.fromiter(map(len, map(itemgetter("numbers"), tables)), np.int64, len(tables))


def _join(
    tables: Sequence[dict[str, np.ndarray]],
    lengths: list[int],
    particles: int,
    names: tuple[str, ...],
    wanted: np.dtype[Any],
    shape: tuple[int, ...],
    first: int,
) -> np.ndarray:
    """(names, particles, ...) of all frames. Joining bytes is faster than np.concatenate on small arrays."""
    try:
        columns = [table[name] for name in names for table in tables]
        if set(map(attrgetter("dtype"), columns)) != {wanted}:
            columns = [column.astype(wanted, casting="same_kind") for column in columns]
        data = _bytes(columns)
        there = list(map(len, columns))
    except KeyError:
        raise BadInput(_missing(tables, names, first)) from None
    except (AttributeError, TypeError, ValueError):
        columns = [
            _converted(table[name], frame, name, wanted)
            for name in names
            for frame, table in enumerate(tables, first)
        ]
        data = _bytes(columns)
        there = list(map(len, columns))

    joined = np.frombuffer(data, dtype=wanted)
    if joined.size != len(names) * particles * prod(shape) or there != len(names) * lengths:
        raise BadInput(_misshapen(tables, lengths, names, shape, first))

    return joined.reshape(len(names), -1, *shape)


def _bytes(columns: Iterable[np.ndarray]) -> bytearray:
    """All numbers, one array after another. Joining the arrays themselves would leave a view in each."""
    return bytearray().join(map(np.ndarray.tobytes, columns))


def _converted(column: Any, frame: int, name: str, wanted: np.dtype[Any]) -> np.ndarray:
    """What is no array of such numbers: a list, or nothing that can be used. Nothing is cut off silently."""
    try:
        return np.atleast_1d(column).astype(wanted, casting="same_kind")
    except (TypeError, ValueError) as error:
        raise BadInput(f"frame {frame}: array {name} does not hold numbers ({error})") from None


def _missing(tables: Sequence[dict[str, np.ndarray]], names: tuple[str, ...], first: int) -> str:
    name = next(name for name in names if any(name not in table for table in tables))
    frame = _first(tables, lambda table: name not in table)
    there = ", ".join(sorted(tables[frame]))
    return f"frame at index {first + frame} is missing a required attribute '{name}': it has {there}"


def _misshapen(
    tables: Sequence[dict[str, np.ndarray]],
    lengths: list[int],
    names: tuple[str, ...],
    shape: tuple[int, ...],
    first: int,
) -> str:
    """Of the first array that is."""
    places = ((name, frame) for name in names for frame in range(len(tables)))
    name, frame = next(
        (name, frame) for name, frame in places if np.shape(tables[frame][name]) != (lengths[frame], *shape)
    )
    came = np.shape(tables[frame][name])
    return f"frame {first + frame}: array {name} has shape {came}, not {(lengths[frame], *shape)}"


def _first(tables: Sequence[dict[str, np.ndarray]], bad: Callable[[dict[str, np.ndarray]], bool]) -> int:
    return next((i for i, table in enumerate(tables) if bad(table)), 0)
