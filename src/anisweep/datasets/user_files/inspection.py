"""Inspect a user's file before a study of it is written: ``anisweep inspect FILE``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from anisweep.datasets.errors import DataError, Place
from anisweep.datasets.pairs import estimated_pairs
from anisweep.datasets.species import names_in
from anisweep.datasets.user_files.arrays import OWN_OF_ASE
from anisweep.datasets.user_files.candidates import (
    DiameterCandidate,
    OrientationCandidate,
    diameter_candidates,
    orientation_candidates,
)
from anisweep.datasets.user_files.conventions import WRITTEN_BY, Order
from anisweep.datasets.user_files.diameters import check_diameters, diameters_of
from anisweep.datasets.user_files.formats import taken_for_granted
from anisweep.datasets.user_files.frame_checks import check_frame, thin_direction
from anisweep.datasets.user_files.incomplete import (
    Incomplete,
    PartialArray,
    incomplete_sets,
    partial_arrays,
    sets_without_a_column,
)
from anisweep.datasets.user_files.orientations import quaternions_of
from anisweep.datasets.user_files.userfile import read_any
from anisweep.formatting import counted

#: Pairs are counted in so many frames at most, so that a long trajectory answers at once.
COUNTED = 100

#: Angstrom, as in a study.
LONGEST_CUTOFF = 1000.0

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ArraySummary:
    """Summarise an array that every frame has; ``columns`` is its shape without the particles."""

    name: str
    columns: tuple[int, ...]
    low: float
    high: float


@dataclass(frozen=True)
class Inspection:
    """Describe a file as it is.

    Attributes
    ----------
    file_format : its name, where it was given
    sizes : smallest and largest number of particles in a frame
    periodic : frames with a periodic cell, in all three directions
    partly : frames that are periodic in some directions, by these in words
    orientation_candidates : arrays that could be orientations, the likeliest first
    diameter_candidates : arrays that could be diameters, the likeliest first
    counted : the pairs were counted in the first so many frames
    pairs : ordered pairs within ``cutoff`` (Angstrom) in the counted frames, self-pairs included
    exact : whether each of these pairs was counted; else they are estimated
    problem : why the likeliest arrays cannot be used as they are; empty where they can
    partial : arrays that not all frames have alike
    incomplete : what looks like orientations or diameters, and lacks something
    granted : what reading the file takes for granted, as its format cannot say it; else empty
    thin : what looks like a two-dimensional system that is repeated in the third direction; else empty
    """

    file: Path
    file_format: str | None
    frames: int
    particles: int
    sizes: tuple[int, int]
    species: dict[str, int]
    periodic: int
    partly: dict[str, int]
    arrays: tuple[ArraySummary, ...]
    orientation_candidates: tuple[OrientationCandidate, ...]
    diameter_candidates: tuple[DiameterCandidate, ...]
    cutoff: float
    counted: int
    pairs: int
    exact: bool
    problem: str
    partial: tuple[PartialArray, ...]
    incomplete: tuple[Incomplete, ...]
    granted: str
    thin: str

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what is to be mended or decided before the file can be computed as it is meant."""
        found = [*(missing.words for missing in self.incomplete), self.thin, self.problem]
        return tuple(words for words in found if words)

    def missing(self, kind: str) -> str:
        """Return what looks like orientations, or like diameters, and lacks something, in words; else ""."""
        return "; ".join(found.words for found in self.incomplete if found.kind == kind)

    @property
    def orientations(self) -> tuple[str, ...]:
        """Return the names of what could be orientations; those of several columns in one text."""
        return tuple(", ".join(candidate.names) for candidate in self.orientation_candidates)

    @property
    def diameters(self) -> tuple[str, ...]:
        """Return the array of three columns, or the three arrays, taken for lengths; empty for none."""
        likely = [candidate for candidate in self.diameter_candidates if candidate.likely]
        return likely[0].names if likely else ()

    def render(self, estimates: Sequence[tuple[str, float, float]] = ()) -> str:
        """Return the inspection as text, with the estimated cost of each mode: (name, seconds, MB)."""
        species = ", ".join(f"{name}: {count:,}" for name, count in self.species.items())
        low, high = self.sizes
        partly = "".join(f", {count:,} {words}" for words, count in self.partly.items())
        sampled = "" if self.counted == self.frames else f" in the first {counted(self.counted, 'frame')}"
        about = "" if self.exact else "about "
        how = "self-pairs included" + ("" if self.exact else "; estimated from a sample")

        lines = [
            f"{self.file}",
            f"  frames      {self.frames:,}, of which {self.periodic:,} periodic{partly}",
            *([f"  note        {self.granted}"] if self.granted else []),
            f"  particles   {self.particles:,}, {low:,} to {high:,} a frame",
            f"  species     {species}",
            f"  pairs       {about}{self.pairs:,} within {self.cutoff:g} Angstrom{sampled}, {how}",
            *self._array_lines(),
            *self._candidate_lines("orientations", self.orientation_candidates, "so the identity"),
            *self._candidate_lines("diameters", self.diameter_candidates, "so the study has to give them"),
            *(f"  PROBLEM     {problem}" for problem in self.problems),
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
        whole = [
            f"  array       {array.name}: {' x '.join(map(str, array.columns)) or '1'} a particle, "
            f"{array.low:.4g} to {array.high:.4g}"
            for array in self.arrays
        ]
        return whole + [f"  array       {array.name}: {array.where}" for array in self.partial]

    def _candidate_lines(
        self, kind: str, candidates: Sequence[OrientationCandidate | DiameterCandidate], without: str
    ) -> list[str]:
        head = f"{kind} could be:"
        if not candidates:
            none = "none of all frames; see PROBLEM" if self.missing(kind) else f"none, {without}"
            return [f"  {head} {none}"]

        heads = [head, *["or:".rjust(len(head))] * (len(candidates) - 1)]
        return [
            f"  {head} {', '.join(candidate.names)}: {candidate.in_words}"
            for head, candidate in zip(heads, candidates, strict=True)
        ]


def inspect(
    file: Path,
    cutoff: float = 7.0,
    file_format: str | None = None,
    order: Order | None = None,
    radii: bool | None = None,
    most: int | None = None,
) -> Inspection:
    """Inspect all frames of a file, or the first ones.

    Parameters
    ----------
    cutoff : Angstrom
    file_format : its name, where the file itself does not say which
    order, radii : how components of quaternions and lengths are meant; ``None``: by convention
    most : so many frames are looked at

    Raises
    ------
    DataError
        For what cannot be read or meant; what is wrong with orientations and lengths becomes a ``problem``.
    """
    frames = _checked_frames(file, file_format, cutoff, most)
    arrays = _common_arrays(frames)
    orientations = orientation_candidates(arrays, frames[0].info.get(WRITTEN_BY, ""), order)
    diameters = diameter_candidates(arrays, radii)
    partial = tuple(partial_arrays(frames))
    sizes = [len(frame) for frame in frames]
    pairs = estimated_pairs(frames[:COUNTED], cutoff)

    return Inspection(
        file=file,
        file_format=file_format,
        frames=len(frames),
        particles=sum(sizes),
        sizes=(min(sizes), max(sizes)),
        species=_species(frames),
        periodic=sum(bool(frame.pbc.all()) for frame in frames),
        partly=_partly_periodic(frames),
        arrays=_summaries(arrays),
        orientation_candidates=orientations,
        diameter_candidates=diameters,
        cutoff=cutoff,
        counted=min(COUNTED, len(frames)),
        pairs=pairs.pairs,
        exact=pairs.exact,
        problem=_problem(file, frames, orientations[:1], diameters[:1]),
        partial=partial,
        incomplete=tuple(_incomplete(frames, partial, arrays, orientations, diameters)),
        granted=taken_for_granted(file, file_format),
        thin=_thin(frames, cutoff),
    )


def _check_cutoff(cutoff: float) -> None:
    if not 0 < cutoff <= LONGEST_CUTOFF:
        allowed = f"a length above 0 and up to {LONGEST_CUTOFF:g} Angstrom"
        raise DataError("cutoff", f"{cutoff:g} came", allowed, "give for example --cutoff 7")


def _checked_frames(file: Path, file_format: str | None, cutoff: float, most: int | None) -> list[Atoms]:
    _check_cutoff(cutoff)
    frames = list(islice(read_any(file, file_format=file_format), most))
    for number, frame in enumerate(frames):
        check_frame(frame, Place(str(file), number), cutoff)
    return frames


def _problem(
    file: Path,
    frames: Sequence[Atoms],
    orientations: Sequence[OrientationCandidate],
    diameters: Sequence[DiameterCandidate],
) -> str:
    """Return the error of reading these arrays as they are; empty where there is none."""
    try:
        for number, frame in enumerate(frames):
            place = Place(str(file), number)
            for turned in orientations:
                quaternions_of(frame, turned.names, place)
            for lengths in diameters:
                if lengths.likely or lengths.whose:
                    values = diameters_of(frame, lengths.names, place, lengths.radii)
                    check_diameters(frame, values, place)
    except DataError as error:
        return str(error)
    return ""


def _thin(frames: Sequence[Atoms], cutoff: float) -> str:
    """Return the question whether the images of a plane of particles are meant; empty where there is none."""
    for number, frame in enumerate(frames):
        axis = thin_direction(frame, cutoff)
        if axis is None:
            continue

        flags = " ".join("F" if other == axis else "FT"[int(flag)] for other, flag in enumerate(frame.pbc))
        return (
            f"are the images along {'xyz'[axis]} meant? In frame {number} all particles lie in one plane, "
            f"and the cell is periodic there with an edge of {frame.cell.lengths()[axis]:.4g} Angstrom, "
            f"shorter than the cutoff {cutoff:g}. For a two-dimensional system write "
            f'pbc="{flags}" (extended XYZ), or let the '
            f"boundary along {'xyz'[axis]} be f (LAMMPS)"
        )
    return ""


def _incomplete(
    frames: Sequence[Atoms],
    partial: Sequence[PartialArray],
    arrays: Mapping[str, Array],
    orientations: Sequence[OrientationCandidate],
    diameters: Sequence[DiameterCandidate],
) -> list[Incomplete]:
    """Return what lacks frames; and what lacks a column, where nothing whole could be meant."""
    without_frames = incomplete_sets(frames, partial)
    found = {missing.kind for missing in without_frames}
    found |= {"orientations"} if orientations else set()
    found |= {"diameters"} if any(candidate.likely for candidate in diameters) else set()

    scalars = [name for name, values in arrays.items() if values.ndim == 1 and values.dtype.kind in "fiu"]
    without_columns = [missing for missing in sets_without_a_column(scalars) if missing.kind not in found]
    return [*without_frames, *without_columns]


def _partly_periodic(frames: Sequence[Atoms]) -> dict[str, int]:
    """Count the frames that are periodic in one or two directions, by these in words."""
    axes = Counter("".join(np.array(["x", "y", "z"])[frame.pbc]) for frame in frames)
    return {f"periodic in {' and '.join(some)}": count for some, count in axes.items() if len(some) in (1, 2)}


def _species(frames: list[Atoms]) -> dict[str, int]:
    """Count the particles of each species, by name."""
    counts: Counter[str] = Counter()
    for frame in frames:
        names = names_in(frame)
        numbers, several = np.unique(frame.numbers, return_counts=True)
        counts.update(
            dict(zip((names[number] for number in numbers.tolist()), several.tolist(), strict=True))
        )

    return dict(sorted(counts.items()))


def _summaries(arrays: Mapping[str, Array]) -> tuple[ArraySummary, ...]:
    """Return summaries of the arrays that hold numbers."""
    return tuple(
        ArraySummary(name, values.shape[1:], float(values.min()), float(values.max()))
        for name, values in arrays.items()
        if values.dtype.kind in "fiu" and values.size
    )


def _common_arrays(frames: list[Atoms]) -> dict[str, Array]:
    """Return the arrays that all frames have in the same shape, joined over all particles."""
    names = [name for name in frames[0].arrays if name not in OWN_OF_ASE]
    joined = {}

    for name in names:
        parts = [frame.arrays.get(name) for frame in frames]
        shapes = {None if part is None else part.shape[1:] for part in parts}
        if len(shapes) == 1:
            joined[name] = np.concatenate(parts)

    return joined
