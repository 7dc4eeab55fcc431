"""What a user's file holds, seen before anything is decided: ``anisweep inspect FILE``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.arrays import OWN_OF_ASE
from anisweep.datasets.guesses import diameter_arrays, orientation_arrays
from anisweep.datasets.pairs import pair_count
from anisweep.datasets.userfile import read_any

#: Pairs are counted in so many frames at most, so that a long trajectory answers at once.
COUNTED = 100

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ArraySummary:
    """An array that every frame has. ``columns`` is its shape without the particles."""

    name: str
    columns: tuple[int, ...]
    low: float
    high: float


@dataclass(frozen=True)
class Inspection:
    """A file as it is.

    Attributes
    ----------
    sizes : smallest and largest number of particles in a frame
    periodic : frames with a periodic cell
    orientations : arrays that could be orientations, the likeliest first
    diameters : the array of three columns, or the three arrays, that could be diameters; empty: none
    counted : the pairs were counted in the first so many frames
    pairs : ordered pairs within ``cutoff`` (Angstrom) in the counted frames, self-pairs included
    """

    file: Path
    frames: int
    particles: int
    sizes: tuple[int, int]
    species: dict[str, int]
    periodic: int
    arrays: tuple[ArraySummary, ...]
    orientations: tuple[str, ...]
    diameters: tuple[str, ...]
    cutoff: float
    counted: int
    pairs: int

    def render(self, estimates: Sequence[tuple[str, float, float]] = ()) -> str:
        """The inspection as text, with the estimated cost of each mode: (name, seconds, MB)."""
        species = ", ".join(f"{symbol} {count:,}" for symbol, count in self.species.items())
        low, high = self.sizes
        counted = "" if self.counted == self.frames else f" in the first {self.counted:,} frames"
        self_pairs = "self-pairs included"

        lines = [
            f"{self.file}",
            f"  frames      {self.frames:,}, of which {self.periodic:,} periodic",
            f"  particles   {self.particles:,}, {low:,} to {high:,} a frame",
            f"  species     {species}",
            f"  pairs       {self.pairs:,} within {self.cutoff:g} Angstrom{counted}, {self_pairs}",
            *self._array_lines(),
            f"  orientations could be: {', '.join(self.orientations) or 'none, so the identity'}",
            f"  diameters could be:    {', '.join(self.diameters) or 'none, so the study has to give them'}",
        ]
        if estimates:
            lines.append(
                "  one computation at lmax 6 takes about (modes that were measured here, and numpy_only):"
            )
        lines += [
            f"    {mode:<14} {seconds:,.3g} s, process of {mb:,.0f} MB" for mode, seconds, mb in estimates
        ]

        return "\n".join(lines) + "\n"

    def _array_lines(self) -> list[str]:
        return [
            f"  array       {array.name}: {' x '.join(map(str, array.columns)) or '1'} a particle, "
            f"{array.low:.4g} to {array.high:.4g}"
            for array in self.arrays
        ]


def inspect(file: Path, cutoff: float = 7.0) -> Inspection:
    """Look at all frames of a file.

    Raises
    ------
    DataError
        When the file cannot be read. What its arrays hold is not judged here.
    """
    frames = list(read_any(file))
    arrays = _common_arrays(frames)
    numeric = [(name, values) for name, values in arrays.items() if values.dtype.kind in "fiu"]
    sizes = [len(frame) for frame in frames]

    return Inspection(
        file=file,
        frames=len(frames),
        particles=sum(sizes),
        sizes=(min(sizes), max(sizes)),
        species=dict(sorted(Counter(symbol for frame in frames for symbol in frame.symbols).items())),
        periodic=sum(bool(frame.pbc.all()) for frame in frames),
        arrays=tuple(_summary(name, values) for name, values in numeric),
        orientations=tuple(orientation_arrays(arrays)),
        diameters=tuple(diameter_arrays(arrays)),
        cutoff=cutoff,
        counted=min(COUNTED, len(frames)),
        pairs=pair_count(frames[:COUNTED], cutoff, self_pairs=True),
    )


def _summary(name: str, values: Array) -> ArraySummary:
    return ArraySummary(name, values.shape[1:], float(values.min()), float(values.max()))


def _common_arrays(frames: list[Atoms]) -> dict[str, Array]:
    """The arrays that all frames have in the same shape, all particles in one."""
    names = [name for name in frames[0].arrays if name not in OWN_OF_ASE]
    joined = {}

    for name in names:
        parts = [frame.arrays.get(name) for frame in frames]
        shapes = {None if part is None else part.shape[1:] for part in parts}
        if len(shapes) == 1:
            joined[name] = np.concatenate(parts)

    return joined
